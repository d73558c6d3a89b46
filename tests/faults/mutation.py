"""Bodies made of the recorded ones by chance: other encodings, numbers, texts, depths and types, cut and spoilt."""

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.sources.fixtures import FIXTURES

BODIES = {
    kind.name: [path.read_bytes() for path in sorted(kind.glob("*/*.json"))[:12]]
    for kind in sorted(FIXTURES.iterdir())
    if kind.is_dir()
}
"""Some recorded bodies of each kind."""

ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "latin-1", "cp1252")

NUMBERS = (
    *("1e999999999", "-1e-999999999", "1e1000000000000000000000", "0e99999999999", "1e1001", "1e308", "-0", "-0.0"),
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "9" * 400,
        "0." + "0" * 400 + "1",
        "9" * 5000,
        "1.7976931348623157e309",
        "1e-400",
    ),
    *("9223372036854775808", "-9223372036854775809", "4294967296", "0.1", "-1", "0"),
)

TEXTS = (
    *("", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufffe", "\u202egnp.exe", "x" * 10_000, "é" * 3_000, " ", "\n"),
    *("ﷺ" * 700, "ΐ" * 1_000, "İ" * 900, "/" * 50, "o/" * 900, "a" * 1_990, "\U0001f600" * 600, "~1~0/", "1e5", "1_0"),
    *("NaN", "-0", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-14:00", "2026-13-01", "*", "standard", "\\u0000"),
    "".join(f"{number:x}" for number in range(3_000)),
)


class _Raw(str):
    """A number that is written as this text, whatever it says."""

    __slots__ = ()


LARGEST = 10_000
"""Values of a document that is still made larger."""


def mutated(kind: str, chance: Random) -> bytes:
    """A body of a kind, spoilt a few times."""
    document = json.loads(chance.choice(BODIES[kind]))
    for _ in range(chance.choice((1, 1, 2, 5))):
        document = chance.choice(CHANGES if len(_places(document)) < LARGEST else SHRINKING)(document, chance)
    marks: dict[str, str] = {}
    text = json.dumps(_marked(document, marks), ensure_ascii=chance.random() < 0.5)
    for mark, number in marks.items():
        text = text.replace(f'"{mark}"', number)
    return _encoded(text, chance)


def _marked(value: Any, marks: dict[str, str]) -> Any:
    """The same, with a mark where a number is to be written that Python would not write."""
    if isinstance(value, _Raw):
        mark = f"@{len(marks)}@"
        marks[mark] = str(value)
        return mark
    if isinstance(value, dict):
        return {key: _marked(item, marks) for key, item in value.items()}
    return [_marked(item, marks) for item in value] if isinstance(value, list) else value


def _encoded(text: str, chance: Random) -> bytes:
    """The text as bytes, now and then in another encoding, cut or with a byte that does not belong there."""
    roll = chance.random()
    encoding = chance.choice(ENCODINGS) if roll < 0.3 else "utf-8"
    wide = "surrogatepass" if encoding.startswith("utf") else "replace"
    body = bytearray(text.encode(encoding, wide))
    if 0.3 < roll < 0.4:
        del body[chance.randrange(len(body)) :]
    if 0.4 < roll < 0.5:
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body)


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Every container of the document with every key or index in it."""
    found, waiting = [], [document]
    while waiting:
        item = waiting.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        found += [(item, key) for key in keys]
        waiting += [item[key] for key in keys]
    return found


def _at_random(change: Callable[[Any, Any, Random], None]) -> Callable[[Any, Random], Any]:
    def changed(document: Any, chance: Random) -> Any:
        places = _places(document)
        if places:
            change(*chance.choice(places), chance)
        return document

    return changed


def _number(holder: Any, key: Any, chance: Random) -> None:
    holder[key] = _Raw(chance.choice(NUMBERS))


def _text(holder: Any, key: Any, chance: Random) -> None:
    holder[key] = chance.choice(TEXTS)


def _type(holder: Any, key: Any, chance: Random) -> None:
    holder[key] = chance.choice((None, True, [], {}, [holder[key]], {"x": holder[key]}, str(holder[key])[:50], 7))


def _name(holder: Any, key: Any, chance: Random) -> None:
    if isinstance(holder, dict):
        holder[chance.choice(TEXTS)] = holder[key]


def _again(holder: Any, key: Any, chance: Random) -> None:
    if isinstance(holder, list):
        holder += [copy.deepcopy(holder[key]) for _ in range(chance.choice((1, 3, 50)))]


def _gone(holder: Any, key: Any, _: Random) -> None:
    del holder[key]


def _deep(holder: Any, key: Any, chance: Random) -> None:
    for _ in range(chance.choice((20, 99, 101, 300))):
        holder[key] = [holder[key]]


def _many(document: Any, chance: Random) -> Any:
    """A list of the document with thousands of something in it that is no record."""
    lists = [holder[key] for holder, key in _places(document) if isinstance(holder[key], list)]
    if lists:
        what: Any = chance.choice((0, None, {}, "", [], {"id": ""}))
        chance.choice(lists).extend(copy.deepcopy(what) for _ in range(3_000))
    return document


def _other(_: Any, chance: Random) -> Any:
    """Something that is no catalog, or that of another kind."""
    return chance.choice(
        (None, 0, "", [], {}, [[]], {"data": 1}, {"models": None}, json.loads(chance.choice(BODIES["bifrost"])))
    )


CHANGES = (
    *(
        _at_random(change)
        for change in (_number, _number, _text, _text, _text, _type, _type, _name, _again, _gone, _deep)
    ),
    _many,
    _other,
)

SHRINKING = tuple(_at_random(change) for change in (_number, _text, _gone))
"""What makes no document much larger."""
