"""From the first page to the last: what is followed, what is doubted, what is kept of a failure."""

import dataclasses
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from etl.domain.catalog import Coverage
from etl.domain.snapshot import Page
from etl.errors import AccessError, ContractError, FetchError, IncompleteError
from etl.extract.validators import Validators
from tests.extract.gateway import Act, Gateway, drip, head, ok, reply, reset
from tests.extract.sources import KEY, NOW, QUICK, SECRET, Offsets, Plain, Tokens, failure, fetched


def tokens(*ids: str, after: str | None = None) -> Act:
    """One page of a chain; ``after`` is the token of the next."""
    rows = [{"id": name} for name in ids]
    return ok(json.dumps({"data": rows, **({"next_page_token": after} if after else {})}).encode())


def offsets(offset: int, total: int, *ids: str) -> Act:
    """One page of a catalog that is counted."""
    return ok(json.dumps({"offset": offset, "total": total, "models": ids}).encode())


def test_tokens_are_followed_to_the_last_page_even_past_an_empty_one() -> None:
    with Gateway(tokens("a", after="t 1"), tokens(after="t/2"), tokens("b")) as gateway:
        outcome = fetched(Tokens(), gateway.url)
    assert outcome.error is None
    assert [page.number for page in outcome.pages] == [1, 2, 3]
    assert [asked.params for asked in gateway.asked] == [{}, {"page_token": "t 1"}, {"page_token": "t/2"}]
    assert outcome.pages[1].request is not None
    assert outcome.pages[1].request.params == (("page_token", "t 1"),)


def test_offsets_are_followed_until_the_total() -> None:
    with Gateway(offsets(0, 3, "a", "b"), offsets(2, 3, "c")) as gateway:
        outcome = fetched(Offsets(), gateway.url)
    assert outcome.error is None
    assert [asked.params["offset"] for asked in gateway.asked] == ["0", "2"]
    assert outcome.pages[1].url == f"{gateway.url}/models?limit=2&offset=2"


def test_a_walk_that_contradicts_itself_is_walked_again() -> None:
    shifted = [offsets(0, 3, "a", "b"), offsets(2, 3, "b")]
    settled = [offsets(0, 3, "n", "a"), offsets(2, 3, "b")]
    ticks = (NOW + timedelta(seconds=tick) for tick in range(9))
    with Gateway(*shifted, *settled) as gateway:
        outcome = fetched(Offsets(), gateway.url, clock=ticks.__next__)
    assert outcome.error is None
    assert [page.document["models"] for page in outcome.pages] == [["n", "a"], ["b"]]
    assert outcome.observed_at == NOW + timedelta(seconds=2)


def test_a_walk_that_goes_on_contradicting_itself_is_given_up() -> None:
    shifted = [offsets(0, 3, "a", "b"), offsets(2, 3, "b")]
    with Gateway(*shifted * 3) as gateway:
        outcome = fetched(Offsets(), gateway.url)
    assert isinstance(outcome.error, IncompleteError)
    assert "total and ids disagree (after 3 walks); the catalog changes while it is read" in str(outcome.error)
    assert len(gateway.asked) == 6
    assert [page.number for page in outcome.pages] == [1, 2]


def test_a_walk_that_is_incomplete_without_contradiction_is_no_failure() -> None:
    class Partial(Plain):
        def coverage(self, pages: Sequence[Page]) -> Coverage:
            return Coverage(is_complete=False, reason=f"a provider is missing from {len(pages)} pages")

    with Gateway(tokens("a")) as gateway:
        assert fetched(Partial(), gateway.url).error is None
        assert len(gateway.asked) == 1


def test_pages_that_lead_in_a_circle_are_a_contradiction() -> None:
    with Gateway(tokens("a", after="1"), tokens("b", after="2"), tokens("c", after="1")) as gateway:
        restarted = fetched(Tokens(), gateway.url)
    assert isinstance(restarted.error, IncompleteError)
    assert "page 2 leads back to an earlier one (after 3 walks)" in str(restarted.error)


def test_pages_without_end_are_given_up_at_the_limit() -> None:
    limits = dataclasses.replace(QUICK, max_pages=3)
    endless = [tokens(f"{page}", after=f"{page}") for page in range(9)]
    with Gateway(*endless) as gateway:
        outcome = fetched(Tokens(), gateway.url, limits=limits)
    assert isinstance(outcome.error, IncompleteError)
    assert "more than 3 pages; " in str(outcome.error)
    assert len(gateway.asked) == len(outcome.pages) == 3


def test_html_where_json_was_expected_is_said_and_kept() -> None:
    with Gateway(reply(200, b"<!doctype html><p>Hello", Content_Type="text/html")) as gateway:
        outcome = fetched(Tokens(), gateway.url)
    assert isinstance(outcome.error, ContractError)
    assert str(outcome.error).startswith(f"tokens: {gateway.url}/models sent HTML where JSON was expected")
    assert outcome.pages[0].body.startswith(b"<!doctype")


def test_the_wrong_shape_is_said_with_source_and_url() -> None:
    with Gateway(tokens("a", after="1"), ok(b"[]")) as gateway:
        outcome = fetched(Tokens("mine"), gateway.url)
    assert isinstance(outcome.error, ContractError)
    assert f"mine: {gateway.url}/models?page_token=1: a list where an object was expected; " in str(outcome.error)
    assert [page.body for page in outcome.pages][1] == b"[]"


