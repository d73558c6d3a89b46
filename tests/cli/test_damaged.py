"""What commands say of a body that is damaged, and that a backfill of the file heals it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.cli.conftest import Run
from tests.database.roles import as_owner

BODY = '{"data": [{"id": "openai/m", "pricing": {"prompt": "0.001", "completion": "0.002"}}]}'


@pytest.fixture
def damaged(etl: Run, warehouse: Engine, folder: Path, file: Callable[..., None]) -> Engine:
    """A warehouse with one snapshot, whose body rotted."""
    file("http://127.0.0.1:9")
    (folder / "2026-01-01T00-00-00Z.json").write_text(BODY)
    assert etl("backfill", "s", "2026-01-01T00-00-00Z.json").status == 0
    with as_owner(warehouse).begin() as connection:
        connection.execute(text("ALTER TABLE raw.content DISABLE TRIGGER no_loss"))
        connection.execute(text("UPDATE raw.content SET body = 'rotten'"))
        connection.execute(text("ALTER TABLE raw.content ENABLE TRIGGER no_loss"))
    return warehouse


def test_commands_name_a_damaged_body_and_the_backfill_that_they_name_heals_it(etl: Run, damaged: Engine) -> None:
    del damaged
    remedy = "etl backfill s PATH"
    for command in (["verify"], ["verify", "--apply"]):
        ended = etl(*command)
        assert ended.status == 1
        assert remedy in ended.err
    explained = etl("explain", "s", "openai/m")
    assert explained.status == 1
    assert remedy in " ".join((explained.out + explained.err).split())
    examined = etl("doctor")
    assert "damaged or out of reach" in examined.out + examined.err
    assert etl("backfill", "s", "2026-01-01T00-00-00Z.json").status == 0
    assert etl("verify").status == 0
    assert etl("explain", "s", "openai/m").status == 0


def test_a_source_with_a_damaged_body_does_not_keep_others_from_being_corrected(
    etl: Run, damaged: Engine, folder: Path, file: Callable[..., None]
) -> None:
    file("http://127.0.0.1:9", t="http://127.0.0.1:10")
    (folder / "2026-01-02T00-00-00Z.json").write_text(BODY.replace("0.001", "0.003"))
    assert etl("backfill", "t", "2026-01-02T00-00-00Z.json").status == 0
    with as_owner(damaged).begin() as connection:
        connection.execute(text("UPDATE core.price SET unit_price = 7 WHERE source = 't'"))
    ended = etl("verify", "--apply")
    assert ended.status == 1
    assert "etl: s: nothing was corrected: snapshot 1: page 1" in ended.err
    assert "corrected" in ended.out
    assert etl("verify", "t").status == 0
