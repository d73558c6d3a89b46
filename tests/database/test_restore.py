"""A restore changes nothing before it has read all of the dump, and then everything at once."""

import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import URL, Connection, Engine, text

from etl.database import dependents, dumps, mart_record, migrations
from etl.database.dump_file import DumpFile
from etl.database.embedded import EmbeddedServer, EmbeddedSettings
from etl.database.engine import open_engine
from etl.errors import DatabaseError
from tests.conftest import _database
from tests.database.marts import run
from tests.database.movers import restore_until
from tests.database.roles import owner_of
from tests.dump import dump
from tests.faults.processes import ended, start
from tests.faults.wards import settled
from tests.load.archiving import fill, verify

THEIRS = (
    "CREATE SCHEMA analysts",
    "CREATE VIEW analysts.theirs AS SELECT source, count(*) AS n FROM mart.snapshot GROUP BY source",
    "CREATE MATERIALIZED VIEW analysts.counted AS SELECT * FROM analysts.theirs",
)


@pytest.fixture
def engine(owner_engine: Engine) -> Engine:
    """The warehouse for its owner, whose work all of this is."""
    return owner_engine


@pytest.fixture
def empty_engine(empty_engine: Engine) -> Engine:
    """The second warehouse for its owner."""
    return open_engine(owner_of(empty_engine.url))


class Dumps:
    """Makes dumps with the clients of the server of the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server = EmbeddedServer(EmbeddedSettings(home=folder / "none", port=1))

    def client(self, name: str) -> str:
        return str(self._server.client(name) or pytest.skip(f"there is no {name} here"))

    def make(self, engine: Engine, *options: str, name: str = "warehouse.dump") -> DumpFile:
        path = self.folder / name
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        made = [self.client("pg_dump"), f"--dbname={url}", f"--file={path}", *(options or ("--format=custom",))]
        done = subprocess.run(made, capture_output=True, text=True, check=False)
        if "server version mismatch" in done.stderr:
            pytest.skip(done.stderr)
        assert done.returncode == 0, done.stderr
        return self.file(path)

    def file(self, path: Path) -> DumpFile:
        return DumpFile(pg_restore=self.client("pg_restore"), path=path)


@pytest.fixture
def made(tmp_path: Path) -> Dumps:
    """Makes dumps in a folder of this test."""
    return Dumps(tmp_path)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A warehouse with a history."""
    fill(engine)
    return engine


@pytest.fixture
def second_url(server_url: URL, template: str) -> Iterator[URL]:
    """Another warehouse, migrated and empty, on which an analyst has views."""
    with _database(server_url, template=template) as url:
        run(open_engine(owner_of(url)), *THEIRS)
        yield owner_of(url)


@pytest.fixture
def second(second_url: URL) -> Engine:
    """Another warehouse, migrated and empty, on which an analyst has views."""
    return open_engine(second_url)


def theirs(engine: Engine) -> list[int]:
    """The views of the analyst, as Postgres numbers them: created again they have other numbers."""
    query = "SELECT CAST(oid AS bigint) FROM pg_class WHERE relnamespace = to_regnamespace('analysts') ORDER BY 1"
    with engine.connect() as connection:
        return list(connection.scalars(text(query)))


@contextmanager
def unchanged(engine: Engine) -> Iterator[None]:
    """Nothing is changed in the block, neither ours nor theirs."""
    before = dump(engine), theirs(engine)
    yield
    assert (dump(engine), theirs(engine)) == before
    assert migrations.is_current(engine)


def test_what_hangs_on_an_empty_warehouse_stays_and_is_named(made: Dumps, filled: Engine, second: Engine) -> None:
    before = theirs(second)
    restored = dumps.restore(second, made.make(filled))
    migrations.upgrade(second)
    assert theirs(second) == before
    assert [name.partition(" (")[0] for name in restored.kept] == [
        "view analysts.theirs",
        "materialized view analysts.counted",
    ]
    assert dump(second) == dump(filled)
    assert verify(second).agrees
    run(second, "REFRESH MATERIALIZED VIEW analysts.counted")
    with second.connect() as connection:
        assert connection.scalar(text("SELECT n FROM analysts.counted")) == connection.scalar(
            text("SELECT count(*) FROM core.snapshot")
        )
        resting = "SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'"
        assert connection.scalar(text(resting)) == 0
        assert mart_record.drifted(connection) == []
        references = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
        there = connection.scalar(text(references))
    with filled.connect() as connection:
        assert connection.scalar(text(references)) == there


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 0.999])
def test_a_truncated_dump_changes_nothing(made: Dumps, filled: Engine, second: Engine, share: float) -> None:
    path = made.make(filled).path
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with (
        unchanged(second),
        pytest.raises(DatabaseError, match="is not restored, the database is as it was: pg_restore"),
    ):
        dumps.restore(second, made.file(path))


def test_a_damaged_dump_is_found_before_anything_is_touched(made: Dumps, filled: Engine, second: Engine) -> None:
    path = made.make(filled).path
    whole = path.read_bytes()
    # Rows come last in the file: an end of some hundred bytes are the rows of the last tables.
    for back in range(100, 4000, 100):
        path.write_bytes(whole[:-back] + bytes(20) + whole[-back + 20 :])
        with suppress(DatabaseError):
            assert made.file(path).revision()
            break
    with unchanged(second), second.connect() as reader:
        reader.execute(text("SELECT FROM core.source"))
        with pytest.raises(DatabaseError, match="is not restored, the database is as it was: pg_restore"):
            dumps.restore(second, made.file(path))


