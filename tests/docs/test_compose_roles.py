"""The service `roles` of Compose: its script, run by psql on a warehouse that a superuser owns."""

import shlex
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from etl.cli.invocation import upgrade
from etl.database import migrations
from etl.database.binaries import find
from etl.database.engine import open_engine
from tests.database.roles import PASSWORD, loader_of, make_roles, owner_of
from tests.docs.markdown import ROOT
from tests.docs.test_compose import SERVICES, composed
from tests.load.believing import load
from tests.load.worlds import World


@pytest.fixture
def superusers(server_url: URL) -> Iterator[URL]:
    """A warehouse that the superuser made and owns."""
    make_roles(server_url)
    name = f"etl_test_{uuid.uuid4().hex[:12]}"
    admin = open_engine(server_url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = server_url.set(database=name)
    migrations.upgrade(open_engine(url))
    yield url
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_script_gives_the_warehouse_to_the_owner_and_both_urls_work(superusers: URL, tmp_path: Path) -> None:
    script = (ROOT / "deploy" / "roles.sql").read_text(encoding="utf-8")
    for name, role in (("owner_url", "etl_owner"), ("database_url", "etl_loader")):
        file = tmp_path / name
        file.write_text(f"postgresql://{role}:{PASSWORD}@postgres:5432/etl\n", encoding="utf-8")
        script = script.replace(f"/run/secrets/{name}", shlex.quote(str(file)))
    (tmp_path / "roles.sql").write_text(
        script.replace("/etc/take_over.sql", str(ROOT / "etl" / "database" / "take_over.sql")), encoding="utf-8"
    )
    address = superusers.set(drivername="postgresql").render_as_string(hide_password=False)
    options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1"]
    for _ in range(2):  # It is run at each start.
        asking: list[str | Path] = [find().program("psql"), address, *options, "--file", tmp_path / "roles.sql"]
        subprocess.run(asking, check=True)
    owner = open_engine(owner_of(superusers))
    upgrade(owner)
    with owner.begin() as connection:
        connection.execute(text("COMMENT ON SCHEMA mart IS 'mart of before'"))
    upgrade(owner)
    assert load(open_engine(loader_of(superusers)), "s", 0, World({"openai/m": ("A", {"prompt": "1"})})).is_well


def test_the_service_runs_the_script_that_is_tested_as_the_superuser_and_alone_knows_him_besides() -> None:
    service = SERVICES["roles"]
    for mounted, file in zip(service["configs"], ("./deploy/roles.sql", "./etl/database/take_over.sql"), strict=True):
        assert composed()["configs"][mounted["source"]]["file"] == file
        assert mounted["target"] == f"/etc/{Path(file).name}"
    assert "--single-transaction" in service["command"][0]
    assert "--file /etc/roles.sql" in service["command"][0]
    assert {name for name, each in SERVICES.items() if "postgres_password" in each["secrets"]} == {
        "postgres",
        "roles",
        "reader",
    }
