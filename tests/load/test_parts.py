"""A snapshot that is read only where it differs makes the history that it makes when it is read whole."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from etl.domain.catalog import Catalog
from etl.domain.snapshot import Origin, Page
from etl.load.doubt import Doubt
from etl.pipeline import Pipeline
from etl.reading import read_pages
from etl.sources.division import read_changed, read_whole
from etl.sources.registry import kinds
from tests.database.roles import as_owner
from tests.dump import HISTORY
from tests.load.believing import Ticking
from tests.load.registries import FAULTS, Registry, lives

ONE = (("groq", "1e-6", "2e-6", True),)
MODELS = tuple((f"m{number}", "A", ONE) for number in range(5))


def registry(*models: Any, names: tuple[str, ...] | None = ("groq",), fault: str = "none") -> Registry:
    return Registry(models=models or MODELS, names=names, fault=fault, is_reversed=False)


def take(engine: Engine, name: str, day: int, world: Registry, origin: Origin = Origin.BACKFILL) -> str:
    pipeline = Pipeline(engine, Ticking(), doubt=Doubt(share=0.5))
    return pipeline.take(kinds()["helicone_registry"](name), world.snapshot(name, day, origin)).status


def believed(engine: Engine, name: str) -> dict[str, list[str]]:
    """Every version, every change and every line of the log, without what numbers and dates our own work."""
    ours = "'{version_id,asserted,retracted,snapshot_id,source,known_from,known_to,known_at,end_known_from}'::text[]"
    tables = (*HISTORY, "core.snapshot", "core.quarantine", "core.unmapped_field", "core.basket_move")
    rows = f"SELECT regexp_replace((to_jsonb(t) - {ours})::text, 'snapshot [0-9]+', '') FROM %s t WHERE source = :s"
    with engine.connect() as connection:
        return {table: sorted(connection.scalars(text(rows % table), {"s": name}).all()) for table in tables}


def applied(engine: Engine, name: str) -> int | None:
    """The snapshot whose records are remembered."""
    with engine.connect() as connection:
        return connection.execute(text("SELECT snapshot_id FROM core.applied WHERE source = :s"), {"s": name}).scalar()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=lives(), origins=st.lists(st.sampled_from(list(Origin)), min_size=6, max_size=6))
def test_a_part_makes_the_history_that_the_whole_makes(
    engine: Engine, days: list[Registry], origins: list[Origin]
) -> None:
    parts, whole = (f"{way} {uuid.uuid4()}" for way in ("parts", "whole"))
    for day, (world, origin) in enumerate(zip(days, origins, strict=False)):
        took = take(engine, parts, day, world, origin)
        forget_one(engine, whole)
        assert take(engine, whole, day, world, origin) == took
    assert believed(engine, parts) == believed(engine, whole)


def forget_one(engine: Engine, name: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM core.applied WHERE source = :s"), {"s": name})


class Listening:
    """Reads pages, and notes how many models were in them."""

    def __init__(self) -> None:
        self.models: list[int] = []

    def __call__(self, source: Any, pages: Sequence[Page]) -> Catalog:
        self.models.append(sum(len(page.document["data"]["models"]) for page in pages))
        return read_pages(source, pages)


def test_only_records_whose_bytes_are_new_are_read() -> None:
    source = kinds()["helicone_registry"]("s")
    first = read_whole(source, registry().snapshot("s", 0, Origin.RUN).pages, read_pages)
    assert first.records is not None
    dearer = registry(("m0", "A", (("groq", "3e-6", "2e-6", True),)), *MODELS[2:], ("m9", "A", ()))
    listening = Listening()
    found = read_changed(source, dearer.snapshot("s", 1, Origin.RUN).pages, first.records, listening)
    assert found is not None
    assert found.part is not None
    assert listening.models == [2]
    assert found.part.models == {"m0", "m1", "m9"}
    assert [model.model_id for model in found.models] == ["m0", "m9"]
    assert found.counts == {"models": 5, "endpoints": 4, "prices": 16}
    assert found.providers is None


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"none"}))
def test_whatever_is_out_of_the_ordinary_is_read_whole(engine: Engine, fault: str) -> None:
    take(engine, "s", 0, registry())
    assert applied(engine, "s") == 1
    take(engine, "s", 1, registry(fault=fault))
    assert applied(engine, "s") is None
    take(engine, "s", 2, registry())
    assert applied(engine, "s") == 3


def test_a_late_snapshot_makes_the_next_one_be_read_whole(engine: Engine) -> None:
    take(engine, "s", 0, registry())
    take(engine, "s", 2, registry())
    assert applied(engine, "s") == 2
    take(engine, "s", 1, registry(*MODELS[1:]))
    assert applied(engine, "s") is None


def test_a_record_that_says_what_another_one_says_already_is_read_whole() -> None:
    source = kinds()["helicone_registry"]("s")
    first = read_whole(source, registry().snapshot("s", 0, Origin.RUN).pages, read_pages)
    assert first.records is not None
    again = registry(*MODELS, ("m0", "B", ()))
    assert read_changed(source, again.snapshot("s", 1, Origin.RUN).pages, first.records, read_pages) is None


def test_another_reading_of_the_same_bytes_is_a_reading_of_the_whole(engine: Engine) -> None:
    take(engine, "s", 0, registry())
    with as_owner(engine).begin() as connection:
        connection.execute(text("UPDATE core.applied SET reading = 'of yesterday'"))
        connection.execute(text("UPDATE core.model SET name = 'as read yesterday' WHERE model_id = 'm3'"))
    assert take(engine, "s", 1, registry()) == "loaded"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT name FROM mart.model_current WHERE model_id = 'm3'")) == "A"


MANY = tuple((f"m{number:04}", "AB"[number % 2], ONE) for number in range(1100))


def padded(world: Registry) -> tuple[Page, ...]:
    """Its page, with so much space behind it that it is read in pieces."""
    [page] = world.snapshot("s", 0, Origin.RUN).pages
    return (replace(page, body=page.body + b" " * 4_000_000),)


@pytest.mark.parametrize("fault", sorted(set(FAULTS)))
def test_what_is_read_in_pieces_says_what_it_says_as_a_whole(fault: str) -> None:
    source, listening = kinds()["helicone_registry"]("s"), Listening()
    pages = padded(registry(*MANY, fault=fault))
    found, whole = read_whole(source, pages, listening), read_pages(source, pages)
    assert found == whole
    assert (found.decimals, found.counts) == (whole.decimals, whole.counts)
    assert (found.records is not None) is (fault == "none")
    assert (listening.models == [500, 500, 100]) is (fault == "none")
