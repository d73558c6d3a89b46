"""Who is told: each webhook with its url, wherever that comes from, and the url that is called after a good round."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from etl.config.addresses import is_overheard, is_secret, is_url
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
        _receiver(hook, settings.place(f"alerts.webhooks.{number}"), environ, settings.alerts)
        for number, hook in enumerate(hooks, 1)
    ]
    for variable, (name, form) in SHORTCUTS.items():
        url = lookup(environ, variable)
        if url and any(name == hook.name for hook in hooks):
            raise ConfigurationError(f"environment: {variable} adds a webhook {name}, and the file has one: rename it")
        if url:
            named.append(Receiver(name, _sound(url, f"environment: {variable}", settings.alerts), form))
    _require_known(settings, {receiver.name for receiver in named})
    return tuple(named)


def ping_url(settings: Settings, environ: Mapping[str, str]) -> str | None:
    """The url to call after each good round; null when its variable is unset. Raises ``ConfigurationError``."""
    variable = settings.alerts.ping_env
    url = lookup(environ, variable)
    if url is None and variable != AlertSettings.model_fields["ping_env"].default:
        raise ConfigurationError(_unset(settings.place("alerts.ping_env"), variable))
    return _sound(url, f"environment: {variable}", settings.alerts) if url else None


def _require_known(settings: Settings, names: set[str]) -> None:
    """Whoever is to be told of changed prices must be there."""
    for number, watch in enumerate(settings.alerts.price_changes, 1):
        for name in watch.webhooks:
            if name not in names:
                what = f"no webhook {name}; {hint(name, names, 'known webhooks') if names else 'there is none yet'}"
                raise ConfigurationError(f"{settings.place(f'alerts.price_changes.{number}.webhooks')}: {what}")


def _receiver(hook: WebhookSettings, place: str, environ: Mapping[str, str], alerts: AlertSettings) -> Receiver:
    url, where = _named(hook, place, environ)
    return Receiver(hook.name, _sound(url, where, alerts), hook.format)


def _named(hook: WebhookSettings, place: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """The url of a webhook, and where it stands."""
    if hook.url_file is not None:
        return from_file(hook.url_file, f"{place}.url_file"), f"{place}.url_file: {hook.url_file}"
    if hook.url_env is not None:
        url = lookup(environ, hook.url_env)
        if url is None:
            raise ConfigurationError(_unset(f"{place}.url_env", hook.url_env))
        return url, f"environment: {hook.url_env}"
    return hook.url or "", f"{place}.url"


def _sound(url: str, place: str, alerts: AlertSettings) -> str:
    """The url, if it is one; otherwise it is not repeated, because it may be a secret."""
    if not is_url(url):
        raise ConfigurationError(f"{place}: that is no url: write it like https://host/path")
    if is_secret(url) and is_overheard(url) and not alerts.allow_http:
        remedy = "write https://, or set allow_http = true in [alerts] if that network is trusted"
        raise ConfigurationError(f"{place}: that url is a secret and would travel over plain http: {remedy}")
    return url


def _unset(place: str, variable: str) -> str:
    return f"{place}: {variable} is not set: set it, or {variable}_FILE to a file that holds the url"
