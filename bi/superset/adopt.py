"""Takes back what was changed in the browser: ``python -m bi.superset.adopt EXPORT.zip``.

Each chart, dataset and dashboard of the export replaces the file that has its uuid; a new one gets a file named by its
title. What a Superset numbers or fills in for itself is left out, so that a diff shows what a person changed.
"""

import re
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import yaml

from bi.superset import bundle

_FOLDERS = {"charts": "charts", "datasets": "datasets/warehouse", "dashboards": "dashboards"}
_OWN = {"datasource", "slice_id", "dashboards", "query_context", "annotation_layers", "extra_form_data", "url_params"}
_DERIVED = {"chartsInScope", "tabsInScope", "chart_configuration", "global_chart_configuration", "map_label_colors"}
_DERIVED_COLORS = {"color_scheme_domain", "shared_label_colors", "default_filters", "filter_scopes"}
_DEFAULTS = {"offset": 0, "normalize_columns": False, "always_filter_main_dttm": False, "is_active": True}


class _Dumper(yaml.SafeDumper):
    """YAML as the files of the bundle have it: lists indented, text of several lines as a block."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if value.endswith("\n") else None)


_Dumper.add_representer(str, _text)


def main(export: Path) -> None:
    """Write the files of an export over those of the bundle."""
    known = {found.get("uuid"): (place, found) for place, found in _loaded(bundle.files().items())}
    with ZipFile(export) as archive:
        texts = [(name.split("/", 1)[1], archive.read(name).decode()) for name in archive.namelist()]
    for place, found in _loaded(texts):
        folder = _FOLDERS.get(place.split("/")[0])
        if folder is None or "uuid" not in found:
            continue
        former_place, former = known.get(found["uuid"], (f"{folder}/{_named(found)}.yaml", {}))
        (bundle.HERE / former_place).write_text(dumped(merged(former, cleaned(found))), encoding="utf-8")


def dumped(content: dict[str, Any]) -> str:
    """The text of a file of the bundle."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


def cleaned(value: Any) -> Any:
    """A value without what is null, and without what Superset derives; a dashboard's charts are numbered from 1."""
    if isinstance(value, list):
        return [cleaned(each) for each in value]
    if not isinstance(value, dict):
        return value
    left = {key: cleaned(each) for key, each in value.items() if each is not None and key not in _OWN}
    kept = {key: each for key, each in left.items() if key not in _DERIVED | _DERIVED_COLORS}
    return _renumbered({key: each for key, each in kept.items() if _DEFAULTS.get(key, ...) != each})


def merged(former: Any, new: Any) -> Any:
    """The new value with its keys in the order of the former one, and what is added behind them."""
    if isinstance(former, dict) and isinstance(new, dict):
        order = [*(key for key in former if key in new), *(key for key in new if key not in former)]
        return {key: merged(former.get(key), new[key]) for key in order}
    if isinstance(former, list) and isinstance(new, list) and all(map(_name, [*former, *new])):
        by_name = {_name(each): each for each in former}
        order = [_name(each) for each in former]
        ranked = sorted(new, key=lambda each: order.index(_name(each)) if _name(each) in order else len(order))
        return [merged(by_name.get(_name(each)), each) for each in ranked]
    return new


def _name(each: Any) -> str:
    """What tells a column or a metric from others; empty for what has no name."""
    return str(each.get("column_name") or each.get("metric_name") or "") if isinstance(each, dict) else ""


def _renumbered(content: dict[str, Any]) -> dict[str, Any]:
    if "position" not in content:
        return content
    charts = [place["meta"] for name, place in content["position"].items() if name.startswith("CHART-")]
    numbers = {meta["chartId"]: number for number, meta in enumerate(charts, 1)}
    for meta in charts:
        meta["chartId"] = numbers[meta["chartId"]]
    for place in content["metadata"].get("native_filter_configuration", []):
        place["scope"]["excluded"] = [numbers[each] for each in place["scope"]["excluded"] if each in numbers]
    return content


def _named(found: dict[str, Any]) -> str:
    title = found.get("slice_name") or found.get("table_name") or found["dashboard_title"]
    return re.sub(r"\W+", "_", title.lower()).strip("_")


def _loaded(texts: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(place, yaml.safe_load(text)) for place, text in texts if place.endswith(".yaml")]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
