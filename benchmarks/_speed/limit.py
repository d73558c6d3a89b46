"""The limit: decode, COPY, and one set-based diff by columns, in one transaction, from the body to committed history.

Whoever keeps versions of prices in Postgres can do little less. It lands nothing, checks nothing, and knows neither
models nor endpoints nor a second clock. It was tuned: two statements instead of one, a staging table that is unlogged
instead of temporary, or statistics of it were all slower.
"""

import gc
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

import psycopg

from benchmarks._speed import flat

_CHUNK = 2_000
"""Price lists that go to the server together: while it takes them in, the next ones are read."""

_KEY = ", ".join(flat.KEY)
_COLUMNS = ", ".join(flat.COLUMNS)

TABLE = f"""
CREATE SCHEMA bench;
CREATE TABLE bench.price (
    model_id text NOT NULL, provider text NOT NULL, region text NOT NULL, plan text NOT NULL, meter text NOT NULL,
    tier_start bigint NOT NULL, currency text NOT NULL, price_state text NOT NULL, unit_price numeric,
    valid_from timestamptz NOT NULL, valid_to timestamptz
);
CREATE UNIQUE INDEX price_open_key ON bench.price ({_KEY}) WHERE valid_to IS NULL
"""
"""History, with one unique index on the key of what is open."""

_STAGE = f"""
SET LOCAL work_mem = '256MB';
SET LOCAL temp_buffers = '256MB';
SET LOCAL jit = off;
CREATE TEMPORARY TABLE stage ON COMMIT DROP AS SELECT {_COLUMNS} FROM bench.price WITH NO DATA
"""  # noqa: S608  our own constants

_DIFF = f"""
WITH diff AS MATERIALIZED (
    SELECT old.ctid AS old_row, {", ".join(f"new.{name}" for name in flat.COLUMNS)}
      FROM (SELECT ctid, * FROM bench.price WHERE valid_to IS NULL) old
      FULL JOIN stage new ON {" AND ".join(f"old.{name} = new.{name}" for name in flat.KEY)}
     WHERE old.model_id IS NULL OR new.model_id IS NULL
        OR (old.currency, old.price_state, old.unit_price)
           IS DISTINCT FROM (new.currency, new.price_state, new.unit_price)
), ended AS (
    UPDATE bench.price old SET valid_to = %(at)s FROM diff WHERE old.ctid = diff.old_row RETURNING 1
)
INSERT INTO bench.price ({_COLUMNS}, valid_from)
SELECT {_COLUMNS}, %(at)s FROM diff WHERE model_id IS NOT NULL AND (SELECT count(*) FROM ended) >= 0
"""  # noqa: S608  our own constants
"""Ends what changed or is gone, then begins what changed or is new: counting what ended makes that come first."""


def prepare(url: str) -> None:
    """Make the empty history."""
    with psycopg.connect(url) as connection:
        connection.execute(TABLE.encode())


def load(url: str, body: bytes, observed_at: datetime) -> None:
    """Put one body into history: the whole of it, or nothing. Turns the garbage collector off."""
    gc.disable()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(_STAGE.encode())
        parts = flat.lines(body)
        with cursor.copy(b"COPY stage FROM STDIN") as sink:
            while chunk := "".join(islice(parts, _CHUNK)):
                sink.write(chunk)
        cursor.execute(_DIFF.encode(), {"at": observed_at})


def backfill(url: str, bodies: Iterable[tuple[bytes, datetime]]) -> Iterator[None]:
    """Load bodies in order; one turn for each."""
    for body, observed_at in bodies:
        load(url, body, observed_at)
        yield
