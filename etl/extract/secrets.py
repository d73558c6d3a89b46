"""The credential of a source, and how it is kept out of everything that is shown or stored."""

import base64
import html
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, quote_plus

from etl.errors import ConfigurationError

CONCEALED = "[secret]"

SHORTEST_SURE = 8
"""A shorter value may be part of ordinary words: it is left in bodies, and of a query only its pair is hidden."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """The header that proves who we are; ``variable`` is where its value came from, and all that is ever shown.

    Raises ``ConfigurationError`` when built with a value that no header can carry.
    """

    header: str
    value: str = field(repr=False)
    variable: str

    def __post_init__(self) -> None:
        if not (self.value and self.value.isascii() and self.value.isprintable() and self.value == self.value.strip()):
            raise ConfigurationError(f"the credential in {self.variable} is no plain text on one line; set it again")

    @property
    def spellings(self) -> tuple[str, ...]:
        """The value with and without its prefix (``Bearer``)."""
        return (self.value, self.value.split()[-1])


@dataclass(frozen=True, slots=True)
class Secrets:
    """Values that must be neither shown nor stored; empty ones do not count."""

    values: tuple[str, ...]

    @classmethod
    def of(cls, values: Iterable[str]) -> Self:
        """The secrets in every spelling that a gateway may repeat them in, the longest first."""
        spellings = {text for value in values for text in _spellings(value)}
        return cls(tuple(sorted(filter(None, spellings), key=lambda text: (-len(text), text))))

    def are_in(self, text: str) -> bool:
        """Whether a text gives any of them away."""
        return any(value in text for value in self.values)

    def hide(self, text: str) -> str:
        """The text on one line, without them and without characters that a terminal would obey."""
        for value in self.values:
            text = text.replace(value, CONCEALED)
        return " ".join("".join(char if char.isprintable() else " " for char in text).split())

    def blot(self, body: bytes) -> bytes:
        """The body as it came, unless it repeats a secret."""
        for value in self.values:
            if len(value) >= SHORTEST_SURE:
                body = body.replace(value.encode(), CONCEALED.encode())
        return body


def _spellings(value: str) -> Iterator[str]:
    """A value as it is, in a url, in JSON, in HTML, and in base64, whose padding tells nothing."""
    yield from (value, quote(value), quote(value, safe=""), quote_plus(value), html.escape(value))
    for in_json in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        yield from (in_json, in_json.replace("/", "\\/"))
    for in_base64 in (base64.b64encode, base64.urlsafe_b64encode):
        yield in_base64(value.encode()).decode().rstrip("=")
