"""Asking whether anything changed instead of asking for everything."""

from dataclasses import dataclass, field

LONGEST = 1024
"""Characters of a validator that is kept and sent; a longer one may be what the server then refuses to read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Validators:
    """What the server gave with an earlier reply from ``url`` (as it may be shown), and the body that they vouch for.

    They say nothing of any other url: two gateways may well use the same ETag.
    """

    url: str
    etag: str | None
    last_modified: str | None
    body: bytes = field(repr=False)

    def conditions(self, url: str) -> dict[str, str]:
        """The headers that make a request of ``url`` conditional; none when there is nothing to compare."""
        if url != self.url:
            return {}
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value and is_sendable(value)}


def is_sendable(value: str) -> bool:
    """Whether a header of a request can hold a validator."""
    return value.isascii() and len(value) <= LONGEST
