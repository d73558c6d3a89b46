"""Keeps ``core.suspicion``: which prices look like mistakes, judged across all sources (docs/changes.md).

It depends on other sources and on links between models, so it follows the loads of a command, as the links do. Only
models whose prices changed since the last time are judged again; all of them when rules, links or acceptances changed.
"""

from collections.abc import Sequence
from importlib.resources import files

from sqlalchemy import ARRAY, Connection, Text, bindparam, delete, func, insert, select, text

from etl.database.driver import Statement, run_script
from etl.load import basket, derive
from etl.load.derived_tables import acceptance, identity_mark, suspicion_mark
from etl.load.locks import lock
from etl.load.marks import mark

_SQL = (files(__package__) / "derived" / "suspicion.sql").read_text("utf-8")


def refresh(connection: Connection) -> int:
    """Judge what changed since the last time, in the caller's transaction. Returns how many labels changed."""
    lock(connection, "identity")
    due, position = _due(connection), derive.cursor(connection)
    former = connection.execute(select(suspicion_mark.c.mark, suspicion_mark.c.position)).first()
    if former == (due, position):
        return 0
    items = _touched(connection, former.position) if former and former.mark == due else None
    moved = 0 if items == [] else _judge(connection, items)
    if items and moved:
        # Other prices may have been marked because they moved with one of these.
        moved += _judge(connection, None)
    connection.execute(delete(suspicion_mark))
    connection.execute(insert(suspicion_mark).values(mark=due, position=position))
    return moved


def _due(connection: Connection) -> str:
    """A text that changes with the rules, the links between models and the acceptances."""
    links = connection.scalar(select(identity_mark.c.mark)) or ""
    columns = func.count(), func.count(acceptance.c.known_to)
    given, withdrawn = connection.execute(select(*columns)).one()
    return f"{mark('etl.load.derived')} {links} {given} {withdrawn}"


def _touched(connection: Connection, position: int) -> list[str]:
    """The models, wherever they are sold, of which a price changed after a position of the feed."""
    return list(connection.scalars(_TOUCHED, {"position": position}))


def _judge(connection: Connection, items: Sequence[str] | None) -> int:
    # The planner takes six columns that agree for six coincidences, and would loop.
    run_script(connection, "SET LOCAL enable_nestloop = off; DROP TABLE IF EXISTS pg_temp.stage_suspicion")
    _STAGE.rows(connection, items=items)
    moved = _RECONCILE.rows(connection, items=items)
    run_script(connection, "SET LOCAL enable_nestloop = on")
    for source, since, _ in moved:
        basket.refresh(connection, source, since)
    return sum(count for _, _, count in moved)


_ITEMS = bindparam("items", type_=ARRAY(Text))

_STAGE = Statement(text(f"CREATE TEMPORARY TABLE stage_suspicion ON COMMIT DROP AS {_SQL}").bindparams(_ITEMS))

_TOUCHED = text(
    """
    SELECT DISTINCT coalesce(l.canonical_id, c.source || ' ' || c.model_id)
      FROM (SELECT source, model_id FROM core.price_change WHERE asserted > :position
            UNION SELECT source, model_id FROM core.price_change WHERE retracted > :position) c
      LEFT JOIN core.model_link l ON l.source = c.source AND l.model_id = c.model_id
    """
)

_RECONCILE = Statement(
    text(
        """
        WITH gone AS (
            DELETE FROM core.suspicion old
             WHERE (CAST(:items AS text[]) IS NULL
                    OR coalesce((SELECT l.canonical_id FROM core.model_link l
                                  WHERE l.source = old.source AND l.model_id = old.model_id),
                                old.source || ' ' || old.model_id) = ANY (CAST(:items AS text[])))
               AND NOT EXISTS (SELECT FROM pg_temp.stage_suspicion new
                                WHERE (new.source, new.model_id, new.provider, new.region, new.plan, new.meter,
                                       new.tier_start, new.valid_from)
                                    = (old.source, old.model_id, old.provider, old.region, old.plan, old.meter,
                                       old.tier_start, old.valid_from))
            RETURNING source, valid_from
        ), come AS (
            INSERT INTO core.suspicion AS old
                   (source, model_id, provider, region, plan, meter, tier_start, valid_from, valid_to, currency,
                    unit_price, reasons, last_unit_price, others_unit_price, is_accepted)
            SELECT source, model_id, provider, region, plan, meter, tier_start, valid_from, valid_to, currency,
                   unit_price, reasons, last_unit_price, others_unit_price, is_accepted
              FROM pg_temp.stage_suspicion
             -- What is now two versions was one: that ends earlier before the other one takes its end.
             ORDER BY valid_from
            ON CONFLICT ON CONSTRAINT suspicion_pkey DO UPDATE
               SET valid_to = excluded.valid_to, currency = excluded.currency, unit_price = excluded.unit_price,
                   reasons = excluded.reasons, last_unit_price = excluded.last_unit_price,
                   others_unit_price = excluded.others_unit_price, is_accepted = excluded.is_accepted
             WHERE old IS DISTINCT FROM excluded
            RETURNING source, valid_from
        )
        SELECT source, min(valid_from), count(*)
          FROM (SELECT * FROM gone UNION ALL SELECT * FROM come) moved
         GROUP BY source
         ORDER BY source
        """
    ).bindparams(_ITEMS)
)
"""What differs is touched; gives the sources, and since when their baskets have to be worked out anew."""
