"""Years of many sources, simulated: the rows that the pipeline made of one source, copied for others by SQL."""

from sqlalchemy import Engine, text

from benchmarks._scaling.life import CHANGED, NAMES, SAME
from etl.load.relations import HISTORY

SOURCES = 500
SNAPSHOTS = 600
"""Of each source: enough that pages and trees are full, few enough to be copied within a minute."""

_POSITIONS = 10_000_000
"""Beyond those that the pipeline has dealt out in the feed."""


def simulate(engine: Engine) -> None:
    """Copy the history of the source that changes, and the log of the one that does not, for every other source."""
    with engine.begin() as connection:
        # Copies of rows that passed the checks: the triggers would only take their time again.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        for statement in _statements():
            connection.execute(text(statement), {"sources": SOURCES, "snapshots": SNAPSHOTS})
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
        connection.execute(text("CHECKPOINT"))


def _statements() -> list[str]:
    copied = [_copied(f"core.{each.name}", "version_id", "valid_from") for each in HISTORY]
    changes = [
        f"INSERT INTO core.{name} SELECT r.* FROM core.{name} c CROSS JOIN generate_series(1, :sources) n"  # noqa: S608
        f" CROSS JOIN LATERAL jsonb_populate_record(c, jsonb_build_object('source', 'copy-' || n, 'asserted',"
        f" asserted + n * {_POSITIONS}::bigint, 'retracted', retracted + n * {_POSITIONS}::bigint)) r"
        f" WHERE c.source = '{NAMES[CHANGED]}' ORDER BY c.asserted, n"
        for name in ("price_change", "catalog_change")
    ]
    derived = [_copied(f"core.{name}", "", "source") for name in ("basket_move", "model_link", "applied")]
    return [_SOURCES, *copied, *changes, *derived, *_LOG]


def _copied(table: str, dealt_out: str, order: str) -> str:
    """The rows of the source that changes, for each other source; the column ``dealt_out`` is numbered anew."""
    number = f"'{dealt_out}', nextval(pg_get_serial_sequence('{table}', '{dealt_out}')), " if dealt_out else ""
    return (
        f"INSERT INTO {table} {'OVERRIDING SYSTEM VALUE ' if dealt_out else ''}"  # noqa: S608
        f"SELECT r.* FROM {table} c CROSS JOIN generate_series(1, :sources) n"
        f" CROSS JOIN LATERAL jsonb_populate_record(c, jsonb_build_object({number}'source', 'copy-' || n)) r"
        f" WHERE c.source = '{NAMES[CHANGED]}' ORDER BY c.{order}, n"
    )


_SOURCES = f"""
INSERT INTO core.source SELECT r.*
  FROM core.source c CROSS JOIN generate_series(1, :sources) n
 CROSS JOIN LATERAL jsonb_populate_record(c, jsonb_build_object('source', 'copy-' || n)) r
 WHERE c.source = '{NAMES[CHANGED]}'
"""  # noqa: S608

_ONE = f"(SELECT max(snapshot_id) FROM core.snapshot WHERE source = '{NAMES[SAME]}')"  # noqa: S608

_LOG = (
    f"""
    CREATE TEMPORARY TABLE made ON COMMIT DROP AS
    SELECT {_ONE} + row_number() OVER (ORDER BY turn, n) AS number, 'copy-' || n AS source,
           observed_at + turn * interval '5 minutes' AS at
      FROM core.snapshot CROSS JOIN generate_series(1, :snapshots) turn CROSS JOIN generate_series(1, :sources) n
     WHERE snapshot_id = {_ONE}
    """,  # noqa: S608
    f"""
    INSERT INTO raw.snapshot OVERRIDING SYSTEM VALUE
    SELECT number + 1000000, m.source, kind, origin, at, at, fingerprint, failure
      FROM made m CROSS JOIN raw.snapshot WHERE snapshot_id = {_ONE} ORDER BY number
    """,  # noqa: S608
    f"""
    INSERT INTO raw.page
    SELECT m.number + 1000000, p.number, url, status, headers, at, sha256
      FROM made m CROSS JOIN raw.page p WHERE snapshot_id = {_ONE} ORDER BY m.number
    """,  # noqa: S608
    f"""
    INSERT INTO core.snapshot
    SELECT number + 1000000, m.source, at, status, reason, is_complete, models, endpoints, prices, opened, closed, at,
           covered, decimals
      FROM made m CROSS JOIN core.snapshot WHERE snapshot_id = {_ONE} ORDER BY number
    """,  # noqa: S608
    f"""
    INSERT INTO core.run OVERRIDING SYSTEM VALUE
    SELECT number + 1000000, m.source, at, caller, worker, at, at, outcome, number + 1000000, error
      FROM made m CROSS JOIN core.run WHERE snapshot_id = {_ONE} ORDER BY number
    """,  # noqa: S608
    "INSERT INTO core.slot SELECT source, at, 'done', number + 1000000, NULL FROM made ORDER BY number",
)
