"""A page stands alone, lets nothing run but what is its own, and stays below the size of an attachment."""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import Engine

from etl.errors import ReportError
from etl.report import page as paging
from etl.report.facts import Facts, read
from etl.report.history import histories
from etl.report.page import LARGEST, page
from etl.report.scope import Asked
from tests.report.conftest import NOW
from tests.report.hostile import PAYLOADS, poisoned


class Parsed(HTMLParser):
    """A page as a browser without scripts has it: its elements, and the text of those that hold data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = self._open if tag == "wbr" else tag

    def handle_endtag(self, tag: str) -> None:
        self._open = "" if tag == self._open else self._open

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open, data))

    def inside(self, tag: str) -> list[str]:
        """What elements of a kind hold."""
        return [text for name, text in self.texts if name == tag]


def facts_in(text: str) -> Any:
    """What the charts are drawn from."""
    found = re.search(r'<script type="application/json" id="facts">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_nothing_in_it_comes_from_elsewhere(demo_page: str) -> None:
    parsed = Parsed(demo_page)
    pointers = {
        (tag, name, value)
        for tag, attributes in parsed.elements
        for name, value in attributes.items()
        if name in ("src", "href", "action", "data", "srcset", "style") or name.startswith("on")
    }
    assert {(tag, name) for tag, name, _ in pointers} == {("a", "href")}
    assert all(value and value.startswith("#") for _, _, value in pointers)
    assert "@import" not in demo_page
    assert "url(" not in "".join(parsed.inside("style"))


def test_its_links_lead_to_its_own_sections(demo_page: str) -> None:
    elements = Parsed(demo_page).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for tag, attributes in elements if tag == "a"}
    assert {link.removeprefix("#") for link in links if link} <= set(ids)


def test_its_policy_names_its_scripts_and_styles_and_allows_nothing_else(demo_page: str) -> None:
    parsed = Parsed(demo_page)
    [policy] = [a["content"] for _, a in parsed.elements if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in (policy or "").split("; "))
    assert rules.keys() == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert (rules["default-src"], rules["img-src"], rules["base-uri"]) == ("'none'", "data:", "'none'")
    scripts = re.findall(r"<script>(.*?)</script>", demo_page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", demo_page, re.DOTALL)
    library = re.search(r'id="library">([^<]*)<', demo_page)
    assert library
    assert (len(scripts), len(styles)) == (1, 1)
    assert rules["script-src"].split() == [hashed(scripts[0]), hashed(unpacked(library[1]))]
    assert rules["style-src"].split() == [hashed(styles[0]), hashed("")]


def hashed(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def unpacked(packed: str) -> str:
    import gzip  # noqa: PLC0415

    return gzip.decompress(b64decode(packed)).decode()


def test_the_same_facts_give_the_same_page_below_six_megabytes(demo_facts: Facts, demo_page: str) -> None:
    assert page(demo_facts) == demo_page
    assert len(demo_page.encode()) < 3_000_000 < LARGEST


def test_every_price_history_of_the_facts_is_in_it_with_exact_amounts(demo_facts: Facts, demo_page: str) -> None:
    told = facts_in(demo_page)["histories"]
    assert told == json.loads(json.dumps(histories(demo_facts)))
    amounts = {point[1] for model in told for offer in model["offers"] for point in offer["points"]}
    assert all(isinstance(amount, str) for amount in amounts)
    assert {"0.028", "784", "0"} < amounts


def test_every_row_of_the_facts_is_in_a_table(demo_facts: Facts, demo_page: str) -> None:
    for table, rows in (("changes", 35), ("offers", 58), ("models", 16), ("tiers", 8)):
        found = re.search(rf'id="{table}-t">.*?<tbody>(.*?)</tbody>', demo_page, re.DOTALL)
        assert found
        assert found[1].count("<tr") == rows, table
    assert len(demo_facts.changes) == 35


def test_texts_of_gateways_add_no_element_and_no_attribute(demo_facts: Facts, demo_page: str) -> None:
    text = page(poisoned(demo_facts))
    clean, dirty = Parsed(demo_page), Parsed(text)

    def shape(parsed: Parsed) -> list[tuple[str, tuple[str, ...]]]:
        return sorted({(tag, tuple(sorted(attributes))) for tag, attributes in parsed.elements})

    assert shape(dirty) == shape(clean)
    assert [tag for tag, _ in dirty.elements].count("script") == 3
    assert any("{{ 7 * 7 }}" in text for text in dirty.inside("td"))
    assert any("<img src=x onerror=window.pwned=1>" in name for name in dirty.inside("td"))
    assert any(PAYLOADS[0] in model["name"] for model in facts_in(text)["histories"])


def test_an_empty_warehouse_gives_a_page_that_says_what_to_do(engine: Engine) -> None:
    text = page(read(engine, Asked(now=NOW)))
    codes = Parsed(text).inside("code")
    assert {"etl demo", "etl run", "etl schedule", "etl doctor"} <= set(codes)
    assert "<script" not in text


def test_an_empty_scope_says_what_there_is_instead(demo: Engine) -> None:
    text = page(read(demo, Asked(now=NOW, sources=("nobody",))))
    assert "etl snapshots" in Parsed(text).inside("code")


def many(facts: Facts, copies: int) -> Facts:
    """The same facts with so many times the models, each of which changed its price every hour for half a week."""
    start = datetime(2025, 12, 1, tzinfo=UTC)
    row = next(row for row in facts.prices if row["source"] == "demo_bifrost")
    prices = [
        row
        | {"model_id": f"m{copy:06}", "canonical_id": None}
        | {"valid_from": start + timedelta(hours=hour), "valid_to": start + timedelta(hours=hour + 1)}
        | {"unit_price": Decimal(copy * 89 + hour + 1).scaleb(-12)}
        for copy in range(copies)
        for hour in range(89)
    ]
    return replace(facts, prices=prices)


@pytest.mark.slow
def test_a_large_warehouse_fits_and_the_page_says_what_it_left_out(demo_facts: Facts) -> None:
    text = page(many(demo_facts, 2_500))
    assert 0.98 * LARGEST < len(text.encode()) <= LARGEST
    shown = len(facts_in(text)["histories"])
    assert 0 < shown < 2_500
    assert f"{shown:,} of 2,500 models" in " ".join(text.split())


def test_without_room_for_any_history_the_page_says_so(
    demo_facts: Facts, demo_page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.dumps(facts_in(demo_page)["histories"], ensure_ascii=False, separators=(",", ":"))
    monkeypatch.setattr(paging, "LARGEST", len(demo_page.encode()) - len(whole.encode()) + 100)
    assert "are too large for a page: choose some by <code>--model</code>" in page(demo_facts)


def test_what_has_no_room_at_all_is_an_error_in_one_line(demo_facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "LARGEST", 1_000_000)
    with pytest.raises(ReportError, match="too much for a page: narrow it by --source"):
        page(demo_facts)


def test_models_that_are_alike_at_their_beginning_stay_apart(demo_facts: Facts) -> None:
    row = next(row for row in demo_facts.prices if row["source"] == "demo_bifrost")
    prices = [row | {"canonical_id": None, "model_id": f"{'m' * 200}{number}"} for number in range(3)]
    assert len(histories(replace(demo_facts, prices=prices))) == 3
