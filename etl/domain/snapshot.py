"""Pages as they came and snapshots made of them; JSON is read here, with exact decimals."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from etl.domain.garbage import uncollected
from etl.errors import ContractError

NOT_MODIFIED = 304

DEEPEST = 100
"""Levels of nesting; the deepest catalogs have a dozen."""

LONGEST_NUMBER = 1000
"""Digits of a number that is written out; a longer one is no price, and to compute with it would take minutes."""

_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""What in strict JSON may decode to text that Postgres cannot store: raw, it has neither NUL nor lone surrogates."""

_CONTAINERS = frozenset((dict, list))

_BAD_CHARACTERS = re.compile("[\x00\ud800-\udfff]")


class Origin(StrEnum):
    """Where a snapshot came from."""

    RUN = "run"
    BACKFILL = "backfill"


@dataclass(frozen=True, kw_only=True, slots=True)
class PageRequest:
    """One GET relative to the source's url: ``path`` begins with a slash, ``params`` are in order."""

    path: str
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """One HTTP reply, byte for byte (after content decoding).

    ``number`` counts from 1. ``url`` never holds a secret; for a backfilled page it is the file's name.
    ``headers`` have lower-case names and no secrets. A reply 304 carries the body that it confirms.
    """

    number: int
    url: str
    status: int
    body: bytes = field(repr=False)
    fetched_at: datetime
    request: PageRequest | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def sha256(self) -> bytes:
        """The digest of the body, by which content is stored once."""
        return hashlib.sha256(self.body).digest()

    @cached_property
    def document(self) -> Any:
        """The decoded body, read once; fractions are ``Decimal``, text is storable in Postgres.

        Raises ``ContractError`` saying what came instead when it is no JSON.
        """
        with uncollected():
            return self._read()

    def _read(self) -> Any:
        try:
            value, is_storable = _decode(self.body)
        except (ValueError, RecursionError) as error:
            raise ContractError(f"{self.url} sent {self._what(error)}") from None
        if _is_deep(value):
            raise ContractError(f"{self.url} sent JSON nested too deeply ({len(self.body)} bytes)")
        return value if is_storable else _storable(value)

    def _what(self, error: Exception) -> str:
        """What the body is, in a few words, when it is not JSON."""
        kind = self.headers.get("content-type", "")
        start = self.body[:200].lstrip().lower()
        if not start:
            return "an empty body where JSON was expected"
        if start.startswith((b"<!doctype", b"<html")) or "html" in kind:
            return "HTML where JSON was expected: check url and path of the source"
        if isinstance(error, RecursionError):
            return f"JSON nested too deeply ({len(self.body)} bytes)"
        return f"no JSON ({len(self.body)} bytes, {kind or 'no content type'}): {error}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """All pages of one walk over one source; ``observed_at`` is when the first reply arrived (aware, UTC)."""

    source: str
    kind: str
    observed_at: datetime
    origin: Origin
    pages: tuple[Page, ...]

    @property
    def fingerprint(self) -> bytes:
        """One digest of all pages' contents in order: equal exactly when the bytes are equal."""
        return hashlib.sha256(b"".join(page.sha256 for page in self.pages)).digest()


def _decode(body: bytes) -> tuple[Any, bool]:
    """The decoded body, and whether every text in it is known to be storable.

    Strict and fast first, as UTF-8. What that refuses (a byte order mark, UTF-16 and UTF-32, NaN, lone surrogates, huge
    integers) is read tolerantly. NaN and the infinities stay words: they equal themselves and are no amount.
    """
    try:
        return _STRICT.decode(body), _UNSTORABLE.search(body) is None
    except (msgspec.DecodeError, ValueError):
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        return json.loads(text, parse_float=_decimal, parse_int=_integer, parse_constant=str), False


def _integer(text: str) -> int | Decimal | str:
    """An integer, or a ``Decimal`` where it is too long to be meant as a count."""
    return int(text) if len(text) < 40 else _decimal(text)


def _decimal(text: str) -> Decimal | str:
    """A number with all its digits; one without an end, or with an exponent without one, becomes words, as NaN does."""
    if len(text) > LONGEST_NUMBER:
        return f"a number of {len(text)} digits"
    try:
        value = Decimal(text)
    except InvalidOperation:  # 1e1000000000000000000000: an exponent that not even a Decimal holds.
        return f"the number {text:.40}"
    return value if abs(value.adjusted()) < LONGEST_NUMBER else f"the number {text:.40}"


_STRICT = msgspec.json.Decoder(float_hook=_decimal)


def _is_deep(value: Any) -> bool:
    """Whether JSON is nested so deeply that whoever walks through it by recursion would fall off the stack."""
    level: list[Any] = [[value]]
    for _ in range(DEEPEST):
        level = [
            child
            for item in level
            for child in (item.values() if type(item) is dict else item)
            if type(child) in _CONTAINERS
        ]
    return any(level)


def storable(text: str) -> str:
    """The same text with U+FFFD for every character that Postgres cannot store: NUL and lone surrogates."""
    return _BAD_CHARACTERS.sub("\ufffd", text)


def _storable(value: Any) -> Any:
    """The same JSON with U+FFFD for every character that Postgres cannot store."""
    match value:
        case str():
            return storable(value)
        case list():
            return [_storable(item) for item in value]
        case dict():
            return {_storable(key): _storable(item) for key, item in value.items()}
        case _:
            return value