def test_a_dump_of_something_else_is_refused(made: Dumps, filled: Engine, second: Engine, empty_url: URL) -> None:
    other = open_engine(empty_url)
    run(other, "CREATE TABLE public.other (one integer)")
    for file, why in (
        (made.make(other), "it is no dump of a warehouse"),
        (made.make(filled, "--format=plain", name="plain"), "text format dump"),
        (made.make(filled, "--format=custom", "--inserts", name="inserts"), "in another form than COPY"),
        (made.make(filled, "--format=custom", "--schema-only", name="schema"), "it is no dump of a warehouse"),
    ):
        with unchanged(second), pytest.raises(DatabaseError, match=why):
            dumps.restore(second, file)
    run(filled, "UPDATE public.schema_revision SET version_num = '9999'")
    with unchanged(second), pytest.raises(DatabaseError, match="newer than this program"):
        dumps.restore(second, made.make(filled))


def test_what_is_landed_before_the_swap_is_kept_and_the_restore_refused(
    made: Dumps, filled: Engine, second: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made.make(filled)
    readable = DumpFile.require_readable

    def landing(self: DumpFile) -> None:
        readable(self)
        fill(second, "another")

    monkeypatch.setattr(DumpFile, "require_readable", landing)
    with pytest.raises(DatabaseError, match="is not empty, it has rows in"):
        dumps.restore(second, file)
    assert verify(second, "another").agrees


@pytest.mark.parametrize("others", ["there", "gone"])
def test_what_comes_during_the_swap_waits_and_is_kept(
    made: Dumps, filled: Engine, second: Engine, monkeypatch: pytest.MonkeyPatch, others: str
) -> None:
    if others == "gone":
        run(second, "DROP SCHEMA analysts CASCADE")
    file = made.make(filled)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    after_the_check = dependents.of_the_warehouse
    with ThreadPoolExecutor() as pool:
        late: list[Future[None]] = []

        def begin(connection: Connection) -> list[dependents.Dependent]:
            late.append(pool.submit(run, second, "INSERT INTO core.source (source, kind) VALUES ('late', 'bifrost')"))
            with second.connect() as observer:
                while not late[0].done() and not observer.scalar(waiting):
                    observer.rollback()
            assert not late[0].done()
            return after_the_check(connection)

        monkeypatch.setattr(dependents, "of_the_warehouse", begin)
        dumps.restore(second, file)
        late[0].result()
    with second.connect() as connection:
        assert set(connection.scalars(text("SELECT source FROM core.source"))) == {"late", "s"}


@pytest.mark.parametrize("others", ["there", "gone"])
@pytest.mark.slow
def test_killed_at_any_moment_it_leaves_what_was_there(
    made: Dumps, filled: Engine, second_url: URL, second: Engine, others: str
) -> None:
    file = made.make(filled)
    if others == "gone":
        run(second, "DROP SCHEMA analysts CASCADE")
    url = second_url.render_as_string(hide_password=False)
    at, survived = 0, False
    while not survived:
        with_nothing = dump(second), theirs(second)
        survived = ended(start(restore_until, url, file, at)) != -signal.SIGKILL
        settled(second)
        if not survived:
            is_committed = bool(dump(second)["raw.snapshot"])
            assert is_committed or (dump(second), theirs(second)) == with_nothing
            survived = is_committed
        at += 7
    assert dump(second) == dump(filled)


def test_a_dump_of_an_older_schema_is_migrated_unless_something_hangs_on_the_database(
    made: Dumps, empty_url: URL, second: Engine
) -> None:
    older = open_engine(empty_url)
    with older.connect() as connection:
        command.upgrade(migrations.configuration(connection), "0007")
    run(older, "INSERT INTO core.source (source, kind) VALUES ('s', 'bifrost')")
    file = made.make(older)
    with unchanged(second), pytest.raises(DatabaseError) as caught:
        dumps.restore(second, file)
    assert "the dump has schema 0007" in str(caught.value)
    assert "view analysts.theirs" in str(caught.value)
    assert "`etl db dependents`" in str(caught.value)
    run(second, "DROP SCHEMA analysts CASCADE")
    assert dumps.restore(second, file) == dumps.Restored()
    migrations.upgrade(second)
    assert migrations.is_current(second)
    with second.connect() as connection:
        assert connection.scalar(text("SELECT source FROM core.source")) == "s"


def test_what_others_had_in_the_dumped_database_comes_along_where_nothing_is_in_its_way(
    made: Dumps, filled: Engine, empty_url: URL, second: Engine
) -> None:
    run(filled, *THEIRS, "CREATE TABLE analysts.notes AS SELECT 'kept' AS note")
    file = made.make(filled)
    other = open_engine(empty_url)
    assert dumps.restore(other, file) == dumps.Restored()
    migrations.upgrade(other)
    assert len(theirs(other)) == len(theirs(filled))
    with other.connect() as connection:
        assert connection.scalar(text("SELECT note FROM analysts.notes")) == "kept"
        assert mart_record.drifted(connection) == []
    assert dumps.restore(second, file).left_out == ("table analysts.notes",)


@pytest.mark.parametrize("format_", ["custom", "tar"])
@pytest.mark.parametrize("others", ["there", "gone"])
@pytest.mark.slow
def test_any_archive_format_is_restored(made: Dumps, filled: Engine, second: Engine, format_: str, others: str) -> None:
    if others == "gone":
        run(second, "DROP SCHEMA analysts CASCADE")
    dumps.restore(second, made.make(filled, f"--format={format_}"))
    assert dump(second) == dump(filled)
