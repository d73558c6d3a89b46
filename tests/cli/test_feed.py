"""``etl changes`` as a feed: after a cursor, and as documents for feed readers."""

import csv
import io
import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import Engine

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.cli.conftest import Run
from tests.load.believing import clock, load
from tests.load.worlds import World, moment

ATOM = "{http://www.w3.org/2005/Atom}"


def world(price: str, name: str = "a") -> World:
    return World({f"openai/{name}": (name, {"prompt": price})})


@pytest.fixture
def corrected(etl: Run, warehouse: Engine) -> Run:
    """A warehouse with one change, which a late arrival then dated earlier."""
    load(warehouse, "s", 1, world("0.000001"))
    load(warehouse, "s", 5, world("0.000002"))
    load(warehouse, "s", 3, world("0.000002"))
    return etl


def parsed(document: str) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314  our own words


def next_cursor(said: str) -> str:
    found = re.search(r"next: --since (c\d+)", said)
    assert found, said
    return found[1]


def test_after_a_cursor_come_the_events_since_and_the_next_cursor(corrected: Run) -> None:
    ended = corrected("changes", "--since", "c0", "--json")
    told = json.loads(ended.out)
    assert [(row["event"], row["changed_at"][:10]) for row in told] == [
        ("assertion", "2026-01-06"),
        ("retraction", "2026-01-06"),
        ("assertion", "2026-01-04"),
    ]
    assert [row["cursor"] for row in told] == sorted({row["cursor"] for row in told})
    again = corrected("changes", "--since", next_cursor(ended.err))
    assert (again.status, again.out) == (0, "")
    assert next_cursor(again.err) == next_cursor(ended.err)


def test_whoever_goes_on_from_each_cursor_gets_each_event_once(corrected: Run) -> None:
    whole = json.loads(corrected("changes", "--since", "c0", "--json").out)
    pieces, cursor = [], "c0"
    for event in whole:
        ended = corrected("changes", "--since", cursor, "--until", f"c{event['cursor']}", "--json")
        pieces += json.loads(ended.out)
        cursor = next_cursor(ended.err)
    assert pieces == whole


def test_a_retraction_is_told_as_one_also_to_people(corrected: Run) -> None:
    table = corrected("changes", "--since", "c0").out
    assert "no longer believed: increased 100%" in table
    assert "no longer believed" not in corrected("changes").out


def test_every_form_of_the_feed_has_the_same_events(corrected: Run) -> None:
    asked = ("changes", "--since", "c0", "--format")
    lines = [json.loads(line) for line in corrected(*asked, "jsonl").out.splitlines()]
    written = list(csv.DictReader(io.StringIO(corrected(*asked, "csv").out)))
    entries = parsed(corrected(*asked, "atom").out).findall(f"{ATOM}entry")
    items = parsed(corrected(*asked, "rss").out).findall("channel/item")
    assert len(lines) == len(written) == len(entries) == len(items) == 3
    newest = entries[0].findtext(f"{ATOM}title")
    assert newest == items[0].findtext("title") == "s openai/a openai input_token: increased 100%, 1 → 2 USD per 1M"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--since", "c99999"), "beyond the end of the feed, c"),
        (("--since", "c0", "--until", "2026-01-01"), "give two of a kind"),
        (("--until", "c1"), "give two of a kind"),
        (("--since", "cx"), "or a cursor such as c123"),
    ],
)
def test_a_cursor_that_leads_nowhere_is_refused(corrected: Run, options: tuple[str, ...], complaint: str) -> None:
    ended = corrected("changes", *options)
    assert (ended.status, ended.out) == (2, "")
    assert complaint in ended.complaints[0]


def test_an_atom_document_keeps_the_rules_of_rfc_4287(etl: Run, story: None) -> None:
    del story
    out = etl("changes", "--format", "atom").out
    assert out.startswith('<?xml version="1.0" encoding="utf-8"?>\n')
    feed = parsed(out)
    assert feed.tag == f"{ATOM}feed"
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) > 50
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1, name
        assert urlsplit(element.findtext(f"{ATOM}id", "")).scheme == "urn"
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated", "")).tzinfo is not None
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries)
    assert all(entry.findtext(f"{ATOM}content") for entry in entries), "what has no link needs content"
    assert all(category.get("term") for category in feed.iter(f"{ATOM}category"))
    moments = [entry.findtext(f"{ATOM}updated", "") for entry in entries]
    assert feed.findtext(f"{ATOM}updated") == moments[0] == max(moments)


