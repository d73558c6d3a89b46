"""``etl suspects``: lists, accepts and withdraws prices that look like mistakes."""

import json
import os
import pwd

import pytest
from sqlalchemy import Engine, text

from tests.cli.conftest import Run
from tests.load.believing import load
from tests.load.worlds import World
from tests.mart.comparing import offer


@pytest.fixture
def suspect_id(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ID of the one suspect price of a warehouse that the command uses."""
    for day, price in enumerate(("2", "20")):
        load(engine, "s", day, World({"openai/o3": offer(**{"in": price, "out": "8"})}))
    load(engine, "host", 0, World({"groq/o3": offer(**{"in": "2.5"})}))
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT suspect_id FROM mart.suspect_price")))


def test_a_suspect_is_listed_with_what_others_ask_and_accepted_with_who_and_why(typing: Run, suspect_id: str) -> None:
    shown = typing("suspects")
    assert shown.status == 0
    assert shown.out.splitlines()[1].startswith(suspect_id)
    for each in ("20 USD", "2.5 USD", "power_of_ten, step", "2026-01-02"):
        assert each in shown.out
    accepted = typing("suspects", "accept", suspect_id, "--why", "on their price page")
    assert (accepted.status, accepted.out) == (0, f"{suspect_id} is accepted: s, openai/o3, openai, input_token\n")
    assert json.loads(typing("suspects", "--json").out) == []
    [row] = json.loads(typing("suspects", "--accepted", "--json").out)
    me = pwd.getpwuid(os.getuid()).pw_name
    assert (row["suspect_id"], row["accepted_by"], row["why"]) == (suspect_id, me, "on their price page")
    assert row["accepted_at"]
    assert typing("suspects", "withdraw", suspect_id).status == 0
    [row] = json.loads(typing("suspects", "--json", "--source", "s").out)
    assert (row["per_million"], row["others_per_million"], row["reasons"]) == (20, 2.5, ["power_of_ten", "step"])


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("accept", "nonsense", "--why", "x"), "nonsense is no suspect price: `etl suspects` lists them"),
        (("accept", "nonsense", "--why", " "), "why the prices are right"),
        (("accept", "nonsense"), "--why"),
        (("withdraw", "nonsense"), "nonsense is no accepted price: `etl suspects --accepted` lists them"),
        (("--source", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_accepted_ends_with_two_and_one_line(
    typing: Run, suspect_id: str, typed: tuple[str, ...], message: str
) -> None:
    ended = typing("suspects", *typed)
    assert ended.status == 2
    assert message in ended.err
    assert suspect_id in typing("suspects").out
