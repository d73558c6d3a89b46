"""What the tests of the archive share: worlds that are old and young, archiving them, and what became of it."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, text

from etl.load import objects
from etl.load.archive import Archiving, Task, archive
from etl.load.verify import Verdict
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.dump import HISTORY
from tests.load.believing import Ticking, load_all
from tests.load.worlds import WORLDS, World, moment

OLD = 3
"""Days before this one are old."""


def fill(engine: Engine, source: str = "s", worlds: dict[int, World] | None = None) -> None:
    """Load worlds in the order of their days."""
    assert all(result.is_well for result in load_all(engine, source, worlds or WORLDS))


def task(folder: Path, *, before: datetime | None = None, drop: bool = False, archive: Path | None = None) -> Task:
    """What is old into a folder."""
    before = before or moment(OLD)
    return Task(folder=folder, before=before, archive=archive, is_dropped=drop, now=moment(400))


def archived(engine: Engine, folder: Path, *, before: datetime | None = None, drop: bool = False) -> Archiving:
    """Archive what is old."""
    return archive(engine, task(folder, before=before, drop=drop), lambda *_: None)


def verify(engine: Engine, source: str = "s", *, is_applied: bool = False, archive: Path | None = None) -> Verdict:
    """What `etl verify` finds."""
    pipeline = Pipeline(engine, Ticking(), archive=archive)
    return pipeline.verify(kinds()["bifrost"](source), is_applied=is_applied, progress=lambda *_: None)


def bodies(engine: Engine) -> dict[str, bool]:
    """Every content by its digest, and whether the database has its body."""
    with engine.connect() as connection:
        return {
            row.sha256.hex(): row.is_here
            for row in connection.execute(text("SELECT sha256, body IS NOT NULL AS is_here FROM raw.content"))
        }


def sha_of(engine: Engine, day: int) -> str:
    """The digest of what a day shows."""
    query = text("SELECT p.sha256 FROM raw.page p JOIN raw.snapshot s USING (snapshot_id) WHERE s.observed_at = :at")
    with engine.connect() as connection:
        found: bytes = connection.scalars(query, {"at": moment(day)}).one()
    return found.hex()


def file_of(folder: Path, sha256: str) -> Path:
    """Where an archive has a body."""
    return objects.path_of(folder, bytes.fromhex(sha256))


def everything(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with what it holds."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def history(engine: Engine) -> dict[str, list[str]]:
    """Every version that is believed, without what depends on when it was loaded."""
    late = "{version_id,asserted,retracted,known_from,known_to,end_known_from,snapshot_id}"
    query = "SELECT (to_jsonb(t) - '{late}'::text[])::text FROM {table} t WHERE {believed}"
    with engine.connect() as connection:
        columns = connection.execute(
            text("SELECT table_name FROM information_schema.columns WHERE column_name = 'known_to'")
        )
        dated = {f"core.{row.table_name}" for row in columns}
        return {
            table: sorted(
                connection.scalars(
                    text(
                        query.format(late=late, table=table, believed="known_to IS NULL" if table in dated else "true")
                    )
                )
            )
            for table in HISTORY
        }
