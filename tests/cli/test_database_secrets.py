"""A password in the url of the database, in every form that libpq takes, is used and never shown."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL
from sqlalchemy.engine import make_url

from etl.database.engine import open_engine
from tests.cli.conftest import Run
from tests.processes import etl as etl_process

PASSWORD = "pg/Planted:41%x wd"
"""Nothing that a url takes as it is."""

ENCODED = "pg%2FPlanted%3A41%25x%20wd"

FORMS = {
    "user-info": "postgresql://{user}:" + ENCODED + "@{place}",
    "query": "postgresql://{user}@{place}?password=" + ENCODED,
    "query, encoded name": "postgresql://{place}?pass%77ord=" + ENCODED + "&user={user}",
    "query, twice": "postgresql://{user}:wrong-Planted@{place}?password=wrong-Planted&password=" + ENCODED,
    "query and passphrase": "postgresql://{user}@{place}?sslpassword=other-Planted&password=" + ENCODED,
    "passfile": "postgresql://{user}@{place}?passfile=pass.secret",
    "service": "postgresql://{place}?service=warehouse",
}


@pytest.fixture(scope="module")
def role(server_url: URL) -> Iterator[str]:
    """A role whose password is planted."""
    name = f"etl_leak_{uuid.uuid4().hex[:8]}"
    admin = open_engine(server_url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{PASSWORD.replace('%', '%%')}'")
    yield name
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP ROLE {name}")


@pytest.fixture(
    params=[pytest.param(form, marks=() if form == "query and passphrase" else pytest.mark.slow) for form in FORMS]
)
def planted(
    request: pytest.FixtureRequest, role: str, demo_url: URL, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The environment in which a form of the password opens a warehouse."""
    address = f"{demo_url.host}:{demo_url.port}/{demo_url.database}"
    line = f"*:*:*:{role}:{PASSWORD.replace(':', chr(92) + ':')}\n"
    (folder / "pass.secret").write_text(line)
    (folder / "pass.secret").chmod(0o600)
    (folder / "service.secret").write_text(f"[warehouse]\nuser={role}\npassword={PASSWORD}\n")
    values = {
        "DATABASE_URL": FORMS[request.param].format(user=role, place=address),
        "PGSERVICEFILE": str(folder / "service.secret"),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.mark.usefixtures("planted")
def test_no_command_shows_a_password_in_whatever_form_it_came(etl: Run, role: str) -> None:
    for command in (("db", "url", "--hide-password"), ("db", "status"), ("db", "status", "--json"), ("doctor",)):
        ended = etl(*command)
        assert "Planted" not in ended.out + ended.err, command
        assert ended.status == 0 or command == ("doctor",), ended.err
    with psycopg.connect(etl("db", "url").out.strip()) as connection:
        assert connection.info.user == role


def test_no_program_of_postgres_has_a_password_in_its_arguments(planted: dict[str, str], folder: Path) -> None:
    show = r"\! tr '\0' ' ' < /proc/$PPID/cmdline"
    ended = etl_process(folder, "db", "psql", "-Atc", "SELECT 'it is open'", "-c", show, **planted)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("it is open\n")
    assert "psql" in ended.out
    assert "Planted" not in ended.out


def test_a_backup_has_no_password_in_its_arguments(planted: dict[str, str], folder: Path) -> None:
    program = folder / "pg_dump"
    program.write_text("#!/bin/sh\ntr '\\0' ' ' < /proc/$$/cmdline\n")
    program.chmod(0o755)
    ended = etl_process(folder, "db", "dump", PATH=str(folder) + ":/usr/bin:/bin", PGBIN="/nowhere", **planted)
    assert ended.status == 0, ended.err
    assert "--dbname=" in ended.out
    assert "Planted" not in ended.out


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("more", ["", "&unheard=Planted-of", "&sslmode=Planted-secret"])
def test_no_error_shows_a_password(etl: Run, monkeypatch: pytest.MonkeyPatch, form: str, more: str) -> None:
    mine = "pg/Planted:" + uuid.uuid4().hex[:6]
    url = FORMS[form].replace(ENCODED, mine.replace("/", "%2F").replace(":", "%3A"))
    mark = "&" if "?" in url else "?"
    monkeypatch.setenv("DATABASE_URL", url.format(user="me", place="127.0.0.1:1/none") + more.replace("&", mark, 1))
    ended = etl("status")
    assert ended.status == 2, ended.err
    assert len(ended.complaints) == 1
    said = ended.err.replace("Planted-of", "").replace("Planted-secret", "")
    assert "Planted" not in said
    assert "please report" not in said


@pytest.mark.usefixtures("story")
def test_the_password_of_a_target_is_hidden_as_well(etl: Run) -> None:
    ended = etl("db", "copy", "postgresql://me@127.0.0.1:1/none?password=Planted-target")
    assert ended.status == 2
    assert "Planted" not in ended.out + ended.err
    assert json.loads(etl("db", "status", "--json").out)["running"] is True
    assert make_url(etl("db", "url").out.strip()).password
