"""The data dictionary is that of the database, and nothing in the mart is without a meaning."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from etl.database.dictionary import Entry, entries, markdown

DOCUMENT = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
REMEDY = "the mart has changed: run `.venv/bin/etl db dictionary > docs/data-dictionary.md`"


@pytest.fixture
def described(engine: Engine) -> list[Entry]:
    with engine.connect() as connection:
        return entries(connection)


def test_the_committed_dictionary_is_that_of_the_database(engine: Engine) -> None:
    with engine.connect() as connection:
        generated = markdown(connection)
    is_current = DOCUMENT.read_text(encoding="utf-8") == generated
    assert is_current, REMEDY


def test_every_object_of_the_mart_is_described(engine: Engine, described: list[Entry]) -> None:
    objects = text(
        "SELECT relname FROM pg_class WHERE relnamespace = 'mart'::regnamespace AND relkind NOT IN ('i', 't', 'c')"
        " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'mart'::regnamespace"
    )
    with engine.connect() as connection:
        assert sorted(entry.name for entry in described) == sorted(connection.scalars(objects))


def test_every_object_and_every_column_has_a_comment(described: list[Entry]) -> None:
    silent = [entry.name for entry in described if not entry.comment]
    silent += [f"{entry.name}.{column.name}" for entry in described for column in entry.columns if not column.comment]
    assert silent == []


def test_a_function_that_returns_rows_says_what_its_columns_mean(described: list[Entry]) -> None:
    [as_of] = [entry for entry in described if entry.name == "price_as_of"]
    [current] = [entry for entry in described if entry.name == "price_current"]
    assert as_of.columns == current.columns
    assert as_of.call == "mart.price_as_of(valid_at timestamptz, known_at timestamptz DEFAULT NULL)"
