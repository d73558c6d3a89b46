"""Brings back what pg_dump wrote, into a database without a warehouse in it."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from sqlalchemy import Engine

from etl.database import reader
from etl.database.driver import run_script
from etl.errors import DatabaseError


@dataclass(frozen=True, kw_only=True, slots=True)
class Clients:
    """The programs that restore, the database as they name it, and their environment, which has the password."""

    pg_restore: str
    psql: str
    address: str
    environment: Mapping[str, str]


def restore(engine: Engine, clients: Clients, file: Path) -> None:
    """Restore a dump in one transaction. The caller made sure that nothing is lost: an empty schema makes room.

    Owners and grants are those of this server. Raises ``DatabaseError`` with the last words of who failed.
    """
    with engine.begin() as connection:
        run_script(connection, _MAKE_ROOM)
    with tempfile.TemporaryFile() as said:
        if not _is_restored(clients, file, said):
            said.seek(0)
            words = " ".join(said.read().decode(errors="replace").split())
            raise DatabaseError(f"{file} is not restored, the database is empty: {words[:300]}")
    with engine.begin() as connection:
        run_script(connection, _ROLE)
        reader.let_read(connection)


def _is_restored(clients: Clients, file: Path, said: IO[bytes]) -> bool:
    """Let psql run what pg_restore reads, and commit only when all of it was read.

    A newer pg_restore, left to itself, begins with a setting that an older server does not know.
    """
    reading = [clients.pg_restore, "--no-owner", "--no-acl", "--file=-", str(file)]
    running = [clients.psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={clients.address}"]
    with (
        subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=said) as source,  # noqa: S603  the clients of Postgres
        subprocess.Popen(  # noqa: S603
            running, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=dict(clients.environment)
        ) as target,
    ):
        assert source.stdout is not None  # noqa: S101  both are pipes
        assert target.stdin is not None  # noqa: S101
        with suppress(BrokenPipeError), target.stdin as sink:
            sink.write(b"BEGIN;\n")
            sink.writelines(line for line in islice(source.stdout, _HEADER) if line != _UNKNOWN_BEFORE_17)
            shutil.copyfileobj(source.stdout, sink)
            if source.wait() == 0:
                sink.write(b"COMMIT;\n")
        source.stdout.close()
    return source.returncode == 0 and target.returncode == 0


_HEADER = 40
"""Lines among which the settings of a dump are."""

_UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"

_MAKE_ROOM = "DROP SCHEMA IF EXISTS mart, core, raw CASCADE; DROP TABLE IF EXISTS public.schema_revision"

_ROLE = f"""
DO $$ BEGIN
    {reader.CREATE}
EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
END $$
"""
