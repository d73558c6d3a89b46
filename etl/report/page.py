"""One page of HTML that needs nothing else: no network, no server; what may run in it is named by its digest."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from etl import spoken
from etl.domain.meters import Meter
from etl.errors import ReportError
from etl.report import words
from etl.report.charts import charts
from etl.report.facts import Facts
from etl.report.history import Model, histories
from etl.report.library import EMPTY, digest, library

LARGEST = 6_000_000
"""Bytes of a page at most: what a mail server takes, and a phone opens."""

SPARE = 2_000
"""Bytes for the words that say what was left out."""

SCRIPTS = ("chart.js", "history.js", "overview.js", "table.js", "start.js")
"""In the order in which they need each other; together they are one script."""


def page(facts: Facts) -> str:
    """The page. Where there is no room for the price histories of all models, it has those with the most to see.

    Raises ``ReportError`` when what else there is has no room either.
    """
    models = histories(facts)
    whole = _page(facts, models, len(models))
    if (excess := _excess(whole)) > 0:
        room = sum(map(_size, models)) - excess - SPARE
        whole = _page(facts, list(_fitting(models, room)), len(models))
    if _excess(whole) > 0:
        raise ReportError("there is too much for a page: narrow it by --source, --model or --since")
    return whole


def _excess(text: str) -> int:
    """Bytes beyond what a page may have."""
    return len(text.encode()) - LARGEST


def _fitting(models: Iterable[Model], room: int) -> Iterable[Model]:
    for model in models:
        room -= _size(model)
        if room < 0:
            return
        yield model


def _size(model: Model) -> int:
    """Bytes of a model in the page, with the comma behind it."""
    return len(_json(model).encode()) + 1


def _page(facts: Facts, models: list[Model], known: int) -> str:
    script, style = _asset(*SCRIPTS), _asset("page.css")
    return (
        _environment()
        .get_template("page.html")
        .render(
            facts=facts,
            scope=facts.scope,
            models=models,
            known=known,
            data=_json(_data(facts, models)),
            script=script,
            style=style,
            library=library(),
            policy=policy(script, style),
        )
    )


def policy(script: str, style: str) -> str:
    """The Content-Security-Policy of a page: nothing from anywhere, and only these scripts and styles in it."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {digest(script)} {library().digest}",
            f"style-src {digest(style)} {digest(EMPTY)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _data(facts: Facts, models: list[Model]) -> dict[str, Any]:
    """What the script of a page draws from."""
    until = facts.scope.until or facts.scope.since
    begun = min((row["first_at"] for row in facts.sources if row["first_at"]), default=until)
    return {
        "histories": models,
        "charts": charts(facts),
        "meters": [(meter, words.meter_name(meter)) for meter in Meter],
        "units": {meter: spoken.unit(meter) for meter in Meter},
        "states": words.STATES,
        # Milliseconds: wide enough to be seen, whatever the window.
        "barWidth": max(1, int((until - max(begun, facts.scope.since)).total_seconds() * 1000 / 120)),
    }


def _json(value: Any) -> str:
    """JSON in which nothing ends a script, or begins a comment in it."""
    return msgspec.json.encode(value, enc_hook=str).decode().replace("<", "\\u003c")


@cache
def _asset(*names: str) -> str:
    folder = files(__package__) / "assets"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["words"] = words
    for name in ("moment", "day", "span", "number", "shortened", "cell", "effect", "change"):
        environment.filters[name] = getattr(words, name)
    environment.filters |= {"combine": dict, "zip": zip, "unit": spoken.unit}
    return environment
