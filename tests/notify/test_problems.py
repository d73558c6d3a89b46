"""Each problem of a source is told when it begins, when it grows, when it lasts, and when it ends: each once."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from etl.domain.snapshot import Origin
from etl.pipeline import Pipeline
from tests.extract.gateway import Gateway
from tests.notify.stage import FULL, NOW, Catalog, Stage, kinds_said, said


def catalog(**prices: str) -> Catalog:
    return {**FULL, "openai/m0": {"prompt": "0.0000025", **prices}}


def unread(models: int) -> Catalog:
    return {**FULL, **{f"openai/m{number}": {"prompt": "12x"} for number in range(models)}}


def dear(models: int) -> Catalog:
    return {**FULL, **{f"openai/m{number}": {"prompt": "0.000026"} for number in range(models)}}


def _hold(stage: Stage) -> None:
    stage.show(FULL)
    stage.later(minutes=1)
    assert stage.show(dict(list(FULL.items())[:2])).status == "held"


def _reject(stage: Stage) -> None:
    [held] = stage.rows("SELECT snapshot_id FROM mart.snapshot WHERE status = 'held'")
    Pipeline(stage.engine, lambda: stage.now).reject(held.snapshot_id)


def _suspect(stage: Stage) -> None:
    stage.show(FULL)
    stage.later(minutes=1)
    stage.show(dear(1))


def _fail(stage: Stage) -> None:
    stage.show(FULL)
    stage.fail(3)


def _wait(stage: Stage) -> None:
    stage.show(FULL)
    stage.later(hours=3, seconds=1)


class Case(NamedTuple):
    """How a problem begins, grows and shrinks (if it can), ends, and what is said of it."""

    problem: str
    begin: Callable[[Stage], object]
    grow: Callable[[Stage], object] | None
    shrink: Callable[[Stage], object]
    end: Callable[[Stage], object]
    text: str
    recovery: str


CASES = [
    Case(
        "failing",
        _fail,
        None,
        Stage.tell,
        lambda stage: stage.show(FULL),
        "s: 3 runs in a row failed: s: no answer",
        "s: its runs succeed again, after 1 h",
    ),
    Case(
        "stale",
        _wait,
        None,
        Stage.tell,
        lambda stage: stage.show(FULL),
        f"s: stale: the last complete snapshot is of {NOW:%Y-%m-%d %H:%M}Z",
        "s: fresh again, after 1 h",
    ),
    Case(
        "held",
        _hold,
        None,
        Stage.tell,
        _reject,
        "s: 1 snapshot is held: would remove 8 of 10 models",
        "s: nothing is held any more, after 1 h",
    ),
    Case(
        "quarantined",
        lambda stage: stage.show(unread(1)),
        lambda stage: stage.show(unread(2)),
        lambda stage: stage.show(unread(1)),
        lambda stage: stage.show(FULL),
        "s: 1 record cannot be read: page 1, ",
        "s: every record can be read again, after 1 h",
    ),
    Case(
        "unmapped",
        lambda stage: stage.show(catalog(per_smile="1")),
        lambda stage: stage.show(catalog(per_smile="1", per_tear="2")),
        lambda stage: stage.show(catalog(per_smile="1")),
        lambda stage: stage.show(FULL),
        "s: 1 price field has no meter: ",
        "s: every price field has a meter again, after 1 h",
    ),
    Case(
        "suspect",
        _suspect,
        lambda stage: stage.show(dear(2)),
        lambda stage: stage.show({**dear(2), "openai/m1": {"prompt": "0.00002"}}),
        lambda stage: stage.show({**FULL, "openai/m0": {"prompt": "0.00002"}}),
        "s: 1 price looks like a mistake: openai/m0, input_token: ",
        "s: no price looks like a mistake any more, after 1 h",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.problem)
def test_a_problem_is_told_once_and_so_is_its_end(stage: Stage, desk: Gateway, case: Case) -> None:
    case.begin(stage)
    stage.tell()
    stage.tell()
    stage.later(hours=1)
    case.end(stage)
    stage.tell()
    stage.tell()
    opened, *_, resolved = [message for message in said(desk) if message["problem"] == case.problem]
    assert kinds_said(desk).count(("opened", case.problem)) == kinds_said(desk).count(("resolved", case.problem)) == 1
    assert (opened["source"], opened["count"], opened["kind"]) == ("s", 3 if case.problem == "failing" else 1, "opened")
    assert opened["text"].startswith(case.text)
    assert (resolved["kind"], resolved["text"], resolved["lasted_seconds"]) == ("resolved", case.recovery, 3600)
    assert resolved["since"] == opened["since"] == opened["told_at"]
    assert case.problem not in stage.open()


@pytest.mark.parametrize("case", [case for case in CASES if case.grow], ids=lambda case: case.problem)
def test_more_of_it_is_told_once_and_less_is_not(stage: Stage, desk: Gateway, case: Case) -> None:
    assert case.grow
    case.begin(stage)
    stage.tell()
    stage.later(minutes=1)
    case.grow(stage)
    stage.tell()
    stage.tell()
    stage.later(minutes=1)
    case.shrink(stage)
    stage.tell()
    assert kinds_said(desk) == [("opened", case.problem), ("worsened", case.problem)]
    assert said(desk)[1]["count"] == 2
    assert "worse now: 2 " in said(desk)[1]["text"]


def test_what_lasts_is_said_again_after_the_repeat_interval(stage: Stage, desk: Gateway) -> None:
    stage.fail(3)
    stage.tell()
    stage.later(hours=2)
    stage.fail()
    stage.tell()
    assert kinds_said(desk) == [("opened", "failing")]
    stage.later(hours=22)
    stage.tell()
    assert ("repeated", "failing") in kinds_said(desk)
    [repeated] = [message for message in said(desk) if message["kind"] == "repeated"]
    assert repeated["text"] == "s: still: 4 runs in a row failed: s: no answer"
    stage.tell()
    assert len([message for message in said(desk) if message["kind"] == "repeated"]) == 1


def test_fewer_failures_than_configured_are_not_told(stage: Stage, desk: Gateway) -> None:
    stage.show(FULL)
    stage.fail(2)
    stage.tell()
    assert desk.asked == []


def test_a_source_that_never_completed_is_stale_by_when_it_was_scheduled(stage: Stage, desk: Gateway) -> None:
    stage.later(hours=3)
    stage.tell()
    assert desk.asked == []
    stage.later(seconds=1)
    stage.tell()
    [message] = said(desk)
    assert (
        message["text"] == f"s: stale: there is no complete snapshot, and it is scheduled since {NOW:%Y-%m-%d %H:%M}Z"
    )


def test_what_fails_goes_stale_as_well(stage: Stage, desk: Gateway) -> None:
    stage.show(FULL)
    stage.later(hours=3)
    stage.fail(3)
    stage.tell()
    assert kinds_said(desk) == [("opened", "failing"), ("opened", "stale")]


def test_a_backfill_makes_nothing_fresh(stage: Stage, desk: Gateway) -> None:
    stage.later(hours=4)
    stage.show(FULL, origin=Origin.BACKFILL)
    stage.tell()
    assert kinds_said(desk) == [("opened", "stale")]


def test_a_source_that_is_taken_out_resolves_in_silence(stage: Stage, desk: Gateway) -> None:
    stage.fail(3)
    stage.tell()
    stage.configure(enabled=False)
    stage.tell()
    assert kinds_said(desk) == [("opened", "failing")]
    assert stage.open() == set()


def test_a_disabled_source_has_no_problems(stage: Stage, desk: Gateway) -> None:
    stage.configure(enabled=False)
    stage.fail(3)
    stage.tell()
    assert (desk.asked, stage.open()) == ([], set())


def test_what_comes_back_is_told_anew(stage: Stage, desk: Gateway) -> None:
    for _ in range(2):
        stage.fail(3)
        stage.tell()
        stage.later(minutes=1)
        stage.show(FULL)
        stage.tell()
    assert kinds_said(desk) == [("opened", "failing"), ("resolved", "failing")] * 2


def test_without_receivers_alerts_are_kept_and_told_to_whoever_comes(stage: Stage, desk: Gateway) -> None:
    """A run by hand, in a shell that knows no receiver, must not swallow what the daemon would tell."""
    stage.fail(3)
    nobody = Stage(stage.engine, now=stage.now)
    nobody.tell()
    assert nobody.open() == {"failing"}
    assert stage.rows("SELECT 1 FROM core.outbox") == []
    stage.later(minutes=1)
    stage.tell()
    assert kinds_said(desk) == [("opened", "failing")]
    stage.show(FULL)
    Stage(stage.engine, now=stage.now).tell()
    assert stage.open() == {"failing"}
    stage.tell()
    assert kinds_said(desk)[1:] == [("resolved", "failing")]


def test_what_nobody_was_told_of_ends_without_a_word(stage: Stage, desk: Gateway) -> None:
    stage.fail(3)
    Stage(stage.engine, now=stage.now).tell()
    stage.later(minutes=1)
    stage.show(FULL)
    stage.tell()
    assert (desk.asked, stage.open()) == ([], set())
    [row] = stage.rows("SELECT told_at, resolved_at FROM mart.alert")
    assert row.told_at is None
    assert row.resolved_at == stage.now
