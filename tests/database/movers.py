"""Copying a warehouse in a process of its own that is killed at a moment."""

from sqlalchemy import make_url

from etl.database import transfer
from etl.database.engine import open_engine
from tests.faults.driver import watched_engine
from tests.faults.processes import dying


def transfer_until(source: str, target: str, at: int) -> None:
    """Copy a warehouse and die at a numbered moment of what is asked of the target."""
    transfer.transfer(open_engine(make_url(source)), watched_engine(make_url(target), dying(at)), lambda *_: None)
