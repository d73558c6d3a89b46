"""Whatever people, cron and daemons do, and whenever they die: the ledger is what a dictionary makes of it."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from etl.cron import Cron
from etl.load import ledger
from etl.load.configured import SourceEntry, record
from etl.load.ledger import Asking, Caller
from tests.schedule.stage import NOON

HOURLY = Cron("7 * * * *")
NAMES = itertools.count()

Step = tuple[timedelta, bool, bool]
"""How much later somebody comes, whether for a slot alone, and whether they live to the end of the run."""

STEPS = st.lists(
    st.tuples(
        st.sampled_from([timedelta(seconds=1), timedelta(minutes=20), timedelta(minutes=60), timedelta(hours=3)]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@dataclass
class Expected:
    """The ledger as simply as can be: what became of each slot, and the runs by how they ended."""

    slots: dict[datetime, str] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    dead: datetime | None = None

    def come(self, now: datetime, *, is_due_only: bool, lives: bool) -> None:
        """Somebody comes: first the dead are buried, then what is due is served."""
        if "going on" in self.runs:
            self.runs[-1] = "abandoned"
        if self.dead is not None:
            self.slots[self.dead] = "abandoned"
        self.dead = None
        due = now.replace(minute=7, second=0, microsecond=0)
        due -= timedelta(hours=int(due > now))
        is_open = self.slots.get(due, "abandoned") == "abandoned"
        missed = max(self.slots) + timedelta(hours=1) if self.slots else due
        while is_open and missed < due:
            self.slots[missed] = "missed"
            missed += timedelta(hours=1)
        if not is_open and is_due_only:
            return
        self.runs.append("failed" if lives else "going on")
        if is_open:
            self.slots[due] = "done" if lives else "taken"
            self.dead = None if lives else due


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS)
def test_the_ledger_is_what_a_dictionary_makes_of_it(engine: Engine, steps: Sequence[Step]) -> None:
    name, now, expected = f"s{next(NAMES)}", NOON, Expected()
    entry = SourceEntry(source=name, kind="bifrost", enabled=True, max_age=timedelta(1), schedule=HOURLY.expression)
    with engine.connect() as connection:
        record(connection, [entry], [], [], now=NOON)
        for later, is_due_only, lives in steps:
            now += later
            expected.come(now, is_due_only=is_due_only, lives=lives)
            caller = Caller(kind="run", worker="w")
            begun = ledger.begin(
                connection, Asking(source=name, cron=HOURLY, caller=caller, is_due_only=is_due_only), now
            )
            if begun is not None and lives:
                ledger.end(connection, begun, outcome="failed", error=None, now=now)
        slots = connection.execute(
            text(
                "SELECT due_at, CASE WHEN status = 'missed' AND run_id IS NOT NULL THEN 'abandoned' ELSE status END"
                " FROM mart.slot WHERE source = :name"
            ),
            {"name": name},
        ).all()
        runs = connection.scalars(
            text("SELECT coalesce(outcome, 'going on') FROM mart.run WHERE source = :name ORDER BY run_id"),
            {"name": name},
        ).all()
        connection.rollback()
    assert {row[0]: row[1] for row in slots} == expected.slots
    assert list(runs) == expected.runs
