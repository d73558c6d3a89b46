"""The database itself refuses what would tell a thing twice or forget that it was told."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.notify.stage import Stage


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO core.alert (source, problem, opened_at, count) SELECT source, problem, now(), 1 FROM core.alert",
        "UPDATE core.alert SET problem = 'odd'",
        "UPDATE core.alert SET count = 0",
        "UPDATE core.alert SET source = 'nobody'",
        "UPDATE core.outbox SET given_up_at = now()",
        "UPDATE core.outbox SET kind = 'odd'",
    ],
)
def test_what_contradicts_itself_is_refused(stage: Stage, statement: str) -> None:
    stage.fail(3)
    stage.tell()
    with pytest.raises(IntegrityError), stage.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_problem_that_ended_may_be_found_again(stage: Stage) -> None:
    stage.fail(3)
    stage.tell()
    again = (
        "INSERT INTO core.alert (source, problem, opened_at, count) SELECT source, problem, now(), 1 FROM core.alert"
    )
    with stage.engine.begin() as connection:
        connection.execute(text("UPDATE core.alert SET resolved_at = now()"))
        connection.execute(text(again))
    assert stage.open() == {"failing"}
