"""Asking whether anything changed instead of asking for everything."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Validators:
    """What the server gave with an earlier reply to the same request, and the body that they vouch for."""

    etag: str | None
    last_modified: str | None
    body: bytes = field(repr=False)

    def conditions(self) -> dict[str, str]:
        """The headers that make a request conditional; none when there is nothing to compare."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value and value.isascii()}
