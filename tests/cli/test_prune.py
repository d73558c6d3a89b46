"""`etl db prune`: off by default, counted by --dry-run, done by the command."""

import json
from pathlib import Path

from sqlalchemy import Engine

from tests.cli.conftest import Run
from tests.load.test_retention import fill_logs, sizes


def test_nothing_is_pruned_unless_it_is_configured(etl: Run, warehouse: Engine) -> None:
    fill_logs(warehouse, 1000)
    ended = etl("db", "prune")
    assert ended.status == 2
    assert "[retention]" in ended.err
    assert sizes(warehouse) == [1000] * 4


def test_what_would_go_is_counted_and_then_goes(etl: Run, warehouse: Engine, folder: Path) -> None:
    fill_logs(warehouse, 1000)
    (folder / "etl.toml").write_text("[retention]\nslots_days = 30\nruns_days = 30\n")
    counted = json.loads(etl("db", "prune", "--dry-run", "--json").out)
    assert [(row["log"], row["rows"]) for row in counted] == [("slots", 280), ("runs", 280)]
    assert sizes(warehouse) == [1000] * 4
    done = json.loads(etl("db", "prune", "--json").out)
    assert [(row["log"], row["rows"]) for row in done] == [("slots", 280), ("runs", 280)]
    assert sizes(warehouse) == [720, 720, 1000, 1000]
