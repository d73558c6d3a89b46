"""The daemon ends when it is told to, whatever it waits for, and a database that refuses a reload does not end it."""

import signal
import socket
from pathlib import Path

from sqlalchemy import URL, Engine, text

from etl.load.locks import lock
from tests.database.roles import as_owner
from tests.extract.gateway import Gateway, ok
from tests.schedule.daemons import configured, daemon, stop, until
from tests.schedule.stage import CATALOG


def said(folder: Path) -> str:
    return (folder / "said").read_text()


def test_receivers_that_hang_do_not_keep_it(tmp_path: Path, warehouse_url: URL, engine: Engine) -> None:
    queue = text(
        "INSERT INTO core.outbox (message_id, receiver, kind, body, created_at, next_attempt_at)"
        " VALUES (gen_random_uuid(), :receiver, 'opened', CAST('{\"text\": \"t\"}' AS jsonb), now(), now())"
    )
    with engine.begin() as connection:
        connection.execute(queue, [{"receiver": "first"}, {"receiver": "second"}])
    with Gateway(ok(CATALOG)) as gateway, socket.create_server(("127.0.0.1", 0)) as silent:
        configured(tmp_path, gateway.url, "one")
        port = silent.getsockname()[1]
        hooks = [
            f'[[alerts.webhooks]]\nname = "{name}"\nurl = "http://127.0.0.1:{port}"\n' for name in ("first", "second")
        ]
        with (tmp_path / "etl.toml").open("a") as file:
            file.writelines(hooks)
        with daemon(tmp_path, DATABASE_URL=warehouse_url.render_as_string(hide_password=False)) as process:
            waiting, _ = silent.accept()
            with waiting:
                status, seconds = stop(process)
    assert status == 0
    assert seconds < 10


def test_a_reload_that_the_database_refuses_is_not_taken(tmp_path: Path, warehouse_url: URL, engine: Engine) -> None:
    with Gateway(ok(CATALOG)) as gateway:
        configured(tmp_path, gateway.url, "one")
        with daemon(tmp_path, DATABASE_URL=warehouse_url.render_as_string(hide_password=False)) as process:
            until(lambda: "run ended" in said(tmp_path))
            with as_owner(engine).begin() as connection:
                connection.execute(
                    text(f"ALTER DATABASE {warehouse_url.database} SET default_transaction_read_only = on")
                )
            configured(tmp_path, gateway.url, "one", "two")
            process.send_signal(signal.SIGHUP)
            until(lambda: "the configuration is not reloaded yet" in said(tmp_path))
            assert process.poll() is None
            assert stop(process)[0] == 0


def test_a_reload_that_waits_for_the_database_does_not_keep_it(
    tmp_path: Path, warehouse_url: URL, engine: Engine
) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted")
    with Gateway(ok(CATALOG)) as gateway, engine.connect() as connection:
        configured(tmp_path, gateway.url, "one")
        with daemon(tmp_path, DATABASE_URL=warehouse_url.render_as_string(hide_password=False)) as process:
            until(lambda: "run ended" in said(tmp_path))
            lock(connection, "configuration")
            process.send_signal(signal.SIGHUP)
            until(lambda: connection.scalar(waiting) == 1)
            status, seconds = stop(process)
    assert status == 0
    assert seconds < 10
