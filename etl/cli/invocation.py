"""One invocation of ``etl``: the settings, read once, and the warehouse, opened on demand.

Whatever commands need comes together here, so this is imported by the command that runs and not by those that could.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import structlog
from sqlalchemy import URL, Connection, Engine

from etl import config, log, telemetry
from etl.attend import Attendant, this_process
from etl.cli import output
from etl.cli.session import Work, clock, require_known
from etl.config import ConfiguredSource, Receiver, Settings
from etl.database import migrations
from etl.database.cluster import OWNER
from etl.database.embedded import DEFAULT_PORT, EmbeddedServer, EmbeddedSettings
from etl.database.engine import database_url, open_engine, require_reachable, secrets_of
from etl.database.loader import LOADER
from etl.errors import ConfigurationError
from etl.extract.address import Address
from etl.extract.transport import trusted
from etl.fetch import secret_of
from etl.load import configured, history, identity, suspicion
from etl.load.clock import database_time
from etl.load.configured import Margin, Rate, SourceEntry
from etl.load.doubt import Doubt
from etl.load.ledger import Caller
from etl.load.locks import wait_at_most
from etl.notify.notifier import Notifier
from etl.pipeline import Pipeline


@dataclass(frozen=True)
class Session:
    """One invocation of ``etl``: its configuration file, its environment, and what follows from them."""

    config_file: Path | None
    environ: Mapping[str, str]
    log_format: log.Format | None = None

    @cached_property
    def settings(self) -> Settings:
        """The settings of file and environment. Raises ``ConfigurationError``."""
        found = config.load(self.config_file)
        log.configure(self.log_format or found.log_format)
        for line in config.near_misses(found, self.environ):
            output.note(f"warning: {line}")
        return found

    @cached_property
    def receivers(self) -> tuple[Receiver, ...]:
        """Who is told when something is wrong."""
        found = config.receivers(self.settings, self.environ)
        log.conceal(each.url for each in found)
        return found

    @cached_property
    def ping_url(self) -> str | None:
        """What is called after each good round."""
        found = config.ping_url(self.settings, self.environ)
        log.conceal([found])
        return found

    @cached_property
    def sources(self) -> dict[str, ConfiguredSource]:
        """Every configured source by name. What else is configured is looked at as well, before anything is started."""
        _ = self.receivers, self.ping_url
        found = config.configured(self.settings, self.environ)
        log.conceal(each.secret for each in found.values())
        for each in found.values():
            with suppress(ConfigurationError):  # A url that is none is complained about by whoever asks it.
                log.conceal(Address.parse(each.url, each.name).secrets)
        return found

    @cached_property
    def server(self) -> EmbeddedServer:
        """The embedded server; asking for it starts nothing."""
        settings = self.settings
        return EmbeddedServer(EmbeddedSettings(home=settings.home, port=settings.db_port, pgbin=settings.pgbin))

    @cached_property
    def engine(self) -> Engine:
        """The warehouse for those who load and ask, with the schema that this version needs: as ``DATABASE_URL`` says.

        In the embedded one as a role that may neither change the schema nor rewrite history.
        """
        owner = self.owner_engine
        return open_engine(self.role_url(LOADER)) if self.is_embedded else owner

    @cached_property
    def owner_engine(self) -> Engine:
        """The warehouse for who owns it, reachable and with the schema that this version needs.

        ``DATABASE_URL`` is migrated by ``etl db upgrade`` alone; the embedded server is started and kept migrated.
        """
        engine = self.unmigrated_engine
        if not self.is_embedded or migrations.is_current(engine):
            migrations.require_current(engine)
        else:
            with output.working("bringing the embedded Postgres to the current schema"):
                upgrade(engine)
        Work.has_begun = True
        return engine

    @cached_property
    def unmigrated_engine(self) -> Engine:
        """The warehouse for who owns it, reachable, whatever its schema."""
        engine = open_engine(self.role_url(OWNER))
        require_reachable(engine)
        return engine

    @cached_property
    def pipeline(self) -> Pipeline:
        """The line into the warehouse."""
        settings = self.settings
        doubt = Doubt(
            share=settings.doubt_share,
            minimum=settings.doubt_minimum,
            confirm_after=timedelta(seconds=settings.doubt_confirm_after_seconds),
        )
        return Pipeline(
            self.engine,
            clock,
            doubt,
            archive=settings.archive,
            known_clock=database_time,
            quarantine_limit=settings.quarantine_limit,
        )

    @cached_property
    def notifier(self) -> Notifier:
        """Tells whoever is configured what is wrong, and that all is well. Raises ``ConfigurationError``."""
        return Notifier(self.engine, self.settings, self.receivers, self.ping_url, clock)

    def attendant(self, kind: str) -> Attendant:
        """Runs sources in the name of this process; ``kind`` is ``run`` or ``schedule``."""
        return Attendant(self.pipeline, self.settings, Caller(kind=kind, worker=this_process()))

    @property
    def is_embedded(self) -> bool:
        """Whether the warehouse is the embedded server."""
        return not self.settings.database_url

    def named(self, names: Iterable[str]) -> list[ConfiguredSource]:
        """The sources of these names, each once. Raises ``ConfigurationError`` for a name that nobody configured."""
        asked = dict.fromkeys(names)
        for name in asked:
            require_known(name, self.sources)
        return [self.sources[name] for name in asked]

    def ready(self, names: Iterable[str]) -> list[ConfiguredSource]:
        """The sources of these names, or all enabled ones, sure that they can be asked.

        Raises ``ConfigurationError`` or ``CredentialError`` before anything is started.
        """
        asked = self.named(names) or [each for each in self.sources.values() if each.is_enabled]
        if not asked:
            raise ConfigurationError("no source is enabled: `etl sources` says why; name one, or change etl.toml")
        trusted(self.settings.ca_file)
        for source in asked:
            source.require_credential()
            secret_of(source)
            Address.parse(source.url, source.name)
        return asked

    def record_configuration(self, *, named: Iterable[ConfiguredSource] | None = None, patience: int = 0) -> None:
        """Record in the warehouse what is configured, before anything is loaded.

        Where only some sources are ``named``, no other is disabled. Who loads a source that is configured otherwise now
        is waited for, ``patience`` seconds long (0: to the end).
        """
        names = None if named is None else {each.name for each in named}
        entries = [
            SourceEntry(
                source=each.name,
                kind=each.kind,
                enabled=each.is_enabled,
                max_age=each.settings.max_age,
                schedule=each.settings.schedule.expression,
            )
            for each in self.sources.values()
        ]
        rates = [Rate(**each.model_dump()) for each in self.settings.rates]
        margins = [Margin(**each.model_dump()) for each in self.settings.margins]
        with self.engine.begin() as connection:
            wait_at_most(connection, seconds=patience)
            configured.record(connection, entries, rates, margins, now=database_time(connection), named=names)

    def role_url(self, role: str) -> URL:
        """The address of the warehouse for a role of the embedded server, or the one that ``DATABASE_URL`` names."""
        found = database_url(self.settings.database_url or self._embedded_url(role))
        log.conceal(secrets_of(found))
        return found

    def _embedded_url(self, role: str) -> str:
        """The embedded server's, started when it does not run, which is reported because it takes a while."""
        if found := self.server.url(role):
            return found
        is_first = self.server.cluster.major is None
        with output.working("starting the embedded Postgres"):
            url = self.server.ensure(role)
        port = database_url(url).port
        if is_first and self.settings.db_port is None and port != DEFAULT_PORT:
            output.note(f"etl: port {DEFAULT_PORT} is taken: this database listens on {port}, now and from now on")
        return url


def begin(config_file: Path | None, environ: Mapping[str, str], log_format: log.Format | None) -> Session:
    """A session whose events, and spans if a collector is named, are written from now on."""
    log.configure(log_format or "auto")
    if not telemetry.export(environ):
        structlog.get_logger("etl.telemetry").warning("spans go nowhere: install llm-price-warehouse[otel]")
    return Session(config_file, environ, log_format)


def upgrade(engine: Engine) -> None:
    """Bring a database to the schema of this version, and with it what is derived from its history."""

    def derive(connection: Connection) -> None:
        history.rederive(connection, database_time(connection))
        identity.refresh(connection)
        suspicion.refresh(connection)

    Work.has_begun = True
    migrations.upgrade(engine, derive)
