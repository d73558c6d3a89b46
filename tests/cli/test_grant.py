"""``etl db grant``: one command between a role that an administrator made and the mart."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, Engine, text

from tests.cli.conftest import Run, named
from tests.database.roles import PASSWORD, Role, execute, login_role, owner_of


@pytest.fixture
def alice(server_url: URL) -> Iterator[Role]:
    with login_role(server_url) as role:
        yield role


@pytest.fixture
def clerk(server_url: URL) -> Iterator[Role]:
    """Somebody who may look at everything and grant nothing."""
    with login_role(server_url, "clerk") as role:
        execute(server_url, f"GRANT pg_read_all_data TO {role.quoted}")
        yield role


def test_a_role_is_granted_once_and_told_what_was_done(
    alice: Role, etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", named(owner_of(warehouse.url)))
    first = etl("db", "grant", alice.name)
    assert (first.status, first.err) == (0, "")
    assert first.out == f"GRANT etl_reader TO {alice.quoted};\n{alice.name} may read the mart\n"
    with alice.on(warehouse.url).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.price_current")) == 0
    again = etl("db", "grant", alice.name)
    assert (again.status, again.out) == (0, f"{alice.name} may read the mart already: nothing to do\n")


def test_a_role_that_does_not_exist_is_one_line_with_the_remedy(etl: Run, warehouse: Engine) -> None:
    del warehouse
    ended = etl("db", "grant", "No-Body")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == (
        "etl: the server has no role No-Body: let an administrator run"
        " CREATE ROLE \"No-Body\" LOGIN PASSWORD '…'; and repeat this\n"
    )


def test_want_of_rights_is_one_line_with_the_remedy(
    alice: Role, clerk: Role, etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", named(warehouse.url.set(username=clerk.name, password=PASSWORD)))
    ended = etl("db", "grant", alice.name)
    assert (ended.status, ended.out) == (2, "")
    remedy = f"GRANT etl_reader TO {alice.quoted};"
    assert ended.err == f"etl: we have no right to grant this: let an administrator run {remedy}\n"
    execute(owner_of(warehouse.url), remedy)
    assert etl("db", "grant", alice.name).status == 0


def test_an_older_schema_grants_nothing(alice: Role, etl: Run, empty_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", named(empty_url))
    ended = etl("db", "grant", alice.name)
    assert ended.status == 2
    assert "run `etl db upgrade`" in ended.err


def test_who_is_to_be_granted_has_to_be_said(etl: Run) -> None:
    assert etl("db", "grant").status == 2
