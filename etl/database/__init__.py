"""Engines, migrations and the embedded Postgres server."""
