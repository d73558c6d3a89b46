"""Who is told: each webhook with its url, wherever that comes from, and the url that is called after a good round."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from etl.config.addresses import is_url
from etl.config.hints import hint
from etl.config.secrets import from_file, lookup
from etl.config.settings import AlertSettings, Settings, WebhookSettings
from etl.config.variables import SLACK, WEBHOOK
from etl.errors import ConfigurationError

Format = Literal["json", "slack"]

SHORTCUTS: Mapping[str, tuple[str, Format]] = {WEBHOOK: ("webhook", "json"), SLACK: ("slack", "slack")}
"""Variables that each add one receiver without a line in the file."""


@dataclass(frozen=True)
class Receiver:
    """Who is told; the url is left out when it is printed, because whoever knows it can post."""

    name: str
    url: str = field(repr=False)
    format: Format


def receivers(settings: Settings, environ: Mapping[str, str]) -> tuple[Receiver, ...]:
    """The webhooks of the file in its order, then those of ``ETL_WEBHOOK_URL`` and ``ETL_SLACK_URL``.

    Raises ``ConfigurationError`` for a url that is missing or none, for two receivers of one name, and for a name in
    ``[[alerts.price_changes]]`` that no receiver has.
    """
    hooks = settings.alerts.webhooks
    named = [
        _receiver(hook, settings.place(f"alerts.webhooks.{number}"), environ) for number, hook in enumerate(hooks, 1)
    ]
    for variable, (name, form) in SHORTCUTS.items():
        url = lookup(environ, variable)
        if url and any(name == hook.name for hook in hooks):
            raise ConfigurationError(f"environment: {variable} adds a webhook {name}, and the file has one: rename it")
        if url:
            named.append(Receiver(name, _sound(url, f"environment: {variable}"), form))
    _require_known(settings, {receiver.name for receiver in named})
    return tuple(named)


def ping_url(settings: Settings, environ: Mapping[str, str]) -> str | None:
    """The url to call after each good round; null when its variable is unset. Raises ``ConfigurationError``."""
    variable = settings.alerts.ping_env
    url = lookup(environ, variable)
    if url is None and variable != AlertSettings.model_fields["ping_env"].default:
        raise ConfigurationError(_unset(settings.place("alerts.ping_env"), variable))
    return _sound(url, f"environment: {variable}") if url else None


def _require_known(settings: Settings, names: set[str]) -> None:
    """Whoever is to be told of changed prices must be there."""
    for number, watch in enumerate(settings.alerts.price_changes, 1):
        for name in watch.webhooks:
            if name not in names:
                what = f"no webhook {name}; {hint(name, names, 'known webhooks') if names else 'there is none yet'}"
                raise ConfigurationError(f"{settings.place(f'alerts.price_changes.{number}.webhooks')}: {what}")


def _receiver(hook: WebhookSettings, place: str, environ: Mapping[str, str]) -> Receiver:
    if hook.url_file is not None:
        return Receiver(hook.name, _from_file(hook.url_file, f"{place}.url_file"), hook.format)
    if hook.url_env is not None:
        url = lookup(environ, hook.url_env)
        if url is None:
            raise ConfigurationError(_unset(f"{place}.url_env", hook.url_env))
        return Receiver(hook.name, _sound(url, f"environment: {hook.url_env}"), hook.format)
    return Receiver(hook.name, _sound(hook.url or "", f"{place}.url"), hook.format)


def _from_file(file: Path, place: str) -> str:
    return _sound(from_file(file, place), f"{place}: {file}")


def _sound(url: str, place: str) -> str:
    """The url, if it is one; otherwise it is not repeated, because it may be a secret."""
    if not is_url(url):
        raise ConfigurationError(f"{place}: that is no url: write it like https://host/path")
    return url


def _unset(place: str, variable: str) -> str:
    return f"{place}: {variable} is not set: set it, or {variable}_FILE to a file that holds the url"
