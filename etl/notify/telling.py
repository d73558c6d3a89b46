"""Decides what is to be told, and queues it in the transaction that notes it as told: each thing once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from etl.config import AlertSettings, PriceWatch
from etl.load import alerts, changes, outbox, watches
from etl.load.alerts import Alert, Problem
from etl.load.locks import lock
from etl.notify import messages

MOST = 50
"""Changes of prices that one message spells out."""

STEPS = ("increased", "decreased")


@dataclass(frozen=True)
class Telling:
    """One evaluation, in the caller's transaction; ``receivers`` are the names of those who are told.

    Whoever has nobody to tell keeps what is found as found, and leaves alone what others told somebody.
    """

    connection: Connection
    settings: AlertSettings
    receivers: Sequence[str]
    now: datetime

    def alerts(self) -> None:
        """Compare what is wrong now with what was told, and queue what is new, worse, there still, or gone.

        The caller holds the lock that ``alone`` takes, from before ``now`` on.
        """
        holding = alerts.holding(self.connection, failures=self.settings.failures, now=self.now)
        found = {(each.source, each.problem): each for each in holding}
        for known in alerts.unresolved(self.connection):
            problem = found.pop((known.found.source, known.found.problem), None)
            if problem is None:
                self._resolve(known)
            else:
                self._go_on(known, problem)
        for problem in found.values():
            told_at = self.now if self.receivers else None
            alerts.open_alert(self.connection, problem, now=self.now, told_at=told_at)
            self._put(messages.alert("opened", problem, since=self.now, now=self.now))

    def price_changes(self) -> None:
        """Queue one message for each watch about what became known since it told last."""
        for watch in self.settings.price_changes:
            receivers = [name for name in self.receivers if name in watch.webhooks or not watch.webhooks]
            if receivers:
                self._watch(watch, receivers)

    def _watch(self, watch: PriceWatch, receivers: Sequence[str]) -> None:
        criteria = f"source {watch.source}, model {watch.model}, ratio {watch.min_ratio.normalize():f}"
        after, upto = watches.take(self.connection, watch.name, criteria)
        matching = (row for row in changes.of_prices(self.connection, after=after, upto=upto) if is_wanted(watch, row))
        told = list(islice(matching, MOST))
        count = len(told) + sum(1 for _ in matching)
        if count:
            body = messages.price_change(watch.name, told, count=count, cursors=(after, upto), now=self.now)
            outbox.put(self.connection, receivers, body, now=self.now)

    def _go_on(self, known: Alert, problem: Problem) -> None:
        """Say again what is there still, when there is a reason to."""
        kind = self._why(known, problem)
        if kind is None or not self.receivers:
            return
        count = problem.count if kind == "opened" else max(known.found.count, problem.count)
        alerts.update_alert(self.connection, known.alert_id, count=count, example=problem.example, told_at=self.now)
        self._put(messages.alert(kind, problem, since=known.opened_at, now=self.now))

    def _why(self, known: Alert, problem: Problem) -> str | None:
        if known.told_at is None:
            return "opened"
        if problem.count > known.found.count and problem.problem != "failing":
            return "worsened"
        return "repeated" if self.now - known.told_at >= self.settings.repeat else None

    def _resolve(self, known: Alert) -> None:
        """Note the end, and tell those who were told of the beginning; of a source that is pulled no more nobody is."""
        is_told = known.told_at is not None and known.is_enabled
        if is_told and not self.receivers:
            return
        alerts.update_alert(self.connection, known.alert_id, resolved_at=self.now)
        if is_told:
            self._put(messages.recovery(known.found, since=known.opened_at, now=self.now))

    def _put(self, body: dict[str, Any]) -> None:
        outbox.put(self.connection, self.receivers, body, now=self.now)


def alone(connection: Connection) -> None:
    """Be the only one who decides what is told, until the transaction ends; a process that hangs is not waited for."""
    lock(connection, "alerts", seconds=10)


def is_wanted(watch: PriceWatch, row: dict[str, Any]) -> bool:
    """Whether a watch is for this change.

    A price that begins or ceases to be free changes beyond every factor. What came, went or was restated has no
    factor at all: it is told when every change is.
    """
    if not (_matches(watch.source, row["source"]) and _matches(watch.model, row["model_id"])):
        return False
    if watch.min_ratio == 1:
        return True
    ratio = row["ratio"]
    if ratio is None:
        return row["change"] in STEPS
    return bool(ratio >= watch.min_ratio or ratio * watch.min_ratio <= 1)


def _matches(pattern: str, name: str) -> bool:
    """Whether a name is like a pattern in which ``*`` stands for any text and ``?`` for one character."""
    # fnmatch never goes back behind a star: `*a*a*a*b` would otherwise take years to see that 2,000 a are no match.
    return re.match(translate(pattern.replace("[", "[[]")), name, re.IGNORECASE) is not None
