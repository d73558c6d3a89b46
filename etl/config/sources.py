"""The sources as configured: the built-in ones and those that the settings add, each ready to be asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from etl.config.addresses import carries_credential, is_overheard, is_url
from etl.config.hints import hint
from etl.config.secrets import from_file, lookup
from etl.config.settings import Settings, SourceSettings
from etl.config.variables import reserved_variables, url_variable
from etl.errors import ConfigurationError, CredentialError
from etl.sources.base import Source
from etl.sources.registry import kinds


@dataclass(frozen=True, kw_only=True)
class ConfiguredSource:
    """One source as configured, ready to be asked; ``secret`` is left out when it is printed."""

    name: str
    source: Source[Any]
    url: str = field(repr=False)
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

    def require_private(self) -> None:
        """Raise ``ConfigurationError`` when others could read the credential on its way."""
        has_credential = self.secret is not None or carries_credential(self.url)
        if has_credential and is_overheard(self.url) and not self.settings.allow_http:
            remedy = f"write https://, or set allow_http = true in [sources.{self.name}] if that network is trusted"
            raise ConfigurationError(f"{self.name}: its credential would travel over plain http: {remedy}")


def configured(settings: Settings, environ: Mapping[str, str]) -> dict[str, ConfiguredSource]:
    """Every source by name: the built-in ones, one per kind, and those that the settings add.

    Raises ``ConfigurationError`` naming the key or the variable, also for two that share a variable or are one.
    """
    names = list(dict.fromkeys([*kinds(), *settings.sources]))
    _require_own_variables(names, settings)
    found = {name: _configure(name, settings, environ) for name in names}
    _require_different(found.values(), settings)
    return found


def _require_own_variables(names: Iterable[str], settings: Settings) -> None:
    """No two sources take their url from one variable, nor from one that means something else."""
    taken = dict.fromkeys(reserved_variables(settings), "")
    for name in names:
        variable = url_variable(name)
        other = taken.setdefault(variable, name)
        if other != name:
            what = f"{variable} would be the url of {other} as well" if other else f"{variable} means something else"
            raise ConfigurationError(f"{settings.place('sources')}.{name}: {what}: rename it")


def _require_different(sources: Iterable[ConfiguredSource], settings: Settings) -> None:
    """No two enabled sources are one catalog, which would be pulled twice."""
    first: dict[Any, str] = {}
    for each in sources:
        if not each.is_enabled:
            continue
        asked = (each.kind, each.url.rstrip("/"), each.source.request_path, each.secret)
        other = first.setdefault(asked, each.name)
        if other != each.name:
            what = f"sources {other} and {each.name} have the same kind, url, path and credential"
            remedy = f"take one of them out, or set enabled = false in [sources.{each.name}]"
            raise ConfigurationError(f"{settings.place('sources')}: {what}: {remedy}")


def _configure(name: str, settings: Settings, environ: Mapping[str, str]) -> ConfiguredSource:
    place = settings.place(f"sources.{name}")
    own = settings.sources.get(name, SourceSettings())
    source = _source(name, own, place)
    source.quarantine_limit = settings.quarantine_limit
    url = _url(name, own, environ)
    variable = own.credential or (source.credential.env if source.credential else None)
    secret = _secret(own, environ, variable, place)
    why = _why_disabled(source, own, url, variable, secret)
    return ConfiguredSource(
        name=name,
        source=source,
        url=url or source.url,
        is_enabled=why is None,
        why_disabled=why,
        settings=own,
        credential=str(own.credential_file or variable or "") or None,
        secret=secret or None,
    )


def _source(name: str, settings: SourceSettings, place: str) -> Source[Any]:
    kind = settings.kind or name
    if kind not in kinds():
        known = hint(kind, kinds(), "known kinds")
        if settings.kind:
            raise ConfigurationError(f"{place}.kind: unknown kind {kind}; {known}")
        raise ConfigurationError(f"{place}: no kind of that name, so it needs a `kind`; {known}")
    source = kinds()[kind](name, path=settings.path, page_size=settings.page_size)
    given = [key for key in settings.alternatives if getattr(settings, key) is not None]
    if given and source.credential is None:
        raise ConfigurationError(f"{place}.{given[0]}: sources of kind {kind} send no credential: take that key out")
    return source


def _url(name: str, settings: SourceSettings, environ: Mapping[str, str]) -> str | None:
    """The url of the environment, else that of the settings; what is none is not repeated, it may hold a secret."""
    variable = url_variable(name)
    url = lookup(environ, variable)
    if url is not None and not is_url(url):
        raise ConfigurationError(f"environment: {variable}: that is no url: write it like https://host/path")
    return url or settings.url


def _secret(settings: SourceSettings, environ: Mapping[str, str], variable: str | None, place: str) -> str:
    """The credential, from the file or the variable that is configured."""
    if settings.credential_file is not None:
        return from_file(settings.credential_file, f"{place}.credential_file")
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
