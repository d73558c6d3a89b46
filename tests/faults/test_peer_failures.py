"""What other tools are known to do to history, each with its issue, and what happens here instead."""

import json
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.load.believing import believed, clock, load, observe
from tests.load.worlds import World, history, moment

Rows = dict[str, tuple[str, dict[str, str]]]

FEW: Rows = {f"openai/m{number}": ("A", {"prompt": "0.0000025"}) for number in range(6)}

Prices = set[tuple[str, int, int | None]]
"""The unit price of one model's input as text, and the days on which it began and ended."""


def catalog(*rows: dict[str, Any], **envelope: Any) -> bytes:
    """The body of a Bifrost gateway."""
    return json.dumps({"data": rows, **envelope}).encode()


def row(model: str = "openai/m0", price: str = "0.0000025", **more: Any) -> dict[str, Any]:
    return {"id": model, "name": "A", "pricing": {"prompt": price}, **more}


def show(engine: Engine, day: int, body: bytes, origin: Origin = Origin.BACKFILL) -> Result:
    """Load a body as the snapshot of a day."""
    page = Page(number=1, url=f"day-{day}.json", status=200, body=body, fetched_at=moment(day))
    snapshot = Snapshot(source="s", kind="bifrost", observed_at=moment(day), origin=origin, pages=(page,))
    return Pipeline(engine, clock).take(kinds()["bifrost"]("s"), snapshot)


def prices(engine: Engine, model: str = "openai/m0") -> Prices:
    """The versions of one model's input price."""

    def day(at: datetime | None) -> int | None:
        return None if at is None else (at - moment(0)).days

    runs = (run for run in believed(engine, "s")[1] if run[0][0] == model and run[0][2] == "input_token")
    return {(str(value[1]), (begin - moment(0)).days, day(end)) for _, value, begin, end in runs}


def rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(found) for found in connection.execute(text(sql))]


def test_identical_rows_that_leave_and_come_back_are_there_again(engine: Engine) -> None:
    """dlt#1683: scd2 recognises the hash of the retired row and leaves it retired."""
    for day, body in enumerate([catalog(row()), catalog(row("openai/m1")), catalog(row())]):
        show(engine, day, body)
    assert prices(engine) == {("0.0000025", 0, 1), ("0.0000025", 2, None)}
    came = (
        "SELECT change FROM mart.catalog_change WHERE model_id = 'openai/m0' AND entity = 'model' ORDER BY changed_at"
    )
    assert rows(engine, came) == [("went",), ("returned",)]


@pytest.mark.parametrize("shown", [2, 3])
def test_a_truncated_source_retires_nothing(engine: Engine, shown: int) -> None:
    """dbt-core#2355: a source that is cut short invalidates every record that it does not show."""
    observe(engine, "s", 0, World(FEW))
    result = observe(engine, "s", 1, World(dict(list(FEW.items())[:shown])))
    assert (result.status, result.reason) == ("held", f"would remove {6 - shown} of 6 models")
    assert believed(engine, "s") == history({0: World(FEW)})


def test_half_of_the_rows_without_proof_ends_nothing_even_in_a_backfill(engine: Engine) -> None:
    """In dlt 1.31, dbt 1.11 and SQLMesh 0.236 that ends the rows of the half that is missing."""
    load(engine, "s", 0, World(FEW))
    half = dict(list(FEW.items())[:3])
    assert load(engine, "s", 1, World(half, is_whole=False)).closed == 0
    assert believed(engine, "s") == history({0: World(FEW)})


def test_an_answer_with_no_rows_is_held(engine: Engine) -> None:
    """In dbt 1.11 and SQLMesh 0.236 everything ends when the source answers with no rows."""
    observe(engine, "s", 0, World(FEW))
    assert observe(engine, "s", 1, World({})).status == "held"
    assert believed(engine, "s") == history({0: World(FEW)})


def test_a_price_keeps_its_model_when_only_the_model_changes(engine: Engine) -> None:
    """dlt#4047: a child row that did not change loses the parent row that did."""
    show(engine, 0, catalog(row(description="old")))
    result = show(engine, 1, catalog(row(description="new")))
    assert (result.opened, result.closed) == (1, 1)
    assert prices(engine) == {("0.0000025", 0, None)}
    joined = "SELECT m.description FROM mart.price_current p JOIN mart.model_current m USING (source, model_id)"
    assert rows(engine, joined) == [("new",)]


