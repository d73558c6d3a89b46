"""The records of one snapshot, told by their digests: what says the same in the same bytes need not be read again."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import msgspec


class Record(NamedTuple):
    """One record as it was read: a model with so many endpoints and prices, the finest of these in ``decimals``.

    ``digest`` is of its bytes as they came. ``decimals`` is null when no price tells.
    """

    digest: bytes
    model_id: str
    endpoints: int
    prices: int
    decimals: int | None


@dataclass(frozen=True)
class Records:
    """All records of a snapshot in their order, and the digest of what stands around them."""

    envelope: bytes
    each: tuple[Record, ...]

    @cached_property
    def by_digest(self) -> dict[bytes, Record]:
        """The records by their digests; no two have the same."""
        return {record.digest: record for record in self.each}

    @property
    def models(self) -> int:
        """How many models they make."""
        return len(self.each)

    @cached_property
    def endpoints(self) -> int:
        """How many endpoints they make."""
        return sum(record.endpoints for record in self.each)

    @cached_property
    def prices(self) -> int:
        """How many prices they make."""
        return sum(record.prices for record in self.each)

    @property
    def decimals(self) -> int | None:
        """The most digits after the point of any figure that is quoted per single unit; null when none is."""
        return max((record.decimals for record in self.each if record.decimals is not None), default=None)

    def says_as(self, other: "Records") -> bool:
        """Whether both say the same, in whatever order."""
        return self.envelope == other.envelope and self.by_digest.keys() == other.by_digest.keys()

    def pack(self) -> bytes:
        """As bytes to keep."""
        return msgspec.msgpack.encode((self.envelope, self.each))

    @classmethod
    def unpack(cls, packed: bytes) -> "Records":
        """From the bytes that were kept. Raises ``ValueError`` when they are none of ours."""
        return cls(*_DECODER.decode(packed))


_DECODER = msgspec.msgpack.Decoder(tuple[bytes, tuple[Record, ...]])
