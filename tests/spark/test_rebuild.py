"""The history that Spark rebuilds is the one that Postgres has, row by row."""

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, text

from etl.backfill import snapshots
from etl.database.engine import open_engine
from etl.domain.catalog import Catalog
from etl.errors import ContractError, SparkError
from etl.load.relations import HISTORY
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from etl.spark import plan, tasks
from etl.spark.bodies import Warehouse
from etl.spark.folding import Fold
from etl.spark.plan import Group, Item
from etl.spark.reading import pieces
from etl.spark.rebuild import Target, keeper, rebuild
from tests.cli.conftest import Run, named
from tests.conftest import _database
from tests.database.roles import owner_of
from tests.load.archiving import archived, file_of
from tests.load.believing import clock, load
from tests.load.test_permutations import thirty_worlds
from tests.load.worlds import WORLDS, World, body, moment, snapshot
from tests.recorded import CATALOGS
from tests.spark.catalogs import Timeline, folded, in_text, timeline

pytestmark = pytest.mark.slow

TIMELINES = 40
DAYS = 10


def items(days: int) -> list[Item]:
    """A snapshot for each day."""
    return [
        Item(ordinal=day + 1, snapshot_id=day, kind="bifrost", observed_at=moment(day), status="loaded")
        for day in range(days)
    ]


def told(catalogs: Timeline, source: str, size: int) -> Iterator[tuple[Any, ...]]:
    """What tasks of some size tell of a timeline."""

    def read(item: Item) -> Catalog:
        found = catalogs[item.ordinal - 1]
        if found is None:
            raise ContractError("bad")
        return found

    every = items(len(catalogs))
    for start in range(0, len(every), size):
        group = Group(source=source, items=every[start : start + size])
        yield from map(tasks.row_of, pieces(group, read))


def versions(spark: Any, timelines: Mapping[str, Timeline], steps: str) -> dict[tuple[str, str], list[str]]:
    """What Spark makes of timelines that were cut into tasks of all sizes, by source and relation."""
    cut = enumerate(timelines.items())
    rows = [row for number, (source, catalogs) in cut for row in told(catalogs, source, 1 + number % DAYS)]
    tables = Fold(spark, keeper(spark, steps)).tables(spark.createDataFrame(rows, tasks.PIECE))
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for relation in HISTORY:
        for row in tables[relation.name].toArrow().to_pylist():
            found[row.pop("source"), relation.name].append(in_text(row))
    return found


def test_windows_make_of_any_catalogs_what_the_merge_makes_of_them(spark: Any, engine: Engine, tmp_path: Path) -> None:
    timelines = {f"s{seed}": timeline(random.Random(seed), DAYS) for seed in range(TIMELINES)}  # noqa: S311
    found = versions(spark, timelines, str(tmp_path))
    for source, catalogs in timelines.items():
        with engine.connect() as connection:
            expected = folded(connection, catalogs)
        for relation, rows in expected.items():
            assert Counter(found[source, relation]) == Counter(rows), (source, relation)
    assert {relation for _, relation in found} == {each.name for each in HISTORY}


@pytest.fixture(scope="module")
def url(server_url: URL, template: str) -> Iterator[URL]:
    """A warehouse with a few invented gateways, and with the recorded ones where there are any."""
    with _database(server_url, template=template) as url:
        engine = open_engine(url)
        for day, world in WORLDS.items():
            load(engine, "small", day, world)
        for seed in range(3):
            days = list(thirty_worlds(random.Random(seed)).items())[:12]  # noqa: S311  any world will do
            for day, world in days:
                load(engine, f"invented{seed}", day, world)
        unread = snapshot("small", 9, WORLDS[0])
        unread = replace(unread, pages=(replace(unread.pages[0], body=b"{"),))
        assert Pipeline(engine, clock).take(kinds()["bifrost"]("small"), unread).status == "failed"
        for kind in sorted(kinds()) if CATALOGS.is_dir() else []:
            found = snapshots(kind, kind, [CATALOGS / kind])
            assert all(result.is_well for result in Pipeline(engine, clock).backfill(kinds()[kind](), found))
        yield owner_of(url)


