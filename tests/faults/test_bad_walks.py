"""The table of faults, over real HTTP: none ends anything, each leaves its reason, the next healthy run recovers."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import URL

from etl.database.engine import open_engine
from etl.sources.collect import epoch
from etl.sources.registry import kinds
from tests.conftest import _database
from tests.faults.table import FAULTS, Fault
from tests.faults.theatre import Played, control_of, name_of, play

pytestmark = pytest.mark.slow


def _case(fault: Fault) -> object:
    """A fault as a parameter; of faults with one name, the first stands for all when time is short."""
    first = next(each for each in FAULTS if each.name == fault.name)
    return pytest.param(fault, id=name_of(fault), marks=() if fault is first else pytest.mark.slow)


each_fault = pytest.mark.parametrize("fault", [_case(fault) for fault in FAULTS])


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, server_url: URL, template: str) -> Iterator[Played]:
    """The faults that are asked for, played once: the tests only look at what was left."""
    calls = (getattr(item, "callspec", None) for item in request.session.items)
    # Another file has faults of its own.
    faults = (call.params.get("fault") for call in calls if call)
    asked = {name_of(fault) for fault in faults if isinstance(fault, Fault)}
    with _database(server_url, template=template) as url:
        yield play(open_engine(url), [fault for fault in FAULTS if name_of(fault) in asked])


def test_every_fault_has_a_name_of_its_own_and_every_kind_its_faults() -> None:
    assert len({name_of(fault) for fault in FAULTS}) == len(FAULTS) >= 30
    assert {fault.kind for fault in FAULTS} == set(kinds())


@pytest.mark.parametrize(("seconds", "year"), [("1e99999999", None), ("-1e99999999", None), ("1e-99999999", 1970)])
def test_a_time_without_end_is_none_and_costs_none(seconds: str, year: int | None) -> None:
    time = epoch(Decimal(seconds))
    assert (time and time.year) == year


@pytest.mark.parametrize("kind", kinds())
def test_what_is_healthy_loads_and_changes(played: Played, kind: str) -> None:
    control = control_of(kind)
    assert (played.healthy[control].status, played.recovered[control].status) == ("loaded", "loaded")
    assert [row for row in played.told[control] if row.startswith("catalog_change")]


@each_fault
def test_a_bad_walk_ends_nothing(played: Played, fault: Fault) -> None:
    source = name_of(fault)
    assert played.healthy[source].status == "loaded"
    assert played.before[source]
    assert played.after[source] == played.before[source]


@each_fault
def test_a_bad_walk_leaves_its_reason(played: Played, fault: Fault) -> None:
    result, log = played.ill[name_of(fault)], played.logs[0][name_of(fault)][-1]
    assert (result.status, log["status"]) == (fault.status, fault.status)
    assert log["observed_at"].startswith("2026-01-02")
    assert (result.error is None) == (fault.status != "failed")
    said = f"{result.error or ''} {log['said']}"
    assert re.search(fault.said, said), said
    assert "\n" not in said


@each_fault
def test_after_a_bad_walk_the_next_healthy_run_recovers(played: Played, fault: Fault) -> None:
    source = name_of(fault)
    assert played.recovered[source].status == "loaded"
    assert played.told[source] == played.told[control_of(fault.kind)]


@each_fault
def test_a_held_snapshot_is_rejected_by_the_next_healthy_one(played: Played, fault: Fault) -> None:
    became = "rejected" if fault.status == "held" else fault.status
    assert [log["status"] for log in played.logs[1][name_of(fault)]] == ["loaded", became, "loaded"]


@each_fault
def test_a_failure_keeps_what_came_and_no_secret(played: Played, fault: Fault) -> None:
    landed = played.landed[name_of(fault)]
    assert len(landed) >= 3
    assert "of_the_tests" not in " ".join(landed)
