"""What one walk may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds of one walk, in seconds, bytes and counts.

    ``timeout_seconds`` is for all of it: bodies, retries, waits and walking again included.
    ``max_page_bytes`` counts after decompression; from it follow ``max_walk_bytes`` for all pages together, and
    ``max_values``, because a JSON value takes up to a hundred bytes of memory, however short it is.
    ``max_wait_seconds`` is the longest ``Retry-After`` that is honoured; a longer one gives up at once. The wait
    between attempts begins at ``backoff_seconds`` and doubles up to ``max_backoff_seconds``, with up to
    ``jitter_seconds`` added by chance. ``pause_seconds`` lies between two walks, when the first contradicted itself.
    """

    timeout_seconds: float = 120
    connect_seconds: float = 10
    read_seconds: float = 30
    max_page_bytes: int = 64 * 1024 * 1024
    max_pages: int = 500
    max_redirects: int = 5
    max_attempts: int = 5
    max_wait_seconds: float = 60
    backoff_seconds: float = 0.5
    max_backoff_seconds: float = 20
    jitter_seconds: float = 0.5
    pause_seconds: float = 2

    @property
    def max_walk_bytes(self) -> int:
        """Bytes of all pages of a walk: they are in memory together, so that many may weigh no more than one."""
        return self.max_page_bytes

    @property
    def max_values(self) -> int:
        """JSON values of a walk: a million by default, of which the largest catalogs have a fifth."""
        return max(10_000, self.max_page_bytes // 64)
