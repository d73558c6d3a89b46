"""A gateway for all sources that answers as its mode says, and repeats whatever it was told in every way it can."""

import base64
import html
import json
import socket
from collections.abc import Callable
from typing import Any

from tests.extract.gateway import Act, Asked, Gateway, ok, reply, reset
from tests.leaks.planted import SECRETS
from tests.sources.fixtures import FIXTURES

CATALOGS = {
    "bifrost": "bifrost/whole",
    "majestix": "majestix/documented",
    "eu": "phaseo/current",
    "us": "majestix/client",
}


class Stage(Gateway):
    """Plays ``mode`` for whoever asks."""

    def __init__(self) -> None:
        super().__init__(self._act)
        self.mode = "well"

    def _act(self, connection: socket.socket, asked: Asked) -> None:
        MODES[self.mode](asked)(connection, asked)


def echoes(asked: Asked) -> list[str]:
    """Everything that came with a request, as it came and unpacked."""
    told = [asked.target, *asked.headers.values(), *asked.params.values()]
    scheme, _, code = asked.headers.get("authorization", "").partition(" ")
    if scheme == "Basic":
        told += [code, *base64.b64decode(code).decode().split(":", 1)]
    mine = [SECRETS[name] for name in ("bifrost", "majestix", "eu", "us") if SECRETS[name] in " ".join(told)]
    return [*told, *mine]


def _told(asked: Asked) -> dict[str, str]:
    """The echoes as headers."""
    values = " ".join(echoes(asked)).encode("ascii", "replace").decode()
    return {
        "X_Echo": values,
        "WWW_Authenticate": f'Bearer realm="{values}"',
        "ETag": f'"{values}"',
        "X_One": values[:1],
    }


def _body(asked: Asked, **others: Any) -> bytes:
    """The echoes in JSON, as Python writes it and as PHP does."""
    text = json.dumps({"error": {"message": " ".join(echoes(asked))}, "echo": echoes(asked), **others})
    return (text[:-1] + ', "php": ' + json.dumps(echoes(asked)).replace("/", "\\/") + "}").encode()


def _well(asked: Asked) -> Act:
    name = asked.target.split("/")[1].partition("?")[0]
    number = 1 if asked.params.get("offset", "0") == "0" else 2
    document = json.loads((FIXTURES / CATALOGS[name] / f"page-{number:03}.json").read_bytes())
    if isinstance(document.get("data"), list):
        document["data"].append({"id": 5, "echo": echoes(asked)})
    return ok(_body(asked, **document), **_told(asked))


def _elsewhere(asked: Asked) -> Act:
    place = f"http://{SECRETS['us']}elsewhere.test/?{'&'.join(echoes(asked))}".encode("ascii", "replace").decode()
    return reply(302, _body(asked), Location=place.replace(" ", "+"), **_told(asked))


MODES: dict[str, Callable[[Asked], Act]] = {
    "well": _well,
    "refusing": lambda asked: reply(401, _body(asked), Content_Type="application/json", **_told(asked)),
    "refusing in prose": lambda asked: reply(403, " ".join(echoes(asked)).encode(), **_told(asked)),
    "busy": lambda asked: reply(503, _body(asked), Retry_After="0.01", **_told(asked)),
    "redirecting": _elsewhere,
    "circling": lambda asked: reply(307, _body(asked), Location=f"{asked.target}", **_told(asked)),
    "resetting": lambda asked: reset(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + _body(asked)),
    "babbling": lambda asked: ok(_body(asked, data=" ".join(echoes(asked))), **_told(asked)),
    "raving": lambda asked: reply(
        200, f"<html>{html.escape(' '.join(echoes(asked)))}".encode(), Content_Type="text/html", **_told(asked)
    ),
}
