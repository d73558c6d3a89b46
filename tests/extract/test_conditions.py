"""A request on conditions is worth a try and never the reason why nothing comes."""

import pytest

from etl.extract.validators import Validators
from tests.extract.gateway import Act, Gateway, ok, reply
from tests.extract.sources import Plain, fetched
from tests.extract.test_client import CATALOG


def validators(gateway: Gateway, etag: str = '"7"') -> Validators:
    modified = "Fri, 02 Jan 2026 03:04:05 GMT"
    return Validators(url=f"{gateway.url}/models", etag=etag, last_modified=modified, body=b"another catalog")


@pytest.mark.parametrize("status", [400, 412, 413, 431])
def test_a_refusal_of_conditions_is_tried_once_without_them(status: int) -> None:
    with Gateway(reply(status), ok(CATALOG, ETag='"8"')) as gateway:
        outcome = fetched(Plain(), gateway.url, validators=validators(gateway))
    assert (outcome.error, [page.body for page in outcome.pages]) == (None, [CATALOG])
    assert [asked.headers.get("if-none-match") for asked in gateway.asked] == ['"7"', None]
    assert "if-modified-since" not in gateway.asked[1].headers


def test_what_is_refused_without_conditions_as_well_is_not_asked_a_third_time() -> None:
    with Gateway(reply(431)) as gateway:
        outcome = fetched(Plain(), gateway.url, validators=validators(gateway))
    assert "HTTP 431" in str(outcome.error)
    assert len(gateway.asked) == 2


@pytest.mark.parametrize(("second", "asked"), [(reply(304), 2), (reply(401), 2)])
def test_the_second_answer_is_taken_for_what_it_is(second: Act, asked: int) -> None:
    """A 304 to a request without conditions vouches for nothing."""
    with Gateway(reply(400), second) as gateway:
        outcome = fetched(Plain(), gateway.url, validators=validators(gateway))
    assert outcome.error is not None
    assert len(gateway.asked) == asked


@pytest.mark.parametrize("status", [400, 431])
def test_a_refusal_without_conditions_is_asked_once(status: int) -> None:
    with Gateway(reply(status)) as gateway:
        assert fetched(Plain(), gateway.url).error is not None
    assert len(gateway.asked) == 1


def test_a_long_validator_is_neither_kept_nor_sent() -> None:
    long = f'"{"e" * 1023}"'
    with Gateway(ok(CATALOG, ETag=long), ok(CATALOG, ETag=long[1:])) as gateway:
        first = fetched(Plain(), gateway.url, validators=validators(gateway, long))
        second = fetched(Plain(), gateway.url)
    assert "if-none-match" not in gateway.asked[0].headers
    assert "if-modified-since" in gateway.asked[0].headers
    assert "etag" not in first.pages[0].headers
    assert second.pages[0].headers["etag"] == long[1:]
