"""Settings in words: how a value is written, which it may be, and a value as TOML has it."""

import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from etl.config.values import HttpAddress
from etl.cron import Cron

_WORDS: dict[type, str] = {
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    str: "text",
    timedelta: "time span",
    datetime: "date or time",
    Decimal: "amount",
    Path: "path",
    Cron: "cron expression",
    HttpAddress: "`host:port`, or a port",
}

_SPANS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def written(field: FieldInfo) -> str:
    """How a value of a field is written, with its bounds, in words."""
    return ", ".join([_words(field.annotation), *_bounds(field.metadata)])


def value_of(field: FieldInfo) -> Any:
    """The default of a field, or an example where it has none that is the same everywhere."""
    if field.default is PydanticUndefined or field.default is None:
        return (field.examples or [None])[0]
    return field.default


def has_default(field: FieldInfo) -> bool:
    """Whether a field has a value, the same everywhere, when nothing is said."""
    return field.default is not PydanticUndefined and field.default is not None


def toml(value: Any) -> str:
    """A value as it stands in the file."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float() | Decimal() | date():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            pairs = ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case timedelta():
            return f'"{span(value)}"'
        case _:
            return json.dumps(value.expression if isinstance(value, Cron) else str(value), ensure_ascii=False)


def span(value: timedelta) -> str:
    """A time span in the largest unit that divides it."""
    seconds = int(value.total_seconds())
    unit = next(unit for unit, length in _SPANS.items() if seconds % length == 0 and (seconds or length == 1))
    return f"{seconds // _SPANS[unit]}{unit}"


def _words(annotation: Any) -> str:
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{toml(value)}`" for value in arguments)
    if get_origin(annotation) is dict:
        return f"table of {_words(arguments[1])}s"
    if get_origin(annotation) in (list, tuple):
        return f"list of {_words(arguments[0])}s"
    found = [annotation, *arguments]
    known = [_WORDS[part] for part in found if isinstance(part, type) and part in _WORDS]
    return known[0] if known else _words(next(part for part in arguments if part is not type(None)))


def _bounds(metadata: Iterable[Any]) -> list[str]:
    """The bounds of numbers; those of time spans are said once for all."""
    found = {type(bound): getattr(bound, str(type(bound).__name__).lower(), None) for bound in metadata}
    least, above, most = found.get(Ge), found.get(Gt), found.get(Le)
    if isinstance(most, timedelta) or isinstance(least, timedelta):
        return ["more than 0"] if above is not None else []
    if least is not None and most is not None:
        return [f"{least} to {most}"]
    said = [(least, "at least"), (above, "more than"), (most, "at most")]
    return [f"{words} {bound}" for bound, words in said if bound is not None]
