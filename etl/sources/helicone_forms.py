"""Helicone's two ways to write one price list, which field of them is which meter, and which of the two to believe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple, TypeAlias

from etl.domain.catalog import Json
from etl.domain.evidence import AS_QUOTED, TO_A_DOUBLE, Rounding
from etl.domain.meters import Meter, amount, require
from etl.sources.base import Place

Path: TypeAlias = tuple[str, ...]
"""A field of a price object: ``("input",)``, or ``("image", "input")`` in an object within it."""

_MODALITIES = ("image", "audio", "video", "file")


class Component(NamedTuple):
    """What a field prices. With ``times`` the figure is no price but a multiplier of that meter's price."""

    meter: Meter
    times: Meter | None = None


def _objects(cached: str, *, is_multiplier: bool) -> dict[Path, Component]:
    """The fields of the ``image``, ``audio``, ``video`` and ``file`` objects; ``cached`` is the cache read's name."""
    found: dict[Path, Component] = {}
    for modality in _MODALITIES:
        base = Meter(f"input_{modality}_token")
        found[modality, "input"] = Component(base)
        found[modality, cached] = Component(Meter(f"cache_read_{modality}_token"), base if is_multiplier else None)
        found[modality, "output"] = Component(Meter(f"output_{modality}_token"))
    return found


_NUMBERS: dict[Path, Component] = {
    ("thinking",): Component(Meter.REASONING_TOKEN),
    ("internal_reasoning",): Component(Meter.REASONING_TOKEN),
    ("web_search",): Component(Meter.WEB_SEARCH),
    ("image",): Component(Meter.INPUT_IMAGE),
    ("audio",): Component(Meter.INPUT_AUDIO_TOKEN),
    ("video",): Component(Meter.INPUT_VIDEO_TOKEN),
}
"""Fields that both forms have. A modality as a number is older than the object, and ``image`` then is one image."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """One way to write prices: USD per ``per`` units. Of two fields with one meter the first here wins.

    ``rounding`` is what takes the noise away where the figures are products of doubles (``0.30000000000000004``).
    """

    components: Mapping[Path, Component]
    per: int
    rounding: Rounding

    @cached_property
    def objects(self) -> frozenset[str]:
        """The names of the fields that can be objects."""
        return frozenset(path[0] for path in self.components if len(path) > 1)

    def read(self, raw: Json) -> Decimal:
        """The figure as quoted, without the noise of doubles. Raises ``AmountError`` also for what is no price."""
        value = self.rounding.of(amount(raw))
        require(value, per=self.per)
        return value


LOSSLESS = Form(
    components={
        ("input",): Component(Meter.INPUT_TOKEN),
        ("output",): Component(Meter.OUTPUT_TOKEN),
        ("request",): Component(Meter.REQUEST),
        ("cacheStoragePerHour",): Component(Meter.CACHE_STORAGE_TOKEN_HOUR),
        ("cacheMultipliers", "cachedInput"): Component(Meter.CACHE_READ_TOKEN, Meter.INPUT_TOKEN),
        ("cacheMultipliers", "read"): Component(Meter.CACHE_READ_TOKEN, Meter.INPUT_TOKEN),
        ("cacheMultipliers", "write5m"): Component(Meter.CACHE_WRITE_5M_TOKEN, Meter.INPUT_TOKEN),
        ("cacheMultipliers", "write1h"): Component(Meter.CACHE_WRITE_1H_TOKEN, Meter.INPUT_TOKEN),
        **_NUMBERS,
        **_objects("cachedInputMultiplier", is_multiplier=True),
    },
    per=1,
    rounding=AS_QUOTED,
)
"""``endpoint.pricing[]``: USD per unit, cache prices as multipliers of the tier's own input."""

SIMPLIFIED = Form(
    components={
        ("prompt",): Component(Meter.INPUT_TOKEN),
        ("completion",): Component(Meter.OUTPUT_TOKEN),
        ("cacheRead",): Component(Meter.CACHE_READ_TOKEN),
        ("cacheWrite",): Component(Meter.CACHE_WRITE_5M_TOKEN),
        **_NUMBERS,
        **_objects("cachedInput", is_multiplier=False),
    },
    per=1_000_000,
    rounding=TO_A_DOUBLE,
)
"""``pricing`` and ``pricingTiers[]``: the same times 1,000,000 in doubles, cache prices as prices."""

_HOMES = (("endpoint", "pricing"), ("endpoint", "modelConfig", "pricing"))
"""Where the lossless form stands, the second as a copy of the first."""


def price_list(item: Json, place: Place) -> tuple[Form, list[tuple[Place, Json]]]:
    """The tiers of an endpoint, lossless where there are any; a stray that is no list of tiers only as the last."""
    lossless = [(place.at(*home), _dig(item, *home)) for home in _HOMES]
    for where, tiers in lossless:
        if isinstance(tiers, list) and tiers:
            return LOSSLESS, _numbered(where, tiers)
    simplified = _simplified(item, place)
    if simplified:
        return SIMPLIFIED, simplified
    return LOSSLESS, [(where, stray) for where, stray in lossless if stray not in (None, [])][:1]


def _simplified(item: Json, place: Place) -> list[tuple[Place, Json]]:
    """``pricingTiers`` repeat ``pricing`` as their base tier; where they do not, it is the base all the same."""
    base, tiers = item.get("pricing"), item.get("pricingTiers")
    where = place.at("pricingTiers")
    upper = _numbered(where, tiers) if isinstance(tiers, list) else [(where, tiers)] if tiers is not None else []
    has_base = any(isinstance(tier, dict) and tier.get("threshold") in (None, 0) for _, tier in upper)
    return upper if has_base or base is None else [(place.at("pricing"), base), *upper]


def _numbered(place: Place, tiers: Sequence[Json]) -> list[tuple[Place, Json]]:
    return [(place.at(index), tier) for index, tier in enumerate(tiers)]


def _dig(value: Json, *steps: str) -> Json:
    """What stands at the end of the steps, or null."""
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value
