"""The one door to Postgres: engines from any spelling of a URL, and errors that a person can act on."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from sqlalchemy import URL, Connection, Engine, create_engine, func, make_url, select, text, true
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError
from sqlalchemy.pool import NullPool

from etl.concealment import secret_values, without_secret_parameters
from etl.domain import jsontext
from etl.errors import ConfigurationError, DatabaseError, in_short

OLDEST = 150_000
"""The oldest server that the schema was written for, as ``server_version_num``."""


_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""A host that vanished without a word is noticed after a minute; the system would wait for two hours."""


PINNED = "-c search_path=pg_catalog,pg_temp"
"""Nothing of ours is found by a name alone: a role that may create in ``public`` could put its own in its place.

``pg_temp`` is named because it would come first otherwise.
"""


def database_url(spelling: str, variable: str = "DATABASE_URL") -> URL:
    """The URL for psycopg 3, from ``postgres://``, ``postgresql://`` or one that names a driver.

    ``variable`` is who named it. Raises ``ConfigurationError``.
    """
    try:
        url = make_url(spelling.strip())
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            f"{variable} is no URL: write postgresql://user:***@host:port/name, the password instead of ***"
        ) from None
    if url.drivername.split("+")[0] not in ("postgres", "postgresql"):
        raise ConfigurationError(f"{variable} names {url.drivername}: only PostgreSQL is supported")
    if "@" in (url.host or "") or ("@" in (url.database or "") and "%40" not in spelling):
        # postgres://me:p@ss/word@host: what follows the first @ would be taken for a host, and be shown.
        raise ConfigurationError(f"{variable} has a second @: write @ as %40, / as %2F and : as %3A in a password")
    return _with_password_before_host(url).set(drivername="postgresql+psycopg")


def shown(url: URL) -> str:
    """Return the URL for people: ``***`` for every secret in it, also in its query."""
    return without_secret_parameters(spelled(url, hide_password=True), "***")


def spelled(url: URL, *, hide_password: bool = False) -> str:
    """Return the URL as libpq reads it: a space as ``%20``, where SQLAlchemy leaves it or writes ``+``."""
    text = url.set(drivername="postgresql").render_as_string(hide_password=hide_password)
    place, mark, query = text.partition("?")
    return place.replace(" ", "%20") + mark + query.replace("+", "%20")


def secrets_of(url: URL) -> list[str]:
    """Return every secret in the URL."""
    query = [(name, value) for name, values in url.normalized_query.items() for value in values]
    return [str(url.password or ""), *(each for pair in query for each in secret_values(*pair))]


def _with_password_before_host(url: URL) -> URL:
    """Return the URL with ``?password=`` moved to the place that everybody hides. The last one counts, as in libpq."""
    given = url.normalized_query.get("password")
    if not given:
        return url
    # Without a user SQLAlchemy would drop the password; libpq takes an empty user for none.
    user = url.normalized_query.get("user", [url.username or ""])[-1]
    return url.difference_update_query(["password", "user"]).set(username=user, password=given[-1])


def open_engine(url: URL, *, connect_seconds: int = 10, statement_seconds: int = 0) -> Engine:
    """Return an engine whose sessions use UTC and find only what is named with its schema.

    Connections are not pooled: each load takes its own and gives it back.

    After ``statement_seconds`` the server ends a statement; 0: whenever the server is configured to.
    """
    limit = f" -c statement_timeout={statement_seconds}s" if statement_seconds else ""
    return create_engine(
        url,
        poolclass=NullPool,
        json_serializer=jsontext.encode,
        connect_args={
            "connect_timeout": connect_seconds,
            "application_name": "etl",
            **_KEEPALIVE,
            "options": f"{PINNED} -c timezone=UTC -c jit=off{limit}",
        },
    )


@contextmanager
def one_moment(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees the warehouse as it is now, whatever is loaded meanwhile, and changes nothing."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection:
        # Sorting a million versions in four megabytes takes twice the time.
        connection.execute(text("SET LOCAL work_mem = '64MB'"))
        yield connection


Begin = Callable[[], AbstractContextManager[Connection]]
"""Begins a transaction, which is committed at the end of the block, or undone when an exception leaves it."""


@contextmanager
def one_session(engine: Engine) -> Iterator[Begin]:
    """One transaction after the other in one session, whose plans and caches stay warm.

    Commits do not wait for the disk; when the block ends, all of them are there. A server that loses its power in
    between forgets the last ones, in order.
    """
    with engine.connect() as connection:

        @contextmanager
        def begin() -> Iterator[Connection]:
            with connection.begin():
                connection.execute(_DO_NOT_WAIT)
                yield connection

        try:
            yield begin
        except BaseException:
            # A broken session has nothing to wait for, and must not hide what broke it.
            with suppress(DBAPIError, InvalidRequestError):
                _wait(connection)
            raise
        _wait(connection)


def _wait(connection: Connection) -> None:
    """Wait until all that was committed is on the disk. Raises ``DBAPIError``."""
    with connection.begin():
        # The log is written in order: once this record, which says nothing, is on the disk, all before it are.
        connection.execute(_SAY_NOTHING)


_DO_NOT_WAIT = select(func.set_config("synchronous_commit", "off", true()))
_SAY_NOTHING = select(func.pg_logical_emit_message(true(), "etl", ""))


def require_reachable(engine: Engine, variable: str = "DATABASE_URL") -> None:
    """Raise ``DatabaseError`` in one line, without the password, unless the server answers and is new enough."""
    where = shown(engine.url)
    try:
        with engine.connect() as connection:
            version = connection.scalar(text("SELECT current_setting('server_version_num')::integer"))
    except DBAPIError as error:
        what = in_short(error)
        raise DatabaseError(f"no database at {where}: {what}; check {variable} and that the server runs") from None
    if version is None or version < OLDEST:
        raise DatabaseError(f"the server at {where} is too old ({version}): PostgreSQL 15 or newer is needed")
