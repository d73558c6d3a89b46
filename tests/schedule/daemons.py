"""``etl schedule`` as it really runs: a process of its own, watched and in the end surely gone."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import environment

PATIENCE = 20.0
"""Seconds within which a machine under load does what it should."""

OTHERS = "".join(f"[sources.{name}]\nenabled = false\n" for name in ("helicone_registry", "helicone_gateway"))
"""Takes out what would be pulled by default."""


@contextmanager
def daemon(folder: Path, **values: str) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon, with its stderr in the file ``said`` of the folder."""
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "etl", "schedule"], cwd=folder, env=environment(folder, **values), stderr=said
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()


def stop(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
    """Ask a process to end: its status, and the seconds that it took."""
    start = time.monotonic()
    process.send_signal(number)
    return process.wait(PATIENCE), time.monotonic() - start


def until(holds: Callable[[], bool], what: str = "it") -> None:
    """Wait for something that must come soon."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.05)


def configured(folder: Path, url: str, *names: str, schedule: str = "7 * * * *") -> None:
    """Write an etl.toml with these gateways of the kind bifrost."""
    entries = "".join(
        f'[sources.{name}]\nkind = "bifrost"\nurl = "{url}/{name}"\nschedule = "{schedule}"\njitter = 0\n'
        for name in names
    )
    (folder / "etl.toml").write_text(OTHERS + entries)
