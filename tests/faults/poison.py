"""Bodies that once stopped a source for ever, and how they are taken."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.load.worlds import START

GOOD = json.dumps({"data": [{"id": "openai/m0", "pricing": {"prompt": "0.000001"}}]}).encode()

_ROW = '{"data":[{"id":"openai/m0","pricing":{"prompt":"0.000001"}},{"id":%s,"context_length":%s}]}'


def _with(model_id: str = '"o/x"', length: str = "1") -> bytes:
    return (_ROW % (model_id, length)).encode()


def _unknown_field(name: str) -> bytes:
    return json.dumps({"data": [{"id": "openai/m0", "pricing": {"prompt": "0.000001", name: "1"}}]}).encode()


NO_END = "".join(f"{number:x}" for number in range(3_000))
"""A name that no index holds, nor when it is compressed."""

POISON = {
    "utf-16 with NUL": _with(r'"o/h\u0000x"').decode().encode("utf-16"),
    "utf-16 without a mark, with a lone surrogate": _with(r'"o/h\ud800x"').decode().encode("utf-16-le"),
    "utf-32 with NUL in a name of a field": _with().decode().replace("context_", r"\u0000").encode("utf-32"),
    "utf-8 with a mark and NUL": b"\xef\xbb\xbf" + _with(r'"o/h\u0000x"'),
    "an exponent that no number has": _with(length="1e1000000000000000000000"),
    "an exponent without end": _with(length="1e999999999"),
    "400 digits": _with(length="9" * 400),
    "not a number": _with(length="NaN"),
    "a long field under a price": _unknown_field(NO_END),
    "a field of wide signs under a price": _unknown_field("\N{LINEAR B SYLLABLE B008 A}" * 4_000),
    "a long id": _with(json.dumps("o/" + "x" * 10_000)),
    "a long id that is written longer": _with(
        json.dumps("o/" + "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 600)
    ),
}
"""Each has two good models or one, and something that no database, number or index holds."""


def saved(source: str, day: int, body: bytes, origin: Origin = Origin.RUN, **page: Any) -> Snapshot:
    """A body as a snapshot of a numbered day; ``page`` says what else is special about its one page."""
    at = START + timedelta(days=day)
    one = replace(Page(number=1, url="http://gateway/v1/models", status=200, body=body, fetched_at=at), **page)
    return Snapshot(source=source, kind="bifrost", observed_at=at, origin=origin, pages=(one,))


def take(pipeline: Pipeline, source: str, day: int, body: bytes, **page: Any) -> Result:
    """Land and load a body."""
    return pipeline.take(kinds()["bifrost"](source), saved(source, day, body, **page))
