"""Price changes are told to whoever watches them: what passes the filter, once, and never history."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from etl.config import PriceWatch
from etl.domain.snapshot import Origin
from etl.load.locks import lock
from etl.notify.telling import MOST, is_wanted
from tests.extract.gateway import Gateway, reply
from tests.notify.stage import Stage, at_once, hook, said

A, B = "openai/a", "groq/b"


@pytest.fixture(autouse=True)
def _watched(stage: Stage) -> None:
    """Somebody watches everything, from after the first snapshot on."""
    stage.watches = [PriceWatch(name="all")]
    stage.show({A: {"prompt": "0.000002"}, B: {"prompt": "0.000003"}})
    stage.later(minutes=1)
    stage.tell()


def _later(stage: Stage, **prices: str) -> None:
    stage.later(minutes=1)
    stage.show({A: {"prompt": prices.get("a", "0.000002")}, B: {"prompt": prices.get("b", "0.000003")}})


def _told(gateway: Gateway) -> list[dict[str, Any]]:
    return [message for message in said(gateway) if message["kind"] == "price_change"]


def test_a_new_watch_tells_no_history(stage: Stage, desk: Gateway) -> None:
    _later(stage, a="0.000004")
    stage.tell()
    assert len(_told(desk)) == 1
    stage.watches = [PriceWatch(name="all"), PriceWatch(name="late")]
    stage.tell()
    assert len(_told(desk)) == 1
    _later(stage, a="0.000005")
    stage.tell()
    assert [message["watch"] for message in _told(desk)] == ["all", "all", "late"]


def test_a_watch_whose_filter_changes_begins_anew(stage: Stage, desk: Gateway) -> None:
    _later(stage, a="0.000004")
    stage.watches = [PriceWatch(name="all", model="*a*")]
    stage.tell()
    assert _told(desk) == []
    _later(stage, a="0.000005")
    stage.tell()
    assert len(_told(desk)) == 1


def test_one_message_says_in_words_and_in_facts_what_changed(stage: Stage, desk: Gateway) -> None:
    _later(stage, a="0.000004", b="0.0000015")
    stage.tell()
    stage.tell()
    [message] = _told(desk)
    assert message["text"].splitlines() == [
        "all: 2 price changes",
        "- s groq/b groq input_token: decreased 50%, 3 → 1.5 USD per 1M",
        "- s openai/a openai input_token: increased 100%, 2 → 4 USD per 1M",
    ]
    assert (message["count"], message["more"], message["cursor"] - message["after"]) == (2, 0, 2)
    fact = message["changes"][1]
    assert (fact["model_id"], fact["ratio"], fact["is_economic"], fact["event"]) == (A, 2, True, "assertion")
    # Digit for digit: no price goes through a float.
    assert '"new_unit_price": 0.0000015' in desk.asked[-1].body.decode()


def test_a_late_correction_is_told_as_what_is_no_longer_believed(stage: Stage, desk: Gateway) -> None:
    _later(stage, a="0.000004")
    stage.tell()
    # It turns out that the price was the same an instant before: it rose earlier, from another figure.
    late = {A: {"prompt": "0.000003"}, B: {"prompt": "0.000003"}}
    stage.show(late, at=stage.now - timedelta(seconds=30), origin=Origin.BACKFILL)
    stage.tell()
    _, correction = _told(desk)
    assert [change["event"] for change in correction["changes"]] == ["retraction", "assertion", "assertion"]
    assert "no longer believed: increased 100%, 2 → 4 USD per 1M" in correction["text"]


def test_what_came_and_went_between_two_rounds_is_not_told(stage: Stage, desk: Gateway) -> None:
    _later(stage, a="0.000004")
    late = {A: {"prompt": "0.000004"}, B: {"prompt": "0.000003"}}
    stage.show(late, at=stage.now - timedelta(seconds=30), origin=Origin.BACKFILL)
    stage.tell()
    [message] = _told(desk)
    assert [change["event"] for change in message["changes"]] == ["assertion"]


def test_a_free_component_that_appears_and_a_model_without_prices_are_no_price_changes(
    stage: Stage, desk: Gateway
) -> None:
    stage.later(minutes=1)
    stage.show({A: {"prompt": "0.000002", "image": "0"}, B: {"prompt": "0.000003"}, "groq/c": {}})
    stage.tell()
    assert _told(desk) == []


def test_fifty_are_spelled_out_and_the_others_counted(stage: Stage, desk: Gateway) -> None:
    many = {f"groq/m{number:02}": {"prompt": "0.000001"} for number in range(MOST + 7)}
    stage.later(minutes=1)
    stage.show({A: {"prompt": "0.000002"}, B: {"prompt": "0.000003"}, **many})
    stage.tell()
    [message] = _told(desk)
    assert (message["count"], message["more"], len(message["changes"])) == (57, 7, 50)
    after, upto = message["after"], message["cursor"]
    assert message["text"].splitlines()[-1] == f"and 7 more: etl changes --since c{after} --until c{upto}"


def test_a_watch_tells_those_whom_it_names(stage: Stage, desk: Gateway) -> None:
    with Gateway(reply(200)) as other:
        stage.receivers = [hook(desk), hook(other, "other")]
        stage.watches = [PriceWatch(name="w", webhooks=("other",))]
        stage.tell()
        _later(stage, a="0.000004")
        stage.tell()
        assert [message["watch"] for message in _told(other)] == ["w"]
    assert _told(desk) == []


def test_whoever_knows_no_receiver_leaves_the_position_where_it_is(stage: Stage, desk: Gateway) -> None:
    _later(stage, a="0.000004")
    Stage(stage.engine, watches=stage.watches, now=stage.now).tell()
    assert _told(desk) == []
    stage.tell()
    assert len(_told(desk)) == 1


def test_several_who_watch_at_once_tell_once(stage: Stage, desk: Gateway) -> None:
    _later(stage, a="0.000004")
    at_once(stage)
    assert len(_told(desk)) == 1


def test_who_waits_for_another_who_watches_looks_at_the_feed_after_that(stage: Stage, desk: Gateway) -> None:
    """A place in the feed from before would lead the watch back, and what lies between would be told again."""
    _later(stage, a="0.000004")
    waiting = threading.Thread(target=replace(stage).tell)
    with stage.engine.begin() as connection:
        lock(connection, "watches")
        waiting.start()
        while not stage.rows("SELECT 1 FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"):
            assert waiting.is_alive()
            time.sleep(0.01)
        _later(stage, a="0.000005")
    waiting.join()
    [message] = _told(desk)
    assert message["count"] == 2


def _change(**facts: Any) -> dict[str, Any]:
    return {"source": "bifrost", "model_id": "openai/GPT-4o", "change": "increased", "ratio": Decimal("1.25"), **facts}


@pytest.mark.parametrize(
    ("watch", "change", "expected"),
    [
        ({}, {}, True),
        ({}, {"change": "added", "ratio": None}, True),
        ({}, {"change": "restated", "ratio": None}, True),
        ({"source": "bifrost"}, {}, True),
        ({"source": "bif*"}, {}, True),
        ({"source": "bifros"}, {}, False),
        ({"source": "phaseo"}, {}, False),
        ({"model": "openai/*"}, {}, True),
        ({"model": "OPENAI/gpt-4?"}, {}, True),
        ({"model": "gpt-4o"}, {}, False),
        ({"model": "*gpt-4"}, {}, False),
        ({"model": "*[o]"}, {}, False),
        ({"model": "*"}, {"model_id": "two\nlines"}, True),
        ({"min_ratio": Decimal("1.25")}, {}, True),
        ({"min_ratio": Decimal("1.26")}, {}, False),
        ({"min_ratio": Decimal("1.25")}, {"change": "decreased", "ratio": Decimal("0.8")}, True),
        ({"min_ratio": Decimal("1.25")}, {"change": "decreased", "ratio": Decimal("0.81")}, False),
        ({"min_ratio": Decimal(100)}, {"change": "increased", "ratio": None}, True),
        ({"min_ratio": Decimal(100)}, {"change": "decreased", "ratio": None}, True),
        ({"min_ratio": Decimal("1.01")}, {"change": "added", "ratio": None}, False),
        ({"min_ratio": Decimal("1.01")}, {"change": "removed", "ratio": None}, False),
        ({"min_ratio": Decimal("1.01")}, {"change": "restated", "ratio": None}, False),
        ({"source": "bifrost", "model": "*4o", "min_ratio": Decimal("1.2")}, {}, True),
        ({"source": "phaseo", "model": "*4o", "min_ratio": Decimal("1.2")}, {}, False),
    ],
)
def test_what_a_filter_lets_through(watch: dict[str, Any], change: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    assert is_wanted(PriceWatch(name="w", **watch), _change(**change)) is expected
