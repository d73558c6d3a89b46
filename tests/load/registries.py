"""Invented catalogs in the shape of Helicone's registry: a few models with endpoints and tiers, at times a fault."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from etl.domain.snapshot import Origin, Page, Snapshot
from tests.load.worlds import START

FAULTS = ("none", "none", "none", "none", "none", "bad price", "unknown price", "no id", "twice", "short")


@dataclass(frozen=True)
class Registry:
    """A catalog at one moment: models with their endpoints by provider, each with (input, output, upper tier)."""

    models: tuple[tuple[str, str, tuple[tuple[str, str, str, bool], ...]], ...]
    names: tuple[str, ...] | None
    fault: str
    is_reversed: bool

    def body(self) -> bytes:
        """The reply of the gateway."""
        models = [_model(*each) for each in self.models]
        _spoil(models, self.fault)
        data: dict[str, Any] = {"models": models[::-1] if self.is_reversed else models}
        data["total"] = len(models) + (self.fault == "short")
        if self.names is not None:
            data["filters"] = {"providers": [{"name": name} for name in self.names], "authors": ["meta"]}
        return json.dumps({"data": data}).encode()

    def snapshot(self, source: str, day: int, origin: Origin) -> Snapshot:
        """As it is seen on a numbered day."""
        at = START + timedelta(days=day)
        page = Page(number=1, url=f"day-{day}.json", status=200, body=self.body(), fetched_at=at)
        return Snapshot(source=source, kind="helicone_registry", observed_at=at, origin=origin, pages=(page,))


def _model(name: str, title: str, endpoints: Sequence[tuple[str, str, str, bool]]) -> dict[str, Any]:
    return {"id": name, "name": title, "author": "meta", "endpoints": [_endpoint(*each) for each in endpoints]}


def _endpoint(provider: str, cost: str, output: str, has_tier: bool) -> dict[str, Any]:  # noqa: FBT001
    tiers: list[dict[str, Any]] = [{"threshold": 0, "input": cost, "output": output}]
    if has_tier:
        tiers.append({"threshold": 200_000, "input": output})
    return {"provider": provider, "endpoint": {"pricing": tiers}}


def _spoil(models: list[dict[str, Any]], fault: str) -> None:
    if not models:
        return
    if fault == "twice":
        models.append(models[0] | {"name": "the second"})
    elif fault == "no id":
        models.append({"name": "nobody"})
    elif fault != "none" and models[0]["endpoints"]:
        tier = models[0]["endpoints"][0]["endpoint"]["pricing"][0]
        tier.update({"bad price": {"input": "12x"}, "unknown price": {"per_smile": 1}}.get(fault, {}))


_costs = st.sampled_from(["0.000001", "1e-6", "0.000002", "0", "0.0000025"])
_endpoints = st.lists(
    st.tuples(st.sampled_from(["groq", "openai"]), _costs, _costs, st.booleans()),
    max_size=2,
    unique_by=lambda each: each[0],
).map(tuple)
_models = st.dictionaries(st.sampled_from([f"m{n}" for n in range(5)]), st.tuples(st.sampled_from("AB"), _endpoints))

registries = st.builds(
    Registry,
    models=_models.map(lambda found: tuple((name, *rest) for name, rest in sorted(found.items()))),
    names=st.sampled_from([None, (), ("groq",), ("groq", "openai")]),
    fault=st.sampled_from(FAULTS),
    is_reversed=st.booleans(),
)


@st.composite
def lives(draw: st.DrawFn) -> list[Registry]:
    """What a gateway shows day by day: mostly the day before with little changed, now and then the very same."""
    days = [draw(registries)]
    for _ in range(draw(st.integers(1, 5))):
        before, other = days[-1], draw(registries)
        kept = {each[0]: each for each in before.models}
        touched = {each[0]: each for each in other.models[:2]}
        gone = draw(st.sampled_from([None, *kept]))
        models = tuple(sorted(each for name, each in (kept | touched).items() if name != gone))
        mixed = Registry(models, draw(st.sampled_from([before.names, other.names])), other.fault, other.is_reversed)
        days.append(draw(st.sampled_from([mixed, mixed, mixed, before])))
    return days
