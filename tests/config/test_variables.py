"""A variable that looks like one of ours and is none is worth a warning; all others are somebody else's."""

import pytest

from etl import config
from tests.config.writing import settings


def warnings(toml: str = "", **environ: str) -> list[str]:
    return config.near_misses(settings(toml), environ)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ETL_DB_PROT", "ETL_DB_PORT"),
        ("ETL_ALERTS_FAILURES", "ETL_ALERTS__FAILURES"),
        ("ETL_ALERT__FAILURES", "ETL_ALERTS__FAILURES"),
        ("ETL_BIFORST_URL", "ETL_BIFROST_URL"),
        ("ETL_SLAK_URL", "ETL_SLACK_URL"),
        ("ETL_PING_URL_FIEL", "ETL_PING_URL_FILE"),
    ],
)
def test_a_near_miss_is_one_line_with_the_near_name_and_without_the_value(name: str, near: str) -> None:
    [line] = warnings(**{name: "planted"})
    assert line == f"environment: {name} means nothing to etl; did you mean {near}?"


@pytest.mark.parametrize(
    "name",
    [
        "ETL_DB_PORT",
        "etl_db_port",
        "ETL_ALERTS__FAILURES",
        "ETL_SOURCES__BIFROST__MAX_AGE",
        "ETL_RATES",
        "ETL_BIFROST_URL",
        "ETL_BIFROST_URL_FILE",
        "ETL_SLACK_URL_FILE",
        "ETL_ENVIRONMENT",
        "ETL_BATCH_ID",
        "DB_PROT",
    ],
)
def test_what_is_known_or_far_from_it_is_left_alone(name: str) -> None:
    assert warnings(**{name: "x"}) == []


def test_what_the_file_names_is_known() -> None:
    toml = (
        "[sources.bifrost]\ncredential = 'ETL_DB_PORTS'\n[sources.eu]\nkind = 'phaseo'\n"
        "[alerts]\nping_env = 'ETL_PING_URLS'\n"
    )
    assert warnings(toml, ETL_DB_PORTS="x", ETL_DB_PORTS_FILE="x", ETL_PING_URLS="x", ETL_EU_URL="x") == []
