"""The sources as configured: the built-in ones and those that the settings add, each ready to be asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from etl.config.hints import hint
from etl.config.secrets import from_file, lookup
from etl.config.settings import Settings, SourceSettings
from etl.errors import ConfigurationError, CredentialError
from etl.sources.base import Source
from etl.sources.registry import kinds


@dataclass(frozen=True, kw_only=True)
class ConfiguredSource:
    """One source as configured, ready to be asked; ``secret`` is left out when it is printed."""

    name: str
    source: Source[Any]
    url: str
    is_enabled: bool
    why_disabled: str | None
    settings: SourceSettings
    credential: str | None
    secret: str | None = field(repr=False)

    @property
    def kind(self) -> str:
        """How the source is read."""
        return self.source.kind

    def require_credential(self) -> None:
        """Raise ``CredentialError`` when the gateway needs a credential and its variable is unset."""
        needed = self.source.credential
        if needed is not None and needed.is_required and self.secret is None:
            raise CredentialError(f"{self.name}: no credential: set the environment variable {self.credential}")


def configured(settings: Settings, environ: Mapping[str, str]) -> dict[str, ConfiguredSource]:
    """Every source by name: the built-in ones, one per kind, and those that the settings add."""
    names = dict.fromkeys([*kinds(), *settings.sources])
    return {name: _configure(name, settings.sources.get(name, SourceSettings()), environ) for name in names}


def _configure(name: str, settings: SourceSettings, environ: Mapping[str, str]) -> ConfiguredSource:
    kind = settings.kind or name
    if kind not in kinds():
        what = f"unknown kind {kind}" if settings.kind else "no kind of that name, so it needs a `kind`"
        raise ConfigurationError(f"source {name}: {what}; {hint(kind, kinds(), 'known kinds')}")
    source = kinds()[kind](name, path=settings.path, page_size=settings.page_size)
    if (settings.credential or settings.credential_file) and source.credential is None:
        raise ConfigurationError(f"source {name}: sources of kind {kind} send no credential: take that key out")
    url = environ.get(f"ETL_{re.sub(r'[^A-Z0-9]', '_', name.upper())}_URL") or settings.url
    variable = settings.credential or (source.credential.env if source.credential else None)
    secret = _secret(name, settings, environ, variable)
    why = _why_disabled(source, settings, url, variable, secret)
    return ConfiguredSource(
        name=name,
        source=source,
        url=url or source.url,
        is_enabled=why is None,
        why_disabled=why,
        settings=settings,
        credential=str(settings.credential_file or variable or "") or None,
        secret=secret or None,
    )


def _secret(name: str, settings: SourceSettings, environ: Mapping[str, str], variable: str | None) -> str:
    """The credential, from the file or the variable that is configured."""
    if settings.credential_file is not None:
        return from_file(settings.credential_file, f"source {name}: credential_file")
    return lookup(environ, variable) or "" if variable else ""


def _why_disabled(
    source: Source[Any], settings: SourceSettings, url: str | None, variable: str | None, secret: str
) -> str | None:
    """Why a source is not pulled by default: it was said so, or it lacks its url or its credential."""
    if settings.enabled is not None:
        return None if settings.enabled else "enabled = false"
    if source.needs_url and not url:
        return "no url configured"
    if source.credential is not None and source.credential.is_required and not secret:
        return f"{variable} is not set"
    return None
