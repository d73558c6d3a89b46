"""The catalogs that benchmarks load are what they are said to be; else the figures are of something else."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path

import pytest

from benchmarks._speed import catalog, change, flat, scenarios, series
from etl.domain.catalog import Catalog
from etl.domain.snapshot import Page
from etl.sources.helicone_registry import HeliconeRegistry

PRICES = 2_000

Row = tuple[str, ...]


def read(body: bytes) -> Catalog:
    """What the pipeline reads in a body."""
    page = Page(number=1, url="generated", status=200, body=body, fetched_at=datetime(2026, 1, 1, tzinfo=UTC))
    source = HeliconeRegistry("bench")
    return source.flatten(source.parse([page]))


def as_read(body: bytes) -> set[Row]:
    """The key of each price and, last, its amount, as the pipeline reads them."""
    return {
        (
            p.model_id,
            p.provider,
            p.region,
            p.plan,
            p.meter,
            str(p.tier_start),
            p.currency,
            p.quote.state,
            f"{p.quote.unit_price:f}",
        )
        for p in read(body).prices
    }


def as_flattened(body: bytes) -> set[Row]:
    """The same as the limit and the peers are fed."""
    rows = [line.split("\t") for part in flat.lines(body) for line in part.splitlines()]
    return {(*row[:-1], f"{Decimal(row[-1]).normalize():f}") for row in rows}


@pytest.mark.parametrize("prices", [1, 2, 3, 10, 999, PRICES])
def test_a_catalog_has_as_many_prices_as_announced_and_reads_without_quarantine(prices: int) -> None:
    found = read(catalog.generate(prices).encoded())
    assert len(found.prices) == prices
    assert not found.quarantined
    assert not found.unmapped
    assert found.coverage.is_complete


def test_the_same_catalog_is_made_at_every_run() -> None:
    digest = hashlib.sha256(catalog.generate(PRICES).encoded()).hexdigest()
    assert digest == "28d1895509624bc148d6e876cef12e5c5e2357e3084d1e00d591fbee05799e7b"


def test_a_larger_catalog_begins_with_the_models_of_a_smaller_one() -> None:
    small, large = catalog.generate(PRICES), catalog.generate(2 * PRICES)
    assert small.records[:-1] == large.records[: len(small.records) - 1]


def test_the_mix_is_that_of_the_recorded_catalogs() -> None:
    body = catalog.generate(PRICES).encoded()
    found = read(body)
    assert 9 < len(found.prices) / len(found.models) < 15
    assert 3 < len(found.prices) / len(found.endpoints) < 5
    assert 0.05 < sum(price.tier_start > 0 for price in found.prices) / PRICES < 0.25
    assert 250 < len(body) / PRICES < 450


def test_the_limit_is_fed_with_the_prices_that_the_pipeline_reads() -> None:
    body = catalog.generate(PRICES).encoded()
    assert as_flattened(body) == as_read(body)


def test_another_order_is_other_bytes_and_the_same_facts() -> None:
    body = catalog.generate(PRICES)
    other = change.reordered(body, seed=1)
    assert other.encoded() != body.encoded()
    assert as_read(other.encoded()) == as_read(body.encoded())


@pytest.mark.parametrize("share", [100, 20, 10])
def test_changing_a_share_of_the_prices_changes_exactly_that_share(share: int) -> None:
    body = catalog.generate(PRICES)
    before, after = (as_read(each.encoded()) for each in (body, change.repriced(body, PRICES // share, seed=2)))
    assert len(after) == PRICES
    assert len(after - before) == PRICES // share
    assert {row[:-1] for row in after} == {row[:-1] for row in before}


def test_changes_are_the_same_at_every_run_and_spread_over_many_models() -> None:
    body = catalog.generate(PRICES)
    changed = change.repriced(body, PRICES // 10, seed=2)
    assert changed == change.repriced(body, PRICES // 10, seed=2)
    touched = len(set(changed.records) - set(body.records))
    assert 1.5 < PRICES / 10 / touched < 4


def test_more_changes_than_there_are_prices_are_refused() -> None:
    with pytest.raises(ValueError, match="could not be changed"):
        change.repriced(catalog.generate(10), 100, seed=1)


def test_a_body_is_taken_apart_and_put_together_without_loss() -> None:
    body = catalog.generate(PRICES)
    assert catalog.taken_apart(body.encoded()) == body


def test_the_steps_of_a_race_are_written_with_their_rows(tmp_path: Path) -> None:
    found = scenarios.steps(1_000, tmp_path)
    assert [step.changed for step in found] == [0, 0, 0, 10, 100]
    assert found[1].body.read_bytes() == found[2].body.read_bytes() != found[0].body.read_bytes()
    assert {len(step.rows.read_text().splitlines()) for step in found} == {1_000}


def test_a_series_keeps_its_size_while_models_come_and_go() -> None:
    bodies = list(islice(series.churning(), 12))
    sizes = [len(as_flattened(body)) for body in bodies]
    assert all(0.9 < size / series.PRICES < 1.1 for size in sizes)
    assert len(set(bodies)) == len(bodies)
    for before, after in pairwise(bodies):
        assert len(as_flattened(after) - as_flattened(before)) >= series.PRICES // 100
