"""What pydantic found wrong, as the one line that a person needs: file or variable, key, remedy."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from etl.config.hints import hint
from etl.config.layout import NESTED, PREFIX, Step, model_at, place_of, variable
from etl.config.settings import Settings

_SAID_BETTER = {
    "time_delta_parsing": "Write a time like 90s, 30m, 36h or 2d",
    "time_delta_type": "Write a time like 90s, 30m, 36h or 2d",
    "model_type": "Write it as a table, with its keys below its name in brackets",
    "dict_type": "Write it as a table, with its keys below its name in brackets",
    "missing": "Field required: add the key",
}
"""Where pydantic speaks of its own types."""


def fault(error: ValidationError, file: Path, values: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """The first fault in one line; ``values`` are those of the file."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    # A misspelt key is also a missing one; the misspelling is what a person can see.
    first = min(found, key=lambda each: each["type"] != "extra_forbidden")
    steps = _named(first["loc"])
    given = {name.upper(): value for name, value in environ.items() if value}
    culprit = _culprit(steps, values, given)
    source = f"environment: {culprit}" if culprit else str(file)
    place = "" if culprit and culprit == variable(steps) else f": {place_of(steps)}"
    if first["type"] != "extra_forbidden":
        return f"{source}{place}: {_SAID_BETTER.get(first['type'], first['msg'])}"
    known = model_at(steps[:-1]).model_fields
    return f"{source}: unknown key {place_of(steps)}; {hint(str(steps[-1]), known, 'known keys')}"


def unreadable(error: Exception, environ: Mapping[str, str]) -> str:
    """Which variable holds no JSON where a table or a list is expected; its value is not repeated."""
    named = [
        name
        for name, value in environ.items()
        if name.upper().startswith(PREFIX) and f'"{_field(name)}"' in str(error) and _decoded(value) is None
    ]
    written = [name for name in named if environ[name].lstrip()[:1] in ("[", "{")]
    culprit = next(iter(written or named), PREFIX)
    return f'environment: {culprit}: no valid JSON: write it like {{"key": "value"}} or [{{"key": "value"}}]'


def _field(name: str) -> str:
    return name.upper().removeprefix(PREFIX).partition(NESTED)[0].lower()


def _named(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The path by the names of the keys, where pydantic names the variable instead."""
    keys = {field.validation_alias: key for key, field in Settings.model_fields.items() if field.validation_alias}
    return (keys.get(str(steps[0]), steps[0]), *steps[1:])


def _culprit(steps: Sequence[Step], values: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    """The variable that holds what is wrong; null when the file does. What reaches further along the path does."""
    in_file = _reach(values, steps)
    for count in range(len(steps), 0, -1):
        name = variable(steps[:count])
        if name in environ and count + _reach(_decoded(environ[name]), steps[count:]) >= in_file:
            return name
    return None


def _reach(value: Any, steps: Sequence[Step]) -> int:
    """How many steps of a path there are in a value."""
    for count, step in enumerate(steps):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return count
    return len(steps)


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
