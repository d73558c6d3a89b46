"""Reads ``etl.toml`` and the environment, and says in one line what is wrong where, and what may have been meant."""

import os
import re
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from etl.config.exposed import refuse_exposed
from etl.config.faults import fault, unreadable
from etl.config.secrets import lookup
from etl.config.settings import Settings
from etl.errors import ConfigurationError
from etl.files.trust import distrust, writable

FILE = "etl.toml"
DATABASE_URL = "DATABASE_URL"


def load(file: Path | None) -> Settings:
    """The settings of the file (``etl.toml`` here, when none is given and there is one) and the environment.

    Raises ``ConfigurationError`` naming file, key and remedy.
    """
    path = file or Path(FILE)
    values = {} if file is None and not path.exists() else _read(path, is_named=file is not None)
    refuse_exposed(values, path)
    named = lookup(os.environ, DATABASE_URL)
    if named:
        # The file may spell the key as either, and then its spelling would win over the variable's.
        values = {key: value for key, value in values.items() if key.upper() != DATABASE_URL} | {DATABASE_URL: named}
    try:
        return Settings(**values).read_from(path)
    except ValidationError as error:
        raise ConfigurationError(fault(error, path, values, os.environ)) from None
    except SettingsError as error:
        raise ConfigurationError(unreadable(error, os.environ)) from None


def _read(path: Path, *, is_named: bool) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            _require_trusted(path, os.fstat(file.fileno()), is_named=is_named)
            return tomllib.loads(file.read(), parse_float=Decimal)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}; check the path and its rights") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {_no_toml(str(error))}") from None
    except InvalidOperation:
        raise ConfigurationError(f"{path}: no valid TOML: a number in it is beyond all bounds") from None


def _require_trusted(path: Path, found: os.stat_result, *, is_named: bool) -> None:
    """Raise ``ConfigurationError`` for a file that somebody else wrote, or could write: it names programs and urls.

    A file named by ``--config`` is trusted, whatever user it belongs to.
    """
    why = writable(path, found) if is_named or _is_placed_by_root(path) else distrust(path, found)
    if why:
        instead = "" if is_named else ", or name the file with --config if it is to be trusted"
        raise ConfigurationError(f"{path}: {why}{instead}")


def _is_placed_by_root(path: Path) -> bool:
    """Whether root alone can have put a file where we, another user, found it: a container has it mounted so."""
    folder = path.absolute().parent
    found = folder.stat()
    return os.geteuid() != found.st_uid == 0 and writable(folder, found) is None


def _no_toml(said: str) -> str:
    """What the parser says, in words for whoever wrote the file."""
    twice = re.match(r"Cannot declare \((.*)\) twice \(at (line \d+)", said)
    if twice:
        steps = re.findall(r"'([^']*)'", twice[1])
        table = "source " + ".".join(steps[1:]) if steps[0] == "sources" and len(steps) > 1 else ".".join(steps)
        return f"{twice[2]}: {table} stands there twice: keep one heading with all its keys, or rename one of the two"
    if said.startswith(("Cannot overwrite a value", "Cannot mutate immutable namespace")):
        return f"no valid TOML: {said}: a key stands twice in one table: take one of them out"
    return f"no valid TOML: {said}"
