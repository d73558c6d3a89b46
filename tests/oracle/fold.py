"""The fold of dated readings into versions, and the door to the recorded bodies on disk.

A version is a run of equal value over consecutive snapshots: another value closes it and opens the next, absence
closes it only where the snapshot proves it.
"""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.oracle.exact import Key, Reading, UnreadableError, Value, read_json
from tests.oracle.readings import KINDS

COLUMNS = {
    "models": (("model_id",), ("name", "author", "context_length", "max_output_tokens")),
    "endpoints": (
        ("model_id", "provider", "region"),
        ("provider_model_id", "context_length", "max_output_tokens", "is_ptb"),
    ),
    "prices": (
        ("model_id", "provider", "region", "plan", "meter", "tier_start"),
        ("currency", "price_state", "unit_price"),
    ),
}
Version = dict[str, Any]
History = dict[str, list[Version]]
Snapshots = dict[datetime, Reading]


def bodies(folder: Path) -> dict[datetime, list[bytes]]:
    """The pages of every recorded snapshot of a folder, by the time in their name."""
    found = {}
    for entry in folder.iterdir():
        if not entry.name.startswith("_"):
            pages = sorted(entry.iterdir(), key=lambda page: page.name) if entry.is_dir() else [entry]
            observed_at = datetime.strptime(entry.name.removesuffix(".json"), "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=UTC)
            found[observed_at] = [page.read_bytes() for page in pages if not page.name.startswith("_")]
    return found


def read(kind: str, snapshots: dict[datetime, list[bytes]]) -> Snapshots:
    """What each snapshot says; a body that cannot be understood says nothing and is left out."""
    readings: Snapshots = {}
    for observed_at, pages in sorted(snapshots.items()):
        try:
            readings[observed_at] = KINDS[kind]([read_json(page) for page in pages], kind)
        except (UnreadableError, ValueError):
            continue
    return readings


def fold(readings: Snapshots) -> History:
    """The versions of all three relations after every snapshot, in time order."""
    return {relation: fold_relation(relation, readings) for relation in COLUMNS}


def fold_relation(relation: str, readings: Snapshots) -> list[Version]:
    """The versions of one relation: a dict of what is open, a list of what was ever opened."""
    keys, attributes = COLUMNS[relation]
    running: dict[Key, tuple[Value, Version]] = {}
    versions: list[Version] = []
    for observed_at, reading in sorted(readings.items()):
        seen: dict[Key, Value] = getattr(reading, relation)
        for key in list(running):
            if key not in seen and reading.ends(key):
                running.pop(key)[1]["valid_to"] = observed_at
        for key, value in seen.items():
            if key in running and running[key][0] == value:
                continue
            if key in running:
                running[key][1]["valid_to"] = observed_at
            version = dict(zip((*keys, *attributes), (*key, *value), strict=True))
            version |= {"valid_from": observed_at, "valid_to": None}
            running[key] = (value, version)
            versions.append(version)
    return versions


def history(kind: str, folder: Path) -> History:
    """What the warehouse must hold after loading every snapshot of the folder, for the source named like its kind."""
    return fold(read(kind, bodies(folder)))


def coalesced(relation: str, rows: list[Version]) -> list[Version]:
    """Rows reduced to the oracle's columns, joined where they touch without a difference in them.

    The mart versions a model on more attributes than the oracle knows: this makes the two comparable.
    """
    keys, attributes = COLUMNS[relation]
    by_key: dict[Key, list[Version]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["valid_from"]):
        kept = {name: row[name] for name in (*keys, *attributes, "valid_from", "valid_to")}
        run = by_key[tuple(row[name] for name in keys)]
        before = run[-1] if run else None
        touching = before is not None and before["valid_to"] == kept["valid_from"]
        if before is not None and touching and all(before[name] == kept[name] for name in attributes):
            before["valid_to"] = kept["valid_to"]
        else:
            run.append(kept)
    return [version for run in by_key.values() for version in run]
