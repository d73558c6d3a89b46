"""Granting where the group role is missing, where we have no right to, and by several at once: a server of its own."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import URL, Engine, text

from etl.database import migrations, reader
from etl.database.cluster import SUPERUSER
from etl.database.embedded import EmbeddedServer
from etl.database.engine import database_url, open_engine
from etl.errors import DatabaseError
from tests.database.roles import PASSWORD, execute

pytestmark = pytest.mark.slow


@pytest.fixture
def url(server: EmbeddedServer) -> URL:
    """The superuser's database on a server that nobody else uses, without our group role."""
    server.ensure()
    url = database_url(str(server.url(SUPERUSER)))
    execute(url, "DROP ROLE etl_reader")
    return url


@pytest.fixture
def theirs(url: URL) -> Engine:
    """A migrated warehouse of an owner who may not make roles."""
    execute(url, f"CREATE ROLE owner LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE bob LOGIN PASSWORD '{PASSWORD}'")
    with open_engine(url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CREATE DATABASE theirs OWNER owner"))
    engine = open_engine(url.set(username="owner", password=PASSWORD, database="theirs"))
    execute(url.set(database="theirs"), "GRANT CREATE ON SCHEMA public TO owner")
    migrations.upgrade(engine)
    return engine


def roles(engine: Engine) -> list[str]:
    """The group role, and those who belong to it."""
    with engine.connect() as connection:
        there = connection.scalars(text("SELECT rolname FROM pg_roles WHERE rolname = 'etl_reader'"))
        members = text("SELECT member::regrole::text FROM pg_auth_members WHERE roleid::regrole::text = 'etl_reader'")
        return [*there, *sorted(set(connection.scalars(members)))]


def reads(url: URL) -> bool:
    with open_engine(url).connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) = 2 FROM mart.fx_rate")))


def test_a_migration_that_may_make_no_role_goes_without(theirs: Engine) -> None:
    assert migrations.is_current(theirs)
    assert roles(theirs) == []


def test_who_may_make_no_role_is_told_what_an_administrator_has_to_run(theirs: Engine, url: URL) -> None:
    with pytest.raises(DatabaseError) as refusal:
        reader.grant(theirs, "bob")
    said, _, remedy = str(refusal.value).partition(" run ")
    assert (said, roles(theirs)) == ("we have no right to grant this: let an administrator", [])
    assert "\n" not in remedy
    execute(url.set(database="theirs"), remedy)
    assert reader.grant(theirs, "bob") == []
    assert reads(url.set(username="bob", password=PASSWORD, database="theirs"))


def test_the_role_is_made_when_it_can_be_made_now(theirs: Engine, url: URL) -> None:
    administrator = open_engine(url.set(database="theirs"))
    done = reader.grant(administrator, "bob")
    assert done[:5] == [reader.CREATE, *reader.MAY_READ, "GRANT etl_reader TO bob;"]
    assert [statement.split()[7] for statement in done[5:]] == list(reader.LIMITS)
    assert roles(theirs) == ["etl_reader", "bob"]
    assert reads(url.set(username="bob", password=PASSWORD, database="theirs"))


def test_who_may_not_add_a_member_is_told_just_that(theirs: Engine, url: URL) -> None:
    execute(url, "CREATE ROLE etl_reader NOLOGIN")
    with pytest.raises(DatabaseError) as refusal:
        reader.grant(theirs, "bob")
    assert str(refusal.value).endswith("run " + " ".join([*reader.MAY_READ, "GRANT etl_reader TO bob;"]))
    execute(url, "GRANT etl_reader TO owner WITH ADMIN OPTION")
    assert reader.grant(theirs, "bob") == [*reader.MAY_READ, "GRANT etl_reader TO bob;"]


def test_who_reads_and_owns_nothing_cannot_grant_in_silence(theirs: Engine, url: URL) -> None:
    execute(url.set(database="theirs"), "CREATE ROLE etl_reader NOLOGIN; GRANT etl_reader TO bob WITH ADMIN OPTION")
    execute(url.set(database="theirs"), "CREATE ROLE carol; GRANT USAGE ON SCHEMA mart TO bob")
    execute(url.set(database="theirs"), "GRANT SELECT ON ALL TABLES IN SCHEMA mart TO bob")
    execute(url.set(database="theirs"), "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mart TO bob")
    bob = open_engine(url.set(username="bob", password=PASSWORD, database="theirs"))
    with pytest.raises(DatabaseError, match=r"GRANT USAGE ON SCHEMA mart TO etl_reader; .* TABLES .* FUNCTIONS "):
        reader.grant(bob, "carol")
    assert roles(theirs) == ["etl_reader", "bob"]


def test_a_role_that_does_not_exist_is_named_with_what_makes_it(theirs: Engine) -> None:
    for user in ("nobody", "NOBODY's", 'x"; DROP ROLE bob; --', "public", "a" * 100, ""):
        with pytest.raises(DatabaseError, match="^the server has no role") as refusal:
            reader.grant(theirs, user)
        with theirs.connect() as connection:
            quoted = connection.scalar(text("SELECT quote_ident(:user)"), {"user": user})
            assert connection.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = 'bob'")) == 1
        assert f"let an administrator run CREATE ROLE {quoted} LOGIN" in str(refusal.value)


def test_a_group_does_not_become_its_own_member(theirs: Engine, url: URL) -> None:
    administrator = open_engine(url.set(database="theirs"))
    reader.grant(administrator, "bob")
    with pytest.raises(DatabaseError, match='role "etl_reader" is a member of role "etl_reader"'):
        reader.grant(administrator, "etl_reader")
    assert roles(theirs) == ["etl_reader", "bob"]


def test_many_that_make_and_grant_the_role_at_once_in_several_databases_all_succeed(theirs: Engine, url: URL) -> None:
    theirs.dispose()
    warehouses = [url.set(database=name) for name in ("theirs", "other", "third")]
    with open_engine(url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for name in ("other", "third"):
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE theirs"))
    for _ in range(3):
        with ThreadPoolExecutor(12) as pool:
            grants = [pool.submit(reader.grant, open_engine(each), "bob") for each in warehouses * 4]
            done = [grant.result() for grant in grants]
        assert any(reader.CREATE in statements for statements in done)
        assert all(reads(each.set(username="bob", password=PASSWORD)) for each in warehouses)
        for each in warehouses:
            execute(each, "DROP OWNED BY etl_reader")
        execute(url, "DROP ROLE etl_reader")
