"""Saved snapshots on disk: the times that names tell, and the pages that folders hold."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.backfill import moment_of, snapshots
from etl.domain.snapshot import Origin
from etl.errors import ConfigurationError

MOMENT = datetime(2025, 10, 21, 5, 10, 55, tzinfo=UTC)

NAMES = ("2025-10-21T05-10-55Z", "20251021T051055Z", "2025-10-21T05:10:55Z", "2025-10-21T07:10:55+02:00")


@pytest.mark.parametrize("name", [*NAMES, "2025-10-21T05:10:55", "2025-10-21 05:10:55Z"])
def test_a_name_tells_its_time(name: str) -> None:
    assert moment_of(name) == MOMENT


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("2025-10-21T05-10-55.250Z", MOMENT + timedelta(milliseconds=250)),
        ("2025-10-21", datetime(2025, 10, 21, tzinfo=UTC)),
        ("20251021", datetime(2025, 10, 21, tzinfo=UTC)),
    ],
)
def test_a_time_can_be_finer_or_a_whole_day(name: str, moment: datetime) -> None:
    assert moment_of(name) == moment


@pytest.mark.parametrize(
    "name",
    ["", "latest", "2025", "2025-10", "2025-13-01T00-00-00Z", "2025-02-30T00-00-00Z", "2025-10-21T25-00-00Z",
     "2025-10-21T05-10-55Z.json", "page-001", "0001-01-01T00:00:00+23:59"],
)  # fmt: skip
def test_other_names_tell_none(name: str) -> None:
    assert moment_of(name) is None


@given(
    moment=st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001
    hours=st.integers(-12, 12),
)
def test_every_spelling_of_a_time_is_that_time(moment: datetime, hours: int) -> None:
    exact = moment.replace(tzinfo=UTC)
    assert moment_of(exact.isoformat()) == exact
    assert moment_of(exact.astimezone(timezone(timedelta(hours=hours))).isoformat()) == exact
    whole = exact.replace(microsecond=0)
    assert moment_of(f"{whole:%Y-%m-%dT%H-%M-%SZ}".rjust(20, "0")) == whole


@given(name=st.text(max_size=40))
def test_any_name_tells_a_utc_time_or_none(name: str) -> None:
    moment = moment_of(name)
    assert moment is None or moment.tzinfo is UTC


def _write(*files: str, below: Path) -> None:
    for file in files:
        path = below / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file)


def test_a_file_is_a_snapshot_of_one_page(tmp_path: Path) -> None:
    _write("2025-10-21T05-10-55Z.json", below=tmp_path)
    [snapshot] = snapshots("mine", "bifrost", [tmp_path / "2025-10-21T05-10-55Z.json"])
    assert (snapshot.source, snapshot.kind, snapshot.origin) == ("mine", "bifrost", Origin.BACKFILL)
    assert snapshot.observed_at == MOMENT
    [page] = snapshot.pages
    assert (page.number, page.status, page.fetched_at) == (1, 200, MOMENT)
    assert page.body == b"2025-10-21T05-10-55Z.json"
    assert page.url == str(tmp_path / "2025-10-21T05-10-55Z.json")


def test_the_pages_of_a_folder_are_in_order_of_their_names(tmp_path: Path) -> None:
    _write(*(f"20251021T051055Z/page-{number:03}.json" for number in (2, 10, 1)), below=tmp_path)
    _write("20251021T051055Z/_headers.json", "20251021T051055Z/.DS_Store", below=tmp_path)
    [snapshot] = snapshots("mine", "phaseo", [tmp_path / "20251021T051055Z"])
    assert [(page.number, page.body[-8:]) for page in snapshot.pages] == [
        (1, b"001.json"),
        (2, b"002.json"),
        (3, b"010.json"),
    ]


def test_a_folder_of_snapshots_is_read_from_the_oldest(tmp_path: Path) -> None:
    _write("2025-10-23T00-00-00Z.json", "20251021T000000Z/a.json", "2025-10-22T00:00:00Z.json", below=tmp_path)
    _write("_readme.md", ".git/config", below=tmp_path)
    found = snapshots("mine", "bifrost", [tmp_path])
    assert len(found) == 3
    assert [snapshot.observed_at.day for snapshot in found] == [21, 22, 23]
    assert [snapshot.observed_at.day for snapshot in found] == [21, 22, 23]


def test_a_folder_of_snapshots_can_be_named_by_a_day(tmp_path: Path) -> None:
    _write("2025-10-21/2025-10-21T01-00-00Z.json", "2025-10-21/2025-10-21T02-00-00Z.json", below=tmp_path)
    found = snapshots("mine", "bifrost", [tmp_path])
    assert [(snapshot.observed_at.hour, len(snapshot.pages)) for snapshot in found] == [(1, 1), (2, 1)]


def test_what_is_named_twice_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write("2025-10-21T05-10-55Z.json", below=tmp_path)
    monkeypatch.chdir(tmp_path)
    assert len(snapshots("mine", "bifrost", [tmp_path, Path("2025-10-21T05-10-55Z.json"), Path()])) == 1


@pytest.mark.parametrize(
    ("files", "asked", "said"),
    [
        ([], "nowhere", "nowhere does not exist"),
        (["prices.json"], "prices.json", "prices.json tells no time"),
        (["2025-10-21T05-10-55Z.json", "notes.txt"], ".", "notes.txt tells no time: name it like"),
        (["_only.json"], ".", "no snapshots there"),
        (["20251021T051055Z/_only.json"], ".", "20251021T051055Z holds no pages"),
        (["20251021T051055Z/page/1.json"], ".", "page is no file that can be read"),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_is(
    tmp_path: Path, files: list[str], asked: str, said: str
) -> None:
    _write(*files, below=tmp_path)
    with pytest.raises(ConfigurationError, match=said):
        snapshots("mine", "bifrost", [tmp_path / asked])


def test_a_file_that_vanishes_meanwhile_is_an_error_of_its_own(tmp_path: Path) -> None:
    _write("2025-10-21T05-10-55Z.json", below=tmp_path)
    found = snapshots("mine", "bifrost", [tmp_path])
    (tmp_path / "2025-10-21T05-10-55Z.json").unlink()
    with pytest.raises(ConfigurationError, match="cannot be read: No such file or directory"):
        list(found)
