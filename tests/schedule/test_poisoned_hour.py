"""An hour with a poisoned gateway of each kind: daemons serve the other sources as if nothing were."""

import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import URL, Engine, text

from etl.cron import Cron
from etl.database.engine import open_engine
from etl.domain.snapshot import Origin, Snapshot
from etl.load.configured import SourceEntry, record
from etl.load.landing import landed_of, pages_of
from etl.load.tables import snapshot
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.conftest import _database
from tests.extract.gateway import Gateway, ok
from tests.faults.deadly import DEADLY
from tests.faults.wards import whole
from tests.load.believing import Ticking
from tests.schedule.players import Stage
from tests.schedule.test_soak import Cast, catalog

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.slow

SPEED = 30.0
HOUR = 3600.0 / SPEED
SCHEDULE = "*/5 * * * *"
DEATHS = 2
HEALTHY = ("one", "two")
POISON = {
    "helicone_registry": r'{"data":{"models":[{"id":"m","endpoints":[]},{"id":"m\u0000x","endpoints":[]}]}}'.encode(
        "utf-16"
    ),
    "helicone_gateway": b'{"data":[' + b"0," * 299_999 + b"0]}",
    "majestix": b'{"models":[{"id":"m","context_window":1e1000000000000000000000}]}',
    "phaseo": json.dumps(
        {"total": 1, "models": [{"model_id": "m", "offers": [], "pricing_detail": {"meters": {"f" * 10_000: 1}}}]}
    ).encode(),
    "deadly": DEADLY,
}


def test_a_poisoned_source_of_each_kind_disturbs_no_other_one_for_an_hour(
    warehouse_url: URL, engine: Engine, tmp_path: Path, server_url: URL, template: str
) -> None:
    with ExitStack() as opened:
        served = {name: [ok(body)] for name, body in POISON.items()}
        served |= {name: [ok(catalog(number)) for number in range(1000)] for name in HEALTHY}
        gateways = {name: opened.enter_context(Gateway(*acts)).url for name, acts in served.items()}
        stage = Stage(
            url=warehouse_url.render_as_string(hide_password=False),
            gateways=gateways,
            schedule=SCHEDULE,
            began=time.time(),
            speed=SPEED,
            kinds={name: name for name in POISON if name != "deadly"},
        )
        configure(engine, stage)
        deaths = play(Cast(stage, tmp_path, []))
    assert deaths == [-9] * DEATHS
    for name in HEALTHY:
        assert_served(engine, name)
    with _database(server_url, template=template) as url:
        assert_undisturbed(engine, open_engine(url))
    assert_poison_is_accounted_for(engine)


def configure(engine: Engine, stage: Stage) -> None:
    entries = [
        SourceEntry(source=name, kind=each.kind, enabled=True, max_age=each.settings.max_age, schedule=SCHEDULE)
        for name, each in stage.sources.items()
    ]
    with engine.begin() as connection:
        record(connection, entries, [], [], now=stage.clock.first)


def play(cast: Cast) -> list[int]:
    """Two daemons for an hour, each begun anew when it dies: how those died that did."""
    deaths: list[int] = []
    try:
        for _ in range(2):
            cast.begin("mortal")
        while time.time() < cast.stage.began + HOUR:
            time.sleep(0.1)
            for each in [each for each in cast.processes if each[1].poll() is not None]:
                deaths.append(each[1].returncode)
                cast.processes.remove(each)
                cast.begin("mortal")
        for _, process in cast.processes:
            process.terminate()
        for _, process in cast.processes:
            _ended(process)
    finally:
        cast.end_all()
    return deaths


def _ended(process: "subprocess.Popen[bytes]") -> None:
    assert process.wait(20) in (0, 3, -15)


def rows(engine: Engine, sql: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(sql)).all())


def assert_served(engine: Engine, name: str) -> None:
    """Each due time was served, but for what a killed process had begun; each run loaded what it brought."""
    found = rows(engine, f"SELECT due_at, status, reason FROM mart.slot WHERE source = '{name}' ORDER BY due_at")
    due = [row.due_at for row in found]
    assert due == [due[0], *Cron(SCHEDULE).due(due[0], due[-1])]
    assert len(due) >= 11
    missed = [row.reason for row in found[:-1] if row.status != "done"]
    assert [reason for reason in missed if "it was cut off" not in reason] == []
    assert len(missed) <= DEATHS
    outcomes = {row.outcome for row in rows(engine, f"SELECT outcome FROM mart.run WHERE source = '{name}'")}
    assert outcomes - {"abandoned", "stopped", "landed"} <= {"loaded", "unchanged"}


def assert_undisturbed(engine: Engine, other: Engine) -> None:
    """The history of the healthy sources is that of a warehouse which saw nothing else."""
    for name in HEALTHY:
        with engine.connect() as connection:
            taken = [
                Snapshot(
                    source=name,
                    kind="bifrost",
                    observed_at=each.observed_at,
                    origin=Origin.RUN,
                    pages=pages_of(connection, each.snapshot_id),
                )
                for each in landed_of(connection, snapshot.c.source == name)
            ]
        pipeline, source = Pipeline(other, Ticking()), kinds()["bifrost"](name)
        assert {pipeline.take(source, each).status for each in taken} <= {"loaded", "unchanged"}
        here, there = whole(engine, name), whole(other, name)
        assert {table: set(here[table]) ^ set(there[table]) for table in here if here[table] != there[table]} == {}


def assert_poison_is_accounted_for(engine: Engine) -> None:
    """Nothing waits; each poisoned source loads what can be read, and the deadly one is named."""
    found = rows(engine, "SELECT source, status, count(*), min(reason) FROM mart.snapshot GROUP BY 1, 2")
    assert [row for row in found if row.status == "landed"] == []
    loaded = {row.source for row in found if row.status in ("loaded", "unchanged")}
    assert loaded == {*HEALTHY, *POISON} - {"deadly"}, found
    assert [row.status for row in found if row.source == "deadly"] == ["failed"]
    named = rows(engine, "SELECT source FROM mart.data_quality WHERE problem = 'set_aside'")
    assert [row.source for row in named] == ["deadly"]
