"""dlt's merge with the strategy scd2: ``… default|arrow URL FILE TIME``, in dlt's own environment.

The clock starts when the rows are in memory, as dicts or as an Arrow table, and dlt knows its destination.
"""

import os
import sys
import tempfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks._peers.measuring import measure

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

import dlt
import pyarrow as pa
import pyarrow.csv
from dlt.sources.helpers.transform import add_row_hash_to_table

TEXTS = ("model_id", "provider", "region", "plan", "meter", "currency", "price_state")
NAMES = (*TEXTS[:5], "tier_start", *TEXTS[5:], "unit_price")
SCHEMA = pa.schema(
    [
        (name, pa.decimal128(38, 20) if name == "unit_price" else pa.int64() if name == "tier_start" else pa.string())
        for name in NAMES
    ]
)
HINTS: dict[str, Any] = {
    "tier_start": {"data_type": "bigint"},
    "unit_price": {"data_type": "decimal", "precision": 38, "scale": 20},
}
"""What dlt cannot tell by itself: its decimals have nine places."""


def dicts(file: Path) -> list[dict[str, Any]]:
    """The rows as dlt takes them by default."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = dict(zip(NAMES, line.split("\t"), strict=True))
        found.append(row | {"tier_start": int(row["tier_start"]), "unit_price": Decimal(row["unit_price"])})
    return found


def table(file: Path) -> Any:
    """The rows as an Arrow table."""
    return pa.Table.from_pylist(dicts(file), schema=SCHEMA)


def main(form: str, url: str, file: str, observed_at: str) -> None:
    """Measure one load."""
    rows = dicts(Path(file)) if form == "default" else table(Path(file))
    disposition = {
        "disposition": "merge",
        "strategy": "scd2",
        "boundary_timestamp": datetime.fromisoformat(observed_at),
        "validity_column_names": ["valid_from", "valid_to"],
    }
    if form == "arrow":
        disposition["row_version_column_name"] = "row_hash"

    resource = dlt.resource([rows], name="price", write_disposition=disposition, columns=dict(HINTS))
    if form == "arrow":
        resource.add_map(add_row_hash_to_table("row_hash"))
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench", destination=dlt.destinations.postgres(url), dataset_name="bench", pipelines_dir=folder
        )
        pipeline.sync_destination()
        measure(lambda: pipeline.run(resource).raise_on_failed_jobs())


if __name__ == "__main__":
    main(*sys.argv[1:])
