"""The catalogs that healthy gateways serve in these tests, and the ways in which ill ones spoil them."""

import json
import socket
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from etl.demo import samples
from etl.demo.server import ANSWERS
from tests.extract.gateway import Act, Asked, ok

BEFORE, AFTER = 0, -1
"""The steps of the bundled catalogs that are served before a fault and after it; they differ in every relation."""

PRICED = frozenset({"pricing", "pricingTiers", "cost_per_1k_input", "cost_per_1k_output"})

Params = Mapping[str, str]

Edit = Callable[[Any, list[Any]], None]
"""Changes a catalog in place; it is given the body and the list of models in it."""


@cache
def _text(kind: str, step: int) -> str:
    return json.dumps(list(samples.bodies(kind))[step])


def healthy(kind: str, step: int = BEFORE) -> Act:
    """A gateway that serves its whole catalog, in the pages that it is asked for."""
    return _serving(kind, json.loads(_text(kind, step)), lambda page, _: page)


def spoilt(kind: str, edit: Edit, *, keeps_total: bool = False) -> Act:
    """A gateway whose catalog is not what it was; it tells the right total unless it keeps the old one."""
    body = json.loads(_text(kind, BEFORE))
    holder = body
    *path, last = samples.RECORDS[kind]
    for step in path:
        holder = holder[step]
    edit(body, holder[last])
    if "total" in holder and not keeps_total:
        holder["total"] = len(holder[last])
    return _serving(kind, body, lambda page, _: page)


def misled(kind: str, change: Callable[[Any, Params], Any]) -> Act:
    """A gateway that changes its pages; ``change`` is given a page and the parameters by which it was asked for."""
    return _serving(kind, json.loads(_text(kind, BEFORE)), change)


def _serving(kind: str, body: Any, change: Callable[[Any, Params], Any]) -> Act:
    def act(connection: socket.socket, asked: Asked) -> None:
        page = change(ANSWERS[kind].cut(body, asked.params), asked.params)
        ok(json.dumps(page).encode())(connection, asked)

    return act


def numbers_without_end() -> Act:
    """A gateway whose sizes would take for ever to write out."""
    return ok(_text("bifrost", BEFORE).replace('"context_length": ', '"context_length": 1e99999999, "was": ').encode())


def nested(levels: int) -> Act:
    """A gateway of whose first model something is nested deeply, if not too deeply for a JSON decoder."""
    deep = f'"deep": {"[" * levels}{"]" * levels}, "name": '
    return ok(_text("bifrost", BEFORE).replace('"name": ', deep, 1).encode())


def half(_: Any, models: list[Any]) -> None:
    """Only the first half of the models is there."""
    del models[len(models) // 2 :]


def nothing(_: Any, models: list[Any]) -> None:
    """No model is there."""
    models.clear()


def without_prices(_: Any, models: list[Any]) -> None:
    """Every model is there, none has a price."""
    models[:] = [_without(PRICED, model) for model in models]


def without_ids(_: Any, models: list[Any]) -> None:
    """Every model is there, none says which one it is."""
    for model in models:
        del model["id"]


def one_without_id(_: Any, models: list[Any]) -> None:
    """The last model does not say which one it is, the first is missing."""
    del models[-1]["id"], models[0]


def prices_that_are_none(_: Any, models: list[Any]) -> None:
    """Every price is a word that means: not a number."""
    for model in models:
        model["pricing"] = dict.fromkeys(model.get("pricing") or (), "NaN")


def a_key_twice(_: Any, models: list[Any]) -> None:
    """The first model comes again at the end, at another price."""
    models.append(models[0] | {"pricing": {"prompt": "9"}})


def failing(*providers: str) -> Edit:
    """The rows of some providers are missing, and the gateway says that these failed."""

    def edit(body: Any, models: list[Any]) -> None:
        models[:] = [model for model in models if model["id"].split("/")[0] not in providers]
        for status in body["key_statuses"]:
            if status["provider"] in providers:
                status |= {"status": "list_models_failed", "error": {"message": "upstream timeout"}}

    return edit


def every_provider_failing(body: Any, models: list[Any]) -> None:
    """No rows, and every provider failed."""
    failing(*(status["provider"] for status in body["key_statuses"]))(body, models)


def provider_forgotten(body: Any, models: list[Any]) -> None:
    """The rows of a provider are missing, and the gateway says nothing about it."""
    failing("groq")(body, models)
    body["key_statuses"] = [status for status in body["key_statuses"] if status["provider"] != "groq"]


def statuses_of_no_shape(body: Any, models: list[Any]) -> None:
    """Half of the models, and key statuses that are a word."""
    half(body, models)
    body["key_statuses"] = "fine"


def one_more_page(body: Any, models: list[Any]) -> None:
    """Half of the models, and the token of a page for which nobody asked."""
    half(body, models)
    body["next_page_token"] = "more"


def without_total(body: Any, models: list[Any]) -> None:
    """Half of the models, and no word on how many there are."""
    half(body, models)
    body["total"] = None


def an_id_twice(_: Any, models: list[Any]) -> None:
    """The second model of the first page is the first one again."""
    models[1] = models[0]


def an_id_on_two_pages(_: Any, models: list[Any]) -> None:
    """The first model of the second page is that of the first one."""
    models[4] = models[0]


def token_back(page: Any, _: Params) -> Any:
    """Every page names the second one as the next."""
    return page | {"next_page_token": "5"}


def started_over(page: Any, asked: Params) -> Any:
    """The second page has the rows of the first one, and names the third."""
    return page | {"data": json.loads(_text("bifrost", BEFORE))["data"][:5]} if asked.get("page_token") == "5" else page


def token_without_text(page: Any, _: Params) -> Any:
    """A token that is an object."""
    return page | {"next_page_token": {"at": 5}}


def endless(page: Any, asked: Params) -> Any:
    """Every page has one model more, and the token of yet another page."""
    count = int(asked.get("page_token", 0)) + 1
    return page | {"data": [{"id": f"openai/endless-{count}"}], "next_page_token": str(count)}


def total_that_moves(page: Any, _: Params) -> Any:
    """Each page knows of more models than the one before."""
    return page | {"total": 10 + page["offset"]}


def total_too_large(page: Any, _: Params) -> Any:
    """There are fewer models than there should be."""
    return page | {"total": 12}


def offset_ignored(page: Any, _: Params) -> Any:
    """Every page says that it is the first one."""
    return page | {"offset": 0}


def first_page_again(page: Any, _: Params) -> Any:
    """Every page is the first one and says nothing about it."""
    first = json.loads(_text("phaseo", BEFORE))["models"][:4]
    return {"total": page["total"], "models": first}


def page_skipped(page: Any, _: Params) -> Any:
    """The second page begins where the third one should."""
    return page | {"offset": page["offset"] * 2}


def page_emptied(page: Any, _: Params) -> Any:
    """Only the first page has models."""
    return page | ({"models": []} if page["offset"] else {})


def _without(keys: frozenset[str], value: Any) -> Any:
    match value:
        case dict():
            return {key: _without(keys, item) for key, item in value.items() if key not in keys}
        case list():
            return [_without(keys, item) for item in value]
        case _:
            return value
