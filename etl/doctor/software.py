"""Python, the libraries that this program needs, and the disk that it writes to."""

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from etl.doctor.finding import Finding, failed, ok, warning

DISTRIBUTION = "llm-price-warehouse"

LITTLE, HARDLY_ANY = 1024**3, 100 * 1024**2
"""Free bytes below which there is a warning, and a failure."""

_BOUND = re.compile(r"(>=|<)\s*(\d+(?:\.\d+)*)")


def python() -> Iterator[Finding]:
    """Whether this Python is one that the program was made for."""
    wanted = importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"]
    found = platform.python_version()
    if _fits(found, wanted):
        yield ok("python", f"{found} in {sys.prefix}")
    else:
        yield failed("python", f"{found}, and {wanted} is needed", "install the program for a newer Python")


def dependencies(
    requirements: Iterable[str] | None = None, installed: Callable[[str], str] = importlib.metadata.version
) -> Iterator[Finding]:
    """Whether every library that our own metadata require is installed in a version that fits."""
    wanted = importlib.metadata.requires(DISTRIBUTION) or [] if requirements is None else requirements
    needed = [each for each in wanted if "extra ==" not in each]
    wrong = [problem for each in needed if (problem := _problem(each, installed))]
    if wrong:
        yield failed("dependencies", "; ".join(wrong), "install the program again: `pip install .`")
    else:
        yield ok("dependencies", f"{len(needed)} libraries fit")


def disk(folder: Path, check: str = "disk", setting: str = "ETL_HOME") -> Iterator[Finding]:
    """The space that is left where something is written, or will be: the embedded Postgres, or what else says where."""
    # Unlike Path.exists, this takes what may not be looked at for what is not there.
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if os.path.exists(place))  # noqa: PTH110
    if not there.is_dir():
        yield failed(check, f"{there} is no folder", f"set {setting} to a folder")
    elif not os.access(there, os.W_OK | os.X_OK):
        yield failed(check, f"{there} may not be written", f"set {setting} to a folder of your own")
    else:
        yield space(there, shutil.disk_usage(there).free, check, setting)


def space(folder: Path, free: int, check: str = "disk", setting: str = "ETL_HOME") -> Finding:
    """What so many free bytes mean."""
    found = f"{free / 1024**3:,.1f} GiB free at {folder}"
    if free < HARDLY_ANY:
        return failed(check, found, f"free some space, or set {setting} to a larger disk")
    if free < LITTLE:
        return warning(check, found, f"free some space soon, or set {setting} to a larger disk")
    return ok(check, found)


def _problem(requirement: str, installed: Callable[[str], str]) -> str | None:
    """What is wrong with one requirement, or null. Our own ones only have lower and upper bounds."""
    name = re.split(r"[\s\[<>=;]", requirement, maxsplit=1)[0]
    bounds = requirement.partition(";")[0]
    try:
        found = installed(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name} is not installed"
    return None if _fits(found, bounds) else f"{name} is {found}, and {bounds.removeprefix(name).strip()} is needed"


def _fits(version: str, bounds: str) -> bool:
    found = _release(version)
    return all(
        found >= _release(bound) if sign == ">=" else found < _release(bound) for sign, bound in _BOUND.findall(bounds)
    )


def _release(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with, without zeros at the end: 3.0 is 3."""
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    release = [int(part) for part in numbers[0].split(".")] if numbers else []
    while release and release[-1] == 0:
        release.pop()
    return tuple(release)
