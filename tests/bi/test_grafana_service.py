"""What Grafana is provisioned with, and the service that docker-compose.yml starts it in."""

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.bi.grafana import FILES, GRAFANA, POSTGRES, drawn, load
from tests.docs.markdown import ROOT, blocks
from tests.docs.test_compose import SERVICES, composed

DOCUMENT = ROOT / "docs" / "grafana.md"
SERVICE: dict[str, Any] = SERVICES["grafana"]
MOUNTED = dict(volume.split(":", 1) for volume in SERVICE["volumes"])
ENVIRONMENT: dict[str, str] = SERVICE["environment"]


def provisioned(name: str) -> dict[str, Any]:
    """The one data source, or the one provider, of a file."""
    loaded = yaml.safe_load((GRAFANA / name).read_text(encoding="utf-8"))
    assert loaded.pop("apiVersion") == 1
    [[found]] = loaded.values()
    entry: dict[str, Any] = found
    return entry


def test_the_warehouse_is_read_by_a_role_that_can_only_read() -> None:
    source = provisioned("provisioning/datasources/warehouse.yaml")
    assert (source["type"], source["uid"], source["user"]) == (POSTGRES, "llm-price-warehouse", "dashboards")
    assert (source["access"], source["editable"], source["isDefault"]) == ("proxy", False, True)
    assert source["jsonData"]["postgresVersion"] >= 1500
    assert "password" not in source


def test_the_password_is_a_secret_of_the_service() -> None:
    source = provisioned("provisioning/datasources/warehouse.yaml")
    [place] = re.findall(r"^\$__file\{(.*)\}$", source["secureJsonData"]["password"])
    assert Path(place).parent == Path("/run/secrets")
    assert {Path(place).name, Path(ENVIRONMENT["GF_SECURITY_ADMIN_PASSWORD__FILE"]).name} == set(SERVICE["secrets"])
    assert [name for name in ENVIRONMENT if "PASSWORD" in name and not name.endswith("__FILE")] == []


def test_every_variable_of_a_data_source_is_set_for_the_service() -> None:
    files = (*GRAFANA.glob("provisioning/*/*.yaml"), *GRAFANA.glob("optional/*.yaml"))
    named = {name for file in files for name in re.findall(r"\$\{(\w+)\}", file.read_text(encoding="utf-8"))}
    assert named == {name for name in ENVIRONMENT if not name.startswith("GF_")}
    assert ENVIRONMENT["WAREHOUSE_ADDRESS"] == "postgres:5432"
    assert ENVIRONMENT["WAREHOUSE_DATABASE"] == SERVICES["postgres"]["environment"]["POSTGRES_DB"]
    assert ENVIRONMENT["WAREHOUSE_SSLMODE"] in {"disable", "require", "verify-ca", "verify-full"}


def test_what_is_mounted_is_there_and_is_where_grafana_looks() -> None:
    provider = provisioned("provisioning/dashboards/warehouse.yaml")
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)
    folders = {place: target for place, target in MOUNTED.items() if place.startswith(".")}
    assert all((ROOT / place).is_dir() and target.endswith(":ro") for place, target in folders.items())
    assert folders["./bi/grafana/dashboards"] == provider["options"]["path"] + ":ro"
    for kind in ("datasources", "dashboards"):
        assert folders[f"./bi/grafana/provisioning/{kind}"] == f"/etc/grafana/provisioning/{kind}:ro"
    home = Path(ENVIRONMENT["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (GRAFANA / "dashboards" / home.name).is_file()
    assert MOUNTED["grafana"] == "/var/lib/grafana"
    assert "grafana" in composed()["volumes"]


def test_grafana_is_started_on_demand_alone_and_after_the_role_that_it_reads_by() -> None:
    assert SERVICE["profiles"] == ["bi"]
    assert SERVICE["depends_on"] == {"reader": {"condition": "service_completed_successfully"}}
    assert SERVICE["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries", "start_period"} == SERVICE["healthcheck"].keys()
    [port] = SERVICE["ports"]
    assert port == "127.0.0.1:3000:3000"
    assert SERVICE["healthcheck"]["test"][-1] == "http://127.0.0.1:3000/api/health"


def test_grafana_asks_for_a_password_and_calls_nobody() -> None:
    off = {"AUTH_ANONYMOUS_ENABLED", "USERS_ALLOW_SIGN_UP", "ANALYTICS_REPORTING_ENABLED", "NEWS_NEWS_FEED_ENABLED"}
    off |= {"ANALYTICS_CHECK_FOR_UPDATES", "ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "SNAPSHOTS_EXTERNAL_ENABLED"}
    on = {"SECURITY_DISABLE_GRAVATAR", "PLUGINS_PREINSTALL_DISABLED", "PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED"}
    assert {ENVIRONMENT[f"GF_{name}"] for name in off} == {"false"}
    assert {ENVIRONMENT[f"GF_{name}"] for name in on} == {"true"}


def test_the_dashboards_are_written_for_the_version_that_is_started() -> None:
    [version] = re.findall(r"^grafana/grafana:(\d+\.\d+\.\d+)$", SERVICE["image"])
    assert {panel["pluginVersion"] for path in FILES for panel in drawn(load(path))} == {version}
    assert version in DOCUMENT.read_text(encoding="utf-8")


def test_the_documented_commands_write_the_passwords_and_keep_those_that_are_there(tmp_path: Path) -> None:
    [block] = [block for block in blocks(DOCUMENT, "sh") if "grafana_password" in block.code]
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    (folder / "reader_password").write_text("kept\n", encoding="utf-8")
    subprocess.run(["/bin/sh", "-eu", "-c", block.code], cwd=tmp_path, umask=0o077, check=True)
    assert (folder / "reader_password").read_text(encoding="utf-8") == "kept\n"
    assert re.fullmatch("[0-9a-f]{48}\n", (folder / "grafana_password").read_text(encoding="utf-8"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o644}


def test_the_document_lists_every_panel_and_says_what_could_not_be_tried() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    for path in FILES:
        for panel in drawn(load(path)):
            assert f"| {panel['title']} |" in written, panel["title"]
    assert "Grafana itself could not be run" in written
