"""Five gateways on one loopback port, each under a prefix of its own, which play the bundled catalogs step by step.

They ask for what the real ones ask for: credentials, paging, validators.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from etl.demo import samples
from etl.domain.catalog import Json

CREDENTIALS = {"majestix": "inf_loopback_sample", "phaseo": "phaseo_loopback_sample"}
"""What the gateways that demand a credential accept. They guard nothing: the samples are public."""

Params = Mapping[str, str]


class Reply(NamedTuple):
    """One HTTP reply, whole."""

    status: HTTPStatus
    body: bytes = b""
    etag: str | None = None


class Gateways(ThreadingHTTPServer):
    """The five gateways; as a context manager they listen on 127.0.0.1, on a port that was free.

    ``step`` is the index in ``samples.STEPS`` of the catalogs that are served now.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.step = 0
        self._bodies = {kind: tuple(samples.bodies(kind)) for kind in samples.RECORDS}
        # A short poll, because closing waits for the current one to end.
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name="demo gateways", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def url(self, kind: str) -> str:
        """The base url of one gateway."""
        return f"http://127.0.0.1:{self.server_port}/{kind}"

    def answer(self, target: str, headers: Message) -> Reply:
        """The reply to a GET of ``target``, a path with its query."""
        parts = urlsplit(target)
        kind, _, path = parts.path[1:].partition("/")
        if kind not in ANSWERS or f"/{path}" != ANSWERS[kind].path:
            return _json({"error": "not found"}, HTTPStatus.NOT_FOUND)
        if not _is_welcome(kind, headers):
            return _json(ANSWERS[kind].refusal, HTTPStatus.UNAUTHORIZED)
        reply = _json(ANSWERS[kind].cut(self._bodies[kind][self.step], dict(parse_qsl(parts.query))))
        return _validated(reply, headers) if ANSWERS[kind].has_etag else reply


class _Handler(BaseHTTPRequestHandler):
    """Writes replies; knows nothing of catalogs."""

    protocol_version = "HTTP/1.1"
    server: Gateways
    # Head and body leave in one packet: two would wait for each other's acknowledgement.
    wbufsize = -1

    def do_GET(self) -> None:
        reply = self.server.answer(self.path, self.headers)
        self.send_response(reply.status)
        if reply.etag:
            self.send_header("ETag", reply.etag)
        if reply.status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Stay quiet: what the pipeline says of the replies is enough."""


def _whole(body: Json, params: Params) -> Json:  # noqa: ARG001
    return body


def _by_offset(body: Json, params: Params) -> Json:
    """Phaseo's pages: at most 250 models, 50 when nothing else is asked."""
    limit = min(int(params.get("limit", 0)) or 50, 250)
    offset = int(params.get("offset", 0))
    return {**body, "limit": limit, "offset": offset, "models": body["models"][offset : offset + limit]}


def _by_token(body: Json, params: Params) -> Json:
    """Bifrost's pages, where ``page_size`` is asked for; a token without it is ignored."""
    if "page_size" not in params:
        return body
    start = int(params.get("page_token", 0))
    end = start + int(params["page_size"])
    rest = {"next_page_token": str(end)} if end < len(body["data"]) else {}
    return {**body, "data": body["data"][start:end], **rest}


class _Answer(NamedTuple):
    """How one gateway answers: where, in which pages, and what it says to a stranger."""

    path: str
    cut: Callable[[Json, Params], Json] = _whole
    header: str = ""
    refusal: Json = None
    has_etag: bool = False


ANSWERS = {
    "bifrost": _Answer("/v1/models", _by_token),
    "helicone_gateway": _Answer("/v1/models"),
    "helicone_registry": _Answer("/v1/public/model-registry/models", has_etag=True),
    "majestix": _Answer("/models", header="X-Api-Key", refusal={"detail": "Invalid API key"}),
    "phaseo": _Answer(
        "/models",
        _by_offset,
        header="Authorization",
        refusal={"error": "unauthorised", "reason": "missing_or_invalid_authorization_header"},
    ),
}


def _is_welcome(kind: str, headers: Message) -> bool:
    """Whether the request carries the credential, which may follow a word like ``Bearer``."""
    return kind not in CREDENTIALS or headers.get(ANSWERS[kind].header, "").split()[-1:] == [CREDENTIALS[kind]]


def _json(body: Json, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    return Reply(status, json.dumps(body, ensure_ascii=False).encode())


def _validated(reply: Reply, headers: Message) -> Reply:
    """The reply with a weak ETag, or only that when the client has the body already."""
    etag = f'W/"{hashlib.sha256(reply.body).hexdigest()[:16]}"'
    if headers.get("If-None-Match") == etag:
        return Reply(HTTPStatus.NOT_MODIFIED, etag=etag)
    return reply._replace(etag=etag)
