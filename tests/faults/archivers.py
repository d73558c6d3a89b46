"""Archiving in processes of their own: killed at a moment, short of space, or held up until somebody says go on."""

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from etl.errors import ArchiveError
from etl.load.archive import archive
from tests.faults.driver import watched_engine
from tests.faults.processes import dying
from tests.load.archiving import task
from tests.load.worlds import moment

ALL = moment(400)
"""Every snapshot is from before this."""

NO_SPACE = 7


def archive_until(url: str, folder: str, at: int, log: str) -> None:
    """Archive everything, and die at a numbered moment of the database or of a file; whoever lives logs them all."""
    dies: Callable[..., None] = dying(at)
    passed: list[str] = []

    def passing(what: str, *_: Any) -> None:
        passed.append(what)
        dies()

    _tell_of_files(folder, passing)
    archive(watched_engine(make_url(url), passing), task(Path(folder), before=ALL, drop=True), _nobody)
    Path(log).write_text("\n".join(passed))


def archive_with_little_space(url: str, folder: str, limit: int) -> None:
    """Archive everything where no file can be longer than some bytes."""
    engine = watched_engine(make_url(url), lambda *_: None)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        archive(engine, task(Path(folder), before=ALL, drop=True), _nobody)
    except ArchiveError as error:
        os._exit(NO_SPACE if "File too large: nothing was dropped" in str(error) else 1)


def archive_slowly(url: str, folder: str, begun: str, go_on: str) -> None:
    """Archive everything; once the first body is there, say so and wait until somebody says to go on."""

    def waiting(*_: int) -> None:
        Path(begun).touch()
        while not Path(go_on).exists():
            time.sleep(0.01)

    archive(watched_engine(make_url(url), lambda *_: None), task(Path(folder), before=ALL, drop=True), waiting)


def _tell_of_files(folder: str, passing: Callable[[str], None]) -> None:
    """Tell before each thing that is done to a file of the folder."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in ("open", "os.mkdir", "os.rename") and args and str(args[0]).startswith(folder):
            passing(event)

    sys.addaudithook(hook)


def _nobody(*_: int) -> None:
    """Progress that nobody looks at."""
