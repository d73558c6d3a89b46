"""The very text that stands at a JSON pointer (RFC 6901): numbers as they are spelled, strings with quotes and escapes.

It is cut out of the body and never written anew. What our reading of pages accepts can be quoted, NaN and lone
surrogates included; of two members with one name the last one speaks, as it does there.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_SCANNER = json.JSONDecoder(parse_float=str, parse_int=str, strict=False)
_SPACE = re.compile(r"[ \t\n\r]*")


class _Span(NamedTuple):
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Body:
    """One JSON body of which texts are quoted; what was stepped through once is remembered."""

    text: str
    root: _Span
    _spans: dict[_Span, dict[str, _Span]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, body: bytes) -> "Body":
        """The body in whatever encoding JSON can come. Raises ``ValueError`` when it is none."""
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        return cls(text, _value_at(text, 0))

    def quoted(self, pointer: str) -> str:
        """The text at a pointer. Raises ``LookupError`` when nothing stands there."""
        span = self.root
        for step in _steps(pointer):
            found = self._members(span).get(step)
            if found is None:
                raise LookupError(f"nothing stands at {pointer}")
            span = found
        return self.text[span.start : span.end]

    def _members(self, span: _Span) -> dict[str, _Span]:
        """The values within a container by name or index; none in what is no container."""
        if span not in self._spans:
            walk = {"{": self._of_object, "[": self._of_array}.get(self.text[span.start])
            self._spans[span] = dict(walk(span.start)) if walk else {}
        return self._spans[span]

    def _of_object(self, start: int) -> Iterator[tuple[str, _Span]]:
        at = _space(self.text, start + 1)
        while self.text[at] != "}":
            name, end = _SCANNER.raw_decode(self.text, at)
            value = _value_at(self.text, _space(self.text, end) + 1)
            yield name, value
            at = self._after(value)

    def _of_array(self, start: int) -> Iterator[tuple[str, _Span]]:
        at, index = _space(self.text, start + 1), 0
        while self.text[at] != "]":
            value = _value_at(self.text, at)
            yield str(index), value
            at, index = self._after(value), index + 1

    def _after(self, value: _Span) -> int:
        """Where the next member begins, or the container ends."""
        at = _space(self.text, value.end)
        return _space(self.text, at + 1) if self.text[at] == "," else at


def _value_at(text: str, at: int) -> _Span:
    """Where the value begins and ends that comes next."""
    start = _space(text, at)
    return _Span(start, _SCANNER.raw_decode(text, start)[1])


def _space(text: str, at: int) -> int:
    """Where the space ends that may stand here."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _steps(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise LookupError(f"{pointer} is no JSON pointer: it begins with a slash")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
