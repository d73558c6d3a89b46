"""What a setting may be: durations, folders, schedules, addresses, names, each refused with what to write instead."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf
from pydantic_core import PydanticCustomError

from etl.config.addresses import is_url
from etl.cron import Cron

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_LONGEST = timedelta(days=36_500)
"""Beyond it, the arithmetic of the database ends before the configuration makes sense again."""


class HttpAddress(NamedTuple):
    """Where the daemon listens."""

    host: str
    port: int


def _duration(value: Any) -> Any:
    """Seconds as a number, or a number with a unit: 90s, 30m, 36h, 2d."""
    found = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,12})?)\s*([smhd])\s*", value) if isinstance(value, str) else None
    if not found:
        return value
    try:
        return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    except OverflowError:
        return timedelta.max


def _at_home(value: Any) -> Any:
    """A path with ``~`` for the user's folder, which no shell has seen when it stands in a file."""
    if not isinstance(value, str):
        return value
    try:
        path = Path(value).expanduser()
    except RuntimeError:
        raise PydanticCustomError("path", "Nobody knows the home of that user: write the whole path") from None
    if not value.strip() or "\0" in value:
        raise PydanticCustomError("path", "Write a path, or take the key out")
    return path


def _existing(value: Path) -> Path:
    try:
        if value.is_file():
            return value
    except OSError:
        pass
    raise PydanticCustomError("file", "There is no such file: check the path, or take the key out")


def _cron(value: Any) -> Any:
    if isinstance(value, Cron):
        return value
    try:
        return Cron(str(value))
    except ValueError as error:
        raise PydanticCustomError("cron", "{error}", {"error": str(error)}) from None


def _http_address(value: Any) -> Any:
    """``host:port``, or a port alone for this machine only."""
    found = re.fullmatch(r"(?:(\[[0-9a-fA-F:.]+\]|[^\s:\[\]/]+)?:)?(\d{1,5})", str(value))
    if isinstance(value, HttpAddress):
        return value
    if found is None or not 0 <= int(found[2]) <= 65535:
        raise PydanticCustomError("address", "Write it like 127.0.0.1:9464, or the port alone")
    return HttpAddress((found[1] or "127.0.0.1").strip("[]"), int(found[2]))


def _url(value: str) -> str:
    if not is_url(value.strip()):
        raise PydanticCustomError("url", "That is no url: write it like https://host/path")
    return value.strip()


def _variable(value: str) -> str:
    """The name of a variable. What is none may be the secret itself, so it is not repeated."""
    if not re.fullmatch("[A-Z_][A-Z0-9_]*", value):
        message = "Write the name of an environment variable, in upper-case letters, digits and _; never the secret"
        raise PydanticCustomError("variable", message)
    return value


def name(value: str) -> str:
    """A name that can be shown, typed and stored: 1 to 63 characters without whitespace or control characters."""
    if not 1 <= len(value) <= 63 or not value.isprintable() or any(char.isspace() for char in value):
        shown = value if len(value) <= 70 else f"{value[:63]}…"
        message = "{name} is no name: write 1 to 63 characters without whitespace and control characters"
        raise PydanticCustomError("name", message, {"name": ascii(shown)})
    return value


def listed(value: Any) -> Any:
    """Refuses a single table where several are meant."""
    if not isinstance(value, list | tuple):
        raise PydanticCustomError("list", "Begin each entry with the name in double brackets: [[…]]")
    return value


def once(entries: Sequence[Any]) -> Sequence[Any]:
    """Refuses a second entry of a name."""
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, 1):
        first = seen.setdefault(entry.name, number)
        if first != number:
            context = {"first": first, "number": number, "name": entry.name}
            message = "numbers {first} and {number} are both called {name}: rename one of them"
            raise PydanticCustomError("twice", message, context)
    return entries


def _keys(check: Callable[[str], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def checked(values: dict[str, Any]) -> dict[str, Any]:
        return {check(key): value for key, value in values.items()}

    return checked


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0), le=_LONGEST)]

Folder = Annotated[Path, BeforeValidator(_at_home)]

ExistingFile = Annotated[Path, BeforeValidator(_at_home), AfterValidator(_existing)]

Schedule = Annotated[InstanceOf[Cron], BeforeValidator(_cron)]

Listening = Annotated[HttpAddress, BeforeValidator(_http_address)]

Url = Annotated[str, AfterValidator(_url)]

Variable = Annotated[str, AfterValidator(_variable)]

Name = Annotated[str, AfterValidator(name)]

Named = AfterValidator(_keys(name))
"""For a dictionary whose keys are names."""

Listed = BeforeValidator(listed)

Once = AfterValidator(once)
"""For a list of entries that have a name."""
