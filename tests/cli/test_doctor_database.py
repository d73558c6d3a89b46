"""``etl doctor`` with real databases that are well, or broken in every way: lines, and no traceback."""

import re
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from etl.database import migrations
from etl.database.engine import open_engine
from etl.doctor.warehouse import schema
from tests.cli.conftest import Run, named
from tests.cli.examining import examine
from tests.conftest import free_port
from tests.database.marts import run
from tests.database.roles import PASSWORD, as_owner, execute, login_role, owner_of
from tests.extract.gateway import Gateway
from tests.mart.test_source_health import S, ago, configure, fail

File = Callable[..., None]


def test_no_database_is_said_with_what_to_do_and_without_the_password(
    etl: Run, file: File, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgres://etl:planted-password@127.0.0.1:{free_port()}/etl")
    file(gateway.url)
    found, ended = examine(etl, 1)
    assert found["database"]["status"] == "failed"
    assert found["database"]["remedy"] == "check DATABASE_URL and that the server runs"
    assert found["schema"]["status"] == found["writable"]["status"] == "skipped"
    assert found["source s"]["status"] == "ok"
    assert "planted-password" not in ended.out + ended.err


def test_a_database_url_that_is_none_is_a_wrong_configuration(
    etl: Run, monkeypatch: pytest.MonkeyPatch, file: File
) -> None:
    file(f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("DATABASE_URL", "mysql://db/etl")
    found, _ = examine(etl, 2)
    assert "only PostgreSQL" in found["database"]["found"]


def test_an_embedded_server_that_does_not_run_is_not_started(
    etl: Run, file: File, gateway: Gateway, folder: Path
) -> None:
    file(gateway.url)
    found, _ = examine(etl, 0)
    assert found["database"]["found"].startswith("embedded, not running: it starts on demand")
    assert found["disk"]["found"].endswith(f"free at {folder}")
    assert not (folder / "home").exists()


def test_another_schema_is_a_failure_with_its_command(
    etl: Run, empty_url: URL, file: File, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", named(empty_url))
    file(gateway.url)
    found, _ = examine(etl, 1)
    assert (found["schema"]["status"], found["schema"]["remedy"]) == ("failed", "run `etl db upgrade`")
    assert found["writable"]["status"] == found["health"]["status"] == "skipped"


def test_a_mart_of_another_version_is_a_failure(etl: Run, warehouse: Engine, file: File, gateway: Gateway) -> None:
    with as_owner(warehouse).begin() as connection:
        connection.execute(text("DROP TABLE core.slot CASCADE"))
        connection.execute(text("COMMENT ON SCHEMA mart IS 'older'"))
    file(gateway.url)
    found, _ = examine(etl, 1)
    assert "mart of another version" in found["schema"]["found"]


def test_a_role_that_may_only_read_is_a_failure(
    etl: Run, server_url: URL, warehouse_url: URL, file: File, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(gateway.url)
    with login_role(server_url, "reads") as role:
        for schema in ("raw", "core", "public", "mart"):
            execute(owner_of(warehouse_url), f"GRANT USAGE ON SCHEMA {schema} TO {role.quoted}")
            execute(owner_of(warehouse_url), f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role.quoted}")
        monkeypatch.setenv("DATABASE_URL", named(warehouse_url.set(username=role.name, password=PASSWORD)))
        found, ended = examine(etl, 1)
        execute(server_url.set(database=warehouse_url.database), f"DROP OWNED BY {role.quoted}")
    assert (found["writable"]["status"], found["schema"]["status"]) == ("failed", "ok")
    assert re.search(r"may not write core\.\w+ and \d+ more", found["writable"]["found"])
    assert role.name in found["writable"]["remedy"]
    assert PASSWORD not in ended.out


def test_a_role_without_any_rights_is_a_failure(
    etl: Run, server_url: URL, warehouse_url: URL, file: File, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(gateway.url)
    with login_role(server_url, "nobody") as role:
        monkeypatch.setenv("DATABASE_URL", named(warehouse_url.set(username=role.name, password=PASSWORD)))
        found, _ = examine(etl, 1)
    assert found["writable"]["status"] == "failed"
    assert (found["schema"]["status"], role.name in found["schema"]["found"]) == ("failed", True)
    assert "etl db upgrade" in found["schema"]["remedy"]


def test_a_database_that_refuses_every_write_is_a_failure_and_nothing_is_left_of_the_try(
    etl: Run, warehouse: Engine, file: File, gateway: Gateway
) -> None:
    file(gateway.url)
    examine(etl, 0)
    with warehouse.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM core.source")) == 0
    name = warehouse.url.database
    execute(owner_of(warehouse.url), f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    found, _ = examine(etl, 1)
    assert "read-only transaction" in found["writable"]["found"]


def test_what_ails_the_sources_and_who_ran_last_is_told(
    etl: Run, warehouse: Engine, file: File, gateway: Gateway
) -> None:
    file(gateway.url)
    configure(warehouse, S, replace(S, source="t"))
    fail(warehouse, ago(minutes=5))
    with warehouse.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO core.run (source, caller, worker, started_at, ended_at, outcome) "
                "VALUES ('s', 'schedule', 'w', :old, :old, 'unchanged'), ('t', 'run', 'w', :new, :new, 'unchanged')"
            ),
            {"old": ago(days=2), "new": ago(minutes=0)},
        )
    found, _ = examine(etl, 0)
    assert (found["health"]["status"], found["health"]["found"]) == ("warning", "s (failing)")
    assert found["last run"]["status"] == "ok"
    assert found["daemon"]["status"] == "warning"
    assert "a slot was due at" in found["daemon"]["found"]
    assert "etl schedule" in found["daemon"]["remedy"]


def test_a_database_that_goes_on_without_the_tables_of_the_ledger_ends_in_a_line(
    etl: Run, warehouse_url: URL, warehouse: Engine, file: File, gateway: Gateway
) -> None:
    del warehouse
    with open_engine(owner_of(warehouse_url)).begin() as connection:
        connection.execute(text("ALTER TABLE core.run RENAME TO elsewhere"))
    file(gateway.url)
    found, _ = examine(etl, 1)
    assert "core.run" in found["last run"]["found"]


def test_an_embedded_database_is_migrated_by_the_next_command(empty_url: URL) -> None:
    finding = schema(open_engine(empty_url), is_embedded=True)
    assert (finding.status, finding.found) == (
        "warning",
        f"the database has schema none, {migrations.head()} is needed",
    )


@pytest.mark.slow
def test_a_server_that_hangs_is_not_waited_for_long(
    etl: Run, file: File, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(gateway.url)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DATABASE_URL", f"postgres://etl@127.0.0.1:{silent.getsockname()[1]}/etl")
        began = time.monotonic()
        found, _ = examine(etl, 1)
        assert time.monotonic() - began < 8
    assert found["database"]["status"] == "failed"


def test_what_was_changed_by_hand_is_named(etl: Run, warehouse: Engine, file: File, gateway: Gateway) -> None:
    file(gateway.url)
    assert examine(etl, 0)[0]["objects"]["status"] == "ok"
    run(as_owner(warehouse), "CREATE INDEX mine ON core.model (name)", "CREATE VIEW mart.mine AS SELECT 1 AS one")
    added = examine(etl, 0)[0]["objects"]
    assert (added["status"], added["found"]) == ("warning", "added by hand: index core.mine, mart.mine")
    columns = "source, author, display_name, '{}'::jsonb AS extra"
    run(as_owner(warehouse), f"CREATE OR REPLACE VIEW mart.author AS SELECT {columns} FROM core.author")
    drifted = examine(etl, 1)[0]["objects"]
    assert (drifted["found"], drifted["remedy"]) == ("changed by hand: mart.author", "run `etl db upgrade`")
    run(
        as_owner(warehouse),
        "DROP TRIGGER append_only ON raw.snapshot",
        "ALTER TABLE core.run DROP CONSTRAINT run_caller_check",
    )
    missing = examine(etl, 1)[0]["objects"]
    assert missing["found"] == "missing: constraint run_caller_check on core.run, trigger append_only on raw.snapshot"
