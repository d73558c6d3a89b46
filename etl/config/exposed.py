"""Refuses secrets in the configuration file: the complaint says where they belong, and does not repeat them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from etl.config.addresses import carries_credential, has_password, is_secret
from etl.config.layout import place_of
from etl.config.variables import url_variable
from etl.errors import ConfigurationError


def refuse_exposed(values: Mapping[str, Any], file: Path) -> None:
    """Raise ``ConfigurationError`` for the first secret among the values of a file, which are not checked yet."""
    for place, remedy in _exposed(values):
        raise ConfigurationError(f"{file}: {place}: a secret does not belong in a file: {remedy}")


def _exposed(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where each secret stands, and what to do instead."""
    for key in ("database_url", "DATABASE_URL"):
        if has_password(_text(values, key)):
            yield key, "set DATABASE_URL, or DATABASE_URL_FILE to a file that holds the whole url"
    for name, source in _table(values, "sources").items():
        variable = url_variable(str(name))
        for key in ("url", "path"):
            if carries_credential(_text(source, key)):
                yield (
                    place_of(["sources", name, key]),
                    f"set {variable}, or {variable}_FILE to a file that holds the whole url",
                )
    for number, hook in enumerate(_entries(_table(values, "alerts").get("webhooks")), 1):
        if is_secret(_text(hook, "url")):
            instead = "write url_env, the name of the variable that holds the url, or url_file, a file that holds it"
            yield f"alerts.webhooks.{number}.url", instead


def _table(values: Any, key: str) -> Mapping[str, Any]:
    found = values.get(key) if isinstance(values, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(values: Any, key: str) -> str:
    found = values.get(key) if isinstance(values, Mapping) else None
    return found if isinstance(found, str) else ""
