"""Which model a name means, in warehouses that make it hard; and what moves of a price are called."""

import json
import re

import pytest
from sqlalchemy import Engine

from tests.cli.conftest import Run
from tests.load.believing import load
from tests.load.worlds import World


def world(**prices: str) -> World:
    return World({name.replace("__", "/"): ("a", {"prompt": price}) for name, price in prices.items()})


def listed(*ids: str) -> World:
    return World({name: (name, {"prompt": "0.000001"}) for name in ids})


def ids(etl: Run, *typed: str) -> set[tuple[str, str]]:
    return {(row["source"], row["model_id"]) for row in json.loads(etl("history", *typed, "--json").out)}


def test_a_name_that_fits_several_models_names_them(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 1, listed("acme/rapid-7", "zeta/rapid-7"))
    ended = etl("history", "rapid-7")
    assert (ended.status, ended.out) == (2, "")
    said = "rapid-7 fits several models: acme/rapid-7, zeta/rapid-7; ask for one of them, or for one --source"
    assert ended.err == f"etl: {said}\n"
    assert ids(etl, "zeta/rapid-7") == {("s", "zeta/rapid-7")}


def test_the_wanted_source_decides_between_several_models(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 1, listed("acme/rapid-7"))
    load(warehouse, "t", 1, listed("zeta/rapid-7"))
    assert ids(etl, "rapid-7", "--source", "t") == {("t", "zeta/rapid-7")}


def test_an_id_that_is_written_exactly_so_comes_before_others(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 1, listed("acme/Rapid-7", "zeta/acme/rapid-7", "rapid-7"))
    assert ids(etl, "rapid-7") == {("s", "rapid-7")}


def test_the_very_spelling_comes_before_case_and_case_before_a_missing_maker(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 1, listed("house", "House", "acme/HOUSE"))
    load(warehouse, "t", 1, listed("Castle-7", "acme/castle-7"))
    assert ids(etl, "house") == {("s", "house")}
    assert ids(etl, "castle-7") == {("t", "Castle-7")}


def test_what_is_linked_with_nothing_is_taken_together_by_its_id(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 1, listed("house"))
    load(warehouse, "t", 1, listed("house"))
    assert ids(etl, "house") == {("s", "house"), ("t", "house")}


def test_a_source_that_lists_a_model_twice_names_both(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 1, listed("openai/gpt-4o", "azure/gpt-4o"))
    out = etl("history", "gpt-4o").out
    assert "\ns, azure/gpt-4o, azure\n" in out
    assert "\ns, openai/gpt-4o, openai\n" in out


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("0.000001", "0.0000015", "+50%"),
        ("0.000003", "0.000002", "-33.3%"),
        ("0.000003", "0.00000299", "-0.3%"),
        ("0.000003", "0.0000029999", "-0.003%"),
        ("0.000001", "0.00001", "x10"),
        ("0.000001", "0", "-100%"),
        ("0", "0.000001", ""),
        ("0.000001", "-1", ""),
    ],
)
def test_a_move_is_told_in_percent(etl: Run, warehouse: Engine, before: str, after: str, said: str) -> None:
    load(warehouse, "s", 1, world(openai__m=before))
    load(warehouse, "s", 2, world(openai__m=after))
    last = etl("history", "openai/m").out.rstrip("\n").splitlines()[-1]
    assert re.sub(r".* last seen \S+ +(free|varies|\S+ USD) *", "", last) == said


def test_prices_keep_every_digit(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 1, world(openai__m="0.00000012345678901234567890123"))
    assert "0.12345678901234567890123 USD" in etl("history", "openai/m").out


def test_prices_per_image_are_per_image(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 1, World({"openai/m": ("m", {"image": "0.0400"})}))
    out = etl("history", "openai/m").out
    assert "\ninput_image (█ is 0.04 USD)\n" in out
    assert "  0.04 USD" in out
