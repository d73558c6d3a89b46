"""An independent check: genai-prices, by its own prices, says the same of 200 usages to the last digit.

It takes the upper tier beyond the bound, we at the bound (docs/cost.md, rule 5): only there the two differ.
"""

import json
import random
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from benchmarks._speed.environments import ROOT, python_of
from tests.mart.book import fill, put
from tests.mart.tariff import FIRST, version
from tests.oracle.cost import Book

Model = tuple[str, str, dict[str, dict[str, str]]]
USAGES = 200
METERS = {
    "input_mtok": "input_token",
    "output_mtok": "output_token",
    "output_reasoning_mtok": "reasoning_token",
    "cache_read_mtok": "cache_read_token",
    "cache_write_mtok": "cache_write_token",
    "cache_write_5m_mtok": "cache_write_5m_token",
    "cache_write_1h_mtok": "cache_write_1h_token",
    **{
        f"{way}_{what}_mtok": f"{way}_{what}_token"
        for way in ("input", "output")
        for what in ("image", "audio", "video")
    },
    **{f"cache_{what}_read_mtok": f"cache_read_{what}_token" for what in ("image", "audio", "video")},
    "web_searches_kcount": "web_search",
}
"""Its prices that are ours; a model that has others is left out."""
PROVIDERS = ("openai", "anthropic", "google", "aws")


@pytest.fixture(scope="module")
def peer() -> Path:
    python = python_of("genai")
    if python is None:
        pytest.skip("genai-prices cannot be installed: the package index is out of reach")
    return python


def said(python: Path, lines: list[Any]) -> list[str]:
    """What it answers, line by line."""
    asked = "".join(f"{json.dumps(line)}\n" for line in lines)
    command = [str(python), "-m", "benchmarks._peers.genai_prices_calc"]
    return subprocess.check_output(command, cwd=ROOT, input=asked, text=True).splitlines()


@pytest.fixture
def models(peer: Path) -> list[Model]:
    """Models with prices of ours alone; as many as possible with several modalities and tiers."""
    every: list[Model] = [json.loads(line) for line in said(peer, [])]
    found = [
        one for one in every if one[0] in PROVIDERS and {"input_mtok", "output_mtok"} <= one[2].keys() <= METERS.keys()
    ]
    assert len(found) >= 20
    return found


def book(models: list[Model]) -> Book:
    """Its prices as those of a gateway of ours."""
    made = Book(sources={"genai"})
    for provider, model, prices in models:
        key = ("genai", model, provider, "*")
        put(made, "endpoints", [version(key)])
        made.models[key[:2]] = [version(key[:2])]
        for name, tiers in prices.items():
            per = 1000 if name == "web_searches_kcount" else 1_000_000
            for start, price in tiers.items():
                unit_price = Decimal(price) / per
                state = "priced" if unit_price else "free"
                put(made, "prices", [version((*key, "standard", METERS[name], int(start)), ("USD", state, unit_price))])
    return made


def usage(dice: random.Random, model: Model) -> tuple[dict[str, int], dict[str, int]]:
    """One request, counted as it counts and as we do."""
    prices = model[2]
    starts = sorted({int(start) for tiers in prices.values() for start in tiers})
    reads, writes5, writes1h = (dice.choice((0, dice.randint(1, 40_000))) for _ in range(3))
    cached = {what: dice.choice((0, dice.randint(1, 9_000))) for what in ("image", "audio", "video")}
    fresh = {what: dice.choice((0, dice.randint(1, 9_000))) for what in cached}
    for what in cached:
        # Where one of both has no price it wants to know what is in common, which no vendor says.
        if f"input_{what}_mtok" in prices and "cache_read_mtok" in prices and f"cache_{what}_read_mtok" not in prices:
            cached[what] = 0
    inside = reads + writes5 + writes1h + sum(cached.values()) + sum(fresh.values())
    prompt = inside + dice.choice((0, dice.randint(0, 150_000)))
    if len(starts) > 1 and dice.random() < 0.5 and inside < starts[1]:
        prompt = starts[1] + dice.choice((-1, 1))
    made = {what: dice.choice((0, dice.randint(1, 3_000))) for what in cached}
    reasoning = dice.choice((0, dice.randint(1, 5_000)))
    output = sum(made.values()) + reasoning + dice.randint(0, 4_000)
    searches = dice.choice((0, 0, 3)) if "web_searches_kcount" in prices else 0
    theirs = {
        "input_tokens": prompt,
        "output_tokens": output,
        "output_reasoning_tokens": reasoning,
        "web_searches": searches,
        "cache_read_tokens": reads + sum(cached.values()),
        "cache_write_tokens": writes5 + writes1h,
        "cache_write_5m_tokens": writes5,
        "cache_write_1h_tokens": writes1h,
        **{f"input_{what}_tokens": fresh[what] + cached[what] for what in cached},
        **{f"cache_{what}_read_tokens": cached[what] for what in cached},
        **{f"output_{what}_tokens": made[what] for what in made},
    }
    ours = {
        "input_token": prompt,
        "output_token": output,
        "reasoning_token": reasoning,
        "web_search": searches,
        "cache_read_token": reads,
        "cache_write_token": writes5 + writes1h,
        "cache_write_5m_token": writes5,
        "cache_write_1h_token": writes1h,
        **{f"input_{what}_token": fresh[what] + cached[what] for what in cached},
        **{f"cache_read_{what}_token": cached[what] for what in cached},
        **{f"output_{what}_token": made[what] for what in made},
    }
    return theirs, ours


