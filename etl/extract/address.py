"""Where a gateway lives: what of it may be shown, and that no reply can lead to another origin."""

import base64
from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urljoin, urlsplit

from etl.concealment import SHORTEST_SURE
from etl.domain.snapshot import PageRequest
from etl.errors import ConfigurationError

DEFAULT_PORTS = {"http": 80, "https": 443}


class ForeignOriginError(Exception):
    """A redirect points to another origin; the text is that origin."""


@dataclass(frozen=True, slots=True)
class Address:
    """A configured base url, taken apart. ``origin`` is scheme, host and port; ``prefix`` has no final slash."""

    origin: str
    prefix: str
    query: str
    username: str
    password: str

    @classmethod
    def parse(cls, url: str, source: str) -> Self:
        """Read the configured url of a source. Raises ``ConfigurationError``, not repeating what may be secret."""
        try:
            parts = urlsplit(url.strip())
            origin = _origin(parts)
        except ValueError:
            raise ConfigurationError(f"{source}: its url is none; write it like https://host/path") from None
        username, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(origin, parts.path.rstrip("/"), parts.query, username, password)

    @property
    def basic_authorization(self) -> str | None:
        """The header value for the user-info of the url, which itself is not sent."""
        if not self.username and not self.password:
            return None
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of the url is taken for a secret: the password (or a lone user name) and the values of the query."""
        token = (self.basic_authorization or "").removeprefix("Basic ")
        values = tuple(value for _, value in parse_qsl(self.query) if len(value) >= SHORTEST_SURE)
        return (self.password or self.username, token, *values)

    def of(self, request: PageRequest) -> str:
        """Return the url of a request, without user-info, with the configured query.

        People copy the url of the list itself: ``http://host/v1/models`` means the gateway at ``http://host``.
        """
        path, _, query = request.path.partition("?")
        queries = filter(None, (self.query, query, urlencode(request.params)))
        return f"{self.origin}{self.prefix.removesuffix(path)}{path}?{'&'.join(queries)}".rstrip("?")

    def shown(self, url: str) -> str:
        """A url as people may see it: without user-info, fragment and configured query."""
        parts = urlsplit(url)
        configured = self.query.split("&")
        kept = "&".join(pair for pair in parts.query.split("&") if pair not in configured)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}?{kept}".rstrip("?")

    def redirected(self, current: str, location: str) -> str:
        """Where a redirect leads: our own origin with the path and query of ``location``.

        Raises ``ForeignOriginError`` when it leads elsewhere, ``ValueError`` when it is no url.
        """
        parts = urlsplit(urljoin(current, location))
        if (origin := _origin(parts)) != self.origin:
            raise ForeignOriginError(origin)
        return f"{self.origin}{parts.path or '/'}?{parts.query}".rstrip("?")


def _origin(parts: SplitResult) -> str:
    """Scheme, host and port, the default port left out. Raises ``ValueError``."""
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("neither http://host nor https://host")
    parts.hostname.encode("idna")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
