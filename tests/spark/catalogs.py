"""Invented catalogs of every sort that a source could ever make, and what Postgres makes of them."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, Text, cast, select
from sqlalchemy.dialects.postgresql import JSONB

from etl.domain.catalog import (
    Author,
    Catalog,
    Coverage,
    Endpoint,
    Model,
    Price,
    Provider,
    Quarantined,
    Scope,
    Unmapped,
)
from etl.domain.meters import DYNAMIC, Meter, quote
from etl.load import scratch
from etl.load.history import apply
from etl.load.merge import Step
from etl.load.relations import HISTORY, Relation
from etl.spark import canonical
from tests.load.worlds import moment

if TYPE_CHECKING:
    from datetime import datetime

MODELS = ("m0", "m1", "m2")
PROVIDERS = ("p0", "p1", "p2")
METERS = (Meter.INPUT_TOKEN, Meter.OUTPUT_TOKEN)
ROUTES = [(model, provider) for model in MODELS for provider in PROVIDERS]
SPELLINGS: tuple[Any, ...] = (1, Decimal("1.0"), Decimal("1e0"), True, "1", Decimal(100), Decimal("1E+2"), 100, None)
"""Of which some are equal, and some only look so."""

LASTING = ("models", "endpoints", "prices", "quarantined")
"""What is often as it was; what cannot be read, for long."""

Timeline = Sequence[Catalog | None]
"""The catalogs of the days from 0 on; null where that of a day cannot be read."""


def timeline(chance: random.Random, days: int) -> Timeline:
    """Catalogs of which each has much in common with the one before."""
    found: list[Catalog | None] = []
    last = catalog(chance)
    for _ in range(days):
        drawn = catalog(chance)
        kept = {name: getattr(last, name) for name in LASTING if chance.random() < 0.6}
        last = replace(drawn, **kept)
        found.append(last if chance.random() < 0.9 else None)
    return found


def catalog(chance: random.Random) -> Catalog:
    """What a source could show; nothing of it hangs together more than it must."""
    often = chance.choice([0.0, 0.5, 0.5, 0.5])
    routes = [route for route in ROUTES if chance.random() < often]
    return Catalog(
        models=tuple(_model(name, chance) for name in MODELS if chance.random() < 0.6),
        endpoints=tuple(
            Endpoint(model_id=model, provider=provider, context_length=chance.choice([None, 8, 8, 8]))
            for model, provider in routes
        ),
        prices=tuple(_price(*route, meter, chance) for route in routes for meter in METERS if chance.random() < 0.6),
        providers=_perhaps(chance, lambda name: Provider(provider=name, extra=_extra(chance)), PROVIDERS),
        authors=_perhaps(chance, lambda name: Author(author=name, extra=_extra(chance)), ("a0", "a1")),
        quarantined=tuple(_quarantined(chance) for _ in range(chance.choice([0, 0, 0, 1, 2]))),
        unmapped=(Unmapped(field="x", count=1, example=Decimal("0.10")),) if chance.random() < 0.2 else (),
        coverage=_coverage(chance),
    )


def folded(connection: Connection, catalogs: Timeline) -> dict[str, list[str]]:
    """The versions that the merge in Postgres makes of a timeline, by relation."""
    scratch.create(connection, keep=True)
    previous_at: datetime | None = None
    for day, each in enumerate(catalogs):
        if each is not None:
            at = moment(day)
            step = Step(
                source="s",
                observed_at=at,
                known_at=at,
                previous_at=previous_at,
                coverage=each.coverage,
                schema=scratch.SCHEMA,
            )
            apply(connection, each, step)
            previous_at = at
    return {relation.name: [in_text(row) for row in _rows(connection, relation)] for relation in HISTORY}


def in_text(row: Mapping[str, Any]) -> str:
    """A row in the one spelling that equal rows share."""
    return canonical.text_of({name: row[name] for name in sorted(row)})


def _rows(connection: Connection, relation: Relation) -> Iterator[dict[str, Any]]:
    table = scratch.copy_of(relation)
    columns = [table.c[name] for name in (*relation.key, *relation.values, "valid_from", "valid_to")]
    as_text = [cast(each, Text).label(each.name) if isinstance(each.type, JSONB) else each for each in columns]
    for row in connection.execute(select(*as_text)).mappings():
        yield {each.name: _value(each, row[each.name]) for each in columns}


def _value(column: Column[Any], value: Any) -> Any:
    is_json = isinstance(column.type, JSONB) and value is not None
    return json.loads(value, parse_float=Decimal) if is_json else value


def _model(name: str, chance: random.Random) -> Model:
    aliases = chance.choice([None, (), ("x", "y")])
    return Model(model_id=name, name=chance.choice("AB"), aliases=aliases, released_at=moment(3), extra=_extra(chance))


def _extra(chance: random.Random) -> dict[str, Any]:
    return {"b": chance.choice(SPELLINGS), "a": [chance.choice(SPELLINGS[:3])]} if chance.random() < 0.3 else {}


def _price(model: str, provider: str, meter: Meter, chance: random.Random) -> Price:
    text = chance.choice(["1", "1.0", "2.50e-06", "0.0000025", "0", "0.00", "-1", "1e-28"])
    figure = Decimal(text)
    return Price(model_id=model, provider=provider, meter=meter, quote=DYNAMIC if figure == -1 else quote(figure))


def _perhaps(chance: random.Random, make: Any, names: Sequence[str]) -> tuple[Any, ...] | None:
    return None if chance.random() < 0.3 else tuple(make(name) for name in names if chance.random() < 0.6)


def _quarantined(chance: random.Random) -> Quarantined:
    model, provider = chance.choice(ROUTES)
    scopes: list[tuple[Scope, ...]] = [
        (),
        (Scope(),),
        (Scope(model_id=model),),
        (Scope(provider=provider),),
        (Scope(model_id=model, provider=provider), Scope(model_id="m0", region="*")),
        (Scope(model_id=model, provider=provider, region="*", plan="standard", meter=METERS[0], tier_start=0),),
    ]
    return Quarantined(page=1, pointer="/0", reason="bad", record=_extra(chance), scopes=chance.choice(scopes))


def _coverage(chance: random.Random) -> Coverage:
    is_complete = chance.random() < 0.7
    listed = frozenset(name for name in PROVIDERS if chance.random() < 0.6) if chance.random() < 0.5 else None
    return Coverage(is_complete=is_complete, reason=None if is_complete else "a page is missing", providers=listed)
