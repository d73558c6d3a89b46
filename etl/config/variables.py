"""The variables of the environment that mean something, and those that look as if they should."""

import difflib
import re
from collections.abc import Iterable, Mapping

from etl.config.layout import NESTED, PREFIX, sections, variable
from etl.config.secrets import FILE
from etl.config.settings import Settings
from etl.sources.registry import kinds

WEBHOOK, SLACK = "ETL_WEBHOOK_URL", "ETL_SLACK_URL"
"""Each adds a receiver of alerts without a line in the file."""

_NEAR = 0.85
"""How much two names must have in common; below it, it is more likely another program's variable."""


def url_variable(source: str) -> str:
    """The variable that holds the url of a source."""
    return f"{PREFIX}{re.sub(r'[^A-Z0-9]', '_', source.upper())}_URL"


def setting_variables() -> set[str]:
    """The variables of the settings, but for those of tables that carry a name of their own."""
    found: set[str] = set()
    for section in sections():
        if "NAME" not in section.path and not section.is_list:
            found |= {variable([*section.path, key]) for key in section.model.model_fields}
            # Where a field has a variable of another name, pydantic-settings reads the usual one as well.
            found |= {PREFIX + NESTED.join([*section.path, key]).upper() for key in section.model.model_fields}
        elif section.is_list:
            found.add(variable(section.path))
    return found


def reserved_variables(settings: Settings) -> set[str]:
    """The variables that no source may take its url from, because they mean something else."""
    return {WEBHOOK, SLACK, settings.alerts.ping_env} | setting_variables()


def near_misses(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """A line for each variable that begins like one of ours, is none, and looks like one."""
    files = {WEBHOOK, SLACK, *_named(settings), *map(url_variable, [*kinds(), *settings.sources])}
    known = reserved_variables(settings) | files | {name + FILE for name in files}
    tables = tuple(f"{PREFIX}{key.upper()}{NESTED}" for key in Settings.model_fields)
    foreign = [name for name in environ if name.upper().startswith(PREFIX) and name.upper() not in known]
    return [line for name in sorted(foreign) if not name.upper().startswith(tables) and (line := _near(name, known))]


def _named(settings: Settings) -> set[str]:
    """The variables that the settings name."""
    hooks = (hook.url_env for hook in settings.alerts.webhooks)
    credentials = (source.credential for source in settings.sources.values())
    return {name for name in (settings.alerts.ping_env, *hooks, *credentials) if name}


def _near(name: str, known: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=_NEAR)
    return f"environment: {name} means nothing to etl; did you mean {near[0]}?" if near else None
