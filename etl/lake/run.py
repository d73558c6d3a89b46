"""An export from its beginning to its end, whatever it is written as."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from etl.lake.export import Progress, Shelf, Task, begun, export
from etl.lake.folders import Folders
from etl.lake.manifest import Manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was exported; ``written`` files of it are new, all others were there already."""

    manifest: Manifest
    written: int


def run(engine: Engine, task: Task, progress: Progress) -> Exported:
    """Export the history of a warehouse, whole or not at all.

    Raises ``ConfigurationError`` when nothing was started, ``ExportError`` and ``DBAPIError``.
    """
    with begun(task) as before, _shelf(task, before) as shelf:
        manifest = export(engine, task, shelf, before, progress)
        return Exported(manifest=manifest, written=shelf.written)


@contextmanager
def _shelf(task: Task, before: Manifest | None) -> Iterator[Shelf]:
    if task.kind == "parquet":
        yield Folders(task.place, before)
        return
    # Importing Iceberg takes as long as a small export.
    from etl.lake.iceberg import Tables, catalog_at  # noqa: PLC0415

    with catalog_at(task.place, task.catalog) as catalog:
        yield Tables(task.place, catalog)
