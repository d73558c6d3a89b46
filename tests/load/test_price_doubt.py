"""A live snapshot that would remove, turn to free or slip too many prices is held, as for models."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.load.doubt import Doubt
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.load.believing import Ticking, believed, observe
from tests.load.registries import Registry
from tests.load.worlds import World, history, moment, snapshot

FIELDS = ("prompt", "completion", "image")
FULL = World({f"openai/m{n}": ("A", dict.fromkeys(FIELDS, f"0.00000{n + 1}")) for n in range(20)})
"""Sixty prices."""


def changed(count: int, change: Callable[[str], str | None], world: World = FULL) -> World:
    """The world with so many of its prices changed; None takes one away."""
    models, left = {}, count
    for model, (name, prices) in world.models.items():
        became = {field: change(price) if left > at else price for at, (field, price) in enumerate(prices.items())}
        left -= len(prices)
        models[model] = (name, {field: price for field, price in became.items() if price is not None})
    return World(models)


def to(price: str) -> Callable[[str], str]:
    return lambda _: price


def times(factor: str) -> Callable[[str], str]:
    return lambda price: f"{Decimal(price) * Decimal(factor):f}"


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (changed(58, lambda _: None), "would remove 58 of 60 prices"),
        (changed(60, lambda _: None), "would remove all 60 prices"),
        (changed(60, lambda _: "0"), "would make 60 of 60 prices free"),
        (changed(55, times("1000")), "would multiply 55 of 60 prices by 1000"),
        (changed(13, times("0.000001")), "would divide 13 of 60 prices by 1000000"),
        (World(dict(list(changed(39, times("10")).models.items())[:18])), "would multiply 39 of 60 prices by 10"),
    ],
)
def test_too_large_a_step_of_prices_is_held_with_its_reason(engine: Engine, world: World, reason: str) -> None:
    observe(engine, "s", 0, FULL)
    result = observe(engine, "s", 1, world)
    assert (result.status, result.reason) == ("held", reason)
    assert believed(engine, "s") == history({0: FULL})


@pytest.mark.parametrize(
    "world",
    [
        changed(12, lambda _: None),
        changed(12, lambda _: "0"),
        changed(12, times("1000")),
        changed(60, times("1.1")),
        changed(60, times("20")),
        changed(60, lambda price: f"{Decimal(price):.3e}"),
        changed(60, lambda _: "-1"),
        # Twelve of each of three powers: no single unit was mistaken.
        changed(12, times("10"), changed(24, times("10"), changed(36, times("10")))),
    ],
)
def test_what_a_catalog_may_do_in_one_step_is_loaded(engine: Engine, world: World) -> None:
    observe(engine, "s", 0, FULL)
    assert observe(engine, "s", 1, world).status in ("loaded", "unchanged")
    assert believed(engine, "s") == history({0: FULL, 1: world})


def test_a_dynamic_or_free_price_that_gets_an_amount_is_no_slip(engine: Engine) -> None:
    worlds = {day: changed(60, to(price)) for day, price in enumerate(["-1", "1", "-1", "10"])}
    assert {observe(engine, "s", day, world).status for day, world in worlds.items()} == {"loaded"}
    observe(engine, "t", 0, changed(60, lambda _: "0"))
    assert observe(engine, "t", 1, FULL).status == "loaded"


def offers(amount: str, currency: str) -> bytes:
    """A Phaseo catalog of ten models with a price each."""
    meter = {"unit": "token", "unit_size": 1_000_000, "price_per_unit": amount, "currency": currency}
    sheet = {"pricing_plan": "standard", "meters": {"input_text_tokens": meter}}
    models = [{"id": f"acme/m{n}", "offers": [{"provider": {"id": "acme"}, "pricing": sheet}]} for n in range(10)]
    return json.dumps({"models": models, "total": 10}).encode()


@pytest.mark.parametrize(
    ("amount", "currency", "status"), [("2000", "USD", "loaded"), ("2000", "EUR", "held"), ("0", "USD", "held")]
)
def test_a_price_in_another_currency_is_no_slip_but_may_be_free(
    engine: Engine, amount: str, currency: str, status: str
) -> None:
    pipeline, done = Pipeline(engine, Ticking()), ""
    for day, body in enumerate([offers("2", "EUR"), offers(amount, currency)]):
        page = Page(number=1, url="page", status=200, body=body, fetched_at=moment(day))
        live = Snapshot(source="p", kind="phaseo", observed_at=moment(day), origin=Origin.RUN, pages=(page,))
        done = pipeline.take(kinds()["phaseo"]("p"), live).status
    assert done == status


def test_one_model_of_a_small_catalog_may_go_with_its_prices(engine: Engine) -> None:
    small = World(dict(list(FULL.models.items())[:3]))
    observe(engine, "s", 0, small)
    assert observe(engine, "s", 1, World(dict(list(small.models.items())[:2]))).status == "loaded"
    assert observe(engine, "s", 2, World({})).reason == "would remove 2 of 2 models"


def test_prices_that_go_with_their_models_count(engine: Engine) -> None:
    heavy = {f"openai/m{n}": ("A", dict.fromkeys(FIELDS, "1") if n < 3 else {}) for n in range(20)}
    observe(engine, "s", 0, World(heavy))
    fewer = World({model: shown for model, shown in heavy.items() if model not in ("openai/m0", "openai/m1")})
    assert observe(engine, "s", 1, fewer).reason == "would remove 6 of 9 prices"


def test_an_incomplete_snapshot_is_held_for_what_it_shows(engine: Engine) -> None:
    observe(engine, "s", 0, FULL)
    half = changed(58, lambda _: None)
    assert observe(engine, "s", 1, replace(half, is_whole=False)).status == "unchanged"
    assert observe(engine, "s", 2, replace(changed(60, lambda _: "0"), is_whole=False)).status == "held"


@pytest.mark.parametrize(
    ("doubt", "status"),
    [
        (Doubt(share=0.5), "held"),
        (Doubt(share=0.6), "loaded"),
        (Doubt(minimum=31), "held"),
        (Doubt(minimum=32), "loaded"),
    ],
)
def test_share_and_minimum_count_for_prices(engine: Engine, doubt: Doubt, status: str) -> None:
    observe(engine, "s", 0, FULL)
    live = replace(snapshot("s", 1, changed(31, lambda _: "0")), origin=Origin.RUN)
    assert Pipeline(engine, Ticking(), doubt=doubt).take(kinds()["bifrost"]("s"), live).status == status


def registry(change: Callable[[str], str], count: int) -> Registry:
    """Ten models with an endpoint each; of so many the input price is changed."""
    ones = (("groq", change("0.000001"), "0.000003", True),), (("groq", "0.000001", "0.000003", True),)
    models = tuple((f"m{n}", "A", ones[n >= count]) for n in range(10))
    return Registry(models=models, names=("groq",), fault="none", is_reversed=False)


@pytest.mark.parametrize("count", [8, 9])
@pytest.mark.parametrize(
    ("change", "reason"),
    [(times("100"), "would multiply {} of 40 prices by 100"), (lambda _: "0", "would make {} of 40 prices free")],
)
def test_what_is_read_in_part_is_held_like_what_is_read_whole(
    engine: Engine, change: Callable[[str], str], count: int, reason: str
) -> None:
    became = []
    for name, forgets in (("parts", False), ("whole", True)):
        pipeline, source = Pipeline(engine, Ticking()), kinds()["helicone_registry"](name)
        pipeline.take(source, registry(change, 0).snapshot(name, 0, Origin.RUN))
        if forgets:
            with engine.begin() as connection:
                connection.execute(text("DELETE FROM core.applied"))
        done = pipeline.take(source, registry(change, count).snapshot(name, 1, Origin.RUN))
        became.append((done.status, done.reason))
    assert became == 2 * [("held", reason.format(count)) if count > 8 else ("loaded", None)]
