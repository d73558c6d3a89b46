"""Reads ``etl.toml`` and the environment, and says in one line what is wrong where, and what may have been meant."""

import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError

from etl.config.hints import hint
from etl.config.secrets import lookup
from etl.config.settings import Settings, SourceSettings
from etl.errors import ConfigurationError
from etl.rates import MarginSettings, RateSettings

FILE = "etl.toml"
DATABASE_URL = "DATABASE_URL"


def load(file: Path | None) -> Settings:
    """The settings of the file (``etl.toml`` here, when none is given and there is one) and the environment.

    Raises ``ConfigurationError`` naming file, key and remedy.
    """
    path = file or Path(FILE)
    if file is None and not path.exists():
        values: dict[str, Any] = {}
    else:
        values = _read(path)
    named = lookup(os.environ, DATABASE_URL)
    try:
        return Settings(**values | ({DATABASE_URL: named} if named else {})).read_from(path)
    except ValidationError as error:
        raise ConfigurationError(_fault(error, path, values)) from None
    except SettingsError as error:
        raise ConfigurationError(f"environment: {error}") from None


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
    return f"{path}: unknown key {place}; {hint(steps[-1], known, 'known keys')}"


_TABLES: Mapping[str, type[BaseModel]] = {"sources": SourceSettings, "rates": RateSettings, "margins": MarginSettings}


def _place(steps: tuple[int | str, ...]) -> str:
    """Where a fault stands; entries of a list are counted from 1, as people do."""
    return ".".join(str(step + 1) if isinstance(step, int) else step for step in steps)


def _variable(field_or_alias: str) -> str:
    """The environment variable that sets it."""
    return f"ETL_{field_or_alias.upper()}" if field_or_alias in Settings.model_fields else field_or_alias
