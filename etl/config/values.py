"""What a setting may be: durations, folders, schedules, addresses, each refused with what to write instead."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, FilePath, InstanceOf
from pydantic_core import PydanticCustomError

from etl.cron import Cron

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class HttpAddress(NamedTuple):
    """Where the daemon listens."""

    host: str
    port: int


def _duration(value: Any) -> Any:
    """Seconds as a number, or a number with a unit: 90s, 30m, 36h, 2d."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", value) if isinstance(value, str) else None
    return timedelta(seconds=float(found[1]) * _UNITS[found[2]]) if found else value


def _at_home(value: Any) -> Any:
    """A path with ``~`` for the user's folder, which no shell has seen when it stands in a file."""
    return Path(value).expanduser() if isinstance(value, str) else value


def _cron(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return Cron(value)
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


Duration = Annotated[timedelta, BeforeValidator(_duration)]

Folder = Annotated[Path, BeforeValidator(_at_home)]

ExistingFile = Annotated[FilePath, BeforeValidator(_at_home)]

Schedule = Annotated[InstanceOf[Cron], BeforeValidator(_cron)]

Listening = Annotated[HttpAddress, BeforeValidator(_http_address)]
