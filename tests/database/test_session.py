"""One session for many transactions says so when what was committed in it may not have reached the disk."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from etl.database.engine import Begin, one_session


def end_session(engine: Engine, begin: Begin) -> None:
    """Have the server end the session, as it does when it is stopped."""
    with begin() as connection:
        number = connection.scalar(text("SELECT pg_backend_pid()"))
    with engine.begin() as other:
        other.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})


def test_commits_that_nobody_can_wait_for_any_more_are_an_error(engine: Engine) -> None:
    with pytest.raises(DBAPIError), one_session(engine) as begin:
        end_session(engine, begin)


def broken_in(engine: Engine, begin: Begin) -> None:
    """Lose the session, and fail for another reason."""
    end_session(engine, begin)
    raise KeyError("cause")


def test_what_broke_a_session_is_told_and_not_that_it_is_broken(engine: Engine) -> None:
    with pytest.raises(KeyError, match="cause"), one_session(engine) as begin:
        broken_in(engine, begin)
