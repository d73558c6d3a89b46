"""Years in a minute: daemons and a cron-like caller share one database, and are killed, stopped and cut off."""

import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl.attend import Attendant
from etl.config import configured
from etl.cron import Cron
from etl.database import migrations
from etl.database.embedded import EmbeddedServer, EmbeddedSettings
from etl.database.engine import database_url, open_engine
from etl.database.loader import LOADER
from etl.load.configured import SourceEntry, record
from etl.load.ledger import Caller
from tests.conftest import free_port
from tests.extract.gateway import Act, Asked, Gateway, ok, reply, reset
from tests.processes import environment
from tests.schedule.never import NEVER
from tests.schedule.players import Stage

pytestmark = pytest.mark.slow

SECONDS = 75.0
SPEED = 300.0
SCHEDULE = "*/10 * * * *"
NAMES = ("one", "two", "three")
SEED = 5
ENDED = (0, 3, -signal.SIGTERM)
"""How a daemon ends that was told to: with nothing or something left to do, or while it was still starting."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server of this test's own, which it may stop."""
    found = EmbeddedServer(EmbeddedSettings(home=tmp_path / "home", port=free_port()))
    migrations.upgrade(open_engine(database_url(found.ensure())))
    yield found
    found.stop()


def catalog(number: int) -> bytes:
    """Models whose prices move, and of which one comes and goes."""
    models = [
        {"id": f"openai/m{model}", "pricing": {"prompt": f"0.00000{(number // (model + 2)) % 9 + 1}"}}
        for model in range(8)
        if model or number % 5
    ]
    return json.dumps({"data": models}).encode()


def late(act: Act, seconds: float) -> Act:
    """The same, when whoever asked may be given up for dead already."""

    def acting(connection: socket.socket, asked: Asked) -> None:
        time.sleep(seconds)
        act(connection, asked)

    return acting


def acts() -> list[Act]:
    """A gateway that mostly answers, each time with another catalog, and often takes its time."""
    chance = random.Random(SEED)  # noqa: S311  the same faults each time
    answers = ((ok(catalog(number)), reply(404), reset(b"")) for number in range(3000))
    return [late(chance.choices(each, weights=[20, 1, 1])[0], chance.choice([0, 0, 0.5, 4])) for each in answers]


@dataclass
class Cast:
    """The processes, each of which is begun anew when it ended."""

    stage: Stage
    folder: Path
    processes: list[tuple[str, subprocess.Popen[bytes]]]

    def begin(self, role: str) -> None:
        with (self.folder / f"{role}.log").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.schedule.players", role, json.dumps(asdict(self.stage))],
                cwd=self.folder,
                env=environment(self.folder, NO_PROXY="127.0.0.1"),
                stderr=said,
            )
        self.processes.append((role, process))

    def end(self, number: signal.Signals, which: int) -> int:
        """End one of them: how it ended."""
        _, process = self.processes.pop(which)
        process.send_signal(number)
        return process.wait(10)

    def end_all(self) -> None:
        for _, process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


def trouble(cast: Cast, server: EmbeddedServer, chance: random.Random) -> str:
    """One misfortune."""
    daemons = [which for which, (role, _) in enumerate(cast.processes) if role == "schedule"]
    which = chance.choice(daemons)
    what = chance.choices(["kill", "kill cron", "stop", "freeze", "restart"], weights=[4, 2, 2, 1, 2])[0]
    match what:
        case "kill":
            cast.end(signal.SIGKILL, which)
            time.sleep(chance.uniform(0, 2))
            cast.begin("schedule")
        case "kill cron":
            caller = next(index for index, (role, _) in enumerate(cast.processes) if role == "call")
            cast.end(signal.SIGKILL, caller)
            cast.begin("call")
        case "stop":
            assert cast.end(signal.SIGTERM, which) in ENDED
            cast.begin("schedule")
        case "freeze":
            cast.processes[which][1].send_signal(signal.SIGSTOP)
            time.sleep(2)
            cast.processes[which][1].send_signal(signal.SIGCONT)
        case "restart":
            server.stop()
            time.sleep(chance.uniform(0, 3))
            server.ensure()
    return what


