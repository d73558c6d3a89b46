"""What the command line says and asks of snapshots in doubt, and how one is taken back."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.cli.conftest import Run, named
from tests.cli.terminal import on_terminal
from tests.extract.gateway import Gateway, ok
from tests.load.worlds import World, body
from tests.processes import environment

FULL = World({f"openai/m{number}": ("A", {"prompt": "1", "completion": "2"}) for number in range(10)})
FEW = World(dict(list(FULL.models.items())[:2]))
FREE = World({model: (name, dict.fromkeys(prices, "0")) for model, (name, prices) in FULL.models.items()})


@pytest.fixture
def saved(folder: Path) -> Path:
    """Three days of a gateway, of which the second shows little."""
    saved = folder / "saved"
    saved.mkdir()
    for day, world in enumerate((FULL, FEW, FULL), 1):
        (saved / f"2026-01-0{day}T00-00-00Z.json").write_bytes(body(world))
    return saved


def log(engine: Engine) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT snapshot_id, status FROM mart.snapshot ORDER BY observed_at"))
        return [(row.snapshot_id, row.status) for row in found]


def statuses(engine: Engine) -> list[str]:
    return [status for _, status in log(engine)]


def test_without_a_terminal_a_backfill_holds_what_a_live_run_would_hold(
    etl: Run, warehouse: Engine, saved: Path
) -> None:
    ended = etl("backfill", "bifrost", str(saved))
    assert ended.status == 1
    assert statuses(warehouse) == ["loaded", "held", "unchanged"]
    [line] = ended.complaints
    assert "is held: would remove 8 of 10 models; look at it, then `etl snapshots release " in line
    assert "1 in doubt: the same command with --yes loads it" in ended.err


def test_yes_answers(etl: Run, warehouse: Engine, saved: Path) -> None:
    etl("backfill", "bifrost", str(saved))
    assert etl("backfill", "bifrost", str(saved), "--yes").status == 0
    assert statuses(warehouse) == ["loaded", "loaded", "unchanged"]


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "became"), [("y", "loaded"), ("n", "held"), ("", "held")])
def test_on_a_terminal_a_person_is_asked(
    warehouse: Engine, folder: Path, saved: Path, answer: str, became: str
) -> None:
    values = environment(folder, DATABASE_URL=named(warehouse.url))
    seen = on_terminal(folder, values, "backfill", "bifrost", str(saved), answers=[answer])
    question = "bifrost 2026-01-02 00:00:00Z: would remove 8 of 10 models. Load it all the same? [y/N]:"
    assert question in " ".join(seen.text.split())
    assert seen.status == (became == "held")
    assert statuses(warehouse) == ["loaded", became, "loaded" if became == "loaded" else "unchanged"]


def test_a_loaded_snapshot_is_taken_back_and_let_in_again(etl: Run, warehouse: Engine, saved: Path) -> None:
    etl("backfill", "bifrost", str(saved), "--yes")
    number = str(log(warehouse)[1][0])
    assert etl("snapshots", "reject", number).out == f"snapshot {number} is rejected: 32 opened, 64 closed\n"
    assert etl("snapshots", "reject", number).out == f"snapshot {number} is rejected: already\n"
    assert statuses(warehouse) == ["loaded", "rejected", "loaded"]
    again = etl("backfill", "bifrost", str(saved), "--yes")
    assert again.status == 1
    assert f"`etl snapshots release {number}` loads it" in again.complaints[0]
    assert etl("verify", "bifrost").status == 0
    released = etl("snapshots", "release", number)
    assert (released.status, released.out.startswith(f"snapshot {number} is loaded: ")) == (0, True)
    assert etl("snapshots", "release", number).out == f"snapshot {number} is loaded: already\n"


def test_a_snapshot_that_is_not_there_is_wrong_usage(etl: Run, warehouse: Engine) -> None:
    assert str(warehouse.url.database)
    for decision in ("release", "reject"):
        ended = etl("snapshots", decision, "4711")
        assert (ended.status, ended.complaints) == (
            2,
            ["etl: snapshot 4711 does not exist: `etl snapshots` lists them"],
        )


def test_an_unknown_key_never_empties_the_history(etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_DOUBT_CONFIRM_AFTER_SECONDS", "0")
    nothing = ok(b'{"data": []}')
    with Gateway(ok(body(FULL)), nothing, nothing, nothing, ok(body(FREE)), ok(body(FREE))) as gateway:
        monkeypatch.setenv("ETL_BIFROST_URL", gateway.url)
        ended = [etl("run", "bifrost", "--json") for _ in range(6)]
    became = [json.loads(each.out)[0]["status"] for each in ended]
    assert became == ["loaded", "held", "held", "held", "held", "unchanged"]
    assert statuses(warehouse) == ["loaded", "rejected", "rejected", "rejected", "loaded", "unchanged"]
