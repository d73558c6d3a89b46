"""Invented gateways: what a Bifrost catalog shows at one moment, as a body, and what history must make of it.

The oracle is a dict and a loop. It knows nothing of SQL, of versions that are closed in place, or of staging.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from etl.domain.snapshot import Origin, Page, Snapshot

METERS = {"prompt": "input_token", "completion": "output_token", "image": "input_image"}
PROVIDERS = ("openai", "groq")
BAD = "12x"
"""A price that cannot be read."""

START = datetime(2026, 1, 1, tzinfo=UTC)

Key = tuple[str, ...]
Value = tuple[str | None, ...]


@dataclass(frozen=True)
class World:
    """A catalog at one moment: model id to (name, prices by field); ``failed`` ones show nothing.

    ``is_whole`` false: the body says that another page follows, which is not there.
    """

    models: Mapping[str, tuple[str | None, Mapping[str, str]]]
    failed: frozenset[str] = frozenset()
    is_whole: bool = True
    garbage: bool = False
    order: int = field(default=0, compare=False)


def moment(day: float) -> datetime:
    """The time of a numbered snapshot."""
    return START + timedelta(days=day)


def body(world: World) -> bytes:
    """The reply of the gateway, its rows in an order that means nothing."""
    rows: list[object] = [
        {"id": model, "name": name, "pricing": dict(sorted(prices.items(), reverse=bool(world.order % 2)))}
        for model, (name, prices) in sorted(world.models.items(), reverse=bool(world.order % 2))
        if model.split("/")[0] not in world.failed
    ]
    if world.garbage:
        rows.append({"name": "no id at all"})
    document: dict[str, object] = {"data": rows}
    if world.failed:
        document["key_statuses"] = [
            {"provider": provider, "status": "list_models_failed" if provider in world.failed else "success"}
            for provider in PROVIDERS
        ]
    if not world.is_whole:
        document["next_page_token"] = "more"
    return json.dumps(document).encode()


def snapshot(source: str, day: float, world: World) -> Snapshot:
    """The world as a snapshot that was saved on a numbered day."""
    page = Page(number=1, url=f"day-{day}.json", status=200, body=body(world), fetched_at=moment(day))
    return Snapshot(source=source, kind="bifrost", observed_at=moment(day), origin=Origin.BACKFILL, pages=(page,))


def shown(world: World) -> tuple[dict[Key, Value], dict[Key, Value], set[Key]]:
    """Models and prices that can be read, and the keys of the prices that cannot."""
    models: dict[Key, Value] = {}
    prices: dict[Key, Value] = {}
    unread: set[Key] = set()
    for model, (name, quoted) in world.models.items():
        if model.split("/")[0] in world.failed:
            continue
        models[(model,)] = (name,)
        for quoted_field, text in quoted.items():
            key = (model, model.split("/")[0], METERS[quoted_field])
            if text == BAD:
                unread.add(key)
            else:
                prices[key] = _value(text)
    return models, prices, unread


def _value(text: str) -> Value:
    number = Decimal(text)
    if number == -1:
        return ("dynamic", None)
    return ("priced" if number else "free", f"{number.normalize():f}")


Run = tuple[Key, Value, datetime, datetime | None]


@dataclass(frozen=True)
class _Ends:
    """Whether absence from a world ends a key; ``at`` is where the key names its provider."""

    world: World
    at: int
    unread: set[Key]

    def __call__(self, key: Key) -> bool:
        provider = str(key[self.at]).split("/")[0]
        is_seen_whole = self.world.is_whole and not self.world.garbage
        return is_seen_whole and provider not in self.world.failed and key not in self.unread


def history(worlds: Mapping[int, World]) -> tuple[set[Run], set[Run]]:
    """The versions of models (by name) and of prices that the worlds make, taken in order of time."""
    models: list[list] = []  # type: ignore[type-arg]
    prices: list[list] = []  # type: ignore[type-arg]
    for day in sorted(worlds):
        world = worlds[day]
        seen_models, seen_prices, unread = shown(world)
        _step(models, seen_models, moment(day), _Ends(world, 0, unread))
        _step(prices, seen_prices, moment(day), _Ends(world, 1, unread))
    return {tuple(run) for run in models}, {tuple(run) for run in prices}


def _step(runs: list[list], seen: dict[Key, Value], at: datetime, ends: _Ends) -> None:  # type: ignore[type-arg]
    for run in runs:
        if run[3] is not None:
            continue
        if run[0] in seen:
            if seen[run[0]] != run[1]:
                run[3] = at
        elif ends(run[0]):
            run[3] = at
    for key, value in seen.items():
        if not any(run[0] == key and run[3] is None for run in runs):
            runs.append([key, value, at, None])


prices_texts = st.sampled_from(["0.0000025", "2.5e-06", "0.00000250", "0.000003", "0", "0.0000000000", "-1", BAD])
models_ids = st.sampled_from([f"{provider}/m{number}" for provider in PROVIDERS for number in range(3)])
rows = st.tuples(st.sampled_from(["A", "B", None]), st.dictionaries(st.sampled_from(list(METERS)), prices_texts))
catalogs = st.dictionaries(models_ids, rows, max_size=5)
worlds = st.builds(
    World,
    models=catalogs,
    failed=st.one_of(st.just(frozenset()), st.sampled_from([frozenset({"openai"}), frozenset({"groq"})])),
    is_whole=st.sampled_from([True, True, True, False]),
    garbage=st.sampled_from([False, False, False, True]),
    order=st.integers(0, 1),
)


def timelines(size: int) -> st.SearchStrategy[dict[int, World]]:
    """Worlds on numbered days; neighbours often differ in little, as real catalogs do."""
    return st.lists(worlds, min_size=1, max_size=size).map(lambda found: dict(enumerate(found)))


def days(worlds: Iterable[int]) -> list[int]:
    """The days of a timeline, in order."""
    return sorted(worlds)


WORLDS = {
    0: World({"openai/m0": ("A", {"prompt": "1"}), "groq/m0": ("B", {"prompt": "2", "image": "0"})}),
    1: World({"openai/m0": ("A", {"prompt": "1.5"})}, failed=frozenset({"groq"})),
    2: World({"openai/m0": ("A", {"prompt": "12x"})}, is_whole=False),
    3: World({"groq/m0": ("C", {"prompt": "-1"})}),
    4: World({"openai/m0": ("A", {"prompt": "1"}), "groq/m0": ("B", {"prompt": "2", "image": "0"})}),
}
"""A few days with every sort of change. The last one shows what the first one showed: one body for both."""
