"""Compares the believed history of a source with the one that a schema holds, which was rebuilt elsewhere."""

from sqlalchemy import Connection, select

from etl.load import rebuilt
from etl.load.comparing import Verdict, compare, pairs
from etl.load.history import COUNTED
from etl.load.speaking import speaking


def verify(connection: Connection, name: str, schema: str) -> Verdict:
    """What is there against what was rebuilt, in one view of the database. Raises ``ConfigurationError``.

    Changes are not compared: they follow from the versions.
    """
    with connection.execution_options(isolation_level="REPEATABLE READ").begin():
        rebuilt.require_there(connection, schema)
        verdict = _read(connection, name, schema)
        compare(connection, verdict, pairs(name, schema))
    return verdict


def _read(connection: Connection, name: str, schema: str) -> Verdict:
    """The verdict so far: what was read, and what was not."""
    table = rebuilt.tables(schema).tables[f"{schema}.snapshot"]
    found = connection.execute(select(table).where(table.c.source == name).order_by(table.c.observed_at)).all()
    lost = [f"snapshot {each.snapshot_id}: {each.failure}" for each in found if each.failure and each.status in COUNTED]
    moments = {each.observed_at for each in found}
    missing = [each for each in speaking(connection, name) if each.observed_at not in moments]
    if missing:
        others = f" and {len(missing) - 1} more" if missing[1:] else ""
        lost.append(f"snapshot {missing[0].snapshot_id}{others} came after {schema} was rebuilt, or is not in it")
    return Verdict(
        source=name,
        snapshots=sum(each.failure is None for each in found),
        unreadable=lost,
        readable_now=[each.snapshot_id for each in found if each.failure is None and each.status == "failed"],
    )
