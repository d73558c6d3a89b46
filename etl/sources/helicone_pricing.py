"""Helicone's tiers, which say only what differs from the tier below, as effective prices.

Every tier has a price for each of its meters, its own or inherited; an inherited multiplier multiplies its own price.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from etl.domain.catalog import STANDARD, Endpoint, Json, Price, Scope
from etl.domain.evidence import Citation, Evidence
from etl.domain.meters import AmountError, Meter, Quote, amount, multiply, quote
from etl.sources.base import Place
from etl.sources.collect import Collector
from etl.sources.helicone_forms import Component, Form, Path, price_list


class Figure(NamedTuple):
    """One figure as it came, where it stands, and in which tier: an inherited one stands in a lower tier.

    ``value`` is what it says, or why it says nothing.
    """

    path: Path
    component: Component
    raw: Json
    place: Place
    tier_start: int
    value: Decimal | AmountError

    def citation(self) -> Citation:
        """The figure as a part of the evidence for a price."""
        return Citation(self.place.pointer, self.component.meter, self.tier_start)


class _Tier(NamedTuple):
    start: int
    place: Place
    figures: dict[Meter, Figure]


class _UnreadableError(AmountError):
    """The figure that is to blame for a price that cannot be told."""

    def __init__(self, figure: Figure, reason: object) -> None:
        super().__init__(str(reason))
        self.figure = figure


def add_prices(item: Json, place: Place, endpoint: Endpoint, collector: Collector) -> None:
    """Put down the prices of one endpoint of the wire; a figure that cannot be read is set aside alone."""
    whole = Scope(model_id=endpoint.model_id, provider=endpoint.provider, region=endpoint.region, plan=STANDARD)
    form, quoted = price_list(item, place)
    blamed: dict[Place, tuple[_UnreadableError, list[Scope]]] = {}
    figures: dict[Meter, Figure] = {}
    for tier in _tiers(form, quoted, whole, collector):
        figures = _inherited(figures, tier.figures)
        for meter, figure in figures.items():
            try:
                price = _quote(form, figure, figures)
            except _UnreadableError as fault:
                scope = replace(whole, meter=meter, tier_start=tier.start)
                blamed.setdefault(fault.figure.place, (fault, []))[1].append(scope)
            else:
                evidence = _evidence(form, figure, figures) if collector.explains else None
                collector.price(_price(endpoint, tier.start, meter, price, evidence), figure.place, figure.raw)
    for where, (first, scopes) in blamed.items():
        collector.quarantine(where, first, first.figure.raw, *scopes)


def _tiers(form: Form, quoted: Sequence[tuple[Place, Json]], whole: Scope, collector: Collector) -> list[_Tier]:
    """The readable tiers from the lowest up, each with its own figures only."""
    tiers: dict[int, _Tier] = {}
    for place, fields in quoted:
        try:
            start = _threshold(fields)
        except AmountError as error:
            collector.quarantine(place, error, fields, whole)
            continue
        if start in tiers:
            collector.quarantine(place, f"same tier as {tiers[start].place.pointer}: {start}", fields)
        else:
            tiers[start] = _Tier(start, place, _figures(form, fields, start, place, collector))
    return [tiers[start] for start in sorted(tiers)]


def _threshold(fields: Json) -> int:
    """The prompt tokens from which a tier counts; none named is 0. Raises ``AmountError``."""
    if not isinstance(fields, dict):
        raise AmountError(f"{fields!r:.80} is no tier of prices")
    threshold = fields.get("threshold")
    start = Decimal(0) if threshold is None else amount(threshold)
    if start != start.to_integral_value() or not 0 <= start < 2**63:
        raise AmountError(f"threshold {threshold!r:.80} is no number of tokens")
    return int(start)


def _figures(
    form: Form, fields: Mapping[str, Json], start: int, place: Place, collector: Collector
) -> dict[Meter, Figure]:
    """A tier's own figures, at most one for each meter; fields that price nothing known are reported."""
    leaves = dict(_leaves(form, fields))
    strays = {name for name in form.objects if (name,) in leaves and not _is_amount(leaves[name,])}
    found: dict[Meter, Figure] = {}
    used: set[Path] = set()
    for path, component in form.components.items():
        # What stands where an object should and is no number speaks for all of the object.
        source = path if path in leaves else path[:1] if path[0] in strays else None
        if source is not None:
            used.add(source)
            raw, at = leaves[source], place.at(*source)
            found.setdefault(component.meter, Figure(path, component, raw, at, start, _value(form, raw)))
    for path, raw in leaves.items():
        if path not in used:
            collector.unmapped(".".join(("pricing", *path)), raw)
    return found


def _value(form: Form, raw: Json) -> Decimal | AmountError:
    try:
        return form.read(raw)
    except AmountError as error:
        return error


def _leaves(form: Form, fields: Mapping[str, Json]) -> Iterator[tuple[Path, Json]]:
    """The fields that say something, those within an object of the form one by one."""
    for name, raw in fields.items():
        if isinstance(raw, dict) and name in form.objects:
            yield from (((name, part), value) for part, value in raw.items() if value is not None)
        elif raw is not None and name != "threshold":
            yield (name,), raw


def _is_amount(raw: Json) -> bool:
    try:
        amount(raw)
    except AmountError:
        return False
    return True


def _inherited(below: Mapping[Meter, Figure], own: Mapping[Meter, Figure]) -> dict[Meter, Figure]:
    """A tier's effective figures. A field that turned from number to object, or back, replaces and inherits nothing."""
    names = {figure.path[0] for figure in own.values()}
    shapes = {(figure.path[0], len(figure.path)) for figure in own.values()}
    kept = {
        meter: figure
        for meter, figure in below.items()
        if figure.path[0] not in names or (figure.path[0], len(figure.path)) in shapes
    }
    return {**kept, **own}


def _quote(form: Form, figure: Figure, figures: Mapping[Meter, Figure]) -> Quote:
    """The unit price that a figure gives in its tier. Raises ``_UnreadableError`` naming the figure to blame."""
    value, times = _read(figure), figure.component.times
    if times is not None:
        if times not in figures:
            raise _UnreadableError(figure, f"a multiplier, but there is no price of {times} to multiply")
        value = multiply(_read(figures[times]), value)
    try:
        return quote(value, per=form.per)
    except AmountError as error:
        raise _UnreadableError(figure, error) from None


def _read(figure: Figure) -> Decimal:
    if isinstance(figure.value, AmountError):
        raise _UnreadableError(figure, figure.value)
    return figure.value


def _evidence(form: Form, figure: Figure, figures: Mapping[Meter, Figure]) -> Evidence:
    """What makes the price that a figure gives in its tier: itself, or the price that it multiplies and itself."""
    times = figure.component.times
    cited = (figure.citation(),) if times is None else (figures[times].citation(), figure.citation())
    return Evidence(figure.place.page, cited, form.per, form.rounding)


def _price(endpoint: Endpoint, tier_start: int, meter: Meter, price: Quote, evidence: Evidence | None) -> Price:
    return Price(
        model_id=endpoint.model_id,
        provider=endpoint.provider,
        region=endpoint.region,
        meter=meter,
        tier_start=tier_start,
        quote=price,
        evidence=evidence,
    )
