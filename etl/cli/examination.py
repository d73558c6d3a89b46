"""What ``etl doctor`` looks at, in its order."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from etl.cli.invocation import Session
from etl.cli.session import clock
from etl.database.engine import database_url, open_engine
from etl.doctor import configuration, gateways, software, warehouse
from etl.doctor.finding import Finding, Status, examined, failed, refused, skipped
from etl.errors import EtlError, in_short

ATTENDED = timedelta(minutes=15)
"""How late a slot may be served before somebody is told that nobody did."""

AFTER_DATABASE = (
    *("database clock", "role", "size", "writable", "schema", "objects", "last run", "daemon", "bodies", "health"),
)


def findings(current: Session) -> Iterator[Finding]:
    """Everything that has to be in place, a finding each."""
    yield from examined("python", software.python)
    yield from examined("dependencies", software.dependencies)
    try:
        sources = list(current.sources.values())
    except EtlError as error:
        yield refused("configuration", error)
        for check in ("credentials", "database", "sources"):
            yield skipped(check, "the configuration is wrong")
        return
    enabled = [each for each in sources if each.is_enabled]
    settings = current.settings
    yield from examined("configuration", lambda: [configuration.found(current.config_file, sources)])
    yield from examined("environment", lambda: [configuration.environment(settings, sources, current.environ)])
    yield from examined("credentials", lambda: map(configuration.credential, enabled))
    yield from examined("webhooks", lambda: configuration.webhooks(settings, current.environ))
    if current.is_embedded:
        yield from examined("disk", lambda: software.disk(settings.home))
    else:
        yield skipped("disk", "the database is another server's, and so is its disk")
    if folder := settings.report.folder:
        yield from examined("report", lambda: software.disk(folder, "report", "[report] folder"))
    yield from examined("database", lambda: _database(current))
    yield from examined("sources", lambda: gateways.reachable(enabled, settings, clock))


def _database(current: Session) -> Iterator[Finding]:
    """The database as it is found: an embedded one that does not run is not started."""
    engine = _engine(current)
    if engine is None:
        yield warehouse.startable(current.server)
    found = _looked_at(engine, current) if engine else []
    yield from found
    why = "the schema is another one" if found[1:] else "the database cannot be asked"
    for check in AFTER_DATABASE:
        if check not in {finding.check for finding in found}:
            yield skipped(check, why if engine else "the database does not run")


def _engine(current: Session) -> Engine | None:
    """The warehouse, not sure that it answers; null when it is the embedded one and does not run."""
    url = current.server.url() if current.is_embedded else current.settings.database_url
    return open_engine(database_url(url), connect_seconds=5, statement_seconds=10) if url else None


def _looked_at(engine: Engine, current: Session) -> list[Finding]:
    """What a server that should answer is found to be like; each look stands for itself."""
    is_embedded = current.is_embedded
    found = _asked("database", engine, lambda: warehouse.reachable(engine, is_embedded=is_embedded, clock=clock))
    if found[0].status is not Status.OK:
        return found
    found += _asked("schema", engine, lambda: [warehouse.schema(engine, is_embedded=is_embedded)])
    if found[-1].status is Status.OK:
        sources = current.sources.values()
        found += _asked("objects", engine, lambda: [warehouse.objects(engine)])
        found += _asked("last run", engine, lambda: warehouse.activity(engine, sources, clock() - ATTENDED))
        found += _asked("bodies", engine, lambda: [warehouse.bodies(engine, current.settings.archive)])
        found += _asked("health", engine, lambda: [warehouse.well(engine)])
    return found


def _asked(check: str, engine: Engine, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a look at the database finds, its refusal and its end included."""

    def asked() -> Iterator[Finding]:
        try:
            yield from look()
        except DBAPIError as error:
            remedy = f"see that the server goes on, and that {engine.url.username} may use the whole warehouse"
            yield failed(check, in_short(error), remedy)

    return examined(check, asked)
