"""The dashboards as files: they parse, refer to each other, and ask only for what the mart has, without a Superset."""

import json
import os
import re
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml
from sqlalchemy import URL, Connection, Engine, make_url, text

from bi.superset import bundle
from etl.database.engine import open_engine
from etl.database.reader import READER
from tests.database.roles import owner_of

FILES: dict[str, dict[str, Any]] = {place: yaml.safe_load(content) for place, content in bundle.files().items()}

# What Superset 6.1 has a plugin for and these dashboards use.
SHIPPED = {
    "big_number_total",
    "echarts_timeseries_bar",
    "echarts_timeseries_line",
    "echarts_timeseries_step",
    "pivot_table_v2",
    "table",
}


def part(name: str) -> dict[str, dict[str, Any]]:
    """The files of one folder by their place."""
    return {place: content for place, content in FILES.items() if place.startswith(f"{name}/")}


DATABASES, DATASETS, CHARTS, DASHBOARDS = (part(name) for name in bundle.PARTS)
BY_UUID = {content["uuid"]: content for place, content in FILES.items() if place != "metadata.yaml"}


def charts_of(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """The places of charts in the layout of a dashboard."""
    return [place for name, place in dashboard["position"].items() if name.startswith("CHART-")]


def relation(dataset: dict[str, Any]) -> str:
    """What stands behind FROM."""
    return f"({dataset['sql']}) AS virtual" if "sql" in dataset else f"{dataset['schema']}.{dataset['table_name']}"


def column(column: dict[str, Any]) -> str:
    """A column as SQL."""
    return column.get("expression") or f'"{column["column_name"]}"'


@pytest.fixture(scope="module")
def demo(demo_url: URL) -> Engine:
    return open_engine(owner_of(demo_url))


def reading(connection: Connection, query: str) -> None:
    """Ask as a reader; colons are no parameters here."""
    connection.execute(text(f"SET LOCAL ROLE {READER}"))
    connection.exec_driver_sql(query.replace("%", "%%"))


def test_there_are_four_dashboards_and_each_has_headlines_and_charts() -> None:
    titles = {dashboard["dashboard_title"] for dashboard in DASHBOARDS.values()}
    assert titles == {"Price watch", "Gateway comparison", "Model lifecycle", "Pipeline health"}
    for dashboard in DASHBOARDS.values():
        kinds = Counter(BY_UUID[place["meta"]["uuid"]]["viz_type"] for place in charts_of(dashboard))
        assert kinds["big_number_total"] == 4
        assert kinds.total() - 4 >= 5


def test_every_file_has_an_identity_of_its_own() -> None:
    identities = Counter(content["uuid"] for place, content in FILES.items() if place != "metadata.yaml")
    assert set(identities.values()) == {1}
    assert {content["version"] for content in FILES.values()} == {"1.0.0"}


def test_every_reference_leads_to_what_it_names() -> None:
    databases = {database["uuid"] for database in DATABASES.values()}
    datasets = {dataset["uuid"] for dataset in DATASETS.values()}
    assert {dataset["database_uuid"] for dataset in DATASETS.values()} == databases
    assert {chart["dataset_uuid"] for chart in CHARTS.values()} <= datasets
    for dashboard in DASHBOARDS.values():
        filters = dashboard["metadata"]["native_filter_configuration"]
        ids = {place["meta"]["chartId"] for place in charts_of(dashboard)}
        for place in filters:
            assert set(place["scope"]["excluded"]) < ids
            for target in filter(None, place["targets"]):
                columns = {each["column_name"] for each in BY_UUID[target["datasetUuid"]]["columns"]}
                assert target["column"]["name"] in columns


def test_every_chart_stands_on_one_dashboard_under_its_own_title() -> None:
    places = [place["meta"] for dashboard in DASHBOARDS.values() for place in charts_of(dashboard)]
    assert sorted(place["uuid"] for place in places) == sorted(chart["uuid"] for chart in CHARTS.values())
    for place in places:
        assert place["sliceName"] == BY_UUID[place["uuid"]]["slice_name"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_layout_is_a_tree_of_full_rows_that_can_be_wrapped_on_a_phone(name: str) -> None:
    position = DASHBOARDS[name]["position"]
    ids = [place["meta"]["chartId"] for place in charts_of(DASHBOARDS[name])]
    assert len(ids) == len(set(ids))
    for key, place in position.items():
        for child in place["children"] if isinstance(place, dict) and "children" in place else []:
            assert position[child].get("parents", ["ROOT_ID"])[-1] == key
    for row in position["GRID_ID"]["children"]:
        widths = [position[chart]["meta"]["width"] for chart in position[row]["children"]]
        assert sum(widths) == 12
        assert set(widths) <= {3, 6, 12}
    assert "@media (max-width: 767px)" in DASHBOARDS[name]["css"]


@pytest.mark.parametrize("name", DATASETS)
def test_a_reader_gets_every_column_and_every_metric_of_a_dataset(name: str, demo: Engine) -> None:
    dataset = DATASETS[name]
    with demo.connect() as connection:
        reading(connection, f"SELECT {', '.join(map(column, dataset['columns']))} FROM {relation(dataset)}")
        metrics = ", ".join(metric["expression"] for metric in dataset["metrics"])
        reading(connection, f"SELECT {metrics} FROM {relation(dataset)}")


@pytest.mark.parametrize("name", [name for name, dataset in DATASETS.items() if "sql" not in dataset])
def test_the_columns_of_a_view_are_described_as_in_the_mart(name: str, demo: Engine) -> None:
    query = text(
        "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = :view ::regclass"
    )
    with demo.connect() as connection:
        rows = connection.execute(query, {"view": relation(DATASETS[name])})
        comments = {row[0]: row[1] for row in rows}
    for each in DATASETS[name]["columns"]:
        assert "expression" in each or each["description"] == comments[each["column_name"]]


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_asks_for_what_its_dataset_has(name: str, demo: Engine) -> None:
    chart = CHARTS[name]
    dataset, asked = BY_UUID[chart["dataset_uuid"]], chart["params"]
    assert chart["viz_type"] == asked["viz_type"]
    assert chart["viz_type"] in SHIPPED
    metrics = {*asked.get("metrics", []), asked.get("metric"), asked.get("series_limit_metric")} - {None}
    assert metrics <= {metric["metric_name"] for metric in dataset["metrics"]}
    columns = {each["column_name"] for each in dataset["columns"]}
    sorted_by = {json.loads(each)[0] for each in asked.get("order_by_cols", [])}
    assert {*asked.get("all_columns", []), *asked.get("groupby", []), *sorted_by} <= columns
    assert asked.get("column_config", {}).keys() <= set(asked.get("all_columns", []))
    assert asked.get("x_axis", asked.get("all_columns", [None])[0]) in {*columns, None}
    free = [each["sqlExpression"] for each in (*asked.get("groupbyRows", []), *asked.get("groupbyColumns", []))]
    conditions = [each for each in asked["adhoc_filters"] if each["expressionType"] == "SQL"]
    where = " AND ".join(f"({each['sqlExpression']})" for each in conditions) or "true"
    inner = ", ".join(map(column_as, dataset["columns"]))
    with demo.connect() as connection:
        asking = f"SELECT {', '.join(free) or '1'} FROM (SELECT {inner} FROM {relation(dataset)}) AS d WHERE {where}"
        reading(connection, asking)


def column_as(each: dict[str, Any]) -> str:
    """A column under its name."""
    return f'{column(each)} AS "{each["column_name"]}"'


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_says_what_it_shows_and_spans_all_of_time_unless_somebody_chooses(name: str) -> None:
    chart = CHARTS[name]
    assert chart["description"]
    spans = [each for each in chart["params"]["adhoc_filters"] if each.get("operator") == "TEMPORAL_RANGE"]
    assert {each["comparator"] for each in spans} <= {"No filter"}


def test_no_file_holds_a_password() -> None:
    [database] = DATABASES.values()
    assert database["sqlalchemy_uri"] == bundle.PLACEHOLDER
    assert make_url(database["sqlalchemy_uri"]).password is None
    assert not database["allow_dml"]
    for place, content in bundle.files().items():
        assert not re.search(r"password\s*[:=]|://[^/\s]*:[^/\s@]+@", content, re.IGNORECASE), place


def test_the_archive_is_the_same_whenever_the_files_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = bundle.archive()
    for place, content in bundle.files().items():
        copy = tmp_path / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(content, encoding="utf-8")
        os.utime(copy, (0, 0))
    monkeypatch.setattr(bundle, "HERE", tmp_path)
    assert bundle.archive() == before
    with ZipFile(BytesIO(before)) as archive:
        names = [name.split("/", 1) for name in archive.namelist()]
    assert {root for root, _ in names} == {"llm-prices"}
    assert [place for _, place in names] == list(FILES)


def test_the_pins_are_exact_and_name_no_registry() -> None:
    required, pinned = (
        (bundle.HERE / name).read_text(encoding="utf-8").splitlines()
        for name in ("requirements.txt", "constraints.txt")
    )
    assert len(required) == 5
    assert set(required) <= set(pinned)
    assert all(re.fullmatch(r"[a-z0-9.-]+==[^ @/]+( ; [^@/]+)?", line) for line in pinned)
