"""The database: whether it answers, can be written, has our schema, agrees about the time, and how large it is."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from etl.config import ConfiguredSource
from etl.database import mart, mart_record, migrations
from etl.database.binaries import find
from etl.database.embedded import EmbeddedServer
from etl.database.engine import require_reachable, shown
from etl.database.launch import is_free
from etl.database.schema import compare
from etl.doctor.clocks import agreement
from etl.doctor.finding import Finding, failed, ok, refused, skipped, warning
from etl.errors import DatabaseError, in_short
from etl.load import health
from etl.load.raw import repair
from etl.load.tables import page

NEWEST = 5000
READING_SECONDS = 2.0
"""How many bodies are looked at, and for how long: `etl verify` reads all of them."""

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
       AND c.relname <> 'mart_object' -- The owner's record of an upgrade.
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
    port = next(filter(is_free, server.ports), server.ports[0])
    if not is_free(port):
        return failed("database", f"port {port} is taken", "end what listens there, or set ETL_DB_PORT")
    return ok("database", f"embedded, not running: it starts on demand; data in {server.cluster.data}")


def reachable(engine: Engine, *, is_embedded: bool, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """The server and what we may do there. Raises ``DatabaseError`` or ``DBAPIError`` when it does not answer."""
    require_reachable(engine)
    with engine.connect() as connection:
        asked = clock()
        facts = connection.execute(_FACTS).one()
        now = asked + (clock() - asked) / 2
    where = "the embedded server" if is_embedded else shown(engine.url)
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


def objects(engine: Engine) -> Finding:
    """Whether each object of ``raw``, ``core`` and ``mart`` is as the migrations and this version make it."""
    with engine.connect() as connection:
        found = compare(connection)
        drifted = [f"mart.{name}" for name in mart_record.drifted(connection)]
        added = [*found.added, *(f"mart.{name}" for name in mart.added(connection))]
    if found.missing or found.changed:
        parts = [f"missing: {_first(found.missing)}"] * bool(found.missing)
        parts += [f"changed: {_first(found.changed)}"] * bool(found.changed)
        return failed(
            "objects", "; ".join(parts), "undo what was done by hand: migrations/schema.txt has what is right"
        )
    if drifted:
        return failed("objects", f"changed by hand: {_first(drifted)}", "run `etl db upgrade`")
    if added:
        return warning("objects", f"added by hand: {_first(added)}", "keep what is yours in a schema of your own")
    return ok("objects", "raw, core and mart are as this version makes them")


def _first(names: Sequence[str], count: int = 3) -> str:
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")


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


def bodies(engine: Engine, archive: Path | None) -> Finding:
    """Whether the newest landed bodies are whole, as many as can be read in a short time."""
    end = time.monotonic() + READING_SECONDS
    lost: list[bytes] = []
    read = 0
    with engine.connect() as connection:
        newest = select(page.c.sha256).order_by(page.c.snapshot_id.desc()).limit(NEWEST)
        for digest in dict.fromkeys(connection.scalars(newest)):
            lost += repair.lost(connection, [digest], archive)
            read += 1
            if time.monotonic() > end:
                break
    if lost:
        found = f"{len(lost)} of the newest {read} bodies are damaged or out of reach, first {lost[0].hex()}"
        return failed("bodies", found, "`etl verify` names their snapshots and how to bring them back")
    return ok("bodies", f"the newest {read} are whole")


def well(engine: Engine) -> Finding:
    """Whether every source is, as `etl status --check` sees it."""
    ill = [f"{row['source']} ({why})" for row in health.sources(engine) if (why := _ill(row))]
    if ill:
        return warning("health", ", ".join(ill), "`etl status --check` says what to do about each")
    return ok("health", "no source is stale, failing or held")


def _ill(row: Mapping[str, Any]) -> str | None:
    """What is wrong with a source, in a word or two; null when nothing is."""
    if row["status"] in ("stale", "failing"):
        return str(row["status"])
    if row["status"] == "disabled":
        return None
    if row["set_aside_snapshots"]:
        return f"{row['set_aside_snapshots']} set aside"
    return "held" if row["held_snapshots"] else None


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
