"""An export as Iceberg tables: one snapshot of a table for each export that changes it, all former ones kept.

The files of all tables are written first; then each table moves to its next snapshot in one step. Nothing is removed:
which snapshots are still wanted is for whoever maintains the tables to say.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError, ValidationException
from pyiceberg.manifest import DataFile
from pyiceberg.schema import Schema
from pyiceberg.table import Transaction
from sqlalchemy.exc import SQLAlchemyError

from etl.concealment import redacted
from etl.database.engine import database_url
from etl.errors import ConfigurationError, ExportError, in_short
from etl.lake import manifest as manifests
from etl.lake.export import entry_of
from etl.lake.iceberg_types import data_file, evolve, numbered, schema_of, spec_of
from etl.lake.manifest import FileEntry, Manifest, TableEntry
from etl.lake.parts import Part
from etl.lake.place import Place
from etl.lake.stream import Extent

NAMESPACE = "mart"
CATALOG = "catalog.db"

_ONCE = {"commit.retry.num-retries": "0"}
"""What an export replaces is what it saw: on top of another's change it would leave rows twice."""


@dataclass(kw_only=True, slots=True)
class _Table:
    """A table on its way to its next snapshot: the files that it has now, and those that it shall have."""

    transaction: Transaction
    is_changed: bool
    there: dict[str, DataFile]
    wanted: dict[str, DataFile] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """Its columns, as they shall be."""
        return self.transaction.table_metadata.schema()


@contextmanager
def catalog_at(place: Place, url: str | None) -> Iterator[SqlCatalog]:
    """The catalog in a Postgres database, or, where none is named, in an SQLite file beside the tables.

    Raises ``ConfigurationError``.
    """
    if url is None and not place.is_local:
        raise ConfigurationError(f"{place.shown} can hold no catalog: name a Postgres database by --catalog")
    if "?" in place.uri:
        raise ConfigurationError(f"{place.shown}: Iceberg needs a location without options behind a question mark")
    if urlsplit(place.uri).password:
        # Tables and manifest tell where their files are.
        raise ConfigurationError(f"{place.shown}: Iceberg records its location: leave the credentials out of it")
    address = f"sqlite:///{place.root}/{CATALOG}"
    if url is not None:
        address = database_url(url, "--catalog").render_as_string(hide_password=False)
    try:
        catalog = SqlCatalog("etl", uri=address, warehouse=place.uri)
    except SQLAlchemyError as error:
        where = redacted(url) if url else f"{place.shown}/{CATALOG}"
        raise ConfigurationError(f"no catalog at {where}: {in_short(error)}") from None
    try:
        yield catalog
    finally:
        catalog.close()


class Tables:
    """Writes files that no table knows yet, then has the tables know them and no others."""

    def __init__(self, place: Place, catalog: SqlCatalog) -> None:
        self.written = 0
        self._place = place
        self._catalog = catalog
        self._tables: dict[str, _Table] = {}

    def schema(self, extent: Extent) -> pa.Schema:
        """The columns of the files of a table, each with the number by which the table knows it."""
        with self._explained():
            table = self._tables[extent.relation.name] = self._begun(extent)
        return pa.schema([numbered(each, table.schema) for each in extent.schema])

    def put(self, extent: Extent, files: Iterator[Part]) -> TableEntry:
        """Have the files of a table there. Raises ``ExportError``."""
        name = extent.relation.name
        return entry_of(extent, [self._put(name, file) for file in files])

    def publish(self, manifest: Manifest) -> Manifest:
        """Commit the tables that differ, then replace the manifest. Raises ``ExportError``."""
        with self._explained():
            self._catalog.create_namespace_if_not_exists(NAMESPACE)
            tables = tuple(self._committed(entry, manifest) for entry in manifest.tables)
        done = msgspec.structs.replace(manifest, tables=tables)
        manifests.write(self._place, done)
        return done

    def _begun(self, extent: Extent) -> _Table:
        name, wanted = (NAMESPACE, extent.relation.name), schema_of(extent)
        location = f"{self._place.uri}/{extent.relation.name}"
        try:
            present = self._catalog.load_table(name)
        except NoSuchTableError:
            spec = spec_of(extent.relation, wanted)
            new = self._catalog.create_table_transaction(
                name, wanted, location=location, partition_spec=spec, properties=_ONCE
            )
            return _Table(transaction=new, is_changed=True, there={})
        if present.location() != location:
            raise ConfigurationError(
                f"the catalog knows {'.'.join(name)} at {present.location()}: name that place, or another catalog"
            )
        transaction = present.transaction()
        is_changed = evolve(transaction, wanted)
        there = {task.file.file_path: task.file for task in present.scan().plan_files()}
        return _Table(transaction=transaction, is_changed=is_changed, there=there)

    def _put(self, name: str, file: Part) -> FileEntry:
        table, path = self._tables[name], f"{name}/data/{file.path}"
        location = f"{self._place.uri}/{path}"
        known = table.there.get(location)
        if known is None:
            self._place.write(path, file.content)
            self.written += 1
        table.wanted[location] = known or data_file(table.transaction, location, file)
        return FileEntry.of(file, path)

    def _committed(self, entry: TableEntry, manifest: Manifest) -> TableEntry:
        """Move a table to its next snapshot, if anything of it differs."""
        table = self._tables[entry.name]
        new = [table.wanted[path] for path in table.wanted.keys() - table.there.keys()]
        old = [table.there[path] for path in table.there.keys() - table.wanted.keys()]
        if new or old:
            told = {"etl.exported-at": manifest.exported_at.isoformat(), "etl.cursor": str(manifest.cursor)}
            update = table.transaction.update_snapshot(snapshot_properties=told)
            with update.overwrite() if old else update.fast_append() as snapshot:
                for each in old:
                    snapshot.delete_data_file(each)
                for each in new:
                    snapshot.append_data_file(each)
        if new or old or table.is_changed:
            table.transaction.commit_transaction()
        present = self._catalog.load_table((NAMESPACE, entry.name))
        current = present.current_snapshot()
        number = current.snapshot_id if current else None
        return msgspec.structs.replace(entry, snapshot_id=number, metadata=present.metadata_location)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (CommitFailedException, TableAlreadyExistsError, ValidationException) as error:
            what = " ".join(str(error).split())[:200]
            raise ExportError(f"{self._place.shown}: somebody else changed the tables: {what}; repeat this") from None
        except (SQLAlchemyError, OSError, pa.ArrowException) as error:
            raise ExportError(f"{self._place.shown}: the tables stand as they were: {in_short(error)}") from None
