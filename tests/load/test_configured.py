"""The database says what is configured: sources, rates and margins, and nothing of what was configured once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl.load.configured import Margin, Rate, SourceEntry, record
from tests.database.roles import as_owner
from tests.load.believing import load
from tests.load.worlds import World

EUR = Rate(
    currency="EUR", usd=Decimal("1.08"), origin="ECB reference rate", valid_from=datetime(2026, 1, 1, tzinfo=UTC)
)
CREDIT = Rate(currency="CREDIT", usd=Decimal("0.002"), origin="an invoice")
MARGIN = Margin(kind="majestix", factor=Decimal("1.5"), origin="an invoice")
NOW = datetime(2026, 2, 1, tzinfo=UTC)
S = SourceEntry(source="s", kind="bifrost", enabled=True, max_age=timedelta(hours=1), schedule="7 * * * *")


def configure(engine: Engine, *entries: Rate | Margin | SourceEntry) -> None:
    with engine.begin() as connection:
        record(
            connection,
            [each for each in entries if isinstance(each, SourceEntry)],
            [each for each in entries if isinstance(each, Rate)],
            [each for each in entries if isinstance(each, Margin)],
            now=NOW,
        )


def rows(engine: Engine, sql: str) -> list[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def touched(engine: Engine) -> list[Any]:
    """Where every recorded row lies, and which transaction wrote it."""
    tables = ("source", "fx_rate", "margin")
    return [
        rows(engine, f"SELECT ctid::text, xmin::text, t::text FROM core.{table} t ORDER BY t::text") for table in tables
    ]


def rates(engine: Engine) -> list[Any]:
    return rows(
        engine,
        "SELECT currency, usd, valid_from::text, origin FROM mart.fx_rate ORDER BY currency, valid_from NULLS FIRST",
    )


DEFAULTS = [
    ("CREDIT", Decimal("0.001"), None, "configuration: the rate that Majestix documents in public"),
    ("USD", Decimal(1), None, "identity"),
]


def test_with_nothing_configured_the_rows_of_the_migrations_stay_untouched(engine: Engine) -> None:
    before = touched(engine)
    configure(engine)
    assert touched(engine) == before
    assert rates(engine) == DEFAULTS


def test_a_configured_rate_stands_beside_the_defaults_with_its_origin(engine: Engine) -> None:
    configure(engine, EUR)
    added = ("EUR", Decimal("1.08"), "2026-01-01 00:00:00+00", "configuration: ECB reference rate")
    assert rates(engine) == [DEFAULTS[0], added, DEFAULTS[1]]


def test_what_is_configured_no_longer_is_taken_out_again(engine: Engine) -> None:
    configure(engine, EUR, replace(EUR, valid_from=None), MARGIN, replace(MARGIN, kind="phaseo"))
    configure(engine, replace(EUR, valid_from=None))
    assert [row[0] for row in rates(engine)] == ["CREDIT", "EUR", "USD"]
    assert rows(engine, "SELECT kind, factor FROM mart.margin") == [("majestix", Decimal("1.4"))]


def test_a_configured_row_replaces_the_default_of_its_moment_while_it_is_configured(engine: Engine) -> None:
    configure(engine, CREDIT, MARGIN)
    assert rates(engine)[0] == ("CREDIT", Decimal("0.002"), None, "configuration: an invoice")
    assert rows(engine, "SELECT kind, valid_from::text, factor, origin FROM mart.margin") == [
        ("majestix", None, Decimal("1.5"), "configuration: an invoice")
    ]
    configure(engine)
    assert rates(engine) == DEFAULTS


def test_a_later_rate_leaves_the_default_before_it(engine: Engine) -> None:
    configure(engine, replace(CREDIT, valid_from=EUR.valid_from))
    assert [(row[0], row[1]) for row in rates(engine)][:2] == [
        ("CREDIT", Decimal("0.001")),
        ("CREDIT", Decimal("0.002")),
    ]


def test_a_configured_source_has_a_row_before_it_ever_landed_anything(engine: Engine) -> None:
    configure(engine, S)
    assert rows(engine, "SELECT * FROM mart.source") == [("s", "bifrost", True, 3600)]


def test_a_source_that_nobody_configures_any_more_is_disabled_and_keeps_its_row(engine: Engine) -> None:
    load(engine, "never configured", 0, World({}))
    configure(engine, S, replace(S, source="t"))
    configure(engine, replace(S, max_age=timedelta(days=2)))
    assert rows(engine, "SELECT source, enabled, max_age_seconds FROM mart.source ORDER BY source") == [
        ("never configured", False, 3 * 3600),
        ("s", True, 2 * 86400),
        ("t", False, 3600),
    ]


def test_recording_again_touches_nothing_and_a_difference_only_its_row(engine: Engine) -> None:
    entries = (S, replace(S, source="t", enabled=False), EUR, CREDIT, MARGIN)
    configure(engine, *entries)
    before = touched(engine)
    configure(engine, *entries)
    assert touched(engine) == before
    configure(engine, replace(S, enabled=False), *entries[1:])
    sources, *others = touched(engine)
    assert (sources[1], others) == (before[0][1], before[1:])
    assert sources[0] != before[0][0]


def test_a_source_keeps_what_its_loads_know(engine: Engine) -> None:
    load(engine, "s", 0, World({}))
    before = rows(engine, "SELECT known_at FROM core.source")
    configure(engine, S)
    assert rows(engine, "SELECT known_at FROM core.source") == before


def test_what_is_recorded_already_is_not_waited_for(engine: Engine) -> None:
    """Who loads a source holds its row for as long as that takes."""
    other = replace(S, source="other")
    configure(engine, S, other)
    with engine.begin() as loading, engine.begin() as connection:
        loading.execute(text("SELECT * FROM core.source WHERE source = 's' FOR UPDATE"))
        connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
        record(connection, [S, replace(other, enabled=False)], [], [], now=NOW)
    assert rows(engine, "SELECT source, enabled FROM mart.source ORDER BY 1") == [("other", False), ("s", True)]


def test_where_sources_are_named_no_other_is_disabled(engine: Engine) -> None:
    elsewhere, other = replace(S, source="elsewhere"), replace(S, source="other")
    configure(engine, S, elsewhere, other)
    with engine.begin() as connection:
        here = [replace(S, enabled=False), replace(other, enabled=False), replace(S, source="new", enabled=False)]
        record(connection, here, [], [], now=NOW, named={"s"})
    assert rows(engine, "SELECT source, enabled FROM mart.source ORDER BY 1") == [
        ("elsewhere", True),
        ("new", False),
        ("other", True),
        ("s", False),
    ]


def test_those_who_record_at_the_same_time_do_not_fail(engine: Engine) -> None:
    names = [f"s{number}" for number in range(20)]
    forwards = [replace(S, source=name) for name in names]
    backwards = [replace(S, source=name, enabled=False) for name in reversed(names)]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(configure, engine, *each, EUR) for each in (forwards, backwards) * 8]:
            done.result()
    assert len(set(rows(engine, "SELECT enabled FROM mart.source"))) == 1


def test_whoever_records_last_is_right_although_the_first_has_not_committed_yet(engine: Engine) -> None:
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as first:
            record(first, [], [EUR], [], now=NOW)
            last = pool.submit(configure, engine, replace(EUR, currency="GBP"))
            with pytest.raises(TimeoutError):
                last.result(timeout=1)
        last.result(timeout=30)
    assert rows(engine, "SELECT DISTINCT currency FROM mart.fx_rate ORDER BY 1") == [("CREDIT",), ("GBP",), ("USD",)]


def test_a_price_is_worth_what_the_rate_in_force_says(engine: Engine) -> None:
    load(engine, "s", 0, World({"openai/m": ("A", {"prompt": "1"})}))
    with as_owner(engine).begin() as connection:
        connection.execute(text("UPDATE core.price SET currency = 'EUR'"))

    def worth() -> list[Any]:
        return rows(engine, "SELECT unit_price_usd FROM mart.price_current")

    assert worth() == [(None,)]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    configure(engine, EUR, replace(EUR, usd=Decimal(9), valid_from=tomorrow))
    assert worth() == [(Decimal("1.08"),)]
