"""``etl explain``: from a price to the text that it was read from."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import URL, Engine, text

from etl.database.engine import open_engine
from etl.domain.snapshot import Origin, Page, Snapshot
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.cli.conftest import Run
from tests.load.worlds import BAD, World, body, moment

GEMINI = ("explain", "demo_helicone_registry", "gemini-2.5-pro", "--provider", "vertex", "--tier", "200000")


def lines(out: str) -> dict[str, list[str]]:
    """The lines of one block by their labels; the first line has none."""
    found: dict[str, list[str]] = {}
    for line in out.splitlines()[1:]:
        found.setdefault(line[2:12].strip(), []).append(line[12:])
    return found


def document(out: str) -> list[dict[str, Any]]:
    return list(json.loads(out, parse_float=Decimal))


def test_a_person_is_led_from_the_price_to_the_text_and_back(etl: Run, story: None, story_url: URL) -> None:
    del story
    ended = etl(*GEMINI, "--meter", "cache_read_token")
    said = lines(ended.out)
    assert ended.status == 0
    assert ended.out.splitlines()[0] == (
        "demo_helicone_registry · gemini-2.5-pro · vertex · global · cache_read_token from 200000 prompt tokens"
    )
    assert said["price"] == ["0.00000025 USD per cache_read_token, 0.25 per 1M"]
    assert said["in force"][0].startswith("2025-11-03 08:15:00Z to now, known from 20")
    assert said["snapshot"] == ["3, observed 2025-11-03 08:15:00Z, run, complete"]
    assert said["last in"] == ["23, observed 2026-01-05 10:20:00Z, run, complete"]
    assert said["page"] == ["1, status 200, fetched 2025-11-03 08:15:00Z"]
    home = "/data/models/8/endpoints/1/endpoint/pricing"
    assert said["text"] == [f"2.5e-06 at {home}/1/input", f"0.1 at {home}/0/cacheMultipliers/cachedInput"]
    [hence] = said["hence"]
    assert hence.startswith("2.5e-06 \N{MULTIPLICATION SIGN} 0.1 = 0.00000025 USD per cache_read_token (")
    assert hence.endswith(" (multiplier of input_token of tier 200000; multiplier inherited from tier 0)")
    with open_engine(story_url).connect() as connection:
        landed = connection.execute(text("SELECT url, encode(sha256, 'hex') FROM raw.page WHERE snapshot_id = 3")).one()
    assert [*said["url"], *said["sha-256"]] == list(landed)


def test_a_program_gets_the_same_facts_with_exact_amounts(etl: Run, story: None) -> None:
    del story
    [price] = document(etl(*GEMINI, "--meter", "cache_read_token", "--json").out)
    home = "/data/models/8/endpoints/1/endpoint/pricing"
    assert (price["unit_price"], price["per_million"], price["per"]) == (Decimal("2.5E-7"), Decimal("0.25"), 1)
    assert (price["region"], price["tier_start"], price["valid_to"]) == ("global", 200000, None)
    assert (price["snapshot"]["snapshot_id"], price["last_snapshot"]["snapshot_id"]) == (3, 23)
    assert price["figures"] == [
        {
            "role": "price",
            "meter": "input_token",
            "tier_start": 200000,
            "pointer": f"{home}/1/input",
            "text": "2.5e-06",
        },
        {"role": "multiplier", "meter": "cache_read_token", "tier_start": 0}
        | {"pointer": f"{home}/0/cacheMultipliers/cachedInput", "text": "0.1"},
    ]
    assert price["page"].keys() == {"number", "url", "status", "fetched_at", "sha256"}
    assert (price["rounding"], price["problem"]) == ("none", None)


@pytest.mark.parametrize(
    ("source", "model", "meter", "hence"),
    [
        ("bifrost", "openai/gpt-4o", "input_token", "0.0000025000 = 0.0000025 USD per input_token"),
        ("bifrost", "openrouter/z-ai/glm-4.5-air:free", "input_token", "0 = 0 USD per input_token"),
        ("majestix", "gpt-4o-mini", "input_token", "0.21 ÷ 1000 = 0.00021 CREDIT per input_token"),
        ("phaseo", "anthropic/claude-opus-4-5", "input_token", "5 ÷ 1000000 = 0.000005 USD per input_token"),
    ],
)
def test_every_kind_of_derivation_is_one_line_of_arithmetic(
    etl: Run, story: None, source: str, model: str, meter: str, hence: str
) -> None:
    del story
    assert lines(etl("explain", f"demo_{source}", model, "--meter", meter).out)["hence"] == [hence]


def test_a_price_that_varies_is_explained_as_such(etl: Run, story: None) -> None:
    del story
    said = lines(etl("explain", "demo_bifrost", "openrouter/openrouter/auto", "--meter", "input_token").out)
    assert said["price"] == ["dynamic: it depends on the model that is picked"]
    assert said["text"] == ['"-1" at /data/12/pricing/prompt']
    assert said["hence"] == ["-1 stands for a price that depends on the model that is picked: dynamic"]


def test_a_moment_shows_the_prices_that_held_then_with_their_own_snapshots(etl: Run, story: None) -> None:
    del story
    changed = json.loads(etl("changes", "--source", "demo_bifrost", "--until", "2025-11-18", "--json").out)[0]
    asked = ("explain", "demo_bifrost", changed["model_id"], "--meter", changed["meter"], "--json")
    [before], [after] = (
        document(etl(*asked, "--at", at).out) for at in ("2025-11-17T14:29:59", "2025-11-17T14:30:00Z")
    )
    assert (before["unit_price"], after["unit_price"]) == (Decimal("0.00000007"), Decimal("0.000000028"))
    assert before["valid_to"] == after["valid_from"] == after["snapshot"]["observed_at"] == changed["changed_at"]
    assert before["last_snapshot"]["observed_at"] == "2025-11-03T08:15:00+00:00"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("demo_bifrst", "x"), "no source demo_bifrst; did you mean demo_bifrost?"),
        (("majestix", "gpt-4o"), "nothing was ever landed of majestix: `etl run majestix` takes a snapshot"),
        (("demo_bifrost", "gpt-4o-min"), "listed a model gpt-4o-min; did you mean openai/gpt-4o-mini"),
        (("demo_bifrost", "zzzz"), "; it has 16 others"),
        (("demo_bifrost", "openai/gpt-4o", "--provider", "opnai"), "no provider opnai; did you mean openai?"),
        (("demo_bifrost", "openai/gpt-4o", "--region", "eu"), "no region eu; there is *"),
        (("demo_bifrost", "openai/gpt-4o", "--plan", "batch"), "no plan batch; there is standard"),
        (("demo_bifrost", "openai/gpt-4o", "--meter", "input"), "no meter input; did you mean input_token?"),
        (("demo_bifrost", "openai/gpt-4o", "--tier", "5"), "no tier 5; there is 0"),
        (("demo_bifrost", "openai/gpt-4o", "--at", "now"), "--at now is no ISO 8601 time"),
        (
            ("demo_bifrost", "openai/gpt-4o", "--at", "2025-01-01"),
            "in force at 2025-01-01T00:00:00+00:00: the first one begins 2025-11-03 08:15:00Z",
        ),
        (
            ("demo_helicone_gateway", "gpt-5.2"),
            "demo_helicone_gateway publishes no prices: it only tells which models there are, gpt-5.2 among them",
        ),
    ],
)
def test_what_cannot_be_explained_is_said_in_one_line(etl: Run, story: None, asked: tuple[str, ...], said: str) -> None:
    del story
    for options in ((), ("--json",)):
        ended = etl("explain", *asked, *options)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith("etl: ")
        assert ended.err.count("\n") == 1
        assert said in ended.err


def day(number: int, world: World) -> Snapshot:
    page = Page(number=1, url=f"day-{number}.json", status=200, body=body(world), fetched_at=moment(number))
    return Snapshot(source="s", kind="bifrost", observed_at=moment(number), origin=Origin.BACKFILL, pages=(page,))


@pytest.fixture
def load(warehouse: Engine) -> Callable[..., None]:
    """Loads the worlds as a source ``s``, one a day unless days are given."""

    def take(*worlds: World, days: tuple[int, ...] = (0, 1, 2, 3)) -> None:
        pipeline = Pipeline(warehouse, lambda: datetime.now(UTC))
        found = [day(*each) for each in zip(days, worlds, strict=False)]
        results = list(pipeline.backfill(kinds()["bifrost"]("s"), found))
        assert {result.status for result in results} <= {"loaded", "unchanged"}

    return take


HERE = World({"openai/m": ("M", {"prompt": "1"})})
GONE = World({"openai/other": ("Other", {})})


def test_prices_that_ended_or_are_to_come_say_when(etl: Run, load: Callable[..., None]) -> None:
    load(HERE, GONE, HERE, GONE)
    ended = etl("explain", "s", "openai/m")
    assert (ended.status, ended.out) == (2, "")
    assert f"in force now: the last one ended {moment(3):%Y-%m-%d %H:%M:%S}Z" in ended.err
    between = etl("explain", "s", "openai/m", "--at", moment(1).isoformat()).err
    assert f"the last one ended {moment(1):%Y-%m-%d}" in between
    assert f"the next one begins {moment(2):%Y-%m-%d}" in between


def test_what_is_no_longer_believed_explains_nothing(etl: Run, load: Callable[..., None]) -> None:
    dearer = World({"openai/m": ("M", {"prompt": "2"})})
    load(HERE, dearer, dearer, days=(0, 2, 1))
    [price] = document(etl("explain", "s", "openai/m", "--json").out)
    assert datetime.fromisoformat(price["snapshot"]["observed_at"]) == moment(1)
    [before] = document(etl("explain", "s", "openai/m", "--at", moment(0).isoformat(), "--json").out)
    assert before["valid_to"] == price["valid_from"]


def test_a_price_that_is_carried_on_was_last_shown_before(etl: Run, load: Callable[..., None]) -> None:
    load(HERE, HERE, World({"openai/m": ("M", {"prompt": BAD})}))
    [price] = document(etl("explain", "s", "openai/m", "--json").out)
    assert (price["page"]["url"], price["snapshot"]["origin"]) == ("day-0.json", "backfill")
    assert datetime.fromisoformat(price["last_snapshot"]["observed_at"]) == moment(1)


def test_a_model_without_prices_of_a_source_with_prices_is_told_apart(etl: Run, load: Callable[..., None]) -> None:
    load(World({"openai/m": ("M", {"prompt": "1"}), "openai/bare": ("B", {})}))
    assert etl("explain", "s", "openai/bare").err == "etl: s never published a price of openai/bare\n"


@pytest.mark.parametrize(
    ("tampering", "problem"),
    [
        (
            "UPDATE core.price SET unit_price = 2",
            "today's reading of the snapshot gives another price: 1 USD",
        ),
        ("UPDATE core.price SET currency = 'CREDIT'", "today's reading of the snapshot gives another price: 1 USD"),
        ("UPDATE core.price SET plan = 'batch'", "today's reading of the snapshot finds no such price"),
        ("UPDATE raw.snapshot SET kind = 'phaseo'", "the snapshot cannot be read today: day-0.json sent no list"),
        (
            "UPDATE core.snapshot SET status = 'rejected'",
            "the snapshot that showed it first does not count any more",
        ),
        ("UPDATE raw.content SET body = 'x'", "the snapshot cannot be read today: page 1 (day-0.json): the body"),
    ],
)
def test_what_does_not_follow_from_the_landed_text_is_said_plainly(
    etl: Run, warehouse: Engine, server_url: URL, load: Callable[..., None], tampering: str, problem: str
) -> None:
    load(HERE)
    with open_engine(server_url.set(database=warehouse.url.database)).begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(tampering))
    ended = etl("explain", "s", "openai/m")
    [said] = lines(ended.out)["problem"]
    assert said.startswith(problem)
    assert (ended.status, ended.err.count("\n")) == (1, 1)
    assert "`etl verify s` compares" in ended.err
    [price] = document(etl("explain", "s", "openai/m", "--json").out)
    assert price["problem"] == said
    assert etl("explain", "s", "openai/m", "--json").status == 1


def test_the_log_knows_how_finely_a_body_writes_prices(story_url: URL) -> None:
    with open_engine(story_url).connect() as connection:
        rows = connection.execute(text("SELECT source, max(decimals) FROM core.snapshot GROUP BY source")).all()
    assert dict(rows) == {
        "demo_bifrost": 10,
        "demo_helicone_gateway": None,
        "demo_helicone_registry": 8,
        "demo_majestix": None,
        "demo_phaseo": None,
    }
