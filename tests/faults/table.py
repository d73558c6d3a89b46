"""The table of faults: what a gateway does, and by which words it can be known afterwards."""

import json
import zlib
from dataclasses import dataclass
from typing import Any

from tests.extract.gateway import Act, drip, head, ok, raw, reply, reset
from tests.faults import catalogs
from tests.faults.catalogs import misled, spoilt

BIFROST, PHASEO, MAJESTIX = "bifrost", "phaseo", "majestix"
REGISTRY, GATEWAY = "helicone_registry", "helicone_gateway"

PAGES = {BIFROST: 5, PHASEO: 4}
"""Smaller than the catalogs, so that a walk has three pages."""

LARGEST_PAGE = 20_000
"""Bytes; every healthy page is smaller."""

MOST_PAGES = 6


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One bad walk. ``status`` is what becomes of the snapshot; ``said`` a pattern of the reason that is given.

    The reason may stand in the log of snapshots, in the result's error, or beside what was quarantined.
    """

    name: str
    kind: str
    act: Act
    said: str
    status: str = "failed"
    page_size: int | None = None
    timeout_seconds: float = 10


def failed(kind: str, name: str, act: Act, said: str, **more: Any) -> Fault:
    """A walk that is given up: what came is landed as evidence."""
    return Fault(name=name, kind=kind, act=act, said=said, **more)


def paged(kind: str, name: str, act: Act, said: str) -> Fault:
    """A walk through pages that is given up."""
    return Fault(name=name, kind=kind, act=act, said=said, page_size=PAGES[kind])


def held(kind: str, name: str, act: Act, said: str) -> Fault:
    """A snapshot that removes too much to be believed at once."""
    return Fault(name=name, kind=kind, act=act, said=said, status="held")


def taken(kind: str, name: str, act: Act, said: str) -> Fault:
    """A snapshot that counts for what it shows and proves no absence."""
    return Fault(name=name, kind=kind, act=act, said=said, status="unchanged")


def told(value: Any) -> Act:
    """A reply of 200 with this JSON."""
    return ok(json.dumps(value).encode())


DEEP = b'{"data": ' + b"[" * 9_000 + b"]" * 9_000 + b"}"
BOMB = zlib.compress(b"[" + b" " * 50_000 + b"]")
ALL_FAILED = b'{"error": {"message": "no keys"}, "extra_fields": {"key_statuses": [{"provider": "groq"}]}}'


TRANSPORT = (
    failed(REGISTRY, "nobody says a word", raw(b""), "broken reply.*5 attempts"),
    failed(REGISTRY, "the connection is reset", reset(head(200, {}) + b'{"data": {'), "connection was reset.*5 att"),
    failed(GATEWAY, "the body is cut off", raw(head(200, {"Content-Length": "900"}) + b'{"data": []'), "broken reply"),
    failed(MAJESTIX, "what comes is no HTTP", raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "broken reply"),
    failed(MAJESTIX, "a storm of 500", reply(500, b"oops"), r"HTTP 500.*\(5 attempts\)"),
    failed(PHASEO, "a bad gateway between", reply(502, b"<html>"), r"HTTP 502.*\(5 attempts\)"),
    failed(BIFROST, "closed for a day", reply(503, Retry_After="86400"), "HTTP 503, and the wish that we wait 86400 s"),
    failed(
        PHASEO,
        "too many requests, come tomorrow",
        reply(429, Retry_After="86400"),
        "HTTP 429, and the wish that we wait",
    ),
    failed(MAJESTIX, "unknown key", reply(401, b'{"detail": "Invalid API key"}'), "401: Invalid API key.*MAJESTIX_API"),
    failed(PHASEO, "unknown key", reply(401, b'{"error": "unauthorised"}'), "HTTP 401: unauthorised.*PHASEO_API_KEY"),
    failed(
        BIFROST, "forbidden", reply(403, b'{"error": {"message": "no such virtual key"}}'), "403: no such virtual k"
    ),
    failed(PHASEO, "the path is gone", reply(404), "HTTP 404: check the setting `path`"),
    failed(REGISTRY, "not found", reply(404, b"Not Found"), "HTTP 404; check url and path"),
    failed(GATEWAY, "sent elsewhere", reply(302, Location="https://example.org/"), "a redirect to https://example.org"),
    failed(REGISTRY, "sent in a circle", reply(301, Location="?"), "redirects in a circle"),
    failed(GATEWAY, "not modified, unasked", reply(304), "HTTP 304, which was not asked for"),
    failed(MAJESTIX, "a packed body that is none", ok(b"[]", Content_Encoding="gzip"), "packed body that cannot be"),
    failed(GATEWAY, "a packed bomb", ok(BOMB, Content_Encoding="deflate"), "more than 20,000 bytes in one page"),
    failed(BIFROST, "a page too large", ok(b" " * 30_000), "more than 20,000 bytes in one page"),
    failed(REGISTRY, "a slow drip", drip(head(200, {}) + b'{"data'), "no end within 0.4 s, only", timeout_seconds=0.4),
    failed(PHASEO, "silence", drip(b"", seconds=0.6), "no end within 0.3 s, only silence", timeout_seconds=0.3),
)

SHAPES = (
    failed(REGISTRY, "HTML with 200", ok(b"<!doctype html><p>Hi"), "sent HTML where JSON was expected"),
    failed(
        PHASEO, "HTML with 200", reply(200, b"<p>Hi", Content_Type="text/html"), "sent HTML where JSON was expected"
    ),
    failed(MAJESTIX, "an empty body", ok(b""), "sent an empty body where JSON was expected"),
    failed(GATEWAY, "no content", reply(204), "sent an empty body where JSON was expected"),
    failed(GATEWAY, "binary rubbish", ok(b"\x00\xff\xfe\x80" * 50), "sent no JSON"),
    failed(REGISTRY, "JSON that breaks off", ok(b'{"data": {"models": [{"id": "gpt'), "sent no JSON"),
    failed(BIFROST, "a list instead of an object", told([]), "sent no JSON object"),
    failed(GATEWAY, "an empty object", told({}), "sent no list `data`"),
    failed(REGISTRY, "an empty object", told({}), "sent no `data.models`"),
    failed(PHASEO, "an empty object", told({}), "sent no list `models`"),
    failed(MAJESTIX, "null", told(None), "sent neither a list nor an object"),
    failed(PHASEO, "not a number", ok(b"NaN"), "sent no JSON object"),
    failed(MAJESTIX, "a number", told(7), "sent neither a list nor an object"),
    failed(GATEWAY, "nesting without end", ok(DEEP), "nested too deeply"),
    failed(BIFROST, "a model nested too deeply", catalogs.nested(800), "nested too deeply"),
    failed(BIFROST, "rows that are no list", told({"data": {"gpt-4o": {}}}), "sent no list `data`"),
    failed(REGISTRY, "models that are null", told({"data": {"models": None}}), "`data.models` that is no list"),
    failed(PHASEO, "models of a foreign shape", told({"models": [{"name": "x"}], "total": 1}), "without `offers` or"),
    failed(
        BIFROST, "an error with 200", told({"error": {"message": "store is down"}}), "sent no list `data`: store is"
    ),
    failed(GATEWAY, "an error with 200", told({"error": {"message": "overload"}}), "an error instead of.*overload"),
    failed(REGISTRY, "an error with 200", told({"data": None, "error": "db timeout"}), "an error instead.*db timeout"),
    failed(MAJESTIX, "an error with 200", told({"detail": "maintenance"}), "no list `models` or `data`"),
    failed(PHASEO, "an error with 200", told({"ok": False, "error": "upstream"}), "sent no list `models`.*upstream"),
)

PAGING = (
    paged(BIFROST, "a token that leads back", misled(BIFROST, catalogs.token_back), "leads back to an earlier one"),
    paged(BIFROST, "the walk starts over", misled(BIFROST, catalogs.started_over), "5 ids of page 2 were on earlier p"),
    paged(BIFROST, "pages without end", misled(BIFROST, catalogs.endless), "more than 6 pages"),
    paged(
        BIFROST, "a token that is no text", misled(BIFROST, catalogs.token_without_text), "next_page_token that is no"
    ),
    paged(
        PHASEO, "the total changes", misled(PHASEO, catalogs.total_that_moves), "total changed from 10 to 14 on page 2"
    ),
    paged(PHASEO, "the total is too large", misled(PHASEO, catalogs.total_too_large), "10 distinct ids of 12"),
    paged(PHASEO, "an id twice", spoilt(PHASEO, catalogs.an_id_twice), "9 distinct ids of 10"),
    paged(PHASEO, "an id on two pages", spoilt(PHASEO, catalogs.an_id_on_two_pages), "1 ids of page 2 were on earl"),
    paged(PHASEO, "the offset is ignored", misled(PHASEO, catalogs.offset_ignored), "leads back to an earlier one"),
    paged(PHASEO, "the first page again", misled(PHASEO, catalogs.first_page_again), "4 ids of page 2 were on earlier"),
    paged(PHASEO, "a page is skipped", misled(PHASEO, catalogs.page_skipped), "begins at offset 8 instead of 4"),
    paged(PHASEO, "a page is empty", misled(PHASEO, catalogs.page_emptied), "4 distinct ids of 10"),
)

PARTIAL = (
    taken(BIFROST, "one more page", spoilt(BIFROST, catalogs.one_more_page), "page 2 of the walk is missing"),
    taken(
        BIFROST, "a provider failed", spoilt(BIFROST, catalogs.failing("groq")), "groq failed: upstream timeout; its"
    ),
    taken(BIFROST, "two providers failed", spoilt(BIFROST, catalogs.failing("groq", "openai")), "groq.*openai failed"),
    taken(
        BIFROST, "all providers failed", spoilt(BIFROST, catalogs.every_provider_failing), "their rows are carried on"
    ),
    failed(BIFROST, "all providers failed, with 400", reply(400, ALL_FAILED), r"HTTP 400: no keys \(5 attempts\)"),
    taken(BIFROST, "a provider is forgotten", spoilt(BIFROST, catalogs.provider_forgotten), ""),
    taken(
        BIFROST, "statuses of no shape", spoilt(BIFROST, catalogs.statuses_of_no_shape), "a key status cannot be read"
    ),
    taken(REGISTRY, "the total disagrees", spoilt(REGISTRY, catalogs.half, keeps_total=True), "total says 13, 6 came"),
    taken(
        PHASEO, "no total", spoilt(PHASEO, catalogs.without_total, keeps_total=True), "no total says how many models"
    ),
    *(
        taken(kind, "records without ids", spoilt(kind, catalogs.without_ids), "id: Field required|neither id nor key")
        for kind in (BIFROST, REGISTRY, GATEWAY, MAJESTIX)
    ),
    *(
        taken(
            kind,
            "one record without id",
            spoilt(kind, catalogs.one_without_id),
            "id: Field req|neither (id|model_id) nor",
        )
        for kind in (BIFROST, REGISTRY, GATEWAY, MAJESTIX, PHASEO)
    ),
    taken(BIFROST, "prices that are no numbers", spoilt(BIFROST, catalogs.prices_that_are_none), "NaN"),
    taken(BIFROST, "numbers without end", catalogs.numbers_without_end(), "Input should be a valid integer"),
    taken(BIFROST, "a key twice", spoilt(BIFROST, catalogs.a_key_twice), "same key as /data/0 of page 1"),
)

SHRUNK = (
    *(
        held(kind, "half of the models", spoilt(kind, catalogs.half), r"would remove \d of \d+ models")
        for kind in (BIFROST, REGISTRY, GATEWAY, MAJESTIX, PHASEO)
    ),
    *(
        held(kind, "no models", spoilt(kind, catalogs.nothing), r"would remove (\d+) of \1 models")
        for kind in (BIFROST, REGISTRY, GATEWAY, MAJESTIX, PHASEO)
    ),
    *(
        held(kind, "no prices", spoilt(kind, catalogs.without_prices), r"would remove all \d+ prices")
        for kind in (BIFROST, REGISTRY, MAJESTIX, PHASEO)
    ),
    held(MAJESTIX, "an empty list", told([]), "would remove 11 of 11 models"),
)

FAULTS = (*TRANSPORT, *SHAPES, *PAGING, *PARTIAL, *SHRUNK)
