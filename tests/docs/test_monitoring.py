"""What docs/monitoring.md and the alert rules name is what is exposed, no more and no less."""

import re
from typing import Any

import pytest
import yaml

from etl.schedule.metrics import Metrics
from tests.docs.markdown import ROOT

DOCUMENT = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
ALERTS: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "prometheus-alerts.yml").read_text(encoding="utf-8"))
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
SCRAPE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "prometheus-scrape.yml").read_text(encoding="utf-8"))

_ROW = re.compile(r"^\| `(etl_\w+)` \| (\w+) \|(.*?)\| (.*) \|$", re.MULTILINE)


def exposed() -> dict[str, tuple[str, str]]:
    """Every metric of ours by the name that it is scraped by, with its type and what it means."""
    row = dict.fromkeys(
        ("age", "max_age_seconds", "last_attempt_at", "last_complete_at", "last_change_at", "last_slot_at"), None
    ) | dict.fromkeys(
        (
            "consecutive_failures",
            "held_snapshots",
            "set_aside_snapshots",
            "quarantined_records",
            "unmapped_fields",
            "missed_slots",
        ),
        0,
    )
    families = Metrics(lambda: [row | {"source": "s", "status": "never"}]).registry.collect()
    return {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, family.documentation)
        for family in families
        if family.name.startswith("etl_")
    }


def test_the_document_lists_every_metric_with_its_type() -> None:
    documented = {name: kind for name, kind, _, _ in _ROW.findall(DOCUMENT)}
    assert documented == {name: kind for name, (kind, _) in exposed().items()}


def test_the_names_follow_the_conventions() -> None:
    for name, (kind, meaning) in exposed().items():
        assert re.fullmatch(r"etl_[a-z_]+", name), name
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search(r"_(ms|millis|minutes|hours|kb|mb)\b", name), name
        assert meaning.endswith("."), name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_names_only_what_is_exposed_and_says_what_to_do(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\betl_\w+", rule["expr"]))
    assert named
    assert named <= exposed().keys()
    statuses = set(re.findall(r'status="(\w+)"', rule["expr"]))
    assert statuses <= {"fresh", "stale", "failing", "never", "disabled"}
    assert rule["expr"].count("(") == rule["expr"].count(")")
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert {"summary", "runbook"} == rule["annotations"].keys()


def test_the_document_lists_every_alert() -> None:
    documented = re.findall(r"^\| `(Etl\w+)` \|", DOCUMENT, re.MULTILINE)
    assert sorted(documented) == sorted(rule["alert"] for rule in RULES)


def test_the_job_is_the_one_that_the_alerts_know() -> None:
    [job] = SCRAPE["scrape_configs"]
    used = {name for rule in RULES for name in re.findall(r'job="(\w+)"', rule["expr"])}
    assert used == {job["job_name"]}
