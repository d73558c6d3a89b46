"""Damaged bodies: nothing is corrected by what is left, and the same bytes heal them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from etl.backfill import Saved
from etl.domain.snapshot import Snapshot
from etl.errors import ArchiveError, DamagedError
from etl.load.archive import restore
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.database.roles import as_owner
from tests.dump import dump
from tests.load.archiving import archived, bodies, file_of, fill, sha_of, verify
from tests.load.believing import Ticking, believed, load, observe
from tests.load.damaging import ROTTEN, damage, kept
from tests.load.worlds import WORLDS, World, moment, snapshot
from tests.load.worlds import history as oracle

OTHER = zstandard.compress(b'{"data": []}')
SHORT = zstandard.compress(b"x")


@pytest.mark.parametrize("body", [ROTTEN, b"", OTHER, SHORT])
def test_no_history_is_corrected_while_a_body_is_damaged(engine: Engine, body: bytes) -> None:
    fill(engine)
    damage(engine, 1, body)
    before = dump(engine)
    with pytest.raises(DamagedError) as caught:
        verify(engine, is_applied=True)
    assert dump(engine) == before
    message = str(caught.value)
    assert message.startswith("snapshot 2: page 1 (")
    for part in (sha_of(engine, 1), "etl backfill s PATH", "2026-01-02T00-00-00Z", "etl raw restore"):
        assert part in message
    assert verify(engine).unreadable == [message]


@pytest.mark.parametrize("body", [ROTTEN, OTHER])
def test_landing_the_same_snapshot_again_heals_its_bytes(engine: Engine, body: bytes) -> None:
    fill(engine)
    before = dump(engine)
    damage(engine, 1, body)
    assert load(engine, "s", 1, WORLDS[1]).is_well
    assert dump(engine) == before
    assert kept(engine) == [body]
    assert verify(engine).agrees
    assert load(engine, "s", 1, WORLDS[1]).is_well
    assert kept(engine) == [body]


def test_a_live_snapshot_of_the_same_bytes_heals_them(engine: Engine) -> None:
    fill(engine)
    damage(engine, 4)
    assert observe(engine, "s", 500, WORLDS[4]).status == "unchanged"
    assert kept(engine) == [ROTTEN]
    assert verify(engine).agrees


class _File:
    """A saved snapshot that a worker process reads."""

    def __init__(self, day: int) -> None:
        self.time, self._day, self.size = moment(day), day, 100

    def read(self, source: str, kind: str) -> Snapshot:
        return replace(snapshot(source, self._day, WORLDS[self._day]), kind=kind)


def test_a_backfill_by_worker_processes_heals_what_it_brings(engine: Engine) -> None:
    fill(engine)
    before = dump(engine)
    damage(engine, 1)
    files: Any = [_File(day) for day in sorted(WORLDS)]
    results = list(
        Pipeline(engine, Ticking()).backfill(
            kinds()["bifrost"]("s"), Saved(source="s", kind="bifrost", entries=files), workers=1
        )
    )
    assert all(result.is_well for result in results)
    assert dump(engine) == before
    assert verify(engine).agrees


def test_a_late_snapshot_beside_damaged_bytes_loads_once_they_are_healed(engine: Engine) -> None:
    late = World({"openai/m0": ("Z", {"prompt": "7"})})
    fill(engine, worlds={day: world for day, world in WORLDS.items() if day != 1})
    damage(engine, 2)
    failed = load(engine, "s", 1, late)
    assert failed.status == "failed"
    assert "etl backfill s PATH" in str(failed.reason)
    assert load(engine, "s", 2, WORLDS[2]).is_well
    assert load(engine, "s", 1, late).status == "loaded"
    assert believed(engine, "s") == oracle(WORLDS | {1: late})


def test_a_damaged_object_of_an_archive_heals_by_landing_and_by_archiving_again(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path, drop=True)
    before = bodies(engine)
    file = file_of(tmp_path, sha_of(engine, 1))
    good = file.read_bytes()
    file.write_bytes(b"rotten")
    assert "land the same bytes again" in verify(engine).unreadable[0]
    assert load(engine, "s", 1, WORLDS[1]).is_well
    assert bodies(engine) == before | {sha_of(engine, 1): True}
    assert verify(engine).agrees
    archived(engine, tmp_path, drop=True)
    assert file.read_bytes() == good
    assert verify(engine).agrees


def test_a_body_that_is_damaged_here_and_whole_in_an_archive_can_be_restored(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path)
    damage(engine, 1)
    assert restore(engine, None, lambda *_: None) == 1
    assert kept(engine) == [ROTTEN]
    assert verify(engine).agrees


def test_a_damaged_body_is_not_archived(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    damage(engine, 1)
    with pytest.raises(ArchiveError, match="damaged in the database"):
        archived(engine, tmp_path, drop=True)
    assert all(bodies(engine).values())
    assert not file_of(tmp_path, sha_of(engine, 1)).exists()


_KEEP = "INSERT INTO raw.damaged (sha256, body) SELECT sha256,"


@pytest.mark.parametrize(
    "statement",
    [
        f"{_KEEP} 'y' FROM raw.content; UPDATE raw.content SET body = 'x'",
        f"{_KEEP} body FROM raw.content; UPDATE raw.content SET body = NULL",
        f"{_KEEP} body FROM raw.content; DELETE FROM raw.damaged",
    ],
)
def test_the_database_lets_a_body_be_replaced_only_once_what_was_there_is_kept(engine: Engine, statement: str) -> None:
    fill(engine)
    with pytest.raises(IntegrityError, match="append-only"), as_owner(engine).begin() as connection:
        connection.execute(text(statement))
