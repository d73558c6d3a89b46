"""What deploy/ holds for systemd, cron and Kubernetes says nothing that the program does not understand."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl import config
from etl.cron import Cron
from etl.database.engine import database_url
from tests.docs.markdown import ROOT, blocks
from tests.docs.usage import check_command, secrets, variables

DEPLOY = ROOT / "deploy"
SERVICES = ("etl-schedule.service", "etl-run.service")
PROGRAM = "/opt/etl/bin/etl"
PODS = ("deployment.yaml", "cronjob.yaml")
ELSEWHERE = {"deploy/prometheus-alerts.yml"}
SECRET = "/run/secrets/etl/"

OPERATIONS = ROOT / "docs" / "operations.md"

_ASSIGNMENT = re.compile(r'^([A-Z_]+)="?([^"\n]*)"?$', re.MULTILINE)
_LINE = re.compile(r"^([\d*]\S* \S+ \S+ \S+ \S+)\s+(.*)$")


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def unit(name: str) -> ConfigParser:
    """A unit of systemd."""
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text(name))
    return parser


def crontab() -> list[tuple[str, str]]:
    """The schedules of the crontab, each with its command."""
    return [found.groups() for line in text("crontab").splitlines() if (found := _LINE.match(line))]  # type: ignore[misc]


def manifests(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text(f"kubernetes/{name}")))


def pod_labels(name: str) -> dict[str, str]:
    """The labels of the pods that a manifest starts."""
    [manifest] = manifests(name)
    spec = manifest["spec"]["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else manifest["spec"]
    found: dict[str, str] = spec["template"]["metadata"]["labels"]
    return found


def pod(name: str) -> dict[str, Any]:
    """The specification of the pods that a manifest starts."""
    [manifest] = manifests(name)
    spec: dict[str, Any] = manifest["spec"]
    template = spec["jobTemplate"]["spec"]["template"] if manifest["kind"] == "CronJob" else spec["template"]
    found: dict[str, Any] = template["spec"]
    return found


def containers() -> Iterator[dict[str, Any]]:
    for name in PODS:
        yield from pod(name)["initContainers"]
        yield from pod(name)["containers"]


def literals() -> dict[str, str]:
    """The environment that the ConfigMap gives to every container."""
    generators = yaml.safe_load(text("kustomization.yaml"))["configMapGenerator"]
    [lines] = [each["literals"] for each in generators if each["name"] == "etl-environment"]
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize(
    ("name", "command"), [("etl-schedule.service", "etl schedule"), ("etl-run.service", "etl run --due")]
)
def test_a_unit_starts_a_command_that_is_there(name: str, command: str) -> None:
    started = unit(name)["Service"]["ExecStart"]
    assert started == command.replace("etl", PROGRAM, 1)
    check_command(command)


def test_the_daemon_is_reloaded_by_sighup_and_always_started_again() -> None:
    daemon = unit("etl-schedule.service")
    assert daemon["Service"]["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert (daemon["Service"]["Type"], daemon["Service"]["Restart"]) == ("exec", "always")
    assert daemon["Unit"]["StartLimitIntervalSec"] == "0"
    assert int(daemon["Service"]["TimeoutStopSec"]) > 10


def test_both_units_are_contained_alike() -> None:
    daemon, once = (dict(unit(name)["Service"]) for name in SERVICES)
    alike = daemon.keys() & once.keys() - {"Type", "ExecStart"}
    assert {key: daemon[key] for key in alike} == {key: once[key] for key in alike}
    assert {"User", "ProtectSystem", "NoNewPrivileges", "CapabilityBoundingSet", "SystemCallFilter"} <= alike
    assert (daemon["User"], daemon["ProtectSystem"], daemon["CapabilityBoundingSet"]) == ("etl", "strict", "")


def test_the_timer_catches_up_and_starts_a_service_that_is_there() -> None:
    timer = unit("etl-run.timer")["Timer"]
    assert (timer["Persistent"], "RandomizedDelaySec" in timer) == ("true", True)
    assert "etl-run.service" in SERVICES


def test_the_environment_of_the_host_is_ours_and_holds_no_password() -> None:
    found = dict(_ASSIGNMENT.findall(text("environment")))
    assert found.keys() == {"DATABASE_URL", "ETL_HTTP_ADDRESS"}
    url = database_url(found["DATABASE_URL"])
    assert (url.username, url.password, url.database, url.query["host"]) == (None, None, "etl", "/run/postgresql")


def test_the_environment_of_the_host_has_a_line_for_each_secret() -> None:
    proposed = dict(_ASSIGNMENT.findall(text("environment").replace("\n#", "\n")))
    named = {name: value for name, value in proposed.items() if name.endswith("_FILE")}
    assert named.keys() == {f"{secret}_FILE" for secret in secrets() - {"DATABASE_URL"}}
    assert all(value.startswith("/etc/etl/secrets/") for value in named.values())


def test_the_example_in_the_configuration_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / config.FILE
    file.write_text(re.sub(r"^#   ", "", text(config.FILE), flags=re.MULTILINE), encoding="utf-8")
    changed, default = (config.load(each) for each in (file, DEPLOY / config.FILE))
    assert (set(changed.sources), set(default.sources)) == ({"phaseo"}, set())


def test_the_environment_of_the_host_means_the_same_to_a_shell() -> None:
    asked = "set -a; . ./environment; env"
    done = subprocess.run(["/bin/sh", "-c", asked], cwd=DEPLOY, env={}, capture_output=True, text=True, check=True)
    for name, value in _ASSIGNMENT.findall(text("environment")):
        assert f"{name}={value}" in done.stdout.splitlines()


def test_the_crontab_runs_what_is_due_often_and_checks_daily() -> None:
    commands = {}
    for schedule, command in crontab():
        Cron(schedule)
        [asked] = re.findall(rf"{PROGRAM} ([^)]*) 2>&1", command)
        check_command(f"etl {asked}")
        commands[asked] = schedule
    assert commands == {"run --due": "*/5 * * * *", "status --check": "17 6 * * *"}


@pytest.mark.parametrize(("status", "said"), [(0, ""), (1, "to stdout\nto stderr\n")])
def test_a_line_of_the_crontab_speaks_only_when_something_is_wrong(tmp_path: Path, status: int, said: str) -> None:
    program = tmp_path / "etl"
    program.write_text(f"#!/bin/sh\necho to stdout\necho to stderr >&2\nexit {status}\n", encoding="utf-8")
    program.chmod(0o755)
    for _, command in crontab():
        here = command.replace("/etc/etl", shlex.quote(str(DEPLOY))).replace(PROGRAM, shlex.quote(str(program)))
        done = subprocess.run(["/bin/sh", "-c", here], capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == (said, "")


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_not_root_and_reads_no_environment_but_its_own(name: str) -> None:
    spec = pod(name)
    context = spec["securityContext"]
    assert (context["runAsNonRoot"], context["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
    assert context["runAsUser"] == context["runAsGroup"] == context["fsGroup"] == 10001
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["terminationGracePeriodSeconds"] > 10
    assert {volume["name"] for volume in spec["volumes"]} == {"configuration", "secrets", "owner", "tmp"}


def test_every_container_is_contained_and_runs_a_command_that_is_there() -> None:
    for container in containers():
        check_command(" ".join(container["command"]))
        context = container["securityContext"]
        assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        assert container["envFrom"] == [{"configMapRef": {"name": "etl-environment"}}]
        # The owner's url is for the migration alone.
        owner = [{"name": "DATABASE_URL_FILE", "value": "/run/secrets/owner/database_url"}]
        is_migration = container["name"] == "migrate"
        assert container.get("env", []) == (owner if is_migration else [])
        assert ("owner" in {mount["name"] for mount in container["volumeMounts"]}) == is_migration
    assert [container["command"] for container in containers() if container["name"] == "migrate"] == [
        ["etl", "db", "upgrade"]
    ] * len(PODS)


def test_the_probes_ask_healthz_and_readyz_at_the_port_that_is_served() -> None:
    [daemon] = pod("deployment.yaml")["containers"]
    probes = {probe: daemon[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert probes == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    assert literals()["ETL_HTTP_ADDRESS"] == f"0.0.0.0:{daemon['ports'][0]['containerPort']}"


def test_the_environment_in_kubernetes_is_ours_and_its_secrets_are_files_of_the_mount() -> None:
    assert literals().keys() <= variables() - secrets()
    assert all(value.startswith(SECRET) for name, value in literals().items() if name.endswith("_FILE"))
    for container in containers():
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        assert f"{mounts['secrets']['mountPath']}/" == SECRET
        assert mounts["configuration"] == {"name": "configuration", "mountPath": "/etc/etl", "readOnly": True}


def test_the_rounds_of_the_cronjob_never_overlap_and_are_never_given_up() -> None:
    [job] = manifests("cronjob.yaml")
    spec = job["spec"]
    Cron(spec["schedule"])
    assert (spec["concurrencyPolicy"], spec["timeZone"]) == ("Forbid", "Etc/UTC")
    assert 10 <= spec["startingDeadlineSeconds"] < 300
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0


def test_what_is_applied_is_there_with_the_image_of_this_release() -> None:
    file = yaml.safe_load(text("kustomization.yaml"))
    assert all((DEPLOY / resource).is_file() for resource in file["resources"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert file["images"] == [{"name": "llm-price-warehouse", "newTag": project["version"]}]
    assert {container["image"] for container in containers()} == {"llm-price-warehouse"}
    [mounted] = [each["files"] for each in file["configMapGenerator"] if each["name"] == "etl"]
    assert mounted == [config.FILE]


def test_the_service_finds_the_pods_of_the_daemon() -> None:
    [service], [daemon] = manifests("service.yaml"), manifests("deployment.yaml")
    assert service["spec"]["selector"] == daemon["spec"]["template"]["metadata"]["labels"]


def test_the_network_policy_is_about_our_pods_and_lets_through_what_they_need() -> None:
    [policy] = manifests("networkpolicy.yaml")
    [selected] = policy["spec"]["podSelector"]["matchExpressions"]
    assert selected["operator"] == "In"
    assert set(selected["values"]) == {pod_labels(name)["app"] for name in PODS}
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    [scraping] = policy["spec"]["ingress"]
    [port] = [each["containerPort"] for container in containers() for each in container.get("ports", [])]
    assert scraping["ports"] == [{"protocol": "TCP", "port": port}]
    assert [set(each) for each in scraping["from"]] == [{"namespaceSelector"}]
    out = {(each["protocol"], each["port"]) for rule in policy["spec"]["egress"] for each in rule["ports"]}
    assert out == {("UDP", 53), ("TCP", 53), ("TCP", 443), ("TCP", 5432)}


def test_probes_ask_what_shares_no_thread_with_scrapes() -> None:
    [daemon] = [container for container in containers() if container["name"] == "schedule"]
    asked = {name: probe["httpGet"]["path"] for name, probe in daemon.items() if name.endswith("Probe")}
    assert asked == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


def test_no_image_floats_and_no_secret_is_written_down() -> None:
    for file in (*DEPLOY.rglob("*"), ROOT / "docker-compose.yml"):
        if file.is_file():
            content = file.read_text(encoding="utf-8")
            assert ":latest" not in content, file
            assert not re.search(r"://[^/\s:@]+:[^/\s@$]+@", content), file


def test_what_the_operator_is_told_to_run_through_something_else_is_there_as_well() -> None:
    shown = [line.partition("  #")[0] for block in blocks(OPERATIONS, "sh") for line in block.code.splitlines()]
    found = [
        match[1]
        for line in shown
        if (match := re.search(r"(?:^as_etl|^docker compose exec \w+ etl|-- etl) (.*)", line))
    ]
    assert len(found) > 5
    for command in found:
        check_command(f"etl {command}")


def test_every_file_of_deploy_is_told_of_and_what_is_told_of_is_there() -> None:
    told = OPERATIONS.read_text(encoding="utf-8")
    for path in set(re.findall(r"deploy/[\w./-]*\w", told)) - ELSEWHERE:
        assert (ROOT / path).is_file(), path
    assert all(file.name in told for file in DEPLOY.iterdir() if file.is_file() and file.name != "unset")
