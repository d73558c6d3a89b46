"""An export as Parquet files in folders, ``source=…/month=2025-10``, with a manifest that is replaced at the end."""

import hashlib
import re
from collections.abc import Iterator

import pyarrow as pa

from etl.files import atomic
from etl.lake import manifest as manifests
from etl.lake.export import entry_of
from etl.lake.manifest import FileEntry, Manifest, TableEntry
from etl.lake.parts import NAME, Part
from etl.lake.place import Place
from etl.lake.relations import RELATIONS
from etl.lake.stream import Extent

_PART = re.compile(rf"{NAME.pattern}\.part|{atomic.PART}")


class Folders:
    """Writes what is not there, and takes out, in the end, what was ours and is not wanted any more."""

    def __init__(self, place: Place, before: Manifest | None) -> None:
        self.written = 0
        self._place = place
        self._before = before.files if before else {}
        self._there = place.listed() if before else {}

    def schema(self, extent: Extent) -> pa.Schema:
        """The columns of the files of a table."""
        return extent.schema

    def put(self, extent: Extent, files: Iterator[Part]) -> TableEntry:
        """Have the files of a table there. Raises ``ExportError``."""
        name = extent.relation.name
        return entry_of(extent, [self._put(name, file) for file in files])

    def _put(self, table: str, file: Part) -> FileEntry:
        entry = FileEntry.of(file, f"{table}/{file.path}")
        if entry != self._before.get(entry.path) or self._there.get(entry.path) != entry.bytes:
            self._place.write(entry.path, file.content)
            self.written += 1
        return entry

    def publish(self, manifest: Manifest) -> Manifest:
        """Replace the manifest, then remove the files that only former exports, finished or not, wanted."""
        manifests.write(self._place, manifest)
        for relation in RELATIONS:
            for path in self._place.listed(relation.name):
                if path not in manifest.files and self._is_ours(path):
                    self._place.delete(path)
        return manifest

    def _is_ours(self, path: str) -> bool:
        """Whether an export wrote a file: a former manifest names it, or it has the name of its own content."""
        name = path.rpartition("/")[2]
        if path in self._before or _PART.fullmatch(name):
            return True
        if not NAME.fullmatch(name):
            return False
        return name.startswith(hashlib.sha256(self._place.read(path) or b"").hexdigest())
