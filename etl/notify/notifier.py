"""Tells whoever wants to know what is wrong, and that all is well; nothing that goes wrong here stops anything else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from etl.config import Receiver, Settings
from etl.errors import EtlError, in_short
from etl.load import alerts, outbox
from etl.load.outbox import Message
from etl.notify import messages
from etl.notify.post import Answer, Door
from etl.notify.telling import Telling, alone

ROUND = timedelta(minutes=1)
"""After so long no further delivery is begun: the next round goes on."""

SERIOUS = frozenset({"failing", "stale", "held", "set_aside"})
"""Problems with which a round is not good."""


@dataclass(frozen=True)
class Notifier:
    """Alerts and changes of prices, told to ``receivers``; ``ping_url`` is called when all is well."""

    engine: Engine
    settings: Settings
    receivers: Sequence[Receiver]
    ping_url: str | None = field(repr=False)
    clock: Callable[[], datetime]

    def tell(self) -> None:
        """Queue what is to be told now, and deliver what waits. Never raises: what fails is a warning in the log."""
        for what, step in (
            ("alerts are not evaluated", self._evaluate),
            ("price changes are not evaluated", self._watch),
            ("messages are not delivered", self._deliver),
        ):
            self._attempt(what, step)

    def ping(self) -> None:
        """Call the url that says we are alive, once. Never raises."""
        if self.ping_url:
            self._attempt("the ping did not arrive", self._ping)

    def is_well(self) -> bool:
        """Whether it is known that no enabled source is failing, stale, held or set aside. Never raises."""
        found: list[bool] = []
        self._attempt("health is not known", lambda: found.append(self._is_well()))
        return found == [True]

    def _is_well(self) -> bool:
        with self.engine.connect() as connection:
            problems = alerts.holding(connection, failures=1, now=self.clock())
        return not any(problem.problem in SERIOUS for problem in problems)

    def _evaluate(self) -> None:
        with self.engine.begin() as connection:
            alone(connection)
            self._telling(connection).alerts()

    def _watch(self) -> None:
        if self.receivers and self.settings.alerts.price_changes:
            with self.engine.begin() as connection:
                self._telling(connection).price_changes()

    def _telling(self, connection: Connection) -> Telling:
        names = [receiver.name for receiver in self.receivers]
        return Telling(connection, self.settings.alerts, names, self.clock())

    def _deliver(self) -> None:
        """Deliver what is due, the oldest first; who does not take one message is not asked again in this round."""
        waiting = {receiver.name: receiver for receiver in self.receivers}
        until = self.clock() + ROUND
        with self.engine.begin() as connection:
            if given_up := outbox.give_up(connection, now=self.clock()):
                structlog.get_logger().warning("messages given up", messages=given_up)
        while waiting and self.clock() <= until:
            with self.engine.begin() as connection:
                message = outbox.claim(connection, waiting, now=self.clock())
                if message is None:
                    return
                if not self._post(connection, waiting[message.receiver], message):
                    del waiting[message.receiver]

    def _post(self, connection: Connection, receiver: Receiver, message: Message) -> bool:
        """Post a claimed message and write down what came of it; tells whether the receiver took it."""
        body = messages.slack(message.text) if receiver.format == "slack" else message.body.encode()
        answer = self._door.post(receiver.url, body, str(message.message_id))
        if answer.error is None:
            outbox.delivered(connection, message, now=self.clock())
            return True
        outbox.failed(connection, message, answer.error, wait=answer.wait, now=self.clock())
        self._warn("message not delivered", answer.error, receiver=receiver.name, message=str(message.message_id))
        return False

    def _ping(self) -> None:
        answer: Answer = self._door.get(self.ping_url or "")
        if answer.error:
            self._warn("the ping did not arrive", answer.error)

    @property
    def _door(self) -> Door:
        return Door(self.settings.ca_file, self.clock)

    def _attempt(self, what: str, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001  whatever goes wrong in telling, what was to be told has happened
            self._warn(what, _because(error))

    def _warn(self, what: str, because: str, **facts: str) -> None:
        structlog.get_logger().warning(what, because=because, **facts)


def _because(error: Exception) -> str:
    """Why a step failed; only texts that are known to hold no url are repeated."""
    match error:
        case EtlError() | DBAPIError():
            return in_short(error)
        case _:
            return type(error).__name__
