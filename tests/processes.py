"""``etl`` as people run it: a process of its own, with an environment that holds what is said and nothing else."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """The lines on stderr that name what went wrong."""
        return [line for line in self.err.splitlines() if line.startswith("etl: ")]


def environment(folder: Path, **values: str) -> dict[str, str]:
    """What a command finds: the path of programs, an ETL_HOME in ``folder``, and ``values``."""
    known = {"PATH": os.environ["PATH"], "HOME": str(folder), "ETL_HOME": str(folder / "home")}
    return known | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])} | values


def etl(folder: Path, *arguments: str, **values: str) -> Ended:
    """Run ``etl`` in ``folder`` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "etl", *arguments],
        cwd=folder,
        env=environment(folder, **values),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
