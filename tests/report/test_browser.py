"""The page in a real browser: it opens alone, its charts draw what its tables say, and everybody can use it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from etl.report.facts import Facts, read
from etl.report.page import page
from etl.report.scope import Asked
from tests.browsing import DESKTOP, PHONE, photograph
from tests.load.believing import load
from tests.load.worlds import World
from tests.report.conftest import NOW
from tests.report.hostile import PAYLOADS, poisoned
from tests.report.opened import Opened, opened

pytestmark = pytest.mark.slow

CHARTS = ("changes", "history", "index", "sizes", "churn", "offers", "tiers")


def test_it_opens_without_a_network_a_complaint_or_a_request(shown: Opened) -> None:
    assert (shown.said, shown.asked) == ([], [])
    assert shown.page.evaluate("document.documentElement.classList.contains('ready')")


@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_is_drawn(shown: Opened, chart: str) -> None:
    assert shown.traces(f"chart-{chart}")
    assert shown.page.locator(f"#chart-{chart} svg.main-svg").count() >= 1
    marks = shown.page.locator(f"#chart-{chart} :is(.lines path, .points path, .point path)").count()
    assert marks > 0
    assert shown.page.locator(f"#chart-{chart}").bounding_box()["height"] > 200


def names(shown: Opened) -> list[str]:
    return sorted(trace["name"] for trace in shown.traces("chart-history"))


def test_the_first_history_is_that_of_the_model_with_the_most_to_see(shown: Opened) -> None:
    assert shown.page.input_value("#model") == "deepseek/deepseek-chat"
    assert names(shown) == [
        "demo_bifrost · deepseek",
        "demo_helicone_registry · deepseek",
        "demo_majestix · deepseek",
        "demo_phaseo · deepseek",
        "demo_phaseo · novita",
    ]
    [line] = [trace for trace in shown.traces("chart-history") if trace["name"] == "demo_bifrost · deepseek"]
    assert dict(zip(line["x"], line["y"], strict=True))["2025-11-17 14:30"] == 0.28
    assert len(shown.rows("history-t")) == 9


def pick(shown: Opened, model: str) -> None:
    shown.page.fill("#model", model)
    shown.page.locator("#model").press("Tab")


def test_another_model_meter_tier_and_currency_can_be_picked(shown: Opened) -> None:
    pick(shown, "google/gemini-2.5-pro")
    assert shown.page.locator("#history-title").inner_text() == "google/gemini-2.5-pro"
    shown.page.select_option("#tier", "200000")
    assert names(shown) == [
        "demo_helicone_registry · google-ai-studio",
        "demo_helicone_registry · vertex · global",
    ]
    shown.page.select_option("#tier", "all")
    assert any("from 200,000 tokens" in name for name in names(shown))
    shown.page.select_option("#meter", "output_token")
    shown.page.select_option("#tier", "0")
    shown.page.select_option("#currency", "CREDIT")
    assert names(shown) == ["demo_majestix · vertex"]
    assert "CREDIT per 1M tokens" in shown.page.locator("#chart-history").inner_text()
    assert shown.said == []


def test_a_gap_of_observation_is_a_gap_of_the_line(shown: Opened) -> None:
    pick(shown, "meta/llama-3.3-70b-instruct")
    [line] = [trace for trace in shown.traces("chart-history") if trace["name"] == "demo_bifrost · groq"]
    values = dict(zip(line["x"], line["y"], strict=True))
    assert None in line["y"]
    assert not [x for x, y in values.items() if "2025-12-01 06:45" < x < "2026-01-05 10:20" and y is not None]
    assert "not observed" in "".join(shown.rows("history-t"))
    drawn = shown.page.locator("#chart-history .cartesianlayer .js-line").count()
    assert drawn == len(names(shown)) + 1, "each line in one piece, but for the one that breaks off"


def test_a_currency_without_a_rate_is_drawn_in_itself(shown: Opened) -> None:
    pick(shown, "mistralai/mistral-small-3.2")
    assert "demo_phaseo · scaleway" not in names(shown)
    assert shown.page.input_value("#currency") == "USD"
    shown.page.select_option("#currency", "EUR")
    assert names(shown) == ["demo_phaseo · scaleway"]


def test_a_model_that_is_not_there_is_said_and_changes_nothing(shown: Opened) -> None:
    pick(shown, "nobody/nothing")
    assert "No such model here" in shown.page.locator("#model-note").inner_text()
    assert len(names(shown)) == 5


def test_exact_values_are_told_where_the_pointer_is(shown: Opened) -> None:
    chart = shown.page.locator("#chart-history")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    shown.page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.7)
    shown.page.wait_for_selector("#chart-history .hoverlayer text", timeout=5_000)
    told = shown.page.locator("#chart-history .hoverlayer").text_content()
    assert "0.784, quoted as 784 CREDIT, demo_majestix · deepseek" in told
    assert shown.said == []


def test_tables_can_be_searched_filtered_and_sorted(shown: Opened) -> None:
    search = shown.page.locator('[data-filters="changes-t"][type="search"]')
    search.fill("deepseek output")
    rows = shown.rows("changes-t")
    assert len(rows) == 4
    assert all("deepseek" in row and "output" in row for row in rows)
    assert shown.page.locator("#changes-t-count").inner_text() == "4 of 35 rows"
    search.fill("")
    shown.page.select_option('[data-filters="changes-t"][name="direction"]', "rise")
    shown.page.check('[data-filters="changes-t"][name="plain"]')
    assert len(shown.rows("changes-t")) == 8
    shown.page.click("#offers-t th:nth-child(5) button")
    inputs = shown.page.locator("#offers-t tbody td:nth-child(5)").all_inner_texts()
    assert [float(each) for each in inputs] == sorted(float(each) for each in inputs)
    assert shown.page.locator("#offers-t th:nth-child(5)").get_attribute("aria-sort") == "ascending"


def test_effects_are_sorted_by_their_size(shown: Opened) -> None:
    shown.page.click("#tiers-t th:nth-child(7) button")
    effects = shown.page.locator("#tiers-t tbody td:nth-child(7)").all_inner_texts()
    assert effects == ["+50 %"] * 2 + ["+100 %"] * 6


def test_a_name_is_found_in_any_case(shown: Opened) -> None:
    pick(shown, " OpenAI/GPT-4o ")
    assert "demo_phaseo · openai" in names(shown)


def test_everything_can_be_reached_by_the_keyboard(shown: Opened) -> None:
    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate("document.activeElement.textContent") == "To the figures"
    shown.page.focus("#theme")
    shown.page.keyboard.press("Enter")
    assert shown.page.evaluate("document.documentElement.dataset.theme") == "dark"
    shown.page.focus("#changes-t th:first-child button")
    shown.page.keyboard.press("Enter")
    assert shown.page.locator("#changes-t th:first-child").get_attribute("aria-sort") == "ascending"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    browser: Any, demo_file: Path, name: str, size: dict[str, int], scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with opened(browser, demo_file, size=size, scheme=scheme) as shown:
        width = shown.page.evaluate("document.documentElement.scrollWidth")
        assert width == size["width"]
        wider = "[...document.querySelectorAll('.scroll')].filter((each) => each.scrollWidth > each.clientWidth).length"
        assert shown.page.evaluate(wider) == 0
        # What axe adds to the page is against its policy, and no affair of ours.
        violations = axe.run(shown.page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in violations] == []
        photograph(shown.page, f"report-{name}-{scheme}")


def test_in_the_dark_charts_are_light_on_dark(shown: Opened) -> None:
    ink = "getComputedStyle(document.querySelector('#chart-index .xtick text')).fill"
    light = shown.page.evaluate(ink)
    shown.page.click("#theme")
    assert shown.page.evaluate(ink) != light
    assert shown.page.get_attribute("#theme", "aria-pressed") == "true"


def test_printed_it_has_every_row_and_its_charts_fit_the_paper(shown: Opened, tmp_path: Path) -> None:
    shown.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    shown.page.emulate_media(media="print")
    boxes = "[...document.querySelectorAll('.main-svg')].map(svg => svg.getBoundingClientRect().width)"
    widths = shown.page.evaluate(boxes)
    assert max(widths) <= 690
    assert not shown.page.locator(".controls").first.is_visible()
    assert shown.page.evaluate("getComputedStyle(document.querySelector('.scroll')).maxHeight") == "none"
    shown.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    shown.page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").stat().st_size > 50_000
    assert shown.said == []


@pytest.fixture
def unscripted(browser: Any, demo_file: Path) -> Iterator[Any]:
    """The page where nothing may run, as in the preview of a mail program."""
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    window = context.new_page()
    window.goto(demo_file.as_uri())
    yield window
    context.close()


def test_without_scripts_all_tables_are_there_and_nothing_that_would_not_work(unscripted: Any) -> None:
    assert "Here scripts do not run" in unscripted.locator(".noscript").inner_text()
    assert unscripted.locator("#changes-t tbody tr:visible").count() == 35
    assert unscripted.locator("#history-t tbody tr:visible").count() == 9
    assert unscripted.locator(":is(figure, .controls, #theme):visible").count() == 0


def test_texts_of_gateways_run_nothing_and_are_shown_as_they_are(
    browser: Any, demo_facts: Facts, tmp_path: Path
) -> None:
    file = tmp_path / "poisoned.html"
    file.write_text(page(poisoned(demo_facts)), encoding="utf-8")
    with opened(browser, file) as shown:
        for select in ("#meter", "#tier", "#currency"):
            shown.page.locator(select).dispatch_event("change")
        for chart in CHARTS:
            box = shown.page.locator(f"#chart-{chart}").bounding_box()
            shown.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for model in shown.page.evaluate("facts.histories.map((model) => model.name)"):
            pick(shown, model)
        assert (shown.said, shown.asked) == ([], [])
        assert shown.page.evaluate("window.pwned") is None
        assert shown.page.locator(":is(main, header) :is(img, script, iframe)").count() == 0
        assert shown.page.locator("svg a, a:not([href^='#'])").count() == 0
        assert any("<img src=x onerror=window.pwned=1>" in row for row in shown.rows("changes-t"))


def test_a_payload_that_a_gateway_really_sent_is_only_text(browser: Any, engine: Engine, tmp_path: Path) -> None:
    quoted = {"prompt": "0.000001", "completion": "0.000002"}
    models = {f"openai/m{n}{payload}": (payload, quoted) for n, payload in enumerate(PAYLOADS)}
    load(engine, "s", 0, World({"openai/a": ("A", quoted)}))
    load(engine, "s", 1, World({"openai/a": ("A", quoted)} | models))
    file = tmp_path / "report.html"
    file.write_text(page(read(engine, Asked(now=NOW))), encoding="utf-8")
    with opened(browser, file) as shown:
        assert len(shown.rows("models-t")) == len(PAYLOADS)
        assert any(PAYLOADS[0] in row for row in shown.rows("models-t"))
        assert (shown.said, shown.asked) == ([], [])
        assert shown.page.evaluate("window.pwned") is None


def test_the_page_of_an_empty_warehouse_says_what_to_do(browser: Any, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(read(engine, Asked(now=NOW))), encoding="utf-8")
    with opened(browser, file, size=PHONE) as shown:
        assert "etl demo" in shown.page.locator("main").inner_text()
        assert (shown.said, shown.asked) == ([], [])
        photograph(shown.page, "report-empty-phone")
