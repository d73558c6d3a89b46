"""What other processes do in these tests: tell, and die at a moment that the test chooses."""

import os
import signal
from datetime import datetime
from typing import Any

from sqlalchemy import make_url

from etl.config import Receiver, Settings
from etl.notify.notifier import Notifier
from tests.faults.driver import watched_engine


def tell(url: str, receiver: str, now: datetime, dying_at: int) -> None:
    """Tell the receiver at an url, and die just after a numbered commit; 0: never."""
    commits = iter(range(1, 1_000_000))

    def at_moment(what: str, *_: Any) -> None:
        if what == "committed" and next(commits) == dying_at:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = watched_engine(make_url(url), at_moment)
    Notifier(engine, Settings(), [Receiver("desk", receiver, "json")], None, lambda: now).tell()
