"""What must hold in a warehouse whatever was killed in it, and history as it can be compared between warehouses."""

import time
from collections.abc import Mapping

from sqlalchemy import Engine, text

from tests.dump import HISTORY
from tests.load.believing import believed
from tests.load.worlds import World, history, moment

COUNTED = "status IN ('loaded', 'unchanged')"


def settled(engine: Engine, seconds: float = 20) -> None:
    """Wait until the server has noticed who died: no session, and so no lock, and no temporary table is left."""
    leftovers = text(
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())"
        " + (SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r')"
    )
    deadline = time.monotonic() + seconds
    while True:
        with engine.connect() as connection:
            left = connection.scalar(leftovers)
        if not left:
            return
        assert time.monotonic() < deadline, f"{left} sessions or temporary tables are left"
        time.sleep(0.02)


def days_of(engine: Engine, source: str, condition: str = COUNTED) -> set[int]:
    """The days of which a source has snapshots."""
    sql = text(f"SELECT observed_at FROM core.snapshot WHERE source = :source AND {condition}")
    with engine.connect() as connection:
        return {(at - moment(0)).days for at in connection.scalars(sql, {"source": source})}


def assert_nothing_half(engine: Engine, source: str, worlds: Mapping[int, World]) -> None:
    """History is that of the snapshots which count, whole; what else is there is landed whole and waits."""
    settled(engine)
    assert believed(engine, source) == history({day: worlds[day] for day in days_of(engine, source)})
    with engine.connect() as connection:
        strays = connection.scalar(
            text(
                "SELECT (SELECT count(*) FROM core.quarantine JOIN core.snapshot s USING (snapshot_id)"
                f" WHERE s.source = :source AND NOT {COUNTED})"
                " + (SELECT count(*) FROM raw.snapshot r LEFT JOIN core.snapshot s USING (snapshot_id)"
                "     LEFT JOIN raw.page p USING (snapshot_id)"
                "     WHERE r.source = :source AND (s.snapshot_id IS NULL OR p.sha256 IS NULL))"
            ),
            {"source": source},
        )
    assert strays == 0
    assert len(days_of(engine, source, "status = 'landed'")) <= 1


def whole(engine: Engine, source: str) -> dict[str, list[str]]:
    """Every version of a source, superseded ones too, without what depends on when it was loaded."""
    late = "{version_id,asserted,retracted,known_from,known_to,end_known_from}"
    version = f"to_jsonb(t) - '{late}'::text[] || jsonb_build_object('is_believed', known_to IS NULL)"
    with engine.connect() as connection:
        return {
            table: sorted(
                connection.scalars(
                    text(f"SELECT ({version})::text FROM {table} t WHERE source = :source"), {"source": source}
                )
            )
            for table in HISTORY
        }
