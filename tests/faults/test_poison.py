"""No snapshot blocks its source: its bytes are landed, whatever they do to us, and the next one is loaded."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from etl.load import basket, history
from etl.load.landing import pages_of
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.database.roles import as_owner
from tests.extract.gateway import Gateway, ok, reply
from tests.extract.sources import QUICK
from tests.faults.poison import GOOD, POISON, take
from tests.faults.processes import pulled
from tests.load.believing import Ticking
from tests.load.worlds import moment

LONG = "http://gateway/v1/models?page_token=" + "".join(f"{number:x}" for number in range(3_000))


def rows(engine: Engine, sql: str) -> list[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def verified(pipeline: Pipeline, source: str = "s") -> bool:
    return pipeline.verify(kinds()["bifrost"](source), is_applied=False, progress=lambda *_: None).agrees


@pytest.mark.parametrize("body", POISON.values(), ids=POISON)
def test_a_poisoned_body_is_landed_and_the_next_one_loads(engine: Engine, body: bytes) -> None:
    pipeline = Pipeline(engine, Ticking())
    assert take(pipeline, "s", 0, GOOD).status == "loaded"
    poisoned = take(pipeline, "s", 1, body)
    assert poisoned.status in ("loaded", "unchanged"), poisoned
    with engine.connect() as connection:
        [page] = pages_of(connection, poisoned.snapshot_id or 0)
    assert page.body == body
    assert take(pipeline, "s", 2, GOOD).status in ("loaded", "unchanged")
    pipeline.settle()
    assert rows(engine, "SELECT model_id FROM mart.model_current WHERE source = 's'") == [("openai/m0",)]
    assert ("s", "openai/m0") in rows(engine, "SELECT source, model_id FROM mart.model_link")
    assert verified(pipeline)


@pytest.mark.parametrize("body", POISON.values(), ids=POISON)
def test_a_poisoned_body_that_comes_over_http_is_landed(engine: Engine, body: bytes) -> None:
    with Gateway(ok(body), ok(GOOD)) as gateway:
        pipelines = [Pipeline(engine, partial(moment, day), limits=QUICK) for day in (1, 2)]
        results = [result for pipeline in pipelines for result in pulled(pipeline, "s", gateway.url)]
    assert [result.status for result in results if result.status not in ("loaded", "unchanged")] == []
    assert rows(engine, "SELECT count(*) FROM raw.page") == [(2,)]


@pytest.mark.parametrize(
    "page",
    [
        {"url": LONG},
        {"url": "day-\udcff.json"},
        {"url": "a\x00b"},
        {"headers": {"etag": "x" * 60_000, "x-\x00": "\ud800\x00"}},
    ],
    ids=["a long url", "a name that is no text", "NUL in a url", "headers that jsonb refuses"],
)
def test_landing_takes_whatever_a_url_or_a_header_says(engine: Engine, page: dict[str, Any]) -> None:
    assert take(Pipeline(engine, Ticking()), "s", 0, GOOD, **page).status == "loaded"


def test_a_walk_that_a_page_breaks_lands_what_came(engine: Engine) -> None:
    class Broken(kinds()["bifrost"]):  # type: ignore[misc]
        def next_page(self, page: Any) -> None:
            raise ZeroDivisionError(page.number)

    with Gateway(ok(GOOD)) as gateway:
        pipeline = Pipeline(engine, lambda: moment(1), limits=QUICK)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kinds()["bifrost"], "next_page", Broken.next_page)
            [result] = pulled(pipeline, "s", gateway.url)
    assert result.status == "failed"
    assert "ZeroDivisionError: 1" in str(result.error)
    assert rows(engine, "SELECT status, failure FROM raw.snapshot JOIN core.snapshot USING (snapshot_id)") == [
        ("failed", None)
    ]


def test_a_refusal_that_cannot_be_read_is_landed_as_evidence(engine: Engine) -> None:
    body = b'{"error": {"message": 1e1000000000000000000000}}'
    with Gateway(reply(404, body)) as gateway:
        [result] = pulled(Pipeline(engine, lambda: moment(1), limits=QUICK), "s", gateway.url)
    assert result.status == "failed"
    assert rows(engine, "SELECT count(*) FROM raw.page") == [(1,)]


@pytest.mark.parametrize("error", [MemoryError(), RecursionError("deep"), KeyError("odd"), UnicodeError("bad")])
def test_whatever_goes_wrong_in_a_load_is_the_failure_of_that_snapshot(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    pipeline = Pipeline(engine, Ticking())
    with monkeypatch.context() as patch:
        patch.setattr(history, "_derive", _raising(error))
        failed = take(pipeline, "s", 0, GOOD)
    assert (failed.status, type(error).__name__ in str(failed.error)) == ("failed", True)
    assert take(pipeline, "s", 1, GOOD).status == "loaded"


def test_what_goes_wrong_after_the_load_fails_that_snapshot_alone_also_in_a_chunk(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = GOOD.replace(b"0.000001", b"0.000009")
    refresh = basket.refresh

    def refreshing(connection: Any, source: str, since: Any) -> None:
        if connection.scalar(text("SELECT max(unit_price) FROM core.price WHERE valid_to IS NULL")) > 0.000008:
            connection.execute(text("SELECT 1 / 0"))
        refresh(connection, source, since)

    monkeypatch.setattr(basket, "refresh", refreshing)
    pipeline = Pipeline(engine, Ticking())
    dearer = GOOD.replace(b"0.000001", b"0.000002")
    alone = [take(pipeline, "s", day, body).status for day, body in enumerate((GOOD, bad, dearer))]
    assert alone == ["loaded", "failed", "loaded"]
    assert rows(engine, "SELECT DISTINCT attempts FROM core.snapshot ORDER BY 1") == [(0,), (1,)]


def test_a_lock_that_is_not_to_be_had_is_nobody_s_failure(engine: Engine) -> None:
    pipeline = Pipeline(engine, Ticking())
    with as_owner(engine).begin() as blocker:
        blocker.execute(text(f"ALTER DATABASE {engine.url.database} SET lock_timeout = '200ms'"))
    with as_owner(engine).begin() as blocker:
        blocker.execute(text("LOCK core.model"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            take(pipeline, "s", 0, GOOD)
    assert rows(engine, "SELECT status, attempts FROM core.snapshot") == [("landed", 0)]
    assert take(pipeline, "s", 1, GOOD).status == "unchanged"
    assert rows(engine, "SELECT DISTINCT status FROM core.snapshot ORDER BY 1") == [("loaded",), ("unchanged",)]


def _raising(error: Exception) -> Any:
    def broken(*_: Any) -> None:
        raise error

    return broken