@pytest.fixture(scope="module")
def rebuilt(spark: Any, url: URL, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which everything of that warehouse was rebuilt, as it was into the schema ``again``."""
    folder = tmp_path_factory.mktemp("rebuilt") / "history"
    engine = open_engine(url)
    known = Pipeline(engine, clock).known_sources()
    target = Target(output=str(folder), schema="again", engine=engine)
    found = rebuild(spark, plan.from_warehouse(engine, known), Warehouse(named(url)), target)
    assert {each.source for each in found} == set(known)
    assert not any(each.unreadable for each in found)
    return folder


@pytest.fixture
def ours(url: URL, rebuilt: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """That warehouse, named by DATABASE_URL."""
    assert rebuilt.is_dir()
    monkeypatch.setenv("DATABASE_URL", named(url))
    return open_engine(url)


def test_the_rebuilt_history_of_every_source_agrees_with_the_live_one(ours: Engine, etl: Run) -> None:
    ended = etl("verify", "--against", "again", "--json")
    assert ended.status == 0, ended.err
    verdicts = json.loads(ended.out)
    assert {each["verdict"] for each in verdicts} == {"agrees"}
    assert sum(each["prices"] for each in verdicts) == _count(ours, "core.price WHERE known_to IS NULL")


def test_the_files_hold_what_the_schema_holds(ours: Engine, rebuilt: Path, spark: Any) -> None:
    for name in ("model", "endpoint", "price", "provider", "author", "unseen", "quarantine", "unmapped_field"):
        assert spark.read.parquet(str(rebuilt / name)).count() == _count(ours, f"again.{name}"), name
    prices = spark.read.parquet(str(rebuilt / "price"))
    total = "sum(cast(unit_price AS numeric(38, 20)))"
    with ours.connect() as connection:
        expected = connection.scalar(text(f"SELECT {total} FROM core.price WHERE known_to IS NULL"))
    assert prices.selectExpr(total).collect()[0][0] == expected


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE again.price SET unit_price = unit_price + 1 WHERE unit_price > 0",
        "UPDATE again.unseen SET valid_to = now()",
        "DELETE FROM again.model WHERE valid_to IS NULL",
        "DELETE FROM again.quarantine",
        "DELETE FROM again.snapshot WHERE observed_at = (SELECT max(observed_at) FROM core.snapshot)",
    ],
)
def test_a_rebuilt_history_that_is_another_differs(ours: Engine, etl: Run, tampering: str) -> None:
    with ours.begin() as connection:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS kept"))
        [table] = re.findall(r"again\.(\w+)", tampering)[:1]
        connection.execute(text(f"CREATE TABLE kept.{table} AS TABLE again.{table}"))
        connection.execute(text(tampering))
    try:
        assert etl("verify", "--against", "again").status == 1
    finally:
        with ours.begin() as connection:
            connection.execute(text(f"TRUNCATE again.{table}"))
            connection.execute(text(f"INSERT INTO again.{table} TABLE kept.{table}"))
            connection.execute(text(f"DROP TABLE kept.{table}"))


def test_an_archive_alone_gives_the_same_history_and_what_is_gone_from_it_is_named(
    spark: Any, etl: Run, engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spark is not None
    monkeypatch.setenv("DATABASE_URL", named(owner_of(engine.url)))
    for day, world in WORLDS.items():
        load(engine, "whole", day, world)
    for day, world in enumerate([WORLDS[0], World({"openai/m7": ("A", {})}), WORLDS[3]]):
        load(engine, "torn", day, world)
    archived(engine, folder / "archive", before=moment(9), drop=True)
    gone = file_of(folder / "archive", sha256(body(World({"openai/m7": ("A", {})}))).hexdigest())
    gone.unlink()
    ended = etl("rebuild", "--engine", "spark", "-o", "out", "--into", "again", "--from", "archive")
    assert ended.status == 1
    assert f"etl: torn: snapshot 7: {gone} is missing" in ended.err
    assert etl("verify", "whole", "--against", "again").status == 0
    compared = etl("verify", "torn", "--against", "again")
    assert compared.status == 1
    assert f"{gone} is missing" in compared.err
    assert (folder / "out" / "price" / "_SUCCESS").exists()
    assert not (folder / "out" / "_steps").exists()
    again = etl("rebuild", "--engine", "spark", "-o", "out", "--from", "archive")
    assert again.status == 2
    assert "holds something already" in again.err


def test_a_job_that_fails_ends_in_one_line(spark: Any, url: URL, tmp_path: Path) -> None:
    engine = open_engine(url)
    nowhere = Warehouse("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(SparkError, match="^Spark gave up: .*refused") as failure:
        rebuild(spark, plan.from_warehouse(engine, ["small"]), nowhere, Target(output=str(tmp_path / "out")))
    assert "\n" not in str(failure.value)


def _count(engine: Engine, rows: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {rows}")).scalar_one())
