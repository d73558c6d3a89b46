"""The dashboards are what Grafana can load: their structure and their references, without Grafana."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bi.grafana import ALL, FILES, GRAFANA, POSTGRES, drawn, load, panels, used
from tests.docs.test_monitoring import exposed

NAMES = {path: path.stem for path in FILES}
KINDS = {"bargauge", "row", "stat", "state-timeline", "table", "timeseries"}
SOURCES = {
    each["uid"]: each["type"]
    for path in (*GRAFANA.glob("provisioning/datasources/*.yaml"), GRAFANA / "optional" / "prometheus.yaml")
    for each in yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]
}
PANELS = [
    pytest.param(path, panel, id=f"{path.stem}: {panel['title']}") for path in FILES for panel in drawn(load(path))
]


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_a_dashboard_is_one_that_a_new_grafana_takes_as_it_is(path: Path) -> None:
    dashboard = load(path)
    assert "id" not in dashboard
    assert re.fullmatch(r"llm-price-[a-z]+", dashboard["uid"])
    assert dashboard["schemaVersion"] >= 40
    assert dashboard["timezone"] == "utc"
    assert dashboard["title"]
    assert dashboard["description"].endswith(".")
    assert dashboard["time"]["to"] == "now"
    written = path.read_text(encoding="utf-8")
    assert written == json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def test_dashboards_are_told_apart() -> None:
    assert {path.name for path in FILES} == {"health.json", "prices.json", "daemon.json"}
    for key in ("uid", "title"):
        assert len({load(path)[key] for path in FILES}) == len(FILES)


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_no_address_of_anything_is_written_down(path: Path) -> None:
    assert re.findall(r"://|localhost|\d+\.\d+\.\d+\.\d+|:\d{4,5}\b", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_panels_have_numbers_of_their_own_and_kinds_that_grafana_brings_along(path: Path) -> None:
    found = list(panels(load(path)))
    assert len({panel["id"] for panel in found}) == len(found)
    assert {panel["type"] for panel in found} <= KINDS
    assert len({panel["title"] for panel in found}) == len(found)


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_panels_lie_side_by_side_within_24_columns(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels(load(path)):
        grid = panel["gridPos"]
        assert grid.keys() == {"x", "y", "w", "h"}
        assert 0 <= grid["x"] < grid["x"] + grid["w"] <= 24
        across, down = (range(grid[start], grid[start] + grid[size]) for start, size in (("x", "w"), ("y", "h")))
        cells = set(itertools.product(across, down))
        assert len(cells) == grid["w"] * grid["h"] > 0
        assert not cells & taken, panel["title"]
        taken |= cells
    assert {row for _, row in taken} == set(range(max(row for _, row in taken) + 1))


@pytest.mark.parametrize(("path", "panel"), PANELS)
def test_a_panel_asks_a_data_source_that_is_provisioned(path: Path, panel: dict[str, Any]) -> None:
    asked = {(each["datasource"]["uid"], each["datasource"]["type"]) for each in (panel, *panel["targets"])}
    assert len(asked) == 1
    assert asked <= SOURCES.items()
    assert (next(iter(asked))[1] == POSTGRES) == (path.parent.name == "dashboards")
    assert [each["refId"] for each in panel["targets"]] == ["A"]


@pytest.mark.parametrize(("path", "panel"), PANELS)
def test_a_panel_says_what_it_shows_and_in_which_unit(path: Path, panel: dict[str, Any]) -> None:
    assert re.fullmatch(r"[^\n]{20,}\.", panel["description"]), path
    assert panel["fieldConfig"]["defaults"]["unit"]
    for override in panel["fieldConfig"]["overrides"]:
        assert override["matcher"]["id"] in {"byName", "byType"}
        assert override["properties"]


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_every_variable_that_is_named_is_there_and_every_one_that_is_there_is_named(path: Path) -> None:
    dashboard = load(path)
    variables = dashboard["templating"]["list"]
    shown = "".join(
        str(target.get("rawSql", target.get("expr"))) for panel in drawn(dashboard) for target in panel["targets"]
    )
    queries = "".join(str(variable["query"]) for variable in variables)
    names = [variable["name"] for variable in variables]
    assert len(set(names)) == len(names)
    assert used(shown + queries) == set(names)
    for number, variable in enumerate(variables):
        assert used(str(variable["query"])) <= set(names[:number]), "asked in their order"


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_a_variable_may_have_several_values_because_only_such_are_quoted(path: Path) -> None:
    for variable in load(path)["templating"]["list"]:
        assert (variable["type"], variable["multi"]) == ("query", True)
        assert variable["datasource"].items() >= {"uid": variable["datasource"]["uid"]}.items()
        assert SOURCES[variable["datasource"]["uid"]] == variable["datasource"]["type"]
        # What All stands for is put in as it is, without quotes, when a variable says so itself.
        assert "allValue" not in variable
        assert variable["includeAll"] or ALL not in variable["current"].get("value", [])


@pytest.mark.parametrize(("path", "panel"), PANELS)
def test_a_query_of_the_warehouse_is_code_and_one_of_two_formats(path: Path, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        if target["datasource"]["type"] == POSTGRES:
            assert (target["editorMode"], target["rawQuery"]) == ("code", True)
            assert target["format"] == ("time_series" if panel["type"] == "timeseries" else "table"), path
            # A variable without any option leaves an empty list, which IN does not take and ARRAY[]::text[] does.
            arrays = target["rawSql"].count("::text[]")
            assert arrays == len(re.findall(r"ARRAY\[\$\{\w+\}\]::text\[\]", target["rawSql"]))
            assert arrays == target["rawSql"].count("${")


@pytest.mark.parametrize(("path", "panel"), PANELS)
def test_what_has_a_history_is_bounded_by_the_time_range(path: Path, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        sql = target.get("rawSql", "")
        if target.get("format") == "time_series" or re.search(
            r"mart\.(price_daily|price_change|catalog_change)\b", sql
        ):
            assert sql.count("$__timeFilter(") == 1, path


@pytest.mark.parametrize(("path", "panel"), PANELS)
def test_prices_by_day_are_those_of_models_that_are_known_first(path: Path, panel: dict[str, Any]) -> None:
    # As a join alone, every price on every day is made before the model is looked at: 7 s instead of 20 ms for two
    # years of 50,000 prices.
    for target in panel["targets"]:
        sql = target.get("rawSql", "")
        assert "mart.price_daily" not in sql or "d.model_id = ANY (ARRAY(\n" in sql, path


@pytest.mark.parametrize(("path", "panel"), PANELS)
def test_what_holds_until_it_changes_is_drawn_in_steps_and_gaps_stay_gaps(path: Path, panel: dict[str, Any]) -> None:
    if panel["type"] != "timeseries":
        return
    style = panel["fieldConfig"]["defaults"]["custom"]
    assert style["spanNulls"] is False
    if path.stem == "prices":
        assert style["lineInterpolation"] == "stepAfter"
    if ".day" in panel["targets"][0].get("rawSql", ""):
        # A day without a row breaks the line, also where a panel draws one series alone.
        assert style["insertNulls"] == 24 * 60 * 60 * 1000


def test_promql_names_only_what_the_daemon_serves() -> None:
    served = set(exposed()) | {"process_resident_memory_bytes"}
    histograms = {f"{name}_bucket" for name, (kind, _) in exposed().items() if kind == "histogram"}
    asked = [target["expr"] for panel in drawn(load(FILES[-1])) for target in panel["targets"]]
    asked += [variable["query"]["query"] for variable in load(FILES[-1])["templating"]["list"]]
    for expression in asked:
        named = set(re.findall(r"\b(?:etl|process)_\w+", expression))
        assert named
        assert named <= served | histograms
        assert expression.count("(") == expression.count(")")
        assert set(re.findall(r'status="(\w+)"', expression)) <= {"fresh", "stale", "failing", "never", "disabled"}
