"""The body of one reply, unpacked as it arrives and never beyond the limit, so that no bomb fills the memory."""

import re
import zlib

UNPACKERS = {
    "gzip": (zlib.MAX_WBITS | 16,),
    "x-gzip": (zlib.MAX_WBITS | 16,),
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}
"""The windows to try for each content encoding; servers send ``deflate`` with and without the zlib header."""


class BodyTooLargeError(Exception):
    """More came than the limit allows; what came up to there is kept. The text says how much of what."""


class BodyBrokenError(Exception):
    """The body cannot be unpacked, or ends too early; the text says which."""


def values_in(body: bytes | bytearray) -> int:
    """How many values a JSON text has at most, found without reading it."""
    return sum(map(body.count, (b",", b"[", b"{")))


class Body:
    """Collects one body. ``limit`` is in bytes after decompression; ``encoding`` is the header's value.

    httpx would unpack a whole network read at once, which can be a thousand times its size; here every step
    is bounded by what still fits.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        self._encodings = [name for name in re.split(r"[\s,]+", encoding.lower()) if name not in ("", "identity")]
        self._limit = limit
        self._unpacked = bytearray()
        self._stream: _Stream | None = None

    def __bytes__(self) -> bytes:
        return bytes(self._unpacked)

    @property
    def values(self) -> int:
        """How many JSON values came so far, at most."""
        return values_in(self._unpacked)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes from the wire. Raises ``BodyTooLargeError`` or ``BodyBrokenError``."""
        if not self._encodings:
            self._keep(chunk)
            return
        if self._stream is None:
            self._stream = _Stream(self._windows())
        while chunk:
            unpacked, chunk = self._stream.unpack(chunk, self._limit - len(self._unpacked) + 1)
            self._keep(unpacked)

    def finish(self) -> None:
        """Say that the reply has ended. Raises ``BodyBrokenError`` when the packed stream has not."""
        if self._stream and not self._stream.is_at_end:
            raise BodyBrokenError(f"a {self._encodings[0]} body that ends in the middle")

    def _windows(self) -> tuple[int, ...]:
        if len(self._encodings) > 1 or self._encodings[0] not in UNPACKERS:
            raise BodyBrokenError(f"content encoding {', '.join(self._encodings)[:60]}, which was not asked for")
        return UNPACKERS[self._encodings[0]]

    def _keep(self, data: bytes) -> None:
        room = self._limit - len(self._unpacked)
        self._unpacked += data[:room]
        if len(data) > room:
            raise BodyTooLargeError(f"more than {self._limit:,} bytes in one page")


class _Stream:
    """A packed stream of one or more members."""

    def __init__(self, windows: tuple[int, ...]) -> None:
        self._windows = windows
        self._member: zlib._Decompress | None = None

    @property
    def is_at_end(self) -> bool:
        return self._member is not None and self._member.eof

    def unpack(self, chunk: bytes, most: int) -> tuple[bytes, bytes]:
        """At most ``most`` unpacked bytes, and what of the chunk belongs to another member."""
        if self._member is None or self._member.eof:
            return self._begin(chunk, most)
        try:
            return self._member.decompress(chunk, most), self._member.unused_data
        except zlib.error as error:
            raise BodyBrokenError(f"a packed body that cannot be unpacked ({error})") from None

    def _begin(self, chunk: bytes, most: int) -> tuple[bytes, bytes]:
        """Start a member with the first window that fits."""
        failure = None
        for window in self._windows:
            self._member = zlib.decompressobj(window)
            try:
                return self._member.decompress(chunk, most), self._member.unused_data
            except zlib.error as error:
                failure = error
        raise BodyBrokenError(f"a packed body that cannot be unpacked ({failure})")
