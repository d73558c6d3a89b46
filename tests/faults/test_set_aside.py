"""A snapshot that ended two processes is set aside and named, and all others load."""

from pathlib import Path

from sqlalchemy import URL, Engine, text

from etl.load import history, landing
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.database.roles import as_owner
from tests.faults.deadly import DEADLY, backfilled, killed, states
from tests.faults.poison import GOOD, take
from tests.load.believing import Ticking
from tests.processes import etl

NEXT = GOOD.replace(b"0.000001", b"0.000002")


def scalar(engine: Engine, sql: str) -> object:
    with engine.connect() as connection:
        return connection.scalar(text(sql))


def test_a_snapshot_that_killed_two_processes_is_set_aside_and_the_next_one_loads(
    warehouse_url: URL, engine: Engine, tmp_path: Path
) -> None:
    bodies = [GOOD, DEADLY, NEXT, NEXT]
    pipeline = Pipeline(engine, Ticking())
    assert take(pipeline, "s", 0, GOOD).status == "loaded"
    assert killed(warehouse_url, "s", bodies, 1)
    assert killed(warehouse_url, "s", bodies, 2)
    assert states(engine, "s") == ["loaded", "landed", "landed"]
    assert not killed(warehouse_url, "s", bodies, 3)
    assert states(engine, "s") == ["loaded", "failed", "loaded", "unchanged"]
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.source SET enabled = true"))
    reason = str(scalar(engine, "SELECT reason FROM mart.snapshot WHERE status = 'failed'"))
    assert reason.startswith("set aside: 2 loads of these bytes were cut off")
    assert "etl snapshots release 2" in reason
    assert scalar(engine, "SELECT last_error FROM mart.source_health") == f"snapshot 2: {reason}"
    assert scalar(engine, "SELECT problem || count FROM mart.data_quality") == "set_aside1"
    told = etl(tmp_path, "status", "--check", DATABASE_URL=warehouse_url.render_as_string(hide_password=False))
    assert "set aside: 2 loads of these" in told.out
    assert (told.status, "snapshot 2: set aside" in told.err) == (1, True)
    verdict = pipeline.verify(kinds()["bifrost"]("s"), is_applied=False, progress=lambda *_: None)
    assert verdict.agrees


def test_of_a_chunk_that_killed_its_process_only_the_guilty_one_is_set_aside(
    warehouse_url: URL, engine: Engine
) -> None:
    bodies = [GOOD, NEXT, DEADLY, GOOD, NEXT]
    assert killed(warehouse_url, "s", bodies)
    assert states(engine, "s") == ["landed"] * 5
    assert killed(warehouse_url, "s", bodies)
    assert states(engine, "s") == ["loaded", "loaded", "landed", "landed", "landed"]
    results = backfilled(engine, "s", bodies)
    assert [result.status for result in results] == ["loaded", "loaded", "failed", "loaded", "loaded"]
    assert states(engine, "s") == ["loaded", "loaded", "failed", "loaded", "loaded"]


def test_the_same_bytes_kill_no_third_process(warehouse_url: URL, engine: Engine) -> None:
    bodies = [GOOD, DEADLY, DEADLY, DEADLY, NEXT]
    assert killed(warehouse_url, "s", bodies, 1)
    assert killed(warehouse_url, "s", bodies, 2)
    assert not killed(warehouse_url, "s", bodies, 3)
    assert not killed(warehouse_url, "s", bodies, 4)
    assert states(engine, "s") == ["failed", "failed", "failed", "loaded"]
    assert killed(warehouse_url, "another", bodies, 1)


def test_one_that_is_landed_again_or_released_has_all_its_attempts_again(warehouse_url: URL, engine: Engine) -> None:
    for _ in range(2):
        assert killed(warehouse_url, "s", [DEADLY], 0)
    assert not killed(warehouse_url, "s", [b"{}", GOOD], 1)
    assert states(engine, "s") == ["failed", "loaded"]
    with engine.begin() as connection:
        aside = landing.landed(connection, 1)
        assert aside is not None
        history.mark(connection, aside, "landed", "released by a person")
    assert killed(warehouse_url, "s", [b"{}", b"{}", GOOD], 2)
    assert scalar(engine, "SELECT attempts FROM core.snapshot WHERE snapshot_id = 1") == 1
    assert take(Pipeline(engine, Ticking()), "s", 3, GOOD).status == "unchanged"
    assert states(engine, "s") == ["loaded", "loaded", "unchanged", "unchanged"]


def test_a_server_process_that_a_snapshot_ends_twice_sets_it_aside(engine: Engine) -> None:
    with as_owner(engine).begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION core.crash() RETURNS trigger LANGUAGE plpgsql AS"
                " $$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END$$;"
                "CREATE TRIGGER crash AFTER INSERT ON core.model FOR EACH ROW"
                " WHEN (NEW.model_id = 'o/deadly') EXECUTE FUNCTION core.crash()"
            )
        )
    pipeline = Pipeline(engine, Ticking())
    outcomes = []
    for day, body in enumerate([GOOD, DEADLY, NEXT, NEXT, GOOD]):
        try:
            outcomes.append(take(pipeline, "s", day, body).status)
        except Exception as error:  # noqa: BLE001  what a lost connection is called does not matter
            outcomes.append(type(error).__name__)
    assert outcomes == ["loaded", "OperationalError", "OperationalError", "unchanged", "loaded"]
    assert states(engine, "s") == ["loaded", "failed", "loaded", "unchanged", "loaded"]
