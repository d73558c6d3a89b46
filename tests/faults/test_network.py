"""Each fault of the network against a real ``etl run``: in time, in bounded memory, in one line, ending nothing."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import URL, text

from etl.database.engine import open_engine
from tests.cli.conftest import named
from tests.conftest import _database
from tests.extract.gateway import Act, Gateway, head, ok, raw, reply, reset
from tests.extract.test_tls import certificate, server_of
from tests.faults.network import CATALOG, FAULTS, Fault
from tests.processes import Ended, environment, etl

pytestmark = pytest.mark.slow

MARGIN = 6
"""Seconds that a run on a busy machine takes until it has landed, besides its walk: 64 MiB at most."""

ENDED = 45
"""Seconds in which the whole process has ended, however busy the machine is: nothing that hangs keeps it."""

MOST_MEGABYTES = 512

AT_ONCE = 16
"""Sources of one run: fewer than a small server has connections for."""

WATCH = """
import json, resource, subprocess, sys, time
begun = time.monotonic()
done = subprocess.run([sys.executable, "-m", "etl", *sys.argv[2:]], check=False)
cost = {"seconds": time.monotonic() - begun, "megabytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}
open(sys.argv[1], "w").write(json.dumps(cost))
sys.exit(done.returncode)
"""
"""Runs ``etl`` as its only child, so that the peak of the children's memory is that of the command."""

__all__ = ["certificate"]


def name_of(fault: Fault) -> str:
    """The source at which a fault is played."""
    return re.sub(r"\W+", "_", fault.name).lower()


class Seen(NamedTuple):
    """How a run ended, what it cost, after how many seconds it had landed, and history before and after."""

    ended: Ended
    seconds: float
    megabytes: float
    walked: float
    before: list[Any]
    after: list[Any]
    well: str


class Stage:
    """A warehouse in which every source was loaded once, and where each fault is then played."""

    def __init__(self, folder: Path, url: URL, certificate: Path) -> None:
        self.folder, self.engine, self._certificate = folder, open_engine(url), certificate
        self._settings = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "BIFROST_API_KEY": "sk-of-the-tests",
        }

    def load(self, faults: dict[str, Fault], url: str) -> None:
        """Configure a source and its healthy neighbour for each name; load the former from a gateway that is well."""
        # Some gateways that are not there have names of their own, to which no credential would go over plain http.
        settings = 'kind = "bifrost"\npage_size = 1\nallow_http = true'
        entries = [
            f"[sources.{name}]\n{settings}\ntimeout_seconds = {fault.seconds}\n" for name, fault in faults.items()
        ]
        wells = [f'[sources.{name}_well]\nkind = "bifrost"\nurl = "{url}/{name}_well"\n' for name in faults]
        (self.folder / "etl.toml").write_text("\n".join([*entries, *wells]))
        urls = {f"ETL_{name.upper()}_URL": f"{url}/{name}" for name in faults}
        for start in range(0, len(faults), AT_ONCE):
            done = etl(self.folder, "run", *list(faults)[start : start + AT_ONCE], **self._settings, **urls)
            assert (done.status, done.complaints) == (0, [])

    def play(self, fault: Fault) -> Seen:
        """Run the source of a fault together with its neighbour."""
        name = name_of(fault)
        before = self._history(name)
        here = self.folder / name
        here.mkdir()
        (here / "sitecustomize.py").write_text(fault.startup)
        with Gateway(fault.act, tls=server_of(self._certificate) if fault.is_tls else None) as gateway:
            port = gateway.host.rpartition(":")[2]
            known = {key: value.format(gateway.url) for key, value in fault.values.items()}
            known[f"ETL_{name.upper()}_URL"] = fault.url.format(gateway.url, port=port)
            found = environment(self.folder, **self._settings, **known)
            found["PYTHONPATH"] = f"{here}:{found['PYTHONPATH']}"
            done = subprocess.run(
                [sys.executable, "-c", WATCH, here / "cost.json", "run", name, f"{name}_well"],
                cwd=self.folder,
                env=found,
                capture_output=True,
                text=True,
                timeout=90,
                check=False,
            )
        cost = json.loads((here / "cost.json").read_text())
        after = self._history(name)
        walked, well = _landed(done.stderr, name), _events(done.stderr, f"{name}_well")[-1]["outcome"]
        return Seen(
            Ended(done.returncode, done.stdout, done.stderr),
            **cost,
            walked=walked,
            well=well,
            before=before,
            after=after,
        )

    def _history(self, name: str) -> list[Any]:
        asked = "SELECT model_id, meter, unit_price, valid_from, valid_to FROM mart.price_history WHERE source = :name"
        with self.engine.connect() as connection:
            return list(connection.execute(text(asked), {"name": name}))


