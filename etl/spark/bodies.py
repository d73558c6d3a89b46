"""Where a task gets its bodies from: the warehouse, or a folder that `etl raw archive` wrote.

No body goes through the driver.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from etl.database.engine import database_url, open_engine
from etl.domain.snapshot import Page
from etl.errors import ArchiveError, ContractError, OutOfReachError
from etl.load import landing
from etl.spark.plan import Item


class Opened(Protocol):
    """An open door to bodies."""

    def pages(self, item: Item) -> tuple[Page, ...]:
        """The pages of a snapshot, byte for byte. Raises ``ContractError`` when they are damaged or out of reach."""


class Bodies(Protocol):
    """What a task is told of the bodies; it travels to wherever the task runs."""

    def open(self) -> AbstractContextManager[Opened]:
        """A door that is open as long as the task runs."""


@dataclass(frozen=True)
class Warehouse:
    """Bodies in the warehouse; ``archive`` is where archived ones are, if not where they were put."""

    url: str = field(repr=False)
    archive: Path | None = None

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """One connection for all snapshots of a task."""
        engine = open_engine(database_url(self.url))
        with engine.connect() as connection:
            yield _Connected(connection, self.archive)


@dataclass(frozen=True)
class _Connected:
    connection: Connection
    archive: Path | None

    def pages(self, item: Item) -> tuple[Page, ...]:
        """The pages as they were landed."""
        with self.connection.begin():
            return landing.pages_of(self.connection, item.snapshot_id, self.archive)


@dataclass(frozen=True)
class Archive:
    """Bodies in the folder of an archive, which every worker reaches under the same path."""

    folder: Path

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """Files need no opening."""
        yield self

    def pages(self, item: Item) -> tuple[Page, ...]:
        """The pages that the manifest tells of."""
        if item.archived is None:
            raise ContractError(f"snapshot {item.snapshot_id} is in no archive")
        try:
            return item.archived.restored(self.folder).pages
        except ArchiveError as error:
            raise OutOfReachError(str(error)) from None
