"""Damages landed bodies behind the back of the database, as a failing disk does."""

from sqlalchemy import Engine, text

from tests.database.roles import as_owner
from tests.load.worlds import moment

ROTTEN = b"\x28\xb5\x2f\xfd rotten"


def damage(engine: Engine, day: int, body: bytes = ROTTEN) -> None:
    """Put other bytes in the place of what a day shows."""
    of_day = (
        "UPDATE raw.content c SET body = :body FROM raw.page p JOIN raw.snapshot s USING (snapshot_id)"
        " WHERE c.sha256 = p.sha256 AND s.observed_at = :at"
    )
    with as_owner(engine).begin() as connection:
        connection.execute(text("ALTER TABLE raw.content DISABLE TRIGGER no_loss"))
        assert connection.execute(text(of_day), {"body": body, "at": moment(day)}).rowcount == 1
        connection.execute(text("ALTER TABLE raw.content ENABLE TRIGGER no_loss"))


def kept(engine: Engine) -> list[bytes]:
    """What was found damaged and replaced, in order of time."""
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT body FROM raw.damaged ORDER BY found_at")))
