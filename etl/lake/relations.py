"""What is exported: relations of the mart, how each is cut into partitions, and by what its rows are ordered."""

from dataclasses import dataclass

_PRICE = ("model_id", "provider", "region", "plan", "meter", "tier_start")
_ENDPOINT = ("model_id", "provider", "region")


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """A view of the mart.

    ``dated_by`` is the moment whose month cuts it into partitions, together with the source; null: one partition.
    Rows come in the order of ``key``, which decides it for all of them; ``group`` of them make a row group of a file.
    """

    name: str
    key: tuple[str, ...]
    dated_by: str | None = None
    has_source: bool = True
    group: int = 65_536


RELATIONS = (
    Relation(name="price_history", key=(*_PRICE, "valid_from"), dated_by="valid_from"),
    Relation(name="model_history", key=("model_id", "valid_from"), dated_by="valid_from", group=8_192),
    Relation(name="endpoint_history", key=(*_ENDPOINT, "valid_from"), dated_by="valid_from", group=8_192),
    Relation(name="price_change", key=(*_PRICE, "changed_at", "change", "currency"), dated_by="changed_at"),
    Relation(
        name="catalog_change",
        key=(*_ENDPOINT, "changed_at", "entity", "change", "attribute"),
        dated_by="changed_at",
        group=8_192,
    ),
    Relation(name="snapshot", key=("snapshot_id",), dated_by="observed_at"),
    Relation(name="source", key=()),
    Relation(name="provider", key=("provider",), group=8_192),
    Relation(name="author", key=("author",), group=8_192),
    Relation(name="model_link", key=("model_id",)),
    Relation(name="canonical_model", key=("canonical_id",), has_source=False),
    Relation(name="meter", key=("number",), has_source=False),
    Relation(name="fx_rate", key=("currency", "valid_from"), has_source=False),
    Relation(name="margin", key=("kind", "valid_from"), has_source=False),
)
"""The history, what changed, the log of snapshots, and what these name; what a query makes of them is left out."""
