"""How far each watch has told the feed of changes."""

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.load import derive
from etl.load.alert_tables import price_watch
from etl.load.locks import lock


def take(connection: Connection, watch: str, criteria: str) -> tuple[int, int]:
    """From where to where a watch is to tell now; the next time it goes on from there.

    One that is new, or has other criteria than before, begins at the end of the feed: it never tells history. Of two
    that ask at once the second waits for the first, and finds the feed at least as long.
    """
    lock(connection, "watches", seconds=10)
    end = derive.cursor(connection)
    begun = upsert(price_watch).values(watch=watch, filter=criteria, position=end)
    connection.execute(
        begun.on_conflict_do_update(
            index_elements=["watch"],
            set_={"filter": criteria, "position": end},
            where=price_watch.c.filter != criteria,
        )
    )
    mine = price_watch.c.watch == watch
    start = connection.execute(select(price_watch.c.position).where(mine)).scalar_one()
    if start != end:
        connection.execute(update(price_watch).where(mine).values(position=end))
    return start, end
