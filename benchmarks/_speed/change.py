"""The same catalog later: in another order, or with some of its prices changed, as the recorded catalogs change.

There a change is that of one endpoint: its input and its output, or one of them, and with the input whatever is a
multiple of it; two to three prices of a model change together. So the changed prices lie in many models. The registry
then lists the endpoints of those models in another order.
"""

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

from benchmarks._speed import flat
from benchmarks._speed.catalog import Body, decode, encode

KINDS = (("input", "output"), ("output",), ("input",))
WEIGHTS = (5, 3, 2)
"""What of an endpoint is re-priced, and how often."""

FACTORS = tuple(map(Decimal, ("0.5", "0.8", "0.9", "1.1", "1.25", "2")))


def reordered(body: Body, seed: int) -> Body:
    """The same models in another order."""
    records = list(body.records)
    _dice(seed).shuffle(records)
    return Body(records=tuple(records), filters=body.filters)


def repriced(body: Body, prices: int, seed: int) -> Body:
    """The catalog with exactly so many prices changed, its models in another order.

    Raises ``ValueError`` when it has not so many that can change.
    """
    dice = _dice(seed)
    records, left = list(body.records), prices
    for kinds in (KINDS, (("output",),)):  # Where a change would be one price too many, an output alone does.
        for place in dice.sample(range(len(records)), len(records)):
            if not left:
                break
            if records[place] == body.records[place]:
                records[place], changed = _repriced(records[place], left, dice, kinds)
                left -= changed
    if left:
        raise ValueError(f"{left} of {prices} prices could not be changed")
    return reordered(Body(records=tuple(records), filters=body.filters), seed)


def _repriced(record: bytes, at_most: int, dice: Random, kinds: Sequence[tuple[str, ...]]) -> tuple[bytes, int]:
    """The record with one endpoint re-priced, and how many prices that changed: none, if it were too many."""
    document = decode(record)
    endpoint = dice.choice(document["endpoints"])
    weights = WEIGHTS if len(kinds) == len(WEIGHTS) else None
    _reprice(endpoint, dice.choices(kinds, weights)[0], dice.choice(FACTORS))
    dice.shuffle(document["endpoints"])
    changed = encode(document)
    count = len(set(flat.lines_of(changed)) - set(flat.lines_of(record)))
    return (changed, count) if 0 < count <= at_most else (record, 0)


def _reprice(endpoint: dict[str, Any], fields: tuple[str, ...], factor: Decimal) -> None:
    """Multiply the figures of an endpoint wherever the registry repeats them."""
    outer = endpoint["endpoint"]
    for tiers in (outer["pricing"], outer["modelConfig"]["pricing"]):
        _multiply(tiers, fields, factor)
    names = [{"input": "prompt", "output": "completion"}[field] for field in fields]
    names += ["cacheRead", "cacheWrite"] if "input" in fields else []
    _multiply([endpoint["pricing"], *endpoint.get("pricingTiers", ())], names, factor)


def _multiply(tiers: Sequence[dict[str, Any]], fields: Sequence[str], factor: Decimal) -> None:
    for tier in tiers:
        for field in fields:
            if field in tier:
                tier[field] = (tier[field] * factor).normalize()


def _dice(seed: int) -> Random:
    return Random(f"change {seed}")  # noqa: S311  an invented catalog needs no secrets
