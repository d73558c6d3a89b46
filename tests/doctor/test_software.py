"""Versions and disks, judged from what is invented."""

import importlib.metadata
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from etl.doctor import software
from etl.doctor.clocks import agreement
from etl.doctor.finding import Finding, Status, examined, refused
from etl.errors import ConfigurationError, DatabaseError

REQUIRED = ["httpx>=0.28", "apscheduler>=3.11,<4", "psycopg[binary]>=3.2", 'ruff>=0.11; extra == "dev"']


def checked(**installed: str) -> Finding:
    def version(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    [finding] = software.dependencies(REQUIRED, version)
    return finding


def test_our_own_python_and_libraries_fit() -> None:
    assert [finding.status for finding in (*software.python(), *software.dependencies())] == [Status.OK, Status.OK]


def test_versions_are_compared_by_number_and_extras_are_not_asked_for() -> None:
    assert checked(httpx="0.28.1", apscheduler="3.11", psycopg="3.10.0rc1").status is Status.OK


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        ({"httpx": "0.9"}, "httpx is 0.9, and >=0.28 is needed"),
        ({"apscheduler": "4.0"}, "apscheduler is 4.0, and >=3.11,<4 is needed"),
    ],
)
def test_a_version_that_does_not_fit_is_named(installed: dict[str, str], said: str) -> None:
    finding = checked(**{"httpx": "1", "apscheduler": "3.11.3", "psycopg": "3.2"} | installed)
    assert (finding.status, finding.found) == (Status.FAILED, said)


def test_a_library_that_is_not_there_is_named() -> None:
    assert checked(httpx="1", apscheduler="3.11").found == "psycopg is not installed"


@pytest.mark.parametrize(
    ("free", "status"),
    [(5 * 1024**3, Status.OK), (500 * 1024**2, Status.WARNING), (50 * 1024**2, Status.FAILED)],
)
def test_little_space_is_a_warning_and_hardly_any_a_failure(free: int, status: Status) -> None:
    assert software.space(Path("/data"), free).status is status


def test_the_disk_is_that_of_the_folder_which_will_be_made(tmp_path: Path) -> None:
    [finding] = software.disk(tmp_path / "not" / "there" / "yet")
    assert finding.found.endswith(f"free at {tmp_path}")


@pytest.mark.parametrize(
    ("seconds", "status", "said"),
    [
        (0, Status.OK, "agrees with x within 1 s"),
        (-30, Status.OK, "agrees with x within 30 s"),
        (31, Status.WARNING, "ours is 31 s ahead of x"),
        (-300, Status.WARNING, "ours is 300 s behind x"),
        (3601, Status.FAILED, "ours is 3,601 s ahead of x"),
    ],
)
def test_clocks_may_differ_by_half_a_minute(seconds: int, status: Status, said: str) -> None:
    finding = agreement("clock", timedelta(seconds=seconds), "x")
    assert (finding.status, finding.found) == (status, said)


def test_a_check_that_breaks_is_a_finding_and_keeps_what_it_found() -> None:
    def breaks() -> Iterator[Finding]:
        yield software.space(Path("/"), 1024**4)
        raise KeyError("what")

    first, second = examined("odd", breaks)
    assert first.status is Status.OK
    assert (second.check, second.found, second.exit_status) == ("odd", "KeyError: 'what'", 1)


def test_an_error_is_taken_apart_into_what_is_and_what_to_do() -> None:
    wrong = refused("credential s", ConfigurationError("s: a; b; do this"), name="s")
    assert (wrong.found, wrong.remedy, wrong.exit_status) == ("a; b", "do this", 2)
    assert refused("database", DatabaseError("gone")).exit_status == 1
