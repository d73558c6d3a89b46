"""From the body to rows by the shortest way that gives the right prices: what the limit and the peers are fed with.

It knows the lossless form of the registry only and trusts what it reads: nothing is quarantined, cited or reported.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeAlias

import msgspec

COLUMNS = (
    "model_id", "provider", "region", "plan", "meter", "tier_start", "currency", "price_state", "unit_price",
)  # fmt: skip
"""The key and the values of ``core.price``, in the order of a row."""

KEY = COLUMNS[:6]
VALUES = COLUMNS[6:]

Amount: TypeAlias = Decimal | None


class _Multipliers(msgspec.Struct, gc=False):
    cached: Amount = msgspec.field(default=None, name="cachedInput")
    write5m: Amount = None
    write1h: Amount = None


class _Modality(msgspec.Struct, gc=False):
    input: Amount = None
    cached: Amount = msgspec.field(default=None, name="cachedInputMultiplier")
    output: Amount = None


class _Tier(msgspec.Struct, gc=False):
    threshold: int = 0
    input: Amount = None
    output: Amount = None
    web_search: Amount = None
    request: Amount = None
    storage: Amount = msgspec.field(default=None, name="cacheStoragePerHour")
    multipliers: _Multipliers | None = msgspec.field(default=None, name="cacheMultipliers")
    audio: _Modality | None = None
    image: _Modality | None = None


class _UserConfig(msgspec.Struct, gc=False):
    region: str | None = None


class _Deployment(msgspec.Struct, gc=False):
    pricing: list[_Tier]
    user: _UserConfig = msgspec.field(name="userConfig")


class _Endpoint(msgspec.Struct, gc=False):
    provider: str
    endpoint: _Deployment


class _Model(msgspec.Struct, gc=False):
    id: str
    endpoints: list[_Endpoint]


class _Data(msgspec.Struct, gc=False):
    models: list[_Model]


class _Envelope(msgspec.Struct, gc=False):
    data: _Data


_BODY = msgspec.json.Decoder(_Envelope)
_RECORD = msgspec.json.Decoder(_Model)

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def lines(body: bytes) -> Iterator[str]:
    """The prices of each endpoint as text for COPY, one line for a price, with the ``COLUMNS``."""
    for model in _BODY.decode(body).data.models:
        yield from _lines(model)


def lines_of(record: bytes) -> list[str]:
    """The lines of one model's prices."""
    return [line for part in _lines(_RECORD.decode(record)) for line in part.splitlines()]


def _lines(model: _Model) -> Iterator[str]:
    name = model.id.translate(_ESCAPES)
    for endpoint in model.endpoints:
        inner = endpoint.endpoint
        key = f"{name}\t{endpoint.provider.translate(_ESCAPES)}\t{inner.user.region or '*'}\tstandard\t"
        below: dict[str, Decimal] = {}
        for tier in inner.pricing:
            below = _prices(tier, below)
            yield "".join(
                [
                    f"{key}{meter}\t{tier.threshold}\tUSD\t{'priced' if price else 'free'}\t{price}\n"
                    for meter, price in below.items()
                    if meter[0] != "*"
                ]
            )


def _prices(tier: _Tier, below: dict[str, Decimal]) -> dict[str, Decimal]:
    """What each meter costs in a tier, its own or inherited; multipliers are kept under names with a star."""
    found = dict(below)
    _plain(tier, found)
    if tier.multipliers is not None:
        _multipliers(tier.multipliers, found)
    for times, meter in _MULTIPLIED:
        if times in found:
            found[meter] = found["input_token"] * found[times]
    if tier.audio is not None:
        _modality("audio", tier.audio, found)
    if tier.image is not None:
        _modality("image", tier.image, found)
    return found


def _plain(tier: _Tier, found: dict[str, Decimal]) -> None:
    if tier.input is not None:
        found["input_token"] = tier.input
    if tier.output is not None:
        found["output_token"] = tier.output
    if tier.web_search is not None:
        found["web_search"] = tier.web_search
    if tier.request is not None:
        found["request"] = tier.request
    if tier.storage is not None:
        found["cache_storage_token_hour"] = tier.storage


_MULTIPLIED = (
    ("*cached", "cache_read_token"),
    ("*write5m", "cache_write_5m_token"),
    ("*write1h", "cache_write_1h_token"),
)


def _multipliers(own: _Multipliers, found: dict[str, Decimal]) -> None:
    if own.cached is not None:
        found["*cached"] = own.cached
    if own.write5m is not None:
        found["*write5m"] = own.write5m
    if own.write1h is not None:
        found["*write1h"] = own.write1h


def _modality(name: str, own: _Modality, found: dict[str, Decimal]) -> None:
    if own.input is not None:
        found[f"input_{name}_token"] = own.input
    if own.cached is not None:
        found[f"cache_read_{name}_token"] = own.cached * found[f"input_{name}_token"]
    if own.output is not None:
        found[f"output_{name}_token"] = own.output
