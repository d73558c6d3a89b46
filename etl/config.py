"""Configuration, read once: ``etl.toml`` and the environment, where the environment beats the file."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FilePath, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from etl.errors import ConfigurationError, CredentialError
from etl.rates import Margins, MarginSettings, Rates, RateSettings
from etl.sources.base import Source
from etl.sources.registry import kinds

FILE = "etl.toml"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    """Seconds as a number, or a number with a unit: 90s, 30m, 36h, 2d."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", value) if isinstance(value, str) else None
    return timedelta(seconds=float(found[1]) * _UNITS[found[2]]) if found else value


def _at_home(value: Any) -> Any:
    """A path with ``~`` for the user's folder, which no shell has seen when it stands in a file."""
    return Path(value).expanduser() if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]

Folder = Annotated[Path, BeforeValidator(_at_home)]


class SourceSettings(BaseModel):
    """One ``[sources.NAME]``: what differs from the built-in entry of its kind."""

    model_config = ConfigDict(extra="forbid")

    kind: str | None = Field(None, description="How the source is read; the name itself when that is a kind.")
    url: str | None = Field(None, description="Base url of the gateway.")
    path: str | None = Field(None, pattern="^/", description="Path of the catalog below the url.")
    schedule: str = Field("7 * * * *", description="When to pull it: a cron expression, UTC.")
    enabled: bool | None = Field(None, description="Whether `etl run` pulls it without naming it.")
    credential: str | None = Field(None, description="Name of the environment variable that holds the credential.")
    page_size: int | None = Field(None, ge=1, description="Records per page, where the gateway pages on request.")
    timeout_seconds: float = Field(120, gt=0, description="For the whole walk, bodies and retries included.")
    max_age: Duration = Field(timedelta(hours=3), description="Age at which the source counts as stale: 90m, 36h, 2d.")


class Settings(BaseSettings):
    """Everything that can be configured, with its default."""

    model_config = SettingsConfigDict(env_prefix="ETL_", extra="forbid", env_ignore_empty=True, populate_by_name=True)

    home: Folder = Field(
        default_factory=lambda: platformdirs.user_data_path("llm-price-warehouse", appauthor=False),
        description="Where the embedded Postgres lives.",
    )
    database_url: str | None = Field(
        None, validation_alias="DATABASE_URL", repr=False, description="The warehouse; unset: the embedded Postgres."
    )
    db_port: int = Field(25432, ge=1, le=65535, description="Port of the embedded Postgres on 127.0.0.1.")
    pgbin: Folder | None = Field(None, validation_alias="PGBIN", description="Folder of the Postgres binaries to use.")
    max_page_bytes: int = Field(64 * 1024 * 1024, ge=1, description="Largest page, after decompression.")
    max_pages: int = Field(500, ge=1, description="Most pages of one walk.")
    doubt_share: float = Field(0.2, ge=0, le=1, description="A live snapshot that removes more of the models is held.")
    doubt_minimum: int = Field(2, ge=1, description="Removals of fewer models than this are never held.")
    ca_file: Annotated[FilePath, BeforeValidator(_at_home)] | None = Field(
        None, description="Certificate authority to trust besides the system's."
    )
    sources: dict[str, SourceSettings] = Field(default_factory=dict, description="The catalogs to pull.")
    rates: Rates = Field(default_factory=list, description="What currencies are worth, besides USD and CREDIT.")
    margins: Margins = Field(default_factory=list, description="By what gateways multiply their providers' prices.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then what was read from the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


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


def load(file: Path | None) -> Settings:
    """The settings of the file (``etl.toml`` here, when none is given and there is one) and the environment.

    Raises ``ConfigurationError`` naming file, key and remedy.
    """
    path = file or Path(FILE)
    if file is None and not path.exists():
        values: dict[str, Any] = {}
    else:
        values = _read(path)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigurationError(_fault(error, path, values)) from None
    except SettingsError as error:
        raise ConfigurationError(f"environment: {error}") from None


def configured(settings: Settings, environ: Mapping[str, str]) -> dict[str, ConfiguredSource]:
    """Every source by name: the built-in ones, one per kind, and those that the settings add."""
    names = dict.fromkeys([*kinds(), *settings.sources])
    return {name: _configure(name, settings.sources.get(name, SourceSettings()), environ) for name in names}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: no valid TOML: {error}") from None
    except InvalidOperation:
        raise ConfigurationError(f"{path}: no valid TOML: a number in it is beyond all bounds") from None


def _fault(error: ValidationError, path: Path, values: dict[str, Any]) -> str:
    """The first fault in one line: where it stands, what is wrong, what may have been meant."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    steps = [str(step) for step in fault["loc"]]
    if steps[0] not in values:
        return f"environment: {_variable(steps[0])}: {fault['msg']}"
    place = _place(fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{path}: {place}: {fault['msg']}"
    known = _TABLES.get(steps[0], Settings).model_fields
    return f"{path}: unknown key {place}; {_hint(steps[-1], known, 'known keys')}"


_TABLES: Mapping[str, type[BaseModel]] = {"sources": SourceSettings, "rates": RateSettings, "margins": MarginSettings}


def _place(steps: tuple[int | str, ...]) -> str:
    """Where a fault stands; entries of a list are counted from 1, as people do."""
    return ".".join(str(step + 1) if isinstance(step, int) else step for step in steps)


def _hint(word: str, known: Iterable[str], name: str) -> str:
    """What may have been meant, or what there is."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {near[0]}?" if near else f"{name}: {', '.join(words)}"


def _variable(field_or_alias: str) -> str:
    """The environment variable that sets it."""
    return f"ETL_{field_or_alias.upper()}" if field_or_alias in Settings.model_fields else field_or_alias


def _configure(name: str, settings: SourceSettings, environ: Mapping[str, str]) -> ConfiguredSource:
    kind = settings.kind or name
    if kind not in kinds():
        what = f"unknown kind {kind}" if settings.kind else "no kind of that name, so it needs a `kind`"
        raise ConfigurationError(f"source {name}: {what}; {_hint(kind, kinds(), 'known kinds')}")
    source = kinds()[kind](name, path=settings.path, page_size=settings.page_size)
    if settings.credential and source.credential is None:
        raise ConfigurationError(f"source {name}: sources of kind {kind} send no credential: take that key out")
    url = environ.get(f"ETL_{re.sub(r'[^A-Z0-9]', '_', name.upper())}_URL") or settings.url
    variable = settings.credential or (source.credential.env if source.credential else None)
    secret = environ.get(variable, "").strip() if variable else ""
    why = _why_disabled(source, settings, url, variable, secret)
    return ConfiguredSource(
        name=name,
        source=source,
        url=url or source.url,
        is_enabled=why is None,
        why_disabled=why,
        settings=settings,
        credential=variable,
        secret=secret or None,
    )


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