def _events(said: str, name: str) -> list[dict[str, Any]]:
    """What the log says of a source."""
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return [event for event in events if event.get("source") == name]


def _landed(said: str, name: str) -> float:
    """Seconds from the beginning of a run until what it brought was landed."""
    times = {event["event"]: datetime.fromisoformat(event["timestamp"]) for event in _events(said, name)}
    return (times["landed"] - times["run began"]).total_seconds()


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest,
    server_url: URL,
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
    certificate: Path,
) -> Iterator[dict[str, Future[Seen]]]:
    """The faults that are asked for, two at a time: most of them only wait."""
    calls = (getattr(item, "callspec", None) for item in request.session.items)
    asked = {
        name_of(call.params["fault"]): call.params["fault"]
        for call in calls
        if call and isinstance(call.params.get("fault"), Fault)
    }
    with ExitStack() as stack:
        url = stack.enter_context(_database(server_url, template=template))
        well = stack.enter_context(Gateway(ok(CATALOG)))
        stage = Stage(tmp_path_factory.mktemp("network"), url, certificate)
        stage.load(asked, well.url)
        pool = stack.enter_context(ThreadPoolExecutor(2))
        yield {name: pool.submit(stage.play, fault) for name, fault in asked.items()}


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in FAULTS])
def test_a_fault_costs_one_line_bounded_time_and_bounded_memory(fault: Fault, played: dict[str, Future[Seen]]) -> None:
    seen, name = played[name_of(fault)].result(), name_of(fault)
    print(f"FIGURES {name} {seen.walked:.1f}s/{seen.seconds:.1f}s {seen.megabytes:.0f}MiB {seen.ended.complaints}")
    assert seen.ended.status == 1
    [line] = seen.ended.complaints
    assert line.startswith(f"etl: {name}: ")
    assert re.search(fault.said, line), line
    assert "; " in line
    assert "Traceback" not in seen.ended.err
    assert seen.before
    assert seen.after == seen.before
    assert seen.well == "loaded"
    assert seen.walked <= fault.seconds + MARGIN
    assert seen.seconds <= ENDED
    assert seen.megabytes < MOST_MEGABYTES


@pytest.fixture
def run(warehouse_url: URL, tmp_path: Path) -> Callable[..., Ended]:
    """``etl run`` of one source at a url, in a warehouse of its own."""

    def run(url: str, **values: str) -> Ended:
        (tmp_path / "etl.toml").write_text('[sources.far]\nkind = "bifrost"\ntimeout_seconds = 20\n')
        return etl(tmp_path, "run", "far", DATABASE_URL=named(warehouse_url), ETL_FAR_URL=url, **values)

    return run


@pytest.mark.parametrize(
    "acts",
    [
        (ok(CATALOG, Content_Type="text/plain"),),
        (reply(429, Retry_After="0"), reply(503, Retry_After="1"), reset(b""), ok(CATALOG)),
        (raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + head(200, {}) + CATALOG),),
    ],
    ids=["JSON that is called text", "a storm that passes", "a few 1xx"],
)
def test_what_is_odd_and_no_fault_is_loaded(run: Callable[..., Ended], acts: tuple[Act, ...]) -> None:
    with Gateway(*acts) as gateway:
        ended = run(gateway.url)
    assert (ended.status, ended.complaints) == (0, [])


def test_an_authority_of_ones_own_is_trusted_when_it_is_configured(
    run: Callable[..., Ended], certificate: Path
) -> None:
    with Gateway(ok(CATALOG), tls=server_of(certificate)) as gateway:
        assert "name the authority's file as ca_file" in run(gateway.url).complaints[0]
        assert run(gateway.url, ETL_CA_FILE=str(certificate.with_suffix(".crt"))).status == 0


def test_the_proxy_of_the_environment_is_asked_unless_the_host_is_excepted(run: Callable[..., Ended]) -> None:
    with Gateway(ok(CATALOG)) as proxy:
        assert run("http://gateway.invalid", HTTP_PROXY=proxy.url).status == 0
        assert [each.target for each in proxy.asked] == ["http://gateway.invalid/v1/models"]
        ended = run("http://gateway.invalid", HTTP_PROXY=proxy.url, NO_PROXY="gateway.invalid")
        assert (ended.status, len(ended.complaints), len(proxy.asked)) == (1, 1, 1)
        run("https://gateway.invalid", HTTPS_PROXY=proxy.url)
        assert proxy.asked[1].target == "gateway.invalid:443"
