"""What one snapshot of a catalog says, as flat frozen records keyed the way history is keyed.

A record that breaks its own rules cannot be built: it raises ``ValueError``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from etl.domain.evidence import Evidence
from etl.domain.meters import USD, Meter, Quote
from etl.domain.records import Records

ANY_REGION = "*"
STANDARD = "standard"

Json: TypeAlias = Any
"""Decoded JSON whose numbers are ``int`` or ``Decimal``."""


def _require(*keys: str) -> None:
    for key in keys:
        if not (isinstance(key, str) and key):
            raise ValueError(f"an empty key in {keys}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """What a caller names. Limits are tokens, times are aware UTC, collections sorted and without repeats."""

    model_id: str
    name: str | None = None
    author: str | None = None
    description: str | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    input_modalities: tuple[str, ...] | None = None
    output_modalities: tuple[str, ...] | None = None
    supported_parameters: tuple[str, ...] | None = None
    released_at: datetime | None = None
    deprecated_at: datetime | None = None
    retires_at: datetime | None = None
    status: str | None = None
    aliases: tuple[str, ...] | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require(self.model_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One provider's route to one model."""

    model_id: str
    provider: str
    region: str = ANY_REGION
    provider_model_id: str | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    quantization: str | None = None
    is_ptb: bool | None = None
    supported_parameters: tuple[str, ...] | None = None
    unsupported_parameters: tuple[str, ...] | None = None
    rate_limits: Mapping[str, Json] | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require(self.model_id, self.provider, self.region)


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """The price of one unit of a meter, from ``tier_start`` prompt tokens on; re-prices the whole request.

    ``evidence`` is where it was read, and no part of what it is: prices are equal whatever they were made of.
    """

    model_id: str
    provider: str
    meter: Meter
    quote: Quote
    region: str = ANY_REGION
    plan: str = STANDARD
    tier_start: int = 0
    currency: str = USD
    evidence: Evidence | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        _require(self.model_id, self.provider, self.region, self.plan, self.currency)
        if self.tier_start < 0:
            raise ValueError(f"tier_start {self.tier_start} is negative")


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """Who serves models, with the name that the source shows for it."""

    provider: str
    display_name: str | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require(self.provider)


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """Who made models, with the name that the source shows for it."""

    author: str
    display_name: str | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require(self.author)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """The keys of which a snapshot cannot speak: null matches everything.

    What history knows under a scope is carried on, never ended by absence. ``Scope()`` is the whole source.
    """

    model_id: str | None = None
    provider: str | None = None
    region: str | None = None
    plan: str | None = None
    meter: Meter | None = None
    tier_start: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Quarantined:
    """A record, or one price of a record, that cannot be read, and what therefore is carried on.

    ``page`` counts from 1; ``pointer`` is a JSON pointer into that page. A second record with a known key
    has no scope: the first one speaks for the key.
    """

    page: int
    pointer: str
    reason: str
    record: Json
    scopes: tuple[Scope, ...] = ()
    count: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmapped:
    """A price field that maps to no meter: how often it was seen, and one example of its value."""

    field: str
    count: int
    example: Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """How far absence from this snapshot means absence from the catalog.

    ``providers`` names those whose rows are all here, where the source tells; null: all of them when the
    snapshot is complete, none when it is not. ``reason`` says why a snapshot is not complete.
    ``is_contradictory``: the pages of the walk disagree with each other, so that walking again may help.
    """

    is_complete: bool = True
    reason: str | None = None
    providers: frozenset[str] | None = None
    is_contradictory: bool = False

    def __post_init__(self) -> None:
        if self.is_complete != (self.reason is None):
            raise ValueError("a snapshot has a reason exactly when it is not complete")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Of which models a partial catalog speaks, gone ones included, and the records of the snapshot it follows."""

    models: frozenset[str]
    former: Records


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalog:
    """One snapshot, flattened; keys are unique within each relation.

    ``providers`` and ``authors`` are null when the snapshot does not list them at all: then none of them ends.
    ``finest`` tells by model how finely prices are written and is no part of what the catalog says: the most digits
    after the point of any figure that is quoted per single unit; a model without such figures, or with free ones only,
    is missing. ``records`` are what it was read from, told only when it is plain (see ``is_plain``). With ``part``
    the catalog speaks of some models only; the others are as they were.
    """

    models: tuple[Model, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    prices: tuple[Price, ...] = ()
    providers: tuple[Provider, ...] | None = None
    authors: tuple[Author, ...] | None = None
    quarantined: tuple[Quarantined, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    finest: Mapping[str, int] = field(default_factory=dict, compare=False)
    records: Records | None = field(default=None, compare=False, repr=False)
    part: Part | None = field(default=None, compare=False)

    @property
    def counts(self) -> dict[str, int]:
        """How many models, endpoints and prices the snapshot shows, a partial catalog's silent ones included."""
        said = self.records if self.part and self.records else None
        return {
            "models": said.models if said else len(self.models),
            "endpoints": said.endpoints if said else len(self.endpoints),
            "prices": said.prices if said else len(self.prices),
        }

    @property
    def decimals(self) -> int | None:
        """The most digits after the point of any figure quoted per single unit; null when none tells."""
        return self.records.decimals if self.part and self.records else max(self.finest.values(), default=None)

    @property
    def is_plain(self) -> bool:
        """Whether it is whole in every respect: what it does not show is gone, and nothing in it was set aside."""
        return self.coverage == Coverage() and not self.quarantined and not self.unmapped
