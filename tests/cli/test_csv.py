"""CSV that a spreadsheet and a terminal only show, and the same as it came for programs."""

import csv
import io

import pytest
from sqlalchemy import Engine

from tests.cli.conftest import Run
from tests.load.believing import load
from tests.load.worlds import World

HOSTILE = {
    "=HYPERLINK(1)": "'=HYPERLINK(1)",
    "+1": "'+1",
    "-2+3": "'-2+3",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": r"'\t=1",
    "\r=1": r"'\r=1",
    "\uff1d1": "'\uff1d1",
    "a\x1b[31mred": r"a\x1b[31mred",
    "a\x9b31m\u202egnp.exe": r"a\x9b31m\u202egnp.exe",
    'a,"b"=1': 'a,"b"=1',
    "mod\xe8le-1": "mod\xe8le-1",
}


@pytest.fixture
def hostile(warehouse: Engine) -> None:
    """Prices of models with such ids that all went down."""
    for day, price in enumerate(["0.002", "0.001"]):
        load(warehouse, "s", day, World({name: ("m", {"prompt": price}) for name in HOSTILE}))


def ids(text: str) -> set[str]:
    return {row["model_id"] for row in csv.DictReader(io.StringIO(text, newline=""))}


@pytest.mark.usefixtures("hostile")
def test_no_cell_of_csv_is_a_formula_or_moves_a_cursor(etl: Run) -> None:
    assert ids(etl("changes", "--format", "csv").out) == set(HOSTILE.values())


@pytest.mark.usefixtures("hostile")
def test_raw_csv_has_the_names_as_they_came(etl: Run) -> None:
    assert ids(etl("changes", "--format", "csv", "--raw").out) == set(HOSTILE)


@pytest.mark.usefixtures("hostile")
def test_a_negative_number_of_ours_stays_a_number(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 2, World({"a": ("m", {"prompt": "-1"})}))
    rows = list(csv.DictReader(io.StringIO(etl("changes", "--format", "csv").out)))
    figures = [row[name] for row in rows for name in ("old_unit_price", "new_unit_price", "ratio") if row[name]]
    assert figures
    assert not any(figure.startswith("'") for figure in figures)


@pytest.mark.parametrize("typed", [("--raw",), ("--raw", "--json"), ("--raw", "--format", "jsonl")])
def test_raw_is_a_word_of_csv_alone(etl: Run, typed: tuple[str, ...]) -> None:
    ended = etl("changes", *typed)
    assert (ended.status, ended.complaints) == (2, ["etl: --raw is for --format csv: take it out, or add that"])