def test_a_new_field_opens_no_version_of_a_price_or_an_endpoint(engine: Engine) -> None:
    """In dbt snapshots with check_cols = 'all' a new column makes a new version of every row."""
    models = [row(f"openai/m{number}") for number in range(6)]
    show(engine, 0, catalog(*models))
    show(engine, 1, catalog(*(model | {"knowledge_cutoff": "2026-01"} for model in models)))
    assert {len(prices(engine, str(model["id"]))) for model in models} == {1}
    assert rows(engine, "SELECT count(*) FROM mart.endpoint_history") == [(6,)]
    assert rows(engine, "SELECT count(*) FROM mart.price_change") == [(0,)]


def test_a_new_price_field_adds_its_meter_and_touches_no_other(engine: Engine) -> None:
    """In dbt snapshots with check_cols = 'all' a new column makes a new version of every row."""
    show(engine, 0, catalog(row()))
    show(engine, 1, catalog(row(pricing={"prompt": "0.0000025", "image": "1", "per_moon_phase": "7"})))
    assert prices(engine) == {("0.0000025", 0, None)}
    assert rows(engine, "SELECT meter, change FROM mart.price_change") == [("input_image", "added")]
    assert rows(engine, "SELECT field, count FROM core.unmapped_field") == [("pricing.per_moon_phase", 1)]


def test_nothing_empty_and_something_are_three_values(engine: Engine) -> None:
    """In hashed snapshots null and the empty text are one value; with a plain comparison null never changes."""
    for day, said in enumerate([None, None, "", "x", None]):
        show(engine, day, catalog(row(description=said)))
    found = "SELECT description FROM mart.model_history ORDER BY valid_from"
    assert rows(engine, found) == [(None,), ("",), ("x",), (None,)]


def test_a_late_snapshot_inverts_no_interval_and_is_not_ignored(engine: Engine) -> None:
    """In dlt 1.31 a row is inverted and the stale price believed; SQLMesh 0.236 ignores the late day."""
    for day, price in [(1, "1"), (3, "3"), (2, "2")]:
        show(engine, day, catalog(row(price=price)))
    assert prices(engine) == {("1", 1, 2), ("2", 2, 3), ("3", 3, None)}
    assert rows(engine, "SELECT unit_price::text FROM mart.price_current") == [("3",)]


def test_a_colliding_run_leaves_one_current_row(engine: Engine) -> None:
    """dbt-core#4661: two colliding runs duplicate current rows; the runs themselves collide in test_contention."""
    for _ in range(2):
        show(engine, 0, catalog(row()))
    assert rows(engine, "SELECT count(*) FROM mart.price_current") == [(1,)]
    again = "INSERT INTO core.price OVERRIDING USER VALUE SELECT * FROM core.price"
    with pytest.raises(IntegrityError, match="price_open_key"), engine.begin() as connection:
        connection.execute(text(again))


def test_a_reordered_list_is_no_change(engine: Engine) -> None:
    """In dlt 1.31 a list in another order has another hash, hence another version."""
    one = row(supported_parameters=["tools", "stop"], architecture={"input_modalities": ["text", "image"]})
    other = row(architecture={"input_modalities": ["image", "text"]}, supported_parameters=["stop", "tools"])
    show(engine, 0, catalog(one, row("groq/m1")))
    assert show(engine, 1, catalog(row("groq/m1"), other)).status == "unchanged"


def test_another_spelling_of_a_number_is_no_change(engine: Engine) -> None:
    """In dlt 1.31 0.0000025 and then 2.5e-06 makes a new version."""
    show(engine, 0, catalog(row(price="0.0000025")))
    for day, spelling in enumerate(["2.5e-06", "0.00000250", "25E-7"], 1):
        assert show(engine, day, catalog(row(price=spelling))).status == "unchanged"


