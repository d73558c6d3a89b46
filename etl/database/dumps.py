"""Brings back what pg_dump wrote, into a database without rows of a warehouse; all of it or nothing.

The file is read to its end before anything is touched. All that follows is one transaction of one session, in which
no table of the warehouse can be written or read by others: whatever fails or is killed leaves what was there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from etl.database import dependents, mart_record, migrations, reader, transfer
from etl.database.dependents import OURS, Dependent
from etl.database.driver import copy_text, run_script
from etl.database.dump_file import DumpFile, Rows
from etl.errors import DatabaseError, in_short


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What was there and stayed, because it hangs on the warehouse; and what of the dump was left out for that."""

    kept: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def restore(engine: Engine, file: DumpFile) -> Restored:
    """Restore a dump. Owners and grants are those of this server; the caller migrates afterwards.

    Where objects of others hang on an empty warehouse of the dump's revision, only rows are brought back, and those
    objects stay as they are. Raises ``DatabaseError``, and the database is as it was.
    """
    try:
        file.require_readable()
        revision = _revision(file)
        with engine.begin() as connection:
            kept = _make_room(connection, revision)
            (_fill if kept else _create)(connection, file)
    except (DBAPIError, DatabaseError) as error:
        why = in_short(error) if isinstance(error, DBAPIError) else error
        raise DatabaseError(f"{file.path} is not restored, the database is as it was: {why}") from None
    left_out = _others(file) - {f"{each.kind} {each.name}".replace('"', "") for each in kept} if kept else ()
    return Restored(kept=tuple(map(str, kept)), left_out=tuple(sorted(left_out)))


def _revision(file: DumpFile) -> str:
    """The revision of the schema that was dumped. Raises ``DatabaseError`` unless this program can migrate it."""
    found = file.revision()
    if not found:
        raise DatabaseError("it is no dump of a warehouse")
    if not migrations.is_known(found):
        raise DatabaseError(f"it has schema {found}, which is newer than this program: upgrade the program")
    return found


def _make_room(connection: Connection, revision: str) -> list[Dependent]:
    """Be alone with a warehouse without rows; drop it unless something hangs on it, which is returned."""
    transfer.be_alone(connection)
    hanging = dependents.of_the_warehouse(connection)
    present = migrations.revision(connection)
    if hanging and present != revision:
        names = "; ".join(map(str, hanging))
        remedy = "`etl db dependents` prints the SQL that drops them and creates them again"
        raise DatabaseError(
            f"the dump has schema {revision}, the database {present}, and others hang on that: {names}; {remedy}"
        )
    if not hanging:
        run_script(connection, "DROP SCHEMA IF EXISTS mart, core, raw CASCADE")
        run_script(connection, "DROP TABLE IF EXISTS public.schema_revision")
    return hanging


def _create(connection: Connection, file: DumpFile) -> None:
    """Run the whole dump, with all that others had in the database that was dumped."""
    run_script(connection, file.sql("pre-data"))
    with file.rows() as found:
        _take(connection, found)
    run_script(connection, file.sql("post-data"))
    run_script(connection, _ROLE)
    if connection.scalar(text("SELECT to_regnamespace('mart')")) is not None:
        reader.let_read(connection)
    mart_record.record_definitions(connection)


def _fill(connection: Connection, file: DumpFile) -> None:
    """Put the rows of the dump into the tables that are there. What is derived is derived anew at the next upgrade."""
    with transfer.without_rules(connection), file.rows() as found:
        _take(connection, (each for each in found if isinstance(each, str) or _is_wanted(each)))
    run_script(connection, "COMMENT ON SCHEMA mart IS NULL")


def _is_wanted(rows: Rows) -> bool:
    """Whether a table is one of ``raw`` or ``core`` whose rows are true here: the mart is not the one of the dump."""
    is_wanted = rows.schema in OURS and not rows.copy.startswith("COPY core.mart_object ")
    if not is_wanted:
        for _ in rows.pieces:
            pass
    return is_wanted


def _take(connection: Connection, found: Iterable[Rows | str]) -> None:
    for each in found:
        if isinstance(each, str):
            run_script(connection, each)
        else:
            copy_text(connection, each.copy, each.pieces)


def _others(file: DumpFile) -> set[str]:
    """What others had in the database that was dumped."""
    return {
        f"{each.kind.lower()} {each.schema}.{each.name}"
        for each in file.entries()
        if each.kind in _NAMED and each.schema not in OURS and each.name != "schema_revision"
    }


_NAMED = ("TABLE", "VIEW", "MATERIALIZED VIEW", "FUNCTION", "PROCEDURE")

_ROLE = f"""
DO $$ BEGIN
    {reader.CREATE}
EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
END $$
"""
