"""No secret gets out: real commands with a secret in every place that can hold one, against gateways that repeat it.

Then every output, every table and every file is searched for every spelling of each.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
import zstandard
from sqlalchemy import URL, Engine, text

from etl.database.engine import open_engine
from tests.conftest import _database
from tests.leaks.planted import SECRETS, leaks, plant
from tests.leaks.stage import MODES, Stage, echoes
from tests.processes import environment


@dataclass(frozen=True)
class Scene:
    """A command, how the gateways answer, and what is different from the planted configuration."""

    typed: tuple[str, ...]
    mode: str = "well"
    status: int | None = 0
    environ: dict[str, str] = field(default_factory=dict)
    toml: str = ""
    is_stdout_full: bool = False
    seconds: float | None = None
    """After how long a command that stays is told to end."""


DOWN = f"postgres://somebody:{quote(SECRETS['database'], safe='')}@127.0.0.1:1/prices"

DOWN_BY_QUERY = f"postgres://somebody@127.0.0.1:1/prices?password={quote(SECRETS['database'], safe='')}"

SCENES = (
    Scene(("run",), mode="refusing", status=1),
    Scene(
        ("run", "--json"),
        is_stdout_full=True,
        environ={"PYTHONUNBUFFERED": "1", "ETL_LOG_FORMAT": "human"},
        status=1,
    ),
    Scene(("status", "--json")),
    Scene(("doctor", "--json"), status=None),
    Scene(("run",), environ={"DATABASE_URL": DOWN}, status=2),
    Scene(("doctor",), environ={"DATABASE_URL": DOWN_BY_QUERY}, status=1),
    Scene(("run",), toml=f"database_url = '{DOWN}'", status=2),
)
"""The worst of each sort."""

OTHERS = (
    *(Scene(("run",), mode=mode, status=1) for mode in MODES if mode not in ("well", "refusing")),
    Scene(("run", "--json")),
    Scene(("run", "--json"), is_stdout_full=True, environ={"PYTHONUNBUFFERED": "1"}, status=1),
    Scene(("run", "--dry-run", "--json")),
    Scene(("run", "--json"), mode="refusing", status=1),
    Scene(("run",), environ={"ETL_BIFROST_URL": f"http://{SECRETS['token']}:x@/"}, status=2),
    Scene(("schedule",), seconds=6),
    Scene(("schedule", "--log-format", "json"), mode="refusing", seconds=6, environ={"ETL_HTTP_ADDRESS": "0"}),
    Scene(("raw", "archive", "bodies", "--older-than", "1s", "--json")),
    Scene(("db", "copy"), environ={"TARGET_DATABASE_URL": DOWN}, status=2),
    Scene(("db", "copy", DOWN), status=2),
    Scene(("db", "copy", DOWN_BY_QUERY), status=2),
    Scene(("run",), environ={"DATABASE_URL": DOWN_BY_QUERY}, status=2),
    Scene(("run",), toml=f"database_url = '{DOWN_BY_QUERY}'", status=2),
    Scene(("status",), environ={"DATABASE_URL": "", "DATABASE_URL_FILE": "down_by_query.secret"}, status=2),
    Scene(("sources",)),
    Scene(("sources", "--json")),
    Scene(("status",)),
    Scene(("status", "--check"), status=None),
    # The doctor asks whether there is an answer, and leaves its body unread.
    *(Scene(("doctor",), mode=mode, status=None) for mode in MODES if mode != "well"),
    Scene(("doctor",), environ={"DATABASE_URL": DOWN}, status=1),
    Scene(("doctor",), environ={"OPERATORS_URL": SECRETS["webhook"]}, status=2),
    Scene(("doctor",), toml=f"[sources.x]\nkind = 'phaseo'\ncredential = '{SECRETS['eu']}'", status=2),
    Scene(("snapshots", "--json")),
    Scene(("slots", "--json")),
    Scene(("changes", "--format", "jsonl")),
    Scene(("verify", "--json"), status=None),
    Scene(("db", "url", "--hide-password")),
    Scene(("db", "status", "--json")),
    Scene(("status", "--json"), environ={"DATABASE_URL": DOWN}, status=2),
    Scene(("status",), environ={"DATABASE_URL": SECRETS["database"]}, status=2),
    Scene(("status",), environ={"DATABASE_URL": "", "DATABASE_URL_FILE": "down.secret"}, status=2),
    Scene(("run",), environ={"US_KEY": f"{SECRETS['us']}\nx"}, status=2),
    Scene(("run",), environ={"ETL_PING_URL": SECRETS["ping"]}, status=2),
    Scene(("run",), environ={"OPERATORS_URL": SECRETS["webhook"]}, status=2),
    Scene(("run",), environ={"HTTP_PROXY": f"gopher://me:{SECRETS['proxy']}@host"}, status=None),
    Scene(("run",), environ={"ETL_SOURCES": f'{{"us": {{"url": "{SECRETS["webhook"]}"}}}}'}, status=2),
    Scene(("run",), environ={"ETL_ALERTS__WEBHOOKS": f'[{{"name": "{SECRETS["webhook"]}'}, status=2),
    Scene(("run",), toml=f"[sources.x]\nkind = 'bifrost'\nurl = 'http://me:{SECRETS['token']}@x'", status=2),
    Scene(("run",), toml=f"[sources.x]\nkind = 'phaseo'\ncredential = '{SECRETS['eu']}'", status=2),
    Scene(("run",), toml=f"[sources.x]\nkind = 'phaseo'\napi_key = '{SECRETS['eu']}'", status=2),
    Scene(("run",), toml=f"[sources.x]\nkind = 'phaseo'\nenabled = '{SECRETS['eu']}'", status=2),
    Scene(("run",), toml=f"[alerts]\nping_env = 'http://{SECRETS['ping']}'", status=2),
    Scene(("run",), toml=f"ca_file = '{SECRETS['eu']}\n", status=2),
)
"""Add a line for whatever else may speak."""


@dataclass(frozen=True)
class Played:
    """What came of all scenes."""

    outputs: list[tuple[Scene, subprocess.CompletedProcess[str]]]
    engine: Engine
    folder: Path
    stage: Stage


@pytest.fixture(
    scope="module",
    params=[pytest.param(SCENES, id="the worst"), pytest.param(SCENES + OTHERS, id="all", marks=pytest.mark.slow)],
)
def played(
    request: pytest.FixtureRequest, server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("leaking")
    with (
        _database(server_url, template=template) as url,
        _role(server_url.set(database=url.database)) as mine,
        Stage() as stage,
    ):
        planted = {"DATABASE_URL": mine} | plant(folder, stage.host)
        (folder / "down.secret").write_text(DOWN)
        (folder / "down_by_query.secret").write_text(DOWN_BY_QUERY)
        outputs = []
        for scene in request.param:
            stage.mode = scene.mode
            outputs.append((scene, _play(scene, folder, planted)))
        yield Played(outputs, open_engine(url), folder, stage)


@contextmanager
def _role(url: URL) -> Iterator[str]:
    """The database under a role whose password is planted."""
    name = f"etl_leak_{uuid.uuid4().hex[:8]}"
    admin = open_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(
            f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{SECRETS['database']}'".replace("%", "%%")
        )
    try:
        yield url.set(username=name, password=SECRETS["database"]).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {name}")
            connection.exec_driver_sql(f"DROP ROLE {name}")


def _play(scene: Scene, folder: Path, planted: dict[str, str]) -> subprocess.CompletedProcess[str]:
    arguments = list(scene.typed)
    if scene.toml:
        (folder / "other.toml").write_text(scene.toml)
        arguments = ["--config", "other.toml", *arguments]
    with open(os.devnull if not scene.is_stdout_full else "/dev/full", "w") as full:  # noqa: PTH123  a device
        process = subprocess.Popen(
            [sys.executable, "-m", "etl", *arguments],
            cwd=folder,
            env=environment(folder, **planted | scene.environ),
            stdout=full if scene.is_stdout_full else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, err = _ended(process, scene)
    (folder / "other.toml").unlink(missing_ok=True)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _ended(process: subprocess.Popen[str], scene: Scene) -> tuple[str, str]:
    """What a command said until it ended, by itself or because it was told to."""
    with process:
        try:
            return process.communicate(timeout=scene.seconds or 60)
        except subprocess.TimeoutExpired:
            process.terminate() if scene.seconds else process.kill()
            return process.communicate(timeout=20)


def test_every_scene_ends_as_it_should(played: Played) -> None:
    """A command that fails for another reason than the planned one proves nothing."""
    wrong = [
        (scene, done.returncode, done.stderr[-600:])
        for scene, done in played.outputs
        if scene.status is not None and done.returncode != scene.status
    ]
    assert wrong == []


def test_no_output_gives_a_secret_away(played: Played) -> None:
    found = [(scene, name) for scene, done in played.outputs for name in leaks(f"{done.stdout or ''}\n{done.stderr}")]
    assert found == []


def test_no_table_gives_a_secret_away(played: Played) -> None:
    rows = list(_rows(played.engine))
    assert any("Planted" not in row and "[secret]" in row for _, row in rows), "nothing was echoed"
    assert {(relation, name) for relation, row in rows for name in leaks(row)} == set()


def test_no_file_gives_a_secret_away(played: Played) -> None:
    files = [path for path in played.folder.rglob("*") if path.is_file() and path.suffix != ".secret"]
    found = [(path.name, name) for path in files for name in leaks(path.read_text(encoding="latin-1"))]
    assert found == []


def test_no_message_gives_a_secret_away(played: Played) -> None:
    bodies = [asked.body.decode() for asked in played.stage.asked if asked.body]
    assert bodies
    assert [name for body in bodies for name in leaks(body)] == []


def test_each_secret_was_told_to_whom_it_belongs(played: Played) -> None:
    """What was never used could not be given away. The database is asked under its password, the proxy is not."""
    heard = " ".join(text for asked in played.stage.asked for text in echoes(asked))
    assert [name for name in SECRETS if SECRETS[name] not in heard] == ["database", "proxy"]


def _rows(engine: Engine) -> Iterator[tuple[str, str]]:
    """Every row of every table and view of ours as text, and every value of bytes unpacked."""
    relations = text(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p')"
        " AND relnamespace::regnamespace::text IN ('raw', 'core', 'mart') ORDER BY 1"
    )
    columns = text(
        "SELECT attrelid::regclass::text, quote_ident(attname) FROM pg_attribute"
        " WHERE atttypid = 'bytea'::regtype AND attrelid::regclass::text LIKE 'raw.%' AND attnum > 0"
        " AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r')"
    )
    with engine.connect() as connection:
        for relation in connection.scalars(relations).all():
            for row in connection.scalars(text(f"SELECT t::text FROM {relation} t")):
                yield relation, row
        for relation, column in connection.execute(columns).all():
            for value in connection.scalars(text(f"SELECT {column} FROM {relation}")):
                yield relation, _unpacked(bytes(value or b"")).decode("latin-1")


def _unpacked(value: bytes) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(value, max_output_size=1 << 26)
    except zstandard.ZstdError:
        return value
