"""What the warehouse keeps of identity: the rules' answer for all that history had, touched only where it differs."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl.load import identity
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.database.roles import as_owner
from tests.load.believing import clock, load, observe
from tests.load.worlds import World

LINKS = "SELECT source, model_id, canonical_id, method, confidence FROM mart.model_link ORDER BY source, model_id"
SEPARATE = "UPDATE core.model_link SET canonical_id = NULL"


def catalog(*models: str) -> World:
    return World({model: (None, {"prompt": "1"}) for model in models})


def links(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(LINKS))]


def canonical(engine: Engine) -> dict[str, tuple[int, int]]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT canonical_id, model_ids, sources FROM mart.canonical_model"))
        return {row.canonical_id: (row.model_ids, row.sources) for row in found}


def refresh(engine: Engine) -> int:
    with engine.begin() as connection:
        return identity.refresh(connection)


def test_every_model_of_every_source_is_linked_at_the_end_of_a_load(engine: Engine) -> None:
    load(engine, "one", 0, catalog("openai/gpt-4.1", "groq/one-of-ours"))
    load(engine, "two", 0, catalog("openrouter/openai/gpt-4-1"))
    assert links(engine) == [
        ("one", "groq/one-of-ours", "groq/one-of-ours", "exact", 1),
        ("one", "openai/gpt-4.1", "openai/gpt-4.1", "exact", 1),
        ("two", "openrouter/openai/gpt-4-1", "openai/gpt-4.1", "spelling", Decimal("0.96")),
    ]
    assert canonical(engine) == {"groq/one-of-ours": (1, 1), "openai/gpt-4.1": (2, 2)}


def test_what_cannot_be_linked_has_a_row_that_says_why(engine: Engine) -> None:
    load(engine, "one", 0, catalog("azure/our-deployment"))
    with engine.connect() as connection:
        [row] = connection.execute(text("SELECT * FROM mart.model_link")).all()
    assert (row.canonical_id, row.method, row.confidence) == (None, "unlinked", 0)
    assert row.evidence == "nothing tells who made it"
    assert canonical(engine) == {}


def test_models_that_went_keep_their_links(engine: Engine) -> None:
    load(engine, "one", 0, catalog("openai/o3", "openai/o1"))
    load(engine, "one", 1, catalog("openai/o3"))
    assert {row[1] for row in links(engine)} == {"openai/o3", "openai/o1"}


def test_a_second_date_anywhere_takes_the_first_one_off_the_undated_name(engine: Engine) -> None:
    load(engine, "one", 0, catalog("openai/o3", "openai/o3-2025-04-16"))
    assert set(canonical(engine)) == {"openai/o3"}
    load(engine, "two", 0, catalog("openai/o3-2026-01-01"))
    assert set(canonical(engine)) == {"openai/o3", "openai/o3-2025-04-16", "openai/o3-2026-01-01"}


def test_a_canonical_model_that_nobody_is_any_more_goes(engine: Engine) -> None:
    load(engine, "one", 0, catalog("openai/o3-2025-04-16"))
    assert set(canonical(engine)) == {"openai/o3-2025-04-16"}
    load(engine, "two", 0, catalog("openai/o3"))
    assert set(canonical(engine)) == {"openai/o3"}


def test_the_order_of_arrival_does_not_matter(engine: Engine) -> None:
    first, second = catalog("openai/o3", "deepseek/deepseek-r1"), catalog("openai/o3-2025-04-16", "groq/deepseek-r1")
    load(engine, "one", 0, first)
    load(engine, "two", 0, second)
    in_order = links(engine)
    with as_owner(engine).begin() as connection:
        connection.execute(
            text("TRUNCATE core.model_link, core.canonical_model, core.model, core.endpoint, core.applied")
        )
    load(engine, "two", 1, second)
    load(engine, "one", 1, first)
    assert links(engine) == in_order


def test_when_nothing_came_nothing_is_read_or_written(engine: Engine) -> None:
    load(engine, "one", 0, catalog("openai/o3"))
    with engine.begin() as connection:
        connection.execute(text(SEPARATE))
    load(engine, "one", 1, catalog("openai/o3"))
    assert refresh(engine) == 0
    assert links(engine)[0][2] is None


def test_only_what_differs_is_touched(engine: Engine) -> None:
    load(engine, "one", 0, catalog("openai/o3", "openai/o1"))
    moved = text("SELECT model_id FROM core.model_link WHERE xmin::text = pg_current_xact_id()::xid::text")
    load(engine, "two", 0, catalog("openai/o4-mini"))
    with engine.begin() as connection:
        connection.execute(text(SEPARATE + " WHERE model_id = 'openai/o1'"))
        connection.execute(text("UPDATE core.identity_mark SET mark = 'out of date'"))
    with engine.begin() as connection:
        assert identity.refresh(connection) == 1
        assert connection.scalars(moved).all() == ["openai/o1"]


def test_other_rules_make_every_link_due(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    load(engine, "one", 0, catalog("openai/o3"))
    with engine.begin() as connection:
        connection.execute(text(SEPARATE))
    monkeypatch.setattr(identity, "mark", lambda _: "others")
    assert refresh(engine) == 1


def test_a_new_author_or_name_is_looked_at(engine: Engine) -> None:
    load(engine, "one", 0, World({"anthropic/claude-opus": ("Claude Opus 4.5", {})}))
    assert set(canonical(engine)) == {"anthropic/claude-opus-4.5"}
    load(engine, "one", 1, World({"anthropic/claude-opus": ("Claude Opus 4.6", {})}))
    assert set(canonical(engine)) == {"anthropic/claude-opus-4.6"}


def test_a_provider_that_we_do_not_know_is_no_maker(engine: Engine) -> None:
    load(engine, "one", 0, catalog("in-house/llama-3.3-70b-instruct"))
    assert set(canonical(engine)) == {"meta/llama-3.3-70b-instruct"}


def test_a_load_stands_when_its_models_cannot_be_linked(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with as_owner(engine).begin() as connection:
        connection.execute(text("ALTER TABLE core.model_link RENAME TO elsewhere"))
    assert load(engine, "one", 0, catalog("openai/o3")).status == "loaded"
    assert "models are not linked" in capsys.readouterr().out


def test_a_released_snapshot_is_linked(engine: Engine) -> None:
    load(engine, "one", 0, catalog("openai/o3", "openai/o1", "openai/gpt-4"))
    held = observe(engine, "one", 1, catalog("openai/gpt-4.1"))
    assert held.status == "held"
    assert held.snapshot_id is not None
    Pipeline(engine, clock).release(kinds()["bifrost"]("one"), held.snapshot_id)
    assert "openai/gpt-4.1" in canonical(engine)
