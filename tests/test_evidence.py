"""Every price follows from the text it was read from: its pointers lead to the text, the text to the price."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import zstandard
from sqlalchemy import URL, Connection, Engine, text

from etl.backfill import Saved, snapshots
from etl.database.engine import open_engine
from etl.domain.catalog import Catalog, Price
from etl.domain.quotation import Body
from etl.domain.snapshot import Page
from etl.explanation import Explanation, explain
from etl.load import sightings
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.oracle.evidence import document, is_price, unit_price, walk
from tests.recorded import CATALOGS, needs_recordings
from tests.sources.fixtures import pages_of, scenarios

PRICED = ("bifrost", "helicone_registry", "majestix", "phaseo")


def _recorded() -> list[Saved]:
    """Each recorded snapshot, found and not read yet."""
    found = [snapshots(kind, kind, [CATALOGS / kind]) for kind in PRICED] if CATALOGS.is_dir() else []
    return [replace(saved, entries=(entry,)) for saved in found for entry in saved.entries]


def _require_proof(catalog: Catalog, pages: Sequence[Page]) -> None:
    """Prove every price of a catalog."""
    bodies = {page.number: (Body.of(page.body), document(page.body)) for page in pages}
    for price in catalog.prices:
        assert price.evidence is not None
        body, values = bodies[price.evidence.page]
        _require_texts(price, body, values)
        _require_price(unit_price(price.evidence, values), price.quote.unit_price)


def _require_texts(price: Price, body: Body, values: Any) -> None:
    assert price.evidence is not None
    cited = [citation.pointer for citation in price.evidence.citations]
    for pointer in [*cited, *([price.evidence.per] if isinstance(price.evidence.per, str) else [])]:
        quoted = body.quoted(pointer)
        assert quoted in body.text
        assert document(quoted.encode()) == walk(values, pointer)


def _require_price(computed: Any, stored: Decimal | None) -> None:
    if computed is None or stored is None:
        assert computed is stored is None
    else:
        assert is_price(computed, stored)


@pytest.mark.parametrize(("kind", "scenario"), scenarios())
def test_every_price_of_a_fixture_follows_from_its_text(kind: str, scenario: str) -> None:
    pages = pages_of(kind, scenario)
    _require_proof(kinds()[kind]().read(pages), pages)


@needs_recordings
@pytest.mark.parametrize("recorded", _recorded(), ids=lambda each: f"{each.kind}-{each.entries[0].time:%Y%m%dT%H%M%S}")
def test_every_price_of_a_recorded_catalog_follows_from_its_text(recorded: Saved) -> None:
    [snapshot] = recorded
    catalog = kinds()[recorded.kind]().read(snapshot.pages)
    _require_proof(catalog, snapshot.pages)
    assert catalog.prices or recorded.kind == "majestix", "only Majestix was recorded without prices once"


@pytest.mark.slow
def test_every_current_price_of_the_demo_is_explained_from_the_landed_text(demo_url: URL) -> None:
    with open_engine(demo_url).connect() as connection:
        explained = _require_landed(connection)
    assert {each.version["source"] for each in explained} == {f"demo_{kind}" for kind in PRICED}


@needs_recordings
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bifrost", "helicone_registry"])
def test_every_current_price_of_recorded_catalogs_is_explained_from_the_landed_text(kind: str, engine: Engine) -> None:
    found = snapshots(kind, kind, [CATALOGS / kind])
    list(Pipeline(engine, lambda: datetime.now(UTC)).backfill(kinds()[kind](), found))
    with engine.connect() as connection:
        explained = _require_landed(connection)
    assert explained


def _explained(connection: Connection) -> Iterator[Explanation]:
    for source in connection.scalars(text("SELECT DISTINCT source FROM mart.price_current")).all():
        current = [
            version
            for model_id in sightings.models(connection, source)
            for version in sightings.versions(connection, source=source, model_id=model_id)
            if version["valid_to"] is None
        ]
        yield from explain(connection, source, current)


_STORED = text(
    "SELECT p.url, c.body FROM raw.page p JOIN raw.content c USING (sha256) WHERE snapshot_id = :snapshot_id"
)


def _require_landed(connection: Connection) -> list[Explanation]:
    """Explain every current price, and prove it from the bytes in the database, read here anew."""
    explained = list(_explained(connection))
    assert len(explained) == connection.scalar(text("SELECT count(*) FROM mart.price_current"))
    landed: dict[int, dict[tuple[str, bytes], Any]] = {}
    for each in explained:
        assert each.problem is None
        assert each.derivation is not None
        assert each.first is not None
        assert each.first["observed_at"] == each.version["valid_from"]
        number = each.first["snapshot_id"]
        if number not in landed:
            landed[number] = _landed(connection, number)
        derivation = each.derivation
        values = landed[number][derivation.page.url, derivation.page.sha256]
        for figure in derivation.figures:
            assert document(figure.text.encode()) == walk(values, figure.pointer)
        _require_price(unit_price(derivation.evidence, values), each.version["unit_price"])
    return explained


def _landed(connection: Connection, snapshot_id: int) -> dict[tuple[str, bytes], Any]:
    found = {}
    for url, body in connection.execute(_STORED, {"snapshot_id": snapshot_id}):
        plain = zstandard.decompress(body)
        found[url, hashlib.sha256(plain).digest()] = document(plain)
    return found
