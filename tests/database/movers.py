"""Copying a warehouse in a process of its own that is killed at a moment."""

from sqlalchemy import make_url

from etl.database import dumps, transfer
from etl.database.dump_file import DumpFile
from etl.database.engine import open_engine
from tests.faults.driver import watched_engine
from tests.faults.processes import dying


def transfer_until(source: str, target: str, at: int) -> None:
    """Copy a warehouse and die at a numbered moment of what is asked of the target."""
    transfer.transfer(open_engine(make_url(source)), watched_engine(make_url(target), dying(at)), lambda *_: None)


def restore_until(target: str, file: DumpFile, at: int) -> None:
    """Restore a dump and die at a numbered moment of what is asked of the database."""
    dumps.restore(watched_engine(make_url(target), dying(at)), file)
