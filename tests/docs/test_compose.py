"""docker-compose.yml read as Compose reads it, as far as that can be told without a Docker engine."""

import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from etl import config
from tests.docs.markdown import ROOT, blocks
from tests.docs.usage import check_command, secrets, variables

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
OPERATIONS = ROOT / "docs" / "operations.md"
POSTGRES = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE"}
OURS = ("migrate", "schedule")

_INTERPOLATION = re.compile(r"\$\{(\w+)(?::([-+?])([^}]*))?\}")


def composed(**environ: str) -> dict[str, Any]:
    """The file as Compose has it with these variables in ``.env``."""

    def value(found: re.Match[str]) -> str:
        name, operator, word = found.groups()
        given = environ.get(name, "")
        return (word if given else "") if operator == "+" else given or word or ""

    loaded: dict[str, Any] = yaml.safe_load(_INTERPOLATION.sub(value, TEXT))
    return loaded


SERVICES = composed()["services"]
DOCKERFILE = SERVICES["migrate"]["build"]["dockerfile_inline"].splitlines()


def test_the_services_are_a_database_its_roles_a_migration_and_the_daemon_and_all_others_have_to_be_asked_for() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {"postgres", "roles", *OURS}
    assert SERVICES["roles"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["migrate"]["depends_on"] == {"roles": {"condition": "service_completed_successfully"}}
    assert SERVICES["schedule"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert [volume.split(":") for volume in SERVICES["postgres"]["volumes"]] == [["postgres", "/var/lib/postgresql"]]
    assert "postgres" in composed()["volumes"]


@pytest.mark.parametrize("name", OURS)
def test_the_commands_of_the_services_are_ours(name: str) -> None:
    check_command(" ".join(SERVICES[name]["command"]))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_little_and_fills_no_disk(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["user"] not in ("", "root", "0", "0:0")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(place.split(":")[0] == str(Path("/", "tmp")) for place in service["tmpfs"])
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert not service.get("privileged")


def test_what_stays_is_watched_and_started_again_and_what_ends_is_tried_a_few_times() -> None:
    for name in ("postgres", "schedule"):
        assert SERVICES[name]["restart"] == "unless-stopped"
        assert {"test", "interval", "timeout", "retries", "start_period"} == SERVICES[name]["healthcheck"].keys()
    assert SERVICES["postgres"]["healthcheck"]["test"][:4] == ["CMD", "pg_isready", "--host", "127.0.0.1"]
    assert SERVICES["migrate"]["restart"] == "on-failure:5"
    assert (SERVICES["schedule"]["stop_signal"], SERVICES["schedule"]["stop_grace_period"]) == ("SIGTERM", "15s")


def test_the_daemon_alone_reaches_what_is_outside_and_no_service_is_in_the_default_network() -> None:
    networks = composed()["networks"]
    assert networks["database"] == {"internal": True}
    assert networks["published"]["driver_opts"] == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    for name, service in SERVICES.items():
        others = {"outside"} if name == "schedule" else {"published"} if service.get("ports") else set()
        assert set(service["networks"]) == {"database", *others}, name


def test_every_variable_is_known_and_a_secret_comes_from_a_file_alone() -> None:
    for name in OURS:
        environment = SERVICES[name]["environment"]
        assert environment.keys() <= variables()
        assert environment.keys() & secrets() == set()
        assert {f"{secret}_FILE" for secret in secrets()} <= environment.keys()
    assert SERVICES["postgres"]["environment"].keys() == POSTGRES


def test_the_migration_is_configured_like_the_daemon_because_it_records_what_is_configured() -> None:
    for key in ("image", "configs", "user"):
        assert SERVICES["migrate"][key] == SERVICES["schedule"][key]
    # But the one is the owner and the other the loader, neither knows the other's url, and none the superuser's.
    migrate, schedule = (dict(SERVICES[name]["environment"]) for name in OURS)
    owner, loader = (environment.pop("DATABASE_URL_FILE") for environment in (migrate, schedule))
    assert (owner, loader, migrate) == ("/run/secrets/owner_url", "/run/secrets/database_url", schedule)
    asked = [set(SERVICES[name]["secrets"]) for name in OURS]
    assert (asked[0] - asked[1], asked[1] - asked[0]) == ({"owner_url"}, {"database_url"})
    assert not any("postgres_password" in secrets for secrets in asked)


@pytest.mark.parametrize("is_given", [False, True])
def test_a_variable_names_a_secret_of_its_service_when_there_is_one_and_is_empty_otherwise(is_given: bool) -> None:  # noqa: FBT001
    given = {f"{secret}_FILE": f"./secrets/{secret.lower()}" for secret in secrets() - {"DATABASE_URL"}}
    file = composed(**given if is_given else {})
    for service in (file["services"][name] for name in OURS):
        named = {key: value for key, value in service["environment"].items() if key.endswith("_FILE") and value}
        assert named.keys() == ({*given, "DATABASE_URL_FILE"} if is_given else {"DATABASE_URL_FILE"})
        for variable, place in named.items():
            secret = Path(place)
            assert secret.parent == Path("/run/secrets")
            assert secret.name in service["secrets"]
            expected = given.get(variable, f"./secrets/{secret.name}")
            assert file["secrets"][secret.name]["file"] == expected


def test_what_stands_in_the_place_of_an_optional_file_is_there() -> None:
    file = composed()
    defaults = {each["file"] for each in (*file["secrets"].values(), *file["configs"].values())}
    required = {"./secrets/postgres_password", "./secrets/owner_url", "./secrets/database_url"}
    profiles = {f"./secrets/{name}" for each in SERVICES.values() if "profiles" in each for name in each["secrets"]}
    assert all((ROOT / default).is_file() for default in defaults - required - profiles)
    assert required < defaults


def test_what_is_always_started_needs_no_secret_of_a_profile() -> None:
    file = composed()
    always = {name for each in SERVICES.values() if "profiles" not in each for name in each["secrets"]}
    missing = {name for name in always if not (ROOT / file["secrets"][name]["file"]).is_file()}
    assert missing <= {"postgres_password", "owner_url", "database_url"}


def test_every_secret_is_asked_for_by_a_service_and_is_kept_out_of_git() -> None:
    asked = {secret for service in SERVICES.values() for secret in service["secrets"]}
    assert asked == composed()["secrets"].keys()
    assert {"/secrets/", "/.env"} <= set((ROOT / ".gitignore").read_text(encoding="utf-8").splitlines())


def test_the_configuration_that_is_mounted_is_found_in_the_working_directory_and_is_accepted() -> None:
    [mounted] = SERVICES["schedule"]["configs"]
    assert f"WORKDIR {Path(mounted['target']).parent}" in DOCKERFILE
    assert Path(mounted["target"]).name == config.FILE
    config.configured(config.load(ROOT / composed()["configs"][mounted["source"]]["file"]), {})


def test_the_image_copies_what_is_there_and_does_not_run_as_root() -> None:
    copied = {name for line in DOCKERFILE if line.startswith("COPY ") for name in line.split()[1:-1]}
    assert {name for name in copied if not (ROOT / name).exists()} == set()
    assert [line for line in DOCKERFILE if line.startswith("USER ")] == [f"USER {SERVICES['schedule']['user']}"]


def test_one_service_alone_builds_the_image_and_nobody_looks_for_it_elsewhere() -> None:
    assert ("build" in SERVICES["migrate"], "build" in SERVICES["schedule"]) == (True, False)
    assert (SERVICES["migrate"]["pull_policy"], SERVICES["schedule"]["pull_policy"]) == ("build", "never")


def test_the_tags_of_the_images_are_those_of_a_release() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert SERVICES["schedule"]["image"] == f"llm-price-warehouse:{project['version']}"
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert re.fullmatch(r"FROM python:3\.\d+-slim", DOCKERFILE[0])


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server on loopback that answers everything with a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "expected"), [(200, 0), (503, 1)])
def test_the_health_check_asks_healthz_without_a_proxy(status: int, expected: int) -> None:
    command, *arguments = SERVICES["schedule"]["healthcheck"]["test"][1:]
    assert command == "python"
    with answering(status) as port:
        asking = [sys.executable, *(argument.replace("9464", str(port)) for argument in arguments)]
        done = subprocess.run(asking, env={"http_proxy": "http://127.0.0.1:9"}, capture_output=True, check=False)
    assert done.returncode == expected
    assert SERVICES["schedule"]["environment"]["ETL_HTTP_ADDRESS"].endswith(":9464")


def test_the_documented_command_writes_secrets_that_agree_and_that_only_containers_can_reach(tmp_path: Path) -> None:
    [block] = [block for block in blocks(OPERATIONS, "sh") if "postgres_password" in block.code]
    subprocess.run(["/bin/sh", "-eu", "-c", block.code], cwd=tmp_path, umask=0o077, check=True)
    folder = tmp_path / "secrets"
    passwords = [(folder / "postgres_password").read_text(encoding="utf-8").strip()]
    for role, name in (("etl_owner", "owner_url"), ("etl_loader", "database_url")):
        url = (folder / name).read_text(encoding="utf-8")
        [password] = re.findall(rf"^postgresql://{role}:([0-9a-f]+)@postgres:5432/etl$", url)
        passwords.append(password)
    assert len(set(passwords)) == 3
    assert all(re.fullmatch("[0-9a-f]{48}", password) for password in passwords)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o644}
