"""Keeps ``core.canonical_model`` and ``core.model_link`` equal to what the rules make of every model that history had.

What is there is compared and only what differs is touched. ``core.identity_mark`` says from which rules and which
versions of models the links were made, so that nothing is read while both are the same.
"""

from sqlalchemy import Connection, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from etl.database.driver import copy_in, run_script
from etl.identity.linking import Link, link
from etl.identity.reading import Listed
from etl.load.derived_tables import identity_mark
from etl.load.locks import lock
from etl.load.marks import mark
from etl.load.relations import endpoint, model


def refresh(connection: Connection) -> int:
    """Link every model that any source ever listed, as believed now, in the caller's transaction.

    Returns how many rows were written or taken back; none when nothing that matters came since the last time.
    """
    lock(connection, "identity")
    due = f"{mark('etl.identity')} {_versions(connection)}"
    if connection.scalar(select(identity_mark.c.mark)) == due:
        return 0
    _stage(connection, link(_listed(connection)))
    touched = sum(connection.execute(text(statement)).rowcount for statement in _STATEMENTS)
    connection.execute(delete(identity_mark))
    connection.execute(insert(identity_mark).values(mark=due))
    return touched


def _versions(connection: Connection) -> str:
    """How many versions of models there are, and how many are no longer believed: they are only ever added to."""
    version = model.table.c
    all_of_them, superseded = connection.execute(select(func.count(), func.count(version.known_to))).one()
    return f"{all_of_them} {superseded}"


def _listed(connection: Connection) -> list[Listed]:
    """Every model that history ever had, with its latest name and author and all who ever served it."""
    version, route = model.table.c, endpoint.table.c
    serving = (
        select(route.source, route.model_id, func.array_agg(route.provider.distinct()).label("providers"))
        .where(route.known_to.is_(None))
        .group_by(route.source, route.model_id)
        .subquery()
    )
    found = (
        select(version.source, version.model_id, version.author, version.name, serving.c.providers)
        .ext(distinct_on(version.source, version.model_id))
        .join_from(
            model.table,
            serving,
            (serving.c.source == version.source) & (serving.c.model_id == version.model_id),
            isouter=True,
        )
        .where(version.known_to.is_(None))
        .order_by(version.source, version.model_id, version.valid_from.desc())
    )
    return [
        Listed(
            source=row.source,
            model_id=row.model_id,
            author=row.author or "",
            name=row.name or "",
            providers=frozenset(row.providers or ()),
        )
        for row in connection.execute(found)
    ]


def _stage(connection: Connection, links: tuple[Link, ...]) -> None:
    run_script(connection, _EMPTY_TABLE)
    columns = ("source", "model_id", "canonical_id", "method", "evidence", "confidence")
    rows = (
        (each.source, each.model_id, each.canonical_id, each.method.value, each.evidence, each.confidence)
        for each in links
    )
    copy_in(connection, "pg_temp.stage_model_link", columns, rows)
    run_script(connection, "ANALYZE pg_temp.stage_model_link")


_EMPTY_TABLE = """
DROP TABLE IF EXISTS pg_temp.stage_model_link;
CREATE TEMPORARY TABLE stage_model_link (LIKE core.model_link) ON COMMIT DROP;
"""

_STATEMENTS = (
    """
    INSERT INTO core.canonical_model (canonical_id, vendor, name)
    SELECT DISTINCT canonical_id, split_part(canonical_id, '/', 1), substr(canonical_id, strpos(canonical_id, '/') + 1)
      FROM pg_temp.stage_model_link
     WHERE canonical_id IS NOT NULL
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO core.model_link AS old (source, model_id, canonical_id, method, evidence, confidence)
    SELECT source, model_id, canonical_id, method, evidence, confidence
      FROM pg_temp.stage_model_link
    ON CONFLICT (source, model_id) DO UPDATE
       SET canonical_id = excluded.canonical_id, method = excluded.method,
           evidence = excluded.evidence, confidence = excluded.confidence
     WHERE (old.canonical_id, old.method, old.evidence, old.confidence)
           IS DISTINCT FROM (excluded.canonical_id, excluded.method, excluded.evidence, excluded.confidence)
    """,
    """
    DELETE FROM core.model_link old
     WHERE NOT EXISTS (SELECT FROM pg_temp.stage_model_link new
                        WHERE new.source = old.source AND new.model_id = old.model_id)
    """,
    """
    DELETE FROM core.canonical_model old
     WHERE NOT EXISTS (SELECT FROM core.model_link new WHERE new.canonical_id = old.canonical_id)
    """,
)
"""Models first, because links point at them; what nobody points at any more goes last."""