def test_nothing_at_all_is_said() -> None:
    with Gateway(reply(204)) as gateway:
        assert "sent an empty body where JSON was expected" in failure(Tokens(), gateway.url)


def test_the_pages_before_a_failure_are_evidence_and_so_is_the_refusal() -> None:
    with Gateway(tokens("a", after="1"), reply(403, b"no more")) as gateway:
        outcome = fetched(Tokens(), gateway.url, secret=SECRET)
    assert isinstance(outcome.error, AccessError)
    assert [(page.number, page.status) for page in outcome.pages] == [(1, 200), (2, 403)]
    assert outcome.pages[1].body == b"no more"
    assert outcome.observed_at == NOW
    assert KEY not in repr(outcome.pages)
    assert KEY not in str(outcome.error)


def test_a_deadline_counts_all_pages() -> None:
    limits = dataclasses.replace(QUICK, timeout_seconds=0.4)
    with Gateway(tokens("a", after="1"), drip(head(200, {}) + b"{")) as gateway:
        outcome = fetched(Tokens(), gateway.url, limits=limits)
    assert isinstance(outcome.error, FetchError)
    assert f"{gateway.url}/models?page_token=1: no end within 0.4 s, only 1 whole page and " in str(outcome.error)
    assert [page.number for page in outcome.pages] == [1, 2]


def test_nothing_arrived_means_no_time_of_observation() -> None:
    with Gateway(drip(b"")) as gateway:
        outcome = fetched(Plain(), gateway.url, limits=dataclasses.replace(QUICK, timeout_seconds=0.1))
    assert (outcome.pages, outcome.observed_at) == ((), None)


def test_only_the_first_page_of_the_first_walk_is_conditional() -> None:
    body = json.dumps({"data": [{"id": "a"}], "next_page_token": "1"}).encode()
    acts = [reply(304), tokens("a"), tokens("b", after="1"), tokens("c")]
    with Gateway(*acts) as gateway:
        validators = Validators(url=f"{gateway.url}/models", etag='"7"', last_modified=None, body=body)
        outcome = fetched(Tokens(), gateway.url, validators=validators)
    assert outcome.error is None
    assert ["if-none-match" in asked.headers for asked in gateway.asked] == [True, False, False, False]


def test_sources_are_walked_side_by_side_from_threads() -> None:
    found: list[Any] = []

    def walks() -> Iterator[threading.Thread]:
        for gateway in (slow, broken, fine):
            yield threading.Thread(target=lambda url=gateway.url: found.append(fetched(Plain(), url)))

    late = drip(head(200, {"Content-Length": "20"}), tail=b" " * 18 + b"{}")
    with Gateway(late) as slow, Gateway(reply(500)) as broken, Gateway(tokens("a")) as fine:
        start = time.monotonic()
        threads = list(walks())
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert time.monotonic() - start < 2
    assert sorted(outcome.error is None for outcome in found) == [False, True, True]


def test_pages_that_are_too_much_together_are_given_up_before_they_are_decoded() -> None:
    limits = dataclasses.replace(QUICK, max_page_bytes=20_000)
    full = json.dumps({"data": [], "next_page_token": "a"}).encode()
    padded, many = full.ljust(19_000), full[:-1] + b', "more": [' + b"[]," * 2000 + b"0]}"
    acts = [ok(page.replace(b'"a"', f'"{number}"'.encode())) for number, page in enumerate([padded] * 3)]
    with Gateway(*acts) as gateway:
        assert "more than 20,000 bytes in all pages; " in failure(Tokens(), gateway.url, limits=limits)
        assert len(gateway.asked) == 2
    acts = [ok(page.replace(b'"a"', f'"{number}"'.encode())) for number, page in enumerate([many] * 3)]
    with Gateway(*acts) as gateway:
        assert "more than 10,000 JSON values in all pages; " in failure(Tokens(), gateway.url, limits=limits)
        assert len(gateway.asked) == 3


@pytest.mark.parametrize("status", [200, 500])
def test_a_page_of_too_many_values_is_kept_and_not_decoded(status: int) -> None:
    body = b"[" + b"[]," * 5_001 + b"0]"
    with Gateway(reply(status, body)) as gateway:
        outcome = fetched(Plain(), gateway.url, limits=dataclasses.replace(QUICK, max_page_bytes=20_000))
    assert "more than 10,000 JSON values in one page; check the url, or allow larger pages" in str(outcome.error)
    assert [page.body for page in outcome.pages] == [body]


def test_a_deadline_between_attempts_tells_what_became_of_the_last() -> None:
    limits = dataclasses.replace(QUICK, timeout_seconds=0.3, backoff_seconds=5, max_backoff_seconds=5)
    with Gateway(reset(b"")) as gateway:
        line = failure(Plain(), gateway.url, limits=limits)
    assert "no end within 0.3 s, only silence, after the connection was reset; " in line


def test_a_resolver_that_hangs_does_not_keep_a_walk_beyond_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    awake = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: awake.wait(30))
    begun = time.monotonic()
    line = failure(Plain(), "http://gateway.invalid", limits=dataclasses.replace(QUICK, timeout_seconds=0.2))
    awake.set()
    assert time.monotonic() - begun < 2
    assert "no end within 0.2 s, only silence" in line
