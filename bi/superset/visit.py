"""Dashboards as a person sees them in a browser, by Playwright: opened, waited for, and told what each chart shows."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

HERE = Path(__file__).parent
SLUGS = tuple(sorted(file.stem.replace("_", "-") for file in (HERE / "dashboards").glob("*.yaml")))

# What a chart shows: one of the words, once it is neither loading nor blank.
_SHOWN = """() => [...document.querySelectorAll('.dashboard-component-chart-holder')].map(chart => {
  const has = (what) => chart.querySelector(what) !== null;
  return [
    chart.querySelector('.header-title')?.innerText ?? '',
    has('.ant-alert-error, [role=alert]') ? 'error'
      : has('[data-test=loading-indicator]') ? 'loading'
      : has('canvas, table, .header-line') ? 'drawn'
      : has('.ant-empty') ? 'empty' : 'blank',
  ];
})"""
_SETTLED = f"(count) => {{ const shown = ({_SHOWN})(); return shown.length === count && \
shown.every(([, state]) => !['loading', 'blank'].includes(state)); }}"
_HEIGHT = "() => document.querySelector('.grid-content').getBoundingClientRect().bottom"


class Reply(NamedTuple):
    """What the server answered to one question of a chart."""

    status: int
    rows: int
    error: str


class Visit(NamedTuple):
    """What a dashboard showed: the state of each chart by its title, and the answers that they were drawn from."""

    shown: dict[str, str]
    replies: list[Reply]


def titles(slug: str) -> list[str]:
    """The titles of the charts that the bundle puts on a dashboard."""
    loaded = yaml.safe_load((HERE / "dashboards" / f"{slug.replace('-', '_')}.yaml").read_text(encoding="utf-8"))
    parts = (part for name, part in loaded["position"].items() if name.startswith("CHART-"))
    return [part["meta"]["sliceName"] for part in parts]


def log_in(page: "Page", user: str, password: str) -> None:
    """Log in by the form, as a person does. The page's context knows where Superset is."""
    page.goto("/login/")
    page.locator("#username").fill(user)
    page.locator("#password").fill(password)
    page.locator("#password").press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def open_dashboard(page: "Page", slug: str, width: int, *, look: str = "") -> Visit:
    """Open a dashboard, make the window as high as it is, and wait until every chart shows something."""
    replies: list[Reply] = []

    def note(response: "Response") -> None:
        replies.extend(_replies(response))

    page.on("response", note)
    # Charts are drawn when they come into view, so the window has to hold all of them.
    page.set_viewport_size({"width": width, "height": 4000})
    page.goto(f"/superset/dashboard/{slug}/{look}")
    page.wait_for_selector(".grid-content", timeout=60_000)
    settled(page, slug)
    page.set_viewport_size({"width": width, "height": round(page.evaluate(_HEIGHT)) + 16})
    page.wait_for_timeout(2_000)  # Charts grow into their places.
    page.remove_listener("response", note)
    return Visit(dict(page.evaluate(_SHOWN)), replies)


def settled(page: "Page", slug: str) -> dict[str, str]:
    """Wait until every chart shows something; what that is, by title."""
    page.wait_for_function(_SETTLED, arg=len(titles(slug)), timeout=60_000)
    return dict(page.evaluate(_SHOWN))


def _replies(response: "Response") -> list[Reply]:
    if "/api/v1/chart/data" not in response.url:
        return []
    told = response.json()
    if not response.ok:
        return [Reply(response.status, 0, str(told))]
    return [Reply(response.status, each["rowcount"] or 0, each["error"] or "") for each in told["result"]]
