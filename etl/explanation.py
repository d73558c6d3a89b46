"""Leads from a version of a price to the landed text that it was read from, and computes the price from that text."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from etl.domain.catalog import Price
from etl.domain.evidence import Evidence, price_of
from etl.domain.meters import Meter, PriceState, Quote
from etl.domain.quotation import Body
from etl.domain.snapshot import Page
from etl.errors import ContractError
from etl.load import landing, sightings
from etl.reading import read_pages
from etl.sources.registry import kinds

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One figure as it is quoted: where, the very text, and the value of that text.

    ``meter`` and ``tier_start`` are what it stands for; both are null for a number of units.
    """

    pointer: str
    text: str
    meter: Meter | None = None
    tier_start: int | None = None

    @property
    def value(self) -> object:
        """What the text says: a number, or the string in which one stands."""
        return json.loads(self.text, parse_float=Decimal, parse_int=Decimal)


@dataclass(frozen=True, kw_only=True, slots=True)
class Derivation:
    """How the price of a unit follows from a page: the product of the figures, each rounded, divided by ``per``.

    ``quote`` is what comes out. The first figure is a price, the others multiply it.
    """

    page: Page
    figures: tuple[Figure, ...]
    per: int | Figure
    evidence: Evidence
    quote: Quote
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """One version of a price, the first and the last snapshot that showed it, and how it follows from the first.

    ``problem`` says in one sentence what does not fit, where something does not.
    """

    version: Row
    first: Row | None
    last: Row | None
    derivation: Derivation | None = None
    problem: str | None = None


def explain(
    connection: Connection, source: str, versions: Iterable[Row], archive: Path | None = None
) -> Iterator[Explanation]:
    """Explain versions of one source's prices, each from the first snapshot that shows it; every one is read once.

    ``archive`` is where archived bodies are, if not where they were put.
    """
    wanted = list(versions)
    moments = [version[name] for version in wanted for name in ("valid_from", "last_seen_at")]
    snapshots = sightings.snapshots(connection, source, moments)
    read: dict[int, _Showing | str] = {}
    for version in wanted:
        first, last = (snapshots.get(version[name]) for name in ("valid_from", "last_seen_at"))
        derivation: Derivation | None = None
        problem: str | None = "the snapshot that showed it first does not count any more"
        if first is not None:
            number = first["snapshot_id"]
            if number not in read:
                read[number] = _show(connection, source, first, archive)
            derivation, problem = _derived(read[number], version)
        yield Explanation(version=version, first=first, last=last, derivation=derivation, problem=problem)


class _Showing:
    """One snapshot, read again."""

    def __init__(self, prices: Iterable[Price], pages: Iterable[Page]) -> None:
        self._prices = {_key(price): price for price in prices}
        self._pages = {page.number: page for page in pages}
        self._bodies: dict[int, Body] = {}

    def derivation(self, version: Row) -> Derivation | None:
        """How the price with the key of a version follows from the text; null where the snapshot shows none."""
        price = self._prices.get(tuple(version[name] for name in sightings.KEY))
        return None if price is None or price.evidence is None else self._derive(price, price.evidence)

    def _derive(self, price: Price, evidence: Evidence) -> Derivation:
        body = self._body(evidence.page)
        figures = tuple(
            Figure(
                pointer=cited.pointer, text=body.quoted(cited.pointer), meter=cited.meter, tier_start=cited.tier_start
            )
            for cited in evidence.citations
        )
        per = evidence.per
        units = Figure(pointer=per, text=body.quoted(per)) if isinstance(per, str) else per
        given = units.value if isinstance(units, Figure) else units
        return Derivation(
            page=self._pages[evidence.page],
            figures=figures,
            per=units,
            evidence=evidence,
            quote=price_of([figure.value for figure in figures], per=given, rounding=evidence.rounding),
            currency=price.currency,
        )

    def _body(self, page: int) -> Body:
        if page not in self._bodies:
            self._bodies[page] = Body.of(self._pages[page].body)
        return self._bodies[page]


def _show(connection: Connection, source: str, snapshot: Row, archive: Path | None) -> _Showing | str:
    """The snapshot, read by the kind that it was landed as; else why it cannot be read."""
    try:
        pages = landing.pages_of(connection, snapshot["snapshot_id"], archive)
        catalog = read_pages(kinds()[snapshot["kind"]](source), pages, explains=True)
    except ContractError as error:
        return f"the snapshot cannot be read today: {error}"
    return _Showing(catalog.prices, pages)


def _derived(showing: _Showing | str, version: Row) -> tuple[Derivation | None, str | None]:
    """The derivation of a version, and what is wrong with it."""
    if isinstance(showing, str):
        return None, showing
    try:
        derivation = showing.derivation(version)
    except (ValueError, LookupError) as error:
        return None, f"the text cannot be quoted ({error}): please report this"
    if derivation is None:
        return None, "today's reading of the snapshot finds no such price"
    believed = Quote(PriceState(version["price_state"]), version["unit_price"])
    if (derivation.quote, derivation.currency) == (believed, version["currency"]):
        return derivation, None
    found = derivation.quote.unit_price
    told = derivation.quote.state if found is None else f"{found:f} {derivation.currency}"
    return derivation, f"today's reading of the snapshot gives another price: {told}"


def _key(price: Price) -> tuple[Any, ...]:
    return tuple(getattr(price, name) for name in sightings.KEY)
