"""The database: whether it answers, can be written, has our schema, agrees about the time, and how large it is."""

import socket
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from etl.config import ConfiguredSource
from etl.database import migrations
from etl.database.binaries import find
from etl.database.contact import HOST
from etl.database.embedded import EmbeddedServer
from etl.database.engine import require_reachable
from etl.doctor.clocks import agreement
from etl.doctor.finding import Finding, failed, ok, refused, skipped, warning
from etl.errors import DatabaseError, in_short
from etl.load import health

_FACTS = text(
    """
    SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size,
           clock_timestamp() AS at, pg_is_in_recovery() AS is_replica, current_user AS role,
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
           EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE (n.nspname, c.relname) = ('core', 'source')) AS has_schema
    """
)

_CLOSED = text(
    """
    SELECT format('%I.%I', n.nspname, c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('raw', 'core') AND c.relkind IN ('r', 'p')
       AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'INSERT'))
     ORDER BY 1
    """
)
"""Tables that this role may not write."""

_WRITE = text("INSERT INTO core.source (source, kind) VALUES ('etl doctor', 'undone')")


def startable(server: EmbeddedServer) -> Finding:
    """Whether the embedded server, which does not run, could be started: its programs are there, its port is free."""
    try:
        find(server.settings.pgbin, major=server.cluster.major)
    except DatabaseError as error:
        return refused("database", error)
    port = server.settings.port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return failed("database", f"port {port} is taken", "end what listens there, or set ETL_DB_PORT")
    return ok("database", f"embedded, not running: it starts on demand; data in {server.cluster.data}")


def reachable(engine: Engine, *, is_embedded: bool, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """The server and what we may do there. Raises ``DatabaseError`` or ``DBAPIError`` when it does not answer."""
    require_reachable(engine)
    with engine.connect() as connection:
        asked = clock()
        facts = connection.execute(_FACTS).one()
        now = asked + (clock() - asked) / 2
    where = "the embedded server" if is_embedded else engine.url.render_as_string(hide_password=True)
    yield ok("database", f"PostgreSQL {facts.version.split()[0]}, {where}")
    yield agreement("database clock", now - facts.at, "the database")
    yield _role(facts.role, is_superuser=facts.is_superuser)
    yield ok("size", f"{facts.size / 1024**2:,.1f} MiB")
    if facts.is_replica:
        yield failed("writable", "this server is a replica, which nobody can write", "name the primary in DATABASE_URL")
    elif facts.has_schema:
        yield _writable(engine, facts.role)
    else:
        yield skipped("writable", "there is nothing to write yet")


def schema(engine: Engine, *, is_embedded: bool) -> Finding:
    """Whether the migrations are current."""
    try:
        migrations.require_current(engine)
    except DatabaseError as error:
        found, _, remedy = str(error).partition(": ")
        if is_embedded and "newer" not in found:
            return warning("schema", found, "nothing: the next command that needs it migrates it")
        return failed("schema", found, remedy)
    return ok("schema", f"{migrations.head()}, with the mart of this version")


def activity(engine: Engine, sources: Iterable[ConfiguredSource], due_until: datetime) -> Iterator[Finding]:
    """When anything ran. The newest slot before ``due_until`` should have been served by now."""
    with engine.connect() as connection:
        seen = health.seen(connection)
    due = max((each.settings.schedule.latest(due_until) for each in sources if each.is_enabled), default=None)
    if seen.run_at is None:
        yield skipped("last run", "nothing ever ran: `etl run` begins")
    else:
        yield _at("last run", seen.run_at, due, "start `etl schedule`, or let cron call `etl run --due`")
    if seen.scheduled_at is None:
        yield skipped("daemon", "`etl schedule` never ran anything here: cron or a person does")
    else:
        yield _at("daemon", seen.scheduled_at, due, "start `etl schedule` again, unless cron took over")


def well(engine: Engine) -> Finding:
    """Whether every source is, as `etl status --check` sees it."""
    ill = [
        f"{row['source']} ({'held' if row['status'] not in ('stale', 'failing') else row['status']})"
        for row in health.sources(engine)
        if row["status"] in ("stale", "failing") or (row["held_snapshots"] and row["status"] != "disabled")
    ]
    if ill:
        return warning("health", ", ".join(ill), "`etl status --check` says what to do about each")
    return ok("health", "no source is stale, failing or held")


def _role(role: str, *, is_superuser: bool) -> Finding:
    """Whether we are no more than we need to be: what a superuser is made to do, by whatever mistake, is done."""
    if is_superuser:
        remedy = "make an owner and a loader that are none: docs/operations.md, Roles"
        return warning("role", f"{role} is a superuser of the server", remedy)
    return ok("role", f"{role}, no superuser")


def _writable(engine: Engine, role: str) -> Finding:
    """Whether this role may write every table, and whether a row can be written now; it is undone."""
    remedy = f"let {role} own the database, or name another user in DATABASE_URL"
    with engine.connect() as connection:
        closed = list(connection.scalars(_CLOSED))
        if closed:
            more = f" and {len(closed) - 1} more" if closed[1:] else ""
            return failed("writable", f"{role} may not write {closed[0]}{more}", remedy)
        try:
            connection.execute(_WRITE)
        except DBAPIError as error:
            return failed("writable", in_short(error), remedy)
        finally:
            connection.rollback()
    return ok("writable", "a row was written and taken back")


def _at(check: str, at: datetime, due: datetime | None, remedy: str) -> Finding:
    found = f"{at:%Y-%m-%d %H:%M:%S}Z"
    if due is not None and at < due:
        return warning(check, f"{found}, and a slot was due at {due:%Y-%m-%d %H:%M}Z", remedy)
    return ok(check, found)