def priced(engine: Engine, models: list[Model], usages: list[dict[str, int]]) -> Iterator[Any]:
    """Our totals, from usage_costs and, as it must be the same, from usage_cost."""
    with engine.begin() as connection:
        fill(connection, book(list({(one[0], one[1]): one for one in models}.values())))
        connection.execute(
            text(
                "CREATE TEMP TABLE traffic (usage_id int, source text, model_id text, provider text, region text,"
                " at timestamptz, usage jsonb)"
            )
        )
        for number, (model, counts) in enumerate(zip(models, usages, strict=True)):
            row = {"n": number, "m": model[1], "p": model[0], "at": FIRST, "u": json.dumps(counts)}
            connection.execute(
                text("INSERT INTO traffic VALUES (:n, 'genai', :m, :p, '*', :at, CAST(:u AS jsonb))"), row
            )
        yield from connection.execute(
            text(
                "SELECT c.cost, c.note, (SELECT sum(m.cost) FROM mart.usage_cost(t.source, t.model_id, t.provider,"
                " t.region, t.usage, t.at) m) AS by_meter"
                " FROM mart.usage_costs('traffic') c JOIN traffic t ON t.usage_id = c.usage_id::int ORDER BY t.usage_id"
            )
        )


@pytest.mark.slow
def test_genai_prices_says_the_same_to_the_last_digit(engine: Engine, peer: Path, models: list[Model]) -> None:
    dice = random.Random(15)  # noqa: S311  a test that repeats itself
    rich = [one for one in models if len(one[2]) > 4 or any(len(tiers) > 1 for tiers in one[2].values())]
    chosen = [dice.choice(rich if dice.random() < 0.7 else models) for _ in range(USAGES)]
    asked = [usage(dice, model) for model in chosen]
    theirs = said(peer, [[*model[:2], counts] for model, (counts, _) in zip(chosen, asked, strict=True)])
    ours = list(priced(engine, chosen, [counts for _, counts in asked]))
    for model, (_, counts), their, our in zip(chosen, asked, theirs, ours, strict=True):
        assert (our.cost, our.by_meter) == (Decimal(their), Decimal(their)), (model, counts, our.note)
    assert len({one[1] for one in chosen}) >= 20
    assert sum(Decimal(their) > 0 for their in theirs) > USAGES * 0.9


@pytest.mark.slow
def test_at_the_bound_of_a_tier_it_bills_the_lower_and_we_the_upper_one(
    engine: Engine, peer: Path, models: list[Model]
) -> None:
    model = next(one for one in models if len(one[2]["input_mtok"]) == 2)
    below, above = (Decimal(price) / 1_000_000 for price in model[2]["input_mtok"].values())
    bound = int(list(model[2]["input_mtok"])[1])
    [their] = said(peer, [[*model[:2], {"input_tokens": bound}]])
    [our] = priced(engine, [model], [{"input_token": bound}])
    assert (Decimal(their), our.cost) == (bound * below, bound * above)
