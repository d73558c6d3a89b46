"""An upgrade replaces of the mart what differs, in place where it can, and never what others created on top of it."""

from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from etl.database import mart, mart_record, migrations
from etl.database.engine import open_engine
from etl.errors import DatabaseError
from tests.database.marts import NextVersion, definitions, run, state


@pytest.fixture
def engine(owner_engine: Engine) -> Engine:
    """The warehouse for its owner, whose work all of this is."""
    return owner_engine


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NextVersion:
    """The mart of a next version, not different yet."""
    return NextVersion(tmp_path / "mart", monkeypatch)


def fresh(url: URL) -> dict[str, str]:
    """The mart of a database that never had another one."""
    engine = open_engine(url)
    migrations.upgrade(engine)
    return definitions(engine)


def touched(engine: Engine) -> set[str]:
    """Upgrade, and return which objects are others than before, or were written again."""
    before = state(engine)
    migrations.upgrade(engine)
    after = state(engine)
    assert migrations.is_current(engine)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_views_on_the_mart_live_on_when_a_body_changes_or_a_column_is_appended(
    engine: Engine, next_version: NextVersion, empty_url: URL
) -> None:
    run(engine, "CREATE VIEW public.theirs AS SELECT * FROM mart.observation")
    before = state(engine)["observation"][0]
    next_version.change("02_observation.sql", "('loaded', 'unchanged')", "('loaded')")
    next_version.change("02_observation.sql", "is_complete\n", "is_complete, reason\n")
    migrations.upgrade(engine)
    assert state(engine)["observation"][0] == before
    assert definitions(engine) == fresh(empty_url)


def test_what_is_as_it_should_be_is_not_touched(engine: Engine, next_version: NextVersion) -> None:
    next_version.change("20_price_current.sql", "s.source", "s.source ")
    assert touched(engine) == {"price_current", "provider_cost"}
    assert touched(engine) == set()


def test_an_upgrade_does_not_wait_for_a_reader_of_what_does_not_change(
    engine: Engine, next_version: NextVersion
) -> None:
    next_version.change("45_provider.sql", "display_name, extra", "display_name, extra, known_from")
    with engine.connect() as reader:
        reader.execute(text("SELECT * FROM mart.price_current"))
        migrations.upgrade(engine)


def test_what_cannot_be_replaced_is_created_anew_with_what_of_ours_hangs_on_it(
    engine: Engine, next_version: NextVersion, empty_url: URL
) -> None:
    run(engine, "CREATE VIEW public.theirs AS SELECT * FROM mart.price_current")
    run(engine, "GRANT SELECT ON mart.observation TO PUBLIC")
    next_version.prepend_column("02_observation.sql")
    assert {"observation", "price_as_of"} <= touched(engine)
    run(engine, "REVOKE SELECT ON mart.observation FROM PUBLIC")
    assert definitions(engine) == fresh(empty_url)


def test_a_function_with_other_arguments_or_another_result_replaces_the_former_one(
    engine: Engine, next_version: NextVersion, empty_url: URL
) -> None:
    next_version.change("86_counted_meter.sql", "(usage jsonb)", "(usage jsonb, unused integer DEFAULT 1)")
    next_version.change("71_model_as_of.sql", "RETURNS TABLE (source text", "RETURNS TABLE (origin text")
    migrations.upgrade(engine)
    assert definitions(engine) == fresh(empty_url)


def test_what_a_next_version_does_not_have_is_dropped(engine: Engine, next_version: NextVersion) -> None:
    next_version.remove("84_cheapest.sql")
    next_version.remove("89_usage_costs.sql")
    assert touched(engine) == {"cheapest", "usage_costs"}


def test_every_object_of_others_that_is_in_the_way_is_named_and_nothing_is_changed(
    engine: Engine, next_version: NextVersion
) -> None:
    run(
        engine,
        "CREATE SCHEMA analysts",
        "CREATE VIEW analysts.one AS SELECT * FROM mart.observation",
        'CREATE MATERIALIZED VIEW analysts."Über" AS SELECT source FROM analysts.one',
        "CREATE VIEW analysts.removed AS SELECT * FROM mart.cheapest",
        "CREATE VIEW analysts.not_in_the_way AS SELECT * FROM mart.snapshot",
        "CREATE FUNCTION analysts.f() RETURNS SETOF mart.observation LANGUAGE sql AS 'SELECT * FROM mart.observation'",
    )
    next_version.prepend_column("02_observation.sql")
    next_version.remove("84_cheapest.sql")
    before = definitions(engine)
    with pytest.raises(DatabaseError) as caught:
        migrations.upgrade(engine)
    message = str(caught.value)
    for name in (
        "view analysts.one",
        'materialized view analysts."Über"',
        "view analysts.removed",
        "function analysts.f()",
    ):
        assert name in message
    assert "not_in_the_way" not in message
    assert "`etl db dependents`" in message
    assert "\n" not in message
    assert definitions(engine) == before
    run(engine, "DROP SCHEMA analysts CASCADE")
    migrations.upgrade(engine)
    assert migrations.is_current(engine)


def test_what_was_changed_by_hand_is_found_and_mended(engine: Engine) -> None:
    expected = definitions(engine)
    with engine.connect() as connection:
        assert mart_record.drifted(connection) == []
    run(
        engine,
        "CREATE OR REPLACE VIEW mart.observation AS SELECT source, observed_at, known_at, true AS is_complete"
        " FROM core.snapshot",
        "DROP VIEW mart.author",
        "CREATE VIEW mart.mine AS SELECT 1 AS one",
    )
    with engine.connect() as connection:
        assert mart_record.drifted(connection) == ["author", "observation"]
        assert mart.added(connection) == ["mine"]
    migrations.upgrade(engine)
    assert definitions(engine) == expected


def test_the_first_upgrade_from_a_version_that_kept_no_record_replaces_in_place(
    engine: Engine, next_version: NextVersion
) -> None:
    run(engine, "CREATE VIEW public.theirs AS SELECT * FROM mart.price_current")
    run(engine, "DELETE FROM core.mart_object", "COMMENT ON SCHEMA mart IS 'mart of before'")
    before = {name: oid for name, (oid, _) in state(engine).items()}
    next_version.change("20_price_current.sql", "s.source", "s.source ")
    migrations.upgrade(engine)
    assert {name: oid for name, (oid, _) in state(engine).items()} == before


def test_each_file_of_the_mart_creates_one_object_that_is_named_as_the_file(engine: Engine) -> None:
    names = sorted(file.stem.partition("_")[2] for file in mart.FOLDER.glob("*.sql"))
    with engine.connect() as connection:
        query = "SELECT relname FROM pg_class WHERE relnamespace = 'mart'::regnamespace UNION ALL SELECT proname"
        found = connection.scalars(text(f"{query} FROM pg_proc WHERE pronamespace = 'mart'::regnamespace"))
        assert sorted(found) == names
