"""The dashboards' services in docker-compose.yml, as far as that can be told without a Docker engine."""

import re
import shlex
import subprocess
import tomllib
import uuid
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ProgrammingError

from bi.superset import bundle
from etl.database import reader
from etl.database.binaries import find
from etl.database.engine import open_engine
from tests.database.roles import execute, owner_of
from tests.docs.markdown import ROOT
from tests.docs.test_compose import SERVICES, composed

SCRIPT = (ROOT / "deploy" / "reader.sql").read_text(encoding="utf-8")
SUPERSET, LOGIN = SERVICES["superset"], SERVICES["reader"]
DOCKERFILE = SUPERSET["build"]["dockerfile_inline"].splitlines()


def test_the_dashboards_are_asked_for_and_wait_for_their_login_which_waits_for_the_mart() -> None:
    assert SUPERSET["profiles"] == LOGIN["profiles"] == ["bi"]
    assert SUPERSET["depends_on"] == {"reader": {"condition": "service_completed_successfully"}}
    assert LOGIN["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert LOGIN["image"] == SERVICES["postgres"]["image"]
    assert (LOGIN["restart"], SUPERSET["restart"]) == ("on-failure:5", "unless-stopped")


def test_superset_sees_the_readers_password_alone_and_keeps_its_metadata() -> None:
    assert SUPERSET["secrets"] == ["reader_password"]
    url = make_url(SUPERSET["environment"]["WAREHOUSE_URL"])
    assert (url.username, url.password, url.host) == ("dashboards", None, "postgres")
    assert SUPERSET["environment"]["WAREHOUSE_PASSWORD_FILE"] == str(Path("/", "run", "secrets", "reader_password"))
    assert SUPERSET["volumes"] == [f"superset:{SUPERSET['environment']['SUPERSET_HOME']}"]
    assert "superset" in composed()["volumes"]
    assert SUPERSET["ports"] == ["127.0.0.1:8088:8088"]


def test_the_image_installs_the_pins_and_runs_what_starts_superset_as_a_user_of_its_own() -> None:
    copied = [name for line in DOCKERFILE if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert copied == ["bi/superset/requirements.txt", "bi/superset/constraints.txt", "bi"]
    assert all((ROOT / name).exists() for name in copied)
    assert re.fullmatch(r"FROM python:3\.1[12]-slim", DOCKERFILE[0])
    assert f"USER {SUPERSET['user']}" in DOCKERFILE
    assert SUPERSET["command"] == ["python", "-m", "bi.superset.start", "0.0.0.0:8088"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert SUPERSET["image"] == f"llm-price-dashboards:{version}"
    assert bundle.PLACEHOLDER.split("://")[1].startswith(
        f"{make_url(SUPERSET['environment']['WAREHOUSE_URL']).username}@"
    )


def test_the_script_is_where_the_login_looks_for_it() -> None:
    [mounted] = LOGIN["configs"]
    assert composed()["configs"][mounted["source"]]["file"] == "./deploy/reader.sql"
    assert f"--file {mounted['target']}" in LOGIN["command"][0]
    assert {"postgres_password", "reader_password"} == set(LOGIN["secrets"])


@pytest.mark.parametrize("passwords", [["first"], ["first", "it's another"]])
def test_the_login_of_the_script_reads_the_mart_with_the_last_password(
    server_url: URL, warehouse_url: URL, tmp_path: Path, passwords: list[str]
) -> None:
    role = f"dashboards_{uuid.uuid4().hex[:8]}"
    file, script = tmp_path / "password", tmp_path / "reader.sql"
    here = SCRIPT.replace("/run/secrets/reader_password", shlex.quote(str(file))).replace("dashboards", role)
    script.write_text(here, encoding="utf-8")
    admin = server_url.set(drivername="postgresql", database=warehouse_url.database)
    try:
        for password in passwords:
            file.write_text(f"{password}\n", encoding="utf-8")
            asking: list[str | Path] = [
                find().program("psql"),
                admin.render_as_string(hide_password=False),
                "--no-psqlrc",
                "--quiet",
                "--set",
                "ON_ERROR_STOP=1",
                "--file",
                script,
            ]
            subprocess.run(asking, check=True)
        engine = open_engine(warehouse_url.set(username=role, password=passwords[-1]))
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM mart.snapshot")) == 0
            with pytest.raises(ProgrammingError, match="permission denied"):
                connection.execute(text("SELECT FROM raw.content"))
        assert reader.grant(open_engine(owner_of(warehouse_url)), role) == []
    finally:
        execute(server_url, f"DROP ROLE IF EXISTS {role}")
