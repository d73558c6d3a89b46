"""Values that must be neither shown nor stored, and how texts are kept free of them."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, quote_plus, unquote_plus

CONCEALED = "[secret]"

SHORTEST_SURE = 8
"""A shorter value may be part of ordinary words: it is left in bodies, and of a query only its pair is hidden."""

_PATTERNS = (
    # The user-info of a url, unless its password is hidden already.
    re.compile(r"(?<=://)(?![^\s/?#@]*:\*\*\*@)[^\s/?#]*(?=@)"),
    re.compile(r"(?<=bearer )[^\s\"',;]+", re.IGNORECASE),
)
"""What is a secret by the place where it stands, whoever knows it."""

_SECRET_NAME = re.compile(r"key|token|secret|passw|pwd|auth|sig|credential|access", re.IGNORECASE)
"""Names of parameters whose values are secrets, whatever they are called exactly."""

_HARMLESS = frozenset({"sslkey", "require_auth", "oauth_issuer", "oauth_client_id", "oauth_scope"})
"""Parameters of libpq that look like secrets and name a file, a method or an issuer."""

_PARAMETER = re.compile(r"(?<=[?&])([^\s=&?#\"'<>]+)=([^\s&?#\"'<>]+)")
"""A parameter in the query of a url."""

_SETTING = re.compile(r"(?<![\w.])([\w.]+)=(\S+)")
"""``name=value`` inside a parameter, such as ``options=-c app.token=…``."""

_KEYWORD = re.compile(r"\b(\w*passw(?:or)?d|\w*secret) ?= ?('(?:\\.|[^'\\])*'|[^\s&'\"]+)", re.IGNORECASE)
"""A secret in a connection string of libpq: ``password=…``, ``sslpassword = '…'``."""


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
        return on_one_line(text)

    def blot(self, body: bytes) -> bytes:
        """The body as it came, unless it repeats a secret."""
        for value in self.values:
            if len(value) >= SHORTEST_SURE and value.encode() in body:
                body = body.replace(value.encode(), CONCEALED.encode())
        return body


def _spellings(value: str) -> Iterator[str]:
    """A value as it is, in a url, in JSON, in HTML, and in base64, whose padding tells nothing."""
    yield from (
        value,
        quote(value),
        quote(value, safe=""),
        quote(value, safe=" +"),
        quote_plus(value),
        html.escape(value),
    )
    for in_json in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        yield from (in_json, in_json.replace("/", "\\/"))
    for in_base64 in (base64.b64encode, base64.urlsafe_b64encode):
        yield in_base64(value.encode()).decode().rstrip("=")


class Known:
    """The secrets that this process was told of: the one thing that it remembers on its own."""

    told: frozenset[str] = frozenset()
    secrets = Secrets(())


def conceal(values: Iterable[str | None]) -> None:
    """Keep these values, too, out of whatever is said from now on: events, complaints, tracebacks, spans.

    One shorter than ``SHORTEST_SURE`` is hidden only where it stands in a url or behind ``Bearer``.
    """
    Known.told |= {value for value in values if value and len(value) >= SHORTEST_SURE}
    Known.secrets = Secrets.of(Known.told)


def redacted(text: str) -> str:
    """A text without any secret that this process knows, or that stands where only secrets do."""
    for value in Known.secrets.values:
        text = text.replace(value, CONCEALED)
    return without_url_secrets(text)


def without_url_secrets(text: str) -> str:
    """Return the text without any secret that stands in a url or a connection string, in whatever form."""
    for pattern in _PATTERNS:
        text = pattern.sub(CONCEALED, text)
    return without_secret_parameters(text)


def without_secret_parameters(text: str, mark: str = CONCEALED) -> str:
    """Return the text with a mark for each secret that is a parameter of a url or of a connection string."""
    text = _PARAMETER.sub(lambda found: f"{found[1]}={mark}" if _is_telling(found) else found[0], text)
    return _KEYWORD.sub(lambda found: found[0] if "***" in found[2] else f"{found[1]}={mark}", text)


def secret_values(name: str, value: str) -> Iterator[str]:
    """Return what of a url's parameter, percent-decoded, is a secret: the value, or those of the settings inside it."""
    if _names_secret(name) or without_url_secrets(value) != value:
        yield value
    yield from (each for inner, each in _SETTING.findall(value) if _names_secret(inner))


def _is_telling(parameter: re.Match[str]) -> bool:
    """Whether the value of a parameter in a query is a secret or holds one, such as another url."""
    name, value = map(unquote_plus, parameter.groups())
    if "***" in value or value == CONCEALED:
        return False
    return any(secret_values(name, value))


def _names_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and name.lower() not in _HARMLESS


def on_one_line(text: str) -> str:
    """The text on one line, without characters that a terminal would obey."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
