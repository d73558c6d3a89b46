"""A database for each contender, on one server: made, looked into, measured and dropped."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from benchmarks._speed import flat
from benchmarks._speed.contenders import Contender

EMPTY = "template0"


class Facts(NamedTuple):
    """What a history says of the versions that are open, or of those that ended: equal for equal rows, in any order."""

    is_open: bool
    rows: int
    total: str
    digest: str


class Databases:
    """The databases of one server. Their names begin with ``bench_``."""

    def __init__(self, engine: Engine) -> None:
        """``engine`` is of a migrated, empty warehouse, which is copied for whoever needs one."""
        self._warehouse = str(engine.url.database)
        self._url = engine.url.set(drivername="postgresql+psycopg")
        engine.dispose()

    def url(self, contender: Contender) -> str:
        """Where the contender's database is, as every driver understands it."""
        return self._place(contender).set(drivername="postgresql").render_as_string(hide_password=False)

    def create(self, contender: Contender) -> None:
        """Make the contender's database, with what it needs before its first load."""
        template = self._warehouse if contender.is_warehouse else EMPTY
        self.drop(contender)
        self._run(self._url.set(database="postgres"), f"CREATE DATABASE {_name(contender)} TEMPLATE {template}")
        contender.prepare(self.url(contender))

    def drop(self, contender: Contender) -> None:
        """Drop the contender's database, if it is there."""
        self._run(self._url.set(database="postgres"), f"DROP DATABASE IF EXISTS {_name(contender)} WITH (FORCE)")

    @contextmanager
    def made(self, *contenders: Contender) -> Iterator[None]:
        """A fresh database for each of them, gone afterwards."""
        try:
            for each in contenders:
                self.create(each)
            yield
        finally:
            for each in contenders:
                self.drop(each)

    def tidy(self, contender: Contender) -> None:
        """What autovacuum would do in a minute, and a checkpoint: the next load pays for nothing but itself."""
        self._run(self._place(contender), "VACUUM (ANALYZE)", "CHECKPOINT")

    def bytes(self, contender: Contender) -> int:
        """What the database takes on disk, indexes and its share of the catalog of Postgres included."""
        with self._engine(self._place(contender)).connect() as connection:
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)

    def facts(self, contender: Contender) -> list[Facts]:
        """What the contender's history says, the open versions first; nothing while it has no table."""
        query = text(_FACTS.format(c=contender))
        with suppress(ProgrammingError), self._engine(self._place(contender)).connect() as connection:
            return [Facts(*row) for row in connection.execute(query)]
        return []

    def version(self) -> str:
        """The version of the server."""
        with self._engine(self._url).connect() as connection:
            return str(connection.scalar(text("SHOW server_version")))

    def _place(self, contender: Contender) -> URL:
        return self._url.set(database=_name(contender))

    def _engine(self, url: URL) -> Engine:
        return create_engine(url, poolclass=NullPool)

    def _run(self, url: URL, *statements: str) -> None:
        with self._engine(url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


def _name(contender: Contender) -> str:
    return "bench_" + re.sub(r"\W+", "_", contender.name.lower())


_ROW = ", ".join(flat.COLUMNS[:-1])
_FACTS = f"""
SELECT {{c.ends}} IS NULL AS is_open, count(*), trim_scale(sum(unit_price))::text,
       sum(hashtextextended(concat_ws('|', {_ROW}, trim_scale(unit_price)), 0))::text
  FROM {{c.table}} WHERE {{c.believed}} GROUP BY is_open ORDER BY is_open DESC
"""  # noqa: S608  our own constants
