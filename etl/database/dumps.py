"""Brings back what pg_dump wrote, into a database without a warehouse in it."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Engine

from etl.database import reader
from etl.database.driver import run_script
from etl.errors import DatabaseError


def restore(engine: Engine, pg_restore: Sequence[str], file: Path, environment: Mapping[str, str]) -> None:
    """Restore a dump in one transaction. The caller made sure that nothing is lost: an empty schema makes room.

    Owners and grants are those of this server. Raises ``DatabaseError`` with the last words of ``pg_restore``.
    """
    with engine.begin() as connection:
        run_script(connection, _MAKE_ROOM)
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-acl"]
    done = subprocess.run(  # noqa: S603  the program that this module is about
        [*pg_restore, *options, str(file)], env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:] or f"pg_restore ended with {done.returncode}"
        raise DatabaseError(f"{file} is not restored, the database is empty: {said}")
    with engine.begin() as connection:
        run_script(connection, _ROLE)
        reader.let_read(connection)


_MAKE_ROOM = "DROP SCHEMA IF EXISTS mart, core, raw CASCADE; DROP TABLE IF EXISTS public.schema_revision"

_ROLE = f"""
DO $$ BEGIN
    {reader.CREATE}
EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
END $$
"""
