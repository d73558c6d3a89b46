"""Invented catalogs in the shape of Helicone's model registry, the same at every run, with exactly so many prices.

The mix is that of the recorded catalogs: three endpoints for a model, four prices for an endpoint, two tiers for one
endpoint in eight, about 350 bytes of JSON for a price.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

PROVIDERS = (
    "openrouter", "helicone", "openai", "vertex", "novita", "deepinfra", "azure", "anthropic", "bedrock", "groq",
    "google-ai-studio", "xai", "baseten", "canopywave", "perplexity", "nebius", "fireworks", "chutes", "cerebras",
    "deepseek", "mistral",
)  # fmt: skip
AUTHORS = ("alibaba", "anthropic", "deepseek", "google", "meta-llama", "mistral", "moonshotai", "openai", "qwen", "xai")
FAMILIES = ("sonnet", "qwen", "llama", "gemini", "mixtral", "grok", "kimi", "sonar", "nova", "phi")
REGIONS = {"bedrock": "us-east-1", "vertex": "global"}

ENDPOINTS = ((1, 25), (2, 20), (3, 23), (4, 22), (5, 19), (6, 2))
"""How many endpoints a model has, and how many of the recorded models have so many."""

FIELDS = (
    ((), 92),
    (("cachedInput", "web_search"), 68),
    (("web_search",), 55),
    (("cachedInput", "write5m", "web_search"), 24),
    (("cachedInput",), 18),
    (("cachedInput", "write5m", "write1h", "web_search"), 14),
    (("cachedInput", "write5m", "write1h"), 16),
    (("cachedInput", "request", "web_search"), 8),
    (("request", "web_search"), 5),
    (("cachedInput", "write5m", "cacheStoragePerHour", "audio"), 9),
    (("image",), 9),
)
"""What an endpoint prices besides input and output, and how many of the recorded ones do."""

MULTIPLIERS = {"cachedInput": Decimal("0.1"), "write5m": Decimal("1.25"), "write1h": Decimal(2)}
FLAT = {"web_search": Decimal("0.01"), "request": Decimal("0.005"), "cacheStoragePerHour": Decimal("0.0000045")}
PARAMETERS = (
    "max_tokens", "temperature", "top_p", "top_k", "stop", "tools", "tool_choice", "seed", "response_format",
    "frequency_penalty", "presence_penalty", "reasoning", "include_reasoning",
)  # fmt: skip
WORDS = (
    "A model that answers what it is asked, follows instructions, calls tools, reads images and long documents, "
    "writes code in many languages, and keeps to the format it was told, "
)

Json = dict[str, Any]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Body:
    """A catalog as its records: the JSON of each model, in order. ``filters`` name providers and authors."""

    records: tuple[bytes, ...]
    filters: bytes

    def encoded(self) -> bytes:
        """The body as the registry would send it."""
        models = b",".join(self.records)
        return b'{"data":{"models":[%b],"total":%d,"filters":%b},"error":null}' % (
            models,
            len(self.records),
            self.filters,
        )


class _Data(msgspec.Struct):
    models: tuple[msgspec.Raw, ...]
    filters: msgspec.Raw


class _Envelope(msgspec.Struct):
    data: _Data


def taken_apart(body: bytes) -> Body:
    """The records of a body of the registry, recorded ones included. Raises ``msgspec.DecodeError``."""
    data = msgspec.json.decode(body, type=_Envelope).data
    return Body(records=tuple(map(bytes, data.models)), filters=bytes(data.filters))


def decode(record: bytes) -> Json:
    """The JSON of one model; fractions are ``Decimal``."""
    found: Json = _DECODER.decode(record)
    return found


def encode(record: Json) -> bytes:
    """The JSON of one model, its numbers with all their digits."""
    return _ENCODER.encode(record)


def generate(prices: int) -> Body:
    """The catalog with so many prices."""
    filters = {
        "providers": [{"name": name, "displayName": name.title()} for name in PROVIDERS],
        "authors": list(AUTHORS),
        "capabilities": ["audio", "caching", "image", "web_search"],
    }
    return Body(records=tuple(map(encode, _models(prices))), filters=_ENCODER.encode(filters))


def _models(prices: int) -> Iterator[Json]:
    number = 0
    while prices > 0:
        made, count = model(number, at_most=prices)
        yield made
        number, prices = number + 1, prices - count


def model(number: int, *, at_most: int) -> tuple[Json, int]:
    """The model of this number, and how many prices it has."""
    dice = Random(f"model {number}")  # noqa: S311  an invented catalog needs no secrets
    author, family = dice.choice(AUTHORS), dice.choice(FAMILIES)
    model_id = f"{family}-{dice.randint(1, 9)}.{dice.randint(0, 9)}-{dice.choice((7, 8, 32, 70, 405))}b-{number}"
    made: Json = {
        "id": model_id,
        "name": f"{author.title()}: {family.title()} {number}",
        "author": author,
        "contextLength": 2 ** dice.randint(13, 20),
        "endpoints": [],
        "maxOutput": 2 ** dice.randint(12, 16),
        "trainingDate": f"2025-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}T00:00:00.000Z",
        "description": f"{family.title()} {number}. {WORDS}" + WORDS[: dice.randint(20, 150)],
        "inputModalities": ["text", "image"][: dice.randint(1, 2)],
        "outputModalities": ["text"],
        "supportedParameters": dice.sample(PARAMETERS, 7),
    }
    left, base = at_most, Decimal(dice.randint(1, 400)).scaleb(-8)
    wanted = dice.choices(*zip(*ENDPOINTS, strict=True))[0]
    for place, provider in enumerate(dice.sample(PROVIDERS, len(PROVIDERS))):
        if not left or (place >= wanted and left > 4):
            break
        tiers, count = _tiers(dice, base, left)
        made["endpoints"].append(_endpoint(dice, provider, made, tiers))
        left -= count
    return made, at_most - left


def _tiers(dice: Random, base: Decimal, at_most: int) -> tuple[list[Json], int]:
    """The price list of an endpoint as Helicone writes it without loss, and how many prices it makes."""
    fields: tuple[str, ...] = dice.choices(*zip(*FIELDS, strict=True))[0]
    has_tiers = dice.random() < 0.12
    own = base * dice.choice((Decimal(1), Decimal(1), Decimal("1.055"), Decimal("0.9")))
    tier: Json = {"threshold": 0, "input": own, "output": own * dice.choice((3, 4, 5))}
    count = (2 + len(fields) + sum(name in ("audio", "image") for name in fields)) * (1 + has_tiers)
    if count > at_most:
        names = ("input", "output", "web_search", "request")[:at_most]
        return [{"threshold": 0} | {name: tier.get(name) or FLAT[name] for name in names}], len(names)
    tier |= {name: FLAT[name] for name in fields if name in FLAT}
    if multipliers := {name: MULTIPLIERS[name] for name in fields if name in MULTIPLIERS}:
        tier["cacheMultipliers"] = multipliers
    if "audio" in fields:
        tier["audio"] = {"input": own * 2, "cachedInputMultiplier": Decimal("0.25")}
    if "image" in fields:
        tier["image"] = {"input": own * 3, "output": own * 30}
    upper = {"threshold": dice.choice((128_000, 200_000, 272_000)), "input": own * 2, "output": tier["output"] * 2}
    return ([tier, upper] if has_tiers else [tier]), count


def _endpoint(dice: Random, provider: str, owner: Json, tiers: list[Json]) -> Json:
    """One endpoint with everything that the registry says twice or three times."""
    region = REGIONS.get(provider, "*")
    said = {
        "provider": provider,
        "author": owner["author"],
        "providerModelId": f"{owner['author']}/{owner['id']}",
        "pricing": tiers,
        "contextLength": owner["contextLength"],
        "maxCompletionTokens": owner["maxOutput"],
        "supportedParameters": dice.sample(PARAMETERS, 7),
        "ptbEnabled": dice.random() < 0.9,
    } | ({"unsupportedParameters": dice.sample(PARAMETERS, 3)} if dice.random() < 0.25 else {})
    config = said | {"crossRegion": False, "responseFormat": "OPENAI", "endpointConfigs": {region: {}}}
    simple = [_simplified(tier) for tier in tiers]
    return {
        "provider": provider,
        "providerSlug": provider,
        "endpoint": said | {"modelConfig": config, "userConfig": {"region": region, "location": region}},
        "supportsPtb": said["ptbEnabled"],
        "pricing": {name: value for name, value in simple[0].items() if name != "threshold"},
    } | ({"pricingTiers": simple} if len(tiers) > 1 else {})


def _simplified(tier: Json) -> Json:
    """The same tier as the registry repeats it: per million, in doubles, with their noise."""
    names = {"input": "prompt", "output": "completion", "web_search": "web_search"}
    made: Json = {name: float(tier[field]) * 1e6 for field, name in names.items() if field in tier}
    multipliers, given = tier.get("cacheMultipliers", {}), made.get("prompt", 0.0)
    for field, name in (("cachedInput", "cacheRead"), ("write5m", "cacheWrite")):
        if field in multipliers:
            made[name] = given * float(multipliers[field])
    return made | {"threshold": tier["threshold"]}
