"""The outbox: messages that wait to be delivered, each to one receiver, and what became of them."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Text, cast, insert, select, update

from etl.load.alert_tables import outbox

LIFE = timedelta(days=7)
"""How long delivery is tried."""

BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)

_IS_WAITING = outbox.c.delivered_at.is_(None) & outbox.c.given_up_at.is_(None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message to one receiver; ``body`` is its JSON text, digit for digit as it was stored."""

    message_id: uuid.UUID
    receiver: str
    body: str
    text: str
    attempts: int


def put(connection: Connection, receivers: Iterable[str], body: Mapping[str, Any], *, now: datetime) -> None:
    """Queue a message for each receiver, each under an id of its own."""
    for name in receivers:
        message_id = uuid.uuid4()
        connection.execute(
            insert(outbox).values(
                message_id=message_id,
                receiver=name,
                kind=body["kind"],
                body={"id": str(message_id), **body},
                created_at=now,
                next_attempt_at=now,
            )
        )


def claim(connection: Connection, receivers: Iterable[str], *, now: datetime) -> Message | None:
    """The oldest message that is due for one of these receivers, kept from others until the transaction ends."""
    query = (
        select(
            outbox.c.message_id,
            outbox.c.receiver,
            cast(outbox.c.body, Text).label("body"),
            outbox.c.body["text"].astext.label("text"),
            outbox.c.attempts,
        )
        .where(_IS_WAITING, outbox.c.next_attempt_at <= now, outbox.c.receiver.in_(list(receivers)))
        .order_by(outbox.c.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(query).one_or_none()
    return Message(**row._mapping) if row else None  # noqa: SLF001  the documented way to name columns


def delivered(connection: Connection, message: Message, *, now: datetime) -> None:
    """Write down that the receiver took it."""
    _write(connection, message, attempts=message.attempts + 1, delivered_at=now, last_error=None)


def failed(connection: Connection, message: Message, error: str, *, wait: float, now: datetime) -> None:
    """Write down why it was not taken, and when to try again: after ``wait`` seconds at least."""
    pause = min(BACKOFF * 2 ** min(message.attempts, 16), LONGEST_BACKOFF)
    asked = timedelta(seconds=min(wait, LIFE.total_seconds()))
    _write(
        connection, message, attempts=message.attempts + 1, next_attempt_at=now + max(pause, asked), last_error=error
    )


def give_up(connection: Connection, *, now: datetime) -> int:
    """Leave what nobody took in ``LIFE`` where it is, and try no more. Tells how many that are."""
    is_old = outbox.c.created_at < now - LIFE
    # What another process is delivering just now is not waited for: it is given up a minute later, or never.
    old = select(outbox.c.message_id).where(_IS_WAITING, is_old).with_for_update(skip_locked=True)
    found = connection.execute(
        update(outbox).where(outbox.c.message_id.in_(old)).values(given_up_at=now).returning(outbox.c.message_id)
    )
    return len(found.all())


def _write(connection: Connection, message: Message, **values: Any) -> None:
    connection.execute(update(outbox).where(outbox.c.message_id == message.message_id).values(values))
