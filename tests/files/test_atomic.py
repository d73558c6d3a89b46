"""A file is there whole or not at all, and a link that stands in its place is not followed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.files import atomic
from etl.files.trust import distrust


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file that an attacker would have overwritten."""
    file = tmp_path / "victim"
    file.write_text("untouched")
    return file


def test_a_link_is_replaced_and_what_it_leads_to_is_not_touched(tmp_path: Path, victim: Path) -> None:
    place = tmp_path / "report.html"
    place.symlink_to(victim)
    atomic.write(place, [b"whole"])
    assert (victim.read_text(), place.read_text(), place.is_symlink()) == ("untouched", "whole", False)


def test_what_is_written_has_another_name_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who knows the name beforehand could have a link there."""
    names: list[str] = []

    def pieces() -> Iterator[bytes]:
        names.extend(path.name for path in tmp_path.iterdir() if path.name.endswith(".part"))
        yield b"whole"

    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        atomic.write(Path("file"), pieces())
    assert len(set(names)) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_fails_in_the_middle_leaves_what_was_there(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("gone")

    (tmp_path / "file").write_text("former")
    with pytest.raises(RuntimeError):
        atomic.write(tmp_path / "file", pieces())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "former")]


def test_a_file_is_as_open_as_the_umask_says_or_as_closed_as_it_is_asked_for(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        atomic.write(tmp_path / "open", [b""])
        atomic.write(tmp_path / "closed", [b""], mode=0o600)
    finally:
        os.umask(mask)
    assert [oct((tmp_path / name).stat().st_mode)[-3:] for name in ("open", "closed")] == ["640", "600"]


@pytest.mark.parametrize(
    ("mode", "group", "said"),
    [
        (0o700, 0, None),
        (0o755, 0, None),
        (0o777, 0, "can be written by every user: `chmod o-w "),
        (0o1777, 0, "can be written by every user"),
        (0o775, 4_000_000, None),
        (0o775, 1, "can be written by other users of group 1: `chmod g-w "),
    ],
)
def test_what_others_may_write_is_not_trusted(tmp_path: Path, mode: int, group: int, said: str | None) -> None:
    """A group without other members, such as the private group of a user, is nobody else."""
    tmp_path.chmod(mode)
    found = list(tmp_path.stat())
    found[5] = group
    why = distrust(tmp_path, os.stat_result(found))
    assert (why is None) if said is None else (said in str(why))


def test_what_belongs_to_another_user_is_not_trusted_but_by_whom_called_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = list(tmp_path.stat())
    found[4] = 12345
    assert "belongs to user 12345: `chown` it to user" in str(distrust(tmp_path, os.stat_result(found)))
    monkeypatch.setenv("SUDO_UID", "12345")
    assert (distrust(tmp_path, os.stat_result(found)) is None) == (os.geteuid() == 0)
    found[4] = 0
    assert distrust(tmp_path, os.stat_result(found)) is None
