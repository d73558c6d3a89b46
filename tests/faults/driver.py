"""A database driver that says, before each thing it asks of the server, what it is about to do.

Whoever listens can kill the process, or the connection, at exactly that moment.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, event

from etl.database.engine import open_engine

Moment = Callable[[str, psycopg.Connection[Any]], None]
"""Told what is about to happen, in a word or two, and on which connection."""


def watched_engine(url: URL, moment: Moment) -> Engine:
    """The product's own engine, on connections that announce what they do."""

    class Connection(psycopg.Connection[Any]):
        def commit(self) -> None:
            moment("commit", self)
            super().commit()
            moment("committed", self)

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **options: Any) -> Any:
            moment(" ".join(str(query).split()[:3]), self.connection)
            return super().execute(query, *args, **options)

        def executemany(self, query: Any, *args: Any, **options: Any) -> None:
            moment(" ".join(str(query).split()[:3]), self.connection)
            super().executemany(query, *args, **options)

        @contextmanager
        def copy(self, *args: Any, **options: Any) -> Iterator[psycopg.Copy]:
            with super().copy(*args, **options) as sink:
                yield sink
                moment("copied", self.connection)

    engine = open_engine(url)

    @event.listens_for(engine, "do_connect")
    def connect(_: Any, __: Any, args: Any, options: Any) -> Any:
        return Connection.connect(*args, **options, cursor_factory=Cursor)

    return engine
