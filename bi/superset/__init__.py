"""Dashboards of Apache Superset: the bundle that it imports, and what installs, starts and photographs it."""