def test_an_rss_document_keeps_the_rules_of_rss_2(etl: Run, story: None) -> None:
    del story
    rss = parsed(etl("changes", "--format", "rss").out)
    assert (rss.tag, rss.get("version"), len(rss)) == ("rss", "2.0", 1)
    channel = rss[0]
    assert channel.tag == "channel"
    for name in ("title", "link", "description", "lastBuildDate"):
        assert len(channel.findall(name)) == 1, name
    assert urlsplit(channel.findtext("link", "")).scheme
    items = channel.findall("item")
    assert len(items) > 50
    for item in items:
        assert item.findtext("title")
        assert item.findtext("description")
        assert [guid.get("isPermaLink") for guid in item.findall("guid")] == ["false"]
        assert parsedate_to_datetime(item.findtext("pubDate", "")).utcoffset() is not None
    assert len({item.findtext("guid") for item in items}) == len(items)


def test_an_entry_keeps_its_id_whoever_asks_for_it(corrected: Run) -> None:
    def ids(*options: str) -> list[str | None]:
        feed = parsed(corrected("changes", "--format", "atom", *options).out)
        return [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]

    assert set(ids()) < set(ids("--since", "c0"))


def test_an_empty_feed_is_a_document_too(etl: Run, warehouse: Engine) -> None:
    del warehouse
    assert parsed(etl("changes", "--format", "atom").out).findall(f"{ATOM}entry") == []
    assert parsed(etl("changes", "--format", "rss").out).findall("channel/item") == []


def test_what_xml_cannot_hold_is_replaced(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 1, world("1"))
    load(warehouse, "s", 2, World({"openai/a": ("a", {"prompt": "1"}), "openai/\x07&<b>": ("b", {"prompt": "1"})}))
    feed = parsed(etl("changes", "--format", "atom").out)
    assert any("openai/�&<b>" in (title.text or "") for title in feed.iter(f"{ATOM}title"))


def test_bounds_in_the_wrong_order_are_refused(corrected: Run) -> None:
    for bounds in (("2026-01-03", "2026-01-01"), ("c2", "c1")):
        ended = corrected("changes", "--since", bounds[0], "--until", bounds[1])
        assert (ended.status, ended.out) == (2, "")
        assert "comes before" in ended.complaints[0]


def test_a_price_that_changes_its_currency_is_told_with_both(etl: Run, warehouse: Engine) -> None:
    for day, currency in enumerate(["EUR", "USD"], 1):
        take(warehouse, day, offer(currency))
    told = json.loads(etl("changes", "--since", "c0", "--json").out)
    assert [(row["change"], row["old_currency"], row["currency"]) for row in told] == [("restated", "EUR", "USD")]
    assert "2 EUR → 2 USD per 1M" in etl("changes").out
    assert "old unit price: 0.000002 EUR" in etl("changes", "--format", "rss").out


def offer(currency: str) -> bytes:
    """A Phaseo catalog of one model with one offer."""
    meter = {"unit": "token", "unit_size": 1_000_000, "price_per_unit": "2", "currency": currency}
    sheet = {"pricing_plan": "standard", "meters": {"input_text_tokens": meter}}
    model = {"id": "acme/e", "offers": [{"provider": {"id": "acme"}, "pricing": sheet}]}
    return json.dumps({"models": [model], "total": 1}).encode()


def take(engine: Engine, day: int, body: bytes) -> None:
    page = Page(number=1, url=f"day-{day}.json", status=200, body=body, fetched_at=moment(day))
    saved = Snapshot(source="p", kind="phaseo", observed_at=moment(day), origin=Origin.BACKFILL, pages=(page,))
    [done] = Pipeline(engine, clock).backfill(kinds()["phaseo"]("p"), [saved])
    assert done.is_well, done
