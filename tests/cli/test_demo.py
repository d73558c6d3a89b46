"""``etl demo`` as a newcomer reads it."""

import json
import re

from etl.cli.playing import next_steps
from etl.demo.story import QUESTIONS, SNAPSHOTS
from tests.cli.conftest import Run


def test_it_tells_what_was_loaded_what_changed_what_can_be_asked_and_what_isnext_steps(etl: Run, story: None) -> None:
    del story
    ended = etl("demo")
    assert ended.status == 0
    titles = ["What was loaded", "What changed in price", *(each.title for each in QUESTIONS), "What to try next"]
    places = [ended.out.index(title) for title in titles]
    assert places == sorted(places)
    assert ended.err.splitlines()[-1].startswith(f"[{SNAPSHOTS}/{SNAPSHOTS}] ")


def test_price_changes_are_few_and_in_order_of_time(etl: Run, story: None) -> None:
    del story
    out = etl("demo").out
    part = out[out.index("What changed in price") : out.index("changes in all")].splitlines()[2:-1]
    days = [line.split()[0] for line in part]
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", day) for day in days)
    assert days == sorted(days)
    assert 10 <= len(days) <= 25
    assert re.search(r"demo_bifrost, deepseek +deepseek-chat +0.56 → 0.28 +1.68 → 0.42 +USD", out)


def test_it_ends_with_commands_that_work(etl: Run, story: None) -> None:
    del story
    out = etl("demo").out
    tried = re.findall(r"^  \S*etl ((?:\S+ )+) ", out[out.index("What to try next") :], re.MULTILINE)
    shown = [
        "report --open",
        "changes --source demo_bifrost",
        "history deepseek-chat",
        "db psql",
        "db grant USER",
        "run",
    ]
    assert [command.strip() for command in tried] == shown
    for command in ("changes --source demo_bifrost", "history deepseek-chat"):
        assert etl(*command.split()).status == 0


def test_on_the_embedded_server_it_names_the_reader() -> None:
    assert dict(next_steps(is_embedded=True)).keys() >= {"db url --reader"}
    assert "db grant USER" not in dict(next_steps(is_embedded=True))


def test_for_programs_it_is_one_document(etl: Run, story: None) -> None:
    del story
    document = json.loads(etl("demo", "--json").out)
    assert len(document["snapshots"]) == SNAPSHOTS
    assert len(document["changes"]) == 90