def test_of_a_key_that_comes_twice_the_first_counts_and_the_second_is_set_aside(engine: Engine) -> None:
    """In dbt 1.11 a key that comes twice leaves two current rows and no error."""
    result = show(engine, 0, catalog(row(price="1"), row(price="2")))
    assert (result.status, result.quarantined) == ("loaded", 1)
    assert rows(engine, "SELECT unit_price::text FROM mart.price_current") == [("1",)]
    [(pointer, reason)] = rows(engine, "SELECT pointer, reason FROM core.quarantine")
    assert pointer == "/data/1"
    assert "same key" in reason


def test_current_prices_never_erase_the_former_ones(engine: Engine) -> None:
    """genai-prices#535: overwriting current prices erased the old ones."""
    for day, price in enumerate(["1", "2", "3"]):
        show(engine, day, catalog(row(price=price)))
    at = "SELECT unit_price::text FROM mart.price_as_of('2026-01-02T12:00:00Z')"
    assert rows(engine, at) == [("2",)]


def test_unknown_fields_stop_no_load(engine: Engine) -> None:
    """genai-prices#532: extra=forbid on three new fields stopped every sync."""
    body = catalog(row(price="1", badge="new", tags=[1, {"a": None}]), object="list", took_ms=7)
    assert show(engine, 0, body).status == "loaded"
    assert rows(engine, "SELECT extra->>'badge' FROM mart.model_current") == [("new",)]


def test_a_gutted_catalog_replaces_nothing(engine: Engine) -> None:
    """litellm#20605: parseable but gutted JSON replaced the good map."""
    show(engine, 0, catalog(row(), row("openai/m1")), Origin.RUN)
    gutted = show(engine, 1, catalog({"id": "openai/m0"}, {"id": "openai/m1"}), Origin.RUN)
    assert (gutted.status, gutted.reason) == ("held", "would remove all 2 prices")
    assert prices(engine) == {("0.0000025", 0, None)}


def test_a_missing_price_is_not_free(engine: Engine) -> None:
    """hermes-webui#5880: a missing price was shown as free; bifrost#1306: paid ones as 0.000000."""
    show(engine, 0, catalog(row(price="0"), row("openai/m1", price="0.00000000025"), {"id": "openai/m2"}))
    found = "SELECT model_id, price_state, usd_per_million::text FROM mart.price_current ORDER BY model_id"
    assert rows(engine, found) == [("openai/m0", "free", "0"), ("openai/m1", "priced", "0.00025")]


def test_a_flapping_price_is_labelled_and_never_swallowed(engine: Engine) -> None:
    """model-hotel#269: damping flapping prices destroys facts."""
    for day, price in enumerate(["1", "2", "1", "2"]):
        show(engine, day, catalog(row(price=price)))
    found = "SELECT change, is_reversal FROM mart.price_change ORDER BY changed_at"
    assert rows(engine, found) == [("increased", False), ("decreased", True), ("increased", True)]


def test_a_failed_sync_wipes_no_model(engine: Engine) -> None:
    """OmniRoute#899: a sync that failed wiped the models of the provider."""
    two = World(FEW | {"groq/m1": ("A", {"prompt": "1"})})
    observe(engine, "s", 0, two)
    result = observe(engine, "s", 1, World(two.models, failed=frozenset({"groq"})))
    assert (result.status, result.closed) == ("unchanged", 0)
    assert believed(engine, "s") == history({0: two})


def test_a_fetch_that_was_not_understood_confirms_nothing(engine: Engine) -> None:
    """agentdeals#1074: a 200 stamped rows as verified for 127 days."""
    show(engine, 0, catalog(row()))
    assert show(engine, 1, b"<html>all is well").status == "failed"
    show(engine, 2, catalog(row(price="12x")))
    [(seen,)] = rows(engine, "SELECT last_seen_at FROM mart.price_current")
    assert seen == moment(0)


def test_catching_up_takes_each_snapshot_once_and_dates_it_by_itself(engine: Engine) -> None:
    """openverse-catalog#380: catching up re-ingested today's data six times."""
    for day in (5, 0, 1, 2, 3, 4, 0, 1):
        show(engine, day, catalog(row(price=str(day // 3 + 1))))
    assert prices(engine) == {("1", 0, 3), ("2", 3, None)}
    assert rows(engine, "SELECT count(*) FROM mart.snapshot") == [(6,)]