def test_every_slot_is_accounted_for_exactly_once_and_history_verifies(server: EmbeddedServer, tmp_path: Path) -> None:
    engine, chance, happened = open_engine(database_url(server.ensure(LOADER))), random.Random(SEED), []  # noqa: S311  the same misfortunes each time
    with ExitStack() as open_gateways:
        gateways = {name: open_gateways.enter_context(Gateway(*acts())).url for name in NAMES}
        stage = Stage(url=str(server.url(LOADER)), gateways=gateways, schedule=SCHEDULE, began=time.time(), speed=SPEED)
        configure(engine, stage)
        cast = Cast(stage, tmp_path, [])
        try:
            for role in ("schedule", "schedule", "schedule", "call"):
                cast.begin(role)
            while time.time() < stage.began + SECONDS:
                time.sleep(chance.uniform(0.5, 3))
                happened.append(trouble(cast, server, chance))
            # Nobody is there for a while, and then somebody comes once more.
            while cast.processes:
                role, _ = cast.processes[0]
                status = cast.end(signal.SIGTERM, 0)
                assert status in ENDED if role == "schedule" else status == -signal.SIGTERM
            time.sleep(8)
            finish(stage)
        finally:
            cast.end_all()
    assert {"kill", "stop", "restart"} <= set(happened)
    assert_accounted(engine, len(happened))
    assert_verified(server, tmp_path)


def configure(engine: Engine, stage: Stage) -> None:
    entries = [
        SourceEntry(source=name, kind="bifrost", enabled=True, max_age=each.max_age, schedule=SCHEDULE)
        for name, each in stage.settings.sources.items()
    ]
    with engine.begin() as connection:
        record(connection, entries, [], [], now=stage.clock.first)


def finish(stage: Stage) -> None:
    """Serve each source's open slot, and close what the dead left open."""
    sources = [each for name, each in configured(stage.settings, {}).items() if name in NAMES]
    attendant = Attendant(stage.pipeline(), stage.settings, Caller(kind="run", worker="the last"))
    assert {result.status for result in attendant.run(sources)} <= {"loaded", "unchanged", "held", "failed"}


def rows(engine: Engine, sql: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(sql)).all())


def assert_accounted(engine: Engine, misfortunes: int) -> None:
    """Each due time has its one row, and each row is what the runs say."""
    for name in NAMES:
        due = [row.due_at for row in rows(engine, f"SELECT * FROM mart.slot WHERE source = '{name}' ORDER BY due_at")]
        assert due == [due[0], *Cron(SCHEDULE).due(due[0], due[-1])]
        assert len(due) > SECONDS * SPEED / 600
    counted = dict(tuple(row) for row in rows(engine, "SELECT status, count(*) FROM mart.slot GROUP BY status"))
    assert counted.get("taken") is None
    assert counted["done"] > counted["missed"] > 0, counted
    for what, question in NEVER.items():
        assert rows(engine, question) == [], what
    workers = rows(engine, "SELECT DISTINCT worker FROM mart.run WHERE outcome NOT IN ('abandoned', 'stopped')")
    assert len(workers) > 4
    # Nobody gives up a run that lives: a misfortune costs a run of each source at most, and mostly none.
    [(abandoned,)] = rows(engine, "SELECT count(*) FROM mart.run WHERE outcome IN ('abandoned', 'stopped')")
    assert 0 < abandoned <= 2 * misfortunes


def assert_verified(server: EmbeddedServer, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "etl", "verify", "--json"],
        cwd=folder,
        env=environment(folder, DATABASE_URL=str(server.url(LOADER))),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [(row["source"], row["verdict"]) for row in json.loads(done.stdout)] == [
        (name, "agrees") for name in sorted(NAMES)
    ]
