"""One request: what is asked, what is kept of the reply, where redirects may lead."""

import dataclasses
import socket
import zlib

import pytest

from etl.domain.snapshot import Page, PageRequest
from etl.errors import AccessError, ConfigurationError, FetchError
from etl.extract.address import Address
from etl.extract.secrets import Secret
from etl.extract.validators import Validators
from tests.extract.gateway import Asked, Gateway, ok, raw, reply
from tests.extract.sources import KEY, NOW, QUICK, SECRET, Plain, failure, fetched

CATALOG = b'{"data": [{"id": "a/b", "price": 0.10}]}'


def test_a_page_is_kept_byte_for_byte_with_what_was_asked() -> None:
    with Gateway(ok(CATALOG, ETag='W/"7"', Set_Cookie="session=1")) as gateway:
        outcome = fetched(Plain(), gateway.url)
    (page,) = outcome.pages
    assert outcome.error is None
    assert outcome.observed_at == page.fetched_at == NOW
    assert (page.number, page.url, page.status, page.body) == (1, f"{gateway.url}/models", 200, CATALOG)
    assert page.request == PageRequest(path="/models")
    assert page.headers["etag"] == 'W/"7"'
    assert "set-cookie" not in page.headers


def test_the_path_is_appended_to_the_prefix_of_the_url() -> None:
    with Gateway(ok(CATALOG)) as gateway:
        (page,) = fetched(Plain(), f"{gateway.url}/v1/").pages
    assert gateway.asked[0].target == "/v1/models"
    assert page.url == f"{gateway.url}/v1/models"


def test_the_url_of_the_list_itself_is_taken_for_that_of_its_gateway() -> None:
    for url in ("https://gw.test/v1/models", "https://gw.test/v1/models/", "https://gw.test"):
        assert Address.parse(url, "bifrost").of(PageRequest(path="/v1/models")) == "https://gw.test/v1/models"


def test_a_request_says_who_asks_and_what_it_can_read() -> None:
    with Gateway(ok(CATALOG)) as gateway:
        fetched(Plain(), gateway.url, secret=SECRET)
    headers = gateway.asked[0].headers
    assert headers["user-agent"].startswith("llm-price-warehouse/")
    assert headers["accept"] == "application/json"
    assert headers["accept-encoding"] == "gzip, deflate"
    assert headers["authorization"] == f"Bearer {KEY}"


def test_the_user_info_and_query_of_a_url_are_sent_but_never_shown() -> None:
    with Gateway(ok(CATALOG, X_Echo="token=hidden-in-query"), reply(404)) as gateway:
        url = f"http://me:pass-word@{gateway.host}/v1?token=hidden-in-query"
        (page,) = fetched(Plain(), url).pages
        line = failure(Plain(), url)
    assert gateway.asked[0].headers["authorization"] == "Basic bWU6cGFzcy13b3Jk"
    assert gateway.asked[0].target == "/v1/models?token=hidden-in-query"
    assert page.url == f"{gateway.url}/v1/models"
    assert "x-echo" not in page.headers
    assert "hidden" not in line
    assert "pass-word" not in line


def test_a_gateway_that_repeats_our_secret_does_not_get_it_stored_or_shown() -> None:
    body = f'{{"error": "key {KEY} is\\n bad"}}'.encode()

    class Talking(Plain):
        def complaint(self, page: Page) -> str:
            return str(page.document["error"])

    with Gateway(reply(403, body, X_Echo=f"Bearer {KEY}", X_Other="fine")) as gateway:
        outcome = fetched(Talking(), gateway.url, secret=SECRET)
    assert isinstance(outcome.error, AccessError)
    assert "key [secret] is bad" in str(outcome.error)
    assert KEY not in repr(outcome.pages)
    assert KEY not in str(outcome.error)
    assert outcome.pages[0].headers["x-other"] == "fine"


@pytest.mark.parametrize("value", ["", "two\nlines", "Bearer ", "schlüssel"])
def test_a_secret_that_no_header_can_carry_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(ConfigurationError, match="^the credential in K is no plain text on one line; set it again"):
        Secret(header="X-Key", value=value, variable="K")


@pytest.mark.parametrize(
    "url", ["", "api.acme.test", "ftp://acme.test", "https://", "http://a:b", "http://[::1", "http://a..b"]
)
def test_a_url_that_is_none_starts_nothing(url: str) -> None:
    with pytest.raises(ConfigurationError, match="^plain: its url is none"):
        fetched(Plain(), url)


def test_a_packed_body_is_unpacked() -> None:
    member = zlib.compressobj(wbits=31)
    packed = member.compress(CATALOG) + member.flush()
    bare = zlib.compressobj(wbits=-15)
    acts = [
        ok(packed, Content_Encoding="gzip"),
        ok(packed + packed, Content_Encoding="gzip"),
        ok(zlib.compress(CATALOG), Content_Encoding="deflate"),
        ok(bare.compress(CATALOG) + bare.flush(), Content_Encoding="deflate"),
    ]
    with Gateway(*acts) as gateway:
        bodies = [fetched(Plain(), gateway.url).pages[0].body for _ in acts]
    assert bodies == [CATALOG, CATALOG * 2, CATALOG, CATALOG]


def test_a_redirect_within_the_origin_is_followed() -> None:
    with Gateway(reply(307, Location="/elsewhere?a=1"), ok(CATALOG)) as gateway:
        (page,) = fetched(Plain(), gateway.url, secret=SECRET).pages
    assert [asked.target for asked in gateway.asked] == ["/models", "/elsewhere?a=1"]
    assert gateway.asked[1].headers["authorization"] == f"Bearer {KEY}"
    assert (page.url, page.body) == (f"{gateway.url}/elsewhere?a=1", CATALOG)


def test_a_redirect_to_another_origin_is_refused_and_nothing_is_sent_there() -> None:
    with Gateway(ok(CATALOG)) as other, Gateway(reply(302, Location=f"{other.url}/models?x=1")) as gateway:
        outcome = fetched(Plain(), gateway.url, secret=SECRET)
    assert isinstance(outcome.error, FetchError)
    assert f"{gateway.url}/models: a redirect to {other.url}; " in str(outcome.error)
    assert "configure it as the url" in str(outcome.error)
    assert len(gateway.asked) == 1
    assert other.asked == []
    assert [page.status for page in outcome.pages] == [302]


@pytest.mark.parametrize(
    ("location", "came"),
    [
        ("https://{host}/models", "a redirect to https://{host}; "),
        ("//evil.test/", "a redirect to http://evil.test; "),
        ("http://{host}@evil.test", "a redirect to http://evil.test; "),
        ("http://{host}:80@evil.test:81", "a redirect to http://evil.test:81; "),
        ("http:\\\\evil.test", "this is no url that can be asked"),
        ("file:///etc/passwd", "a redirect to no url"),
    ],
)
def test_neither_an_upgrade_nor_a_trick_leaves_the_origin(location: str, came: str) -> None:
    def act(connection: socket.socket, asked: Asked) -> None:
        reply(301, Location=location.format(host=asked.headers["host"]))(connection, asked)

    with Gateway(act) as gateway:
        line = failure(Plain(), gateway.url)
    assert came.format(host=gateway.host) in line


def test_redirects_in_a_circle_and_without_end_are_reported() -> None:
    def onward(connection: socket.socket, asked: Asked) -> None:
        reply(302, Location=f"{asked.target}x")(connection, asked)

    with Gateway(reply(302, Location="/b"), reply(302, Location="/models")) as gateway:
        assert "redirects in a circle" in failure(Plain(), gateway.url)
    with Gateway(onward) as gateway:
        assert "more than 5 redirects" in failure(Plain(), gateway.url)
        assert len(gateway.asked) == 6


def test_what_has_not_changed_is_the_body_that_was_vouched_for() -> None:
    with Gateway(reply(304, ETag='"7"')) as gateway:
        url = f"{gateway.url}/models"
        validators = Validators(url=url, etag='"7"', last_modified="Fri, 02 Jan 2026 03:04:05 GMT", body=CATALOG)
        outcome = fetched(Plain(), gateway.url, validators=validators)
    assert gateway.asked[0].headers["if-none-match"] == '"7"'
    assert gateway.asked[0].headers["if-modified-since"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert [(page.status, page.body) for page in outcome.pages] == [(304, CATALOG)]
    assert outcome.error is None


def test_validators_are_only_offered_to_the_url_that_they_came_from() -> None:
    with Gateway(ok(CATALOG), reply(304)) as gateway:
        elsewhere = Validators(url=f"{gateway.url}/v2/models", etag='"7"', last_modified=None, body=b"another catalog")
        assert fetched(Plain(), gateway.url, validators=elsewhere).pages[0].body == CATALOG
        refused = fetched(Plain(), gateway.url, validators=elsewhere)
    assert ["if-none-match" in asked.headers for asked in gateway.asked] == [False, False]
    assert "HTTP 304, which was not asked for" in str(refused.error)


def test_validators_do_not_follow_a_redirect() -> None:
    with Gateway(reply(307, Location="/elsewhere"), ok(CATALOG)) as gateway:
        validators = Validators(url=f"{gateway.url}/models", etag='"7"', last_modified=None, body=b"")
        assert fetched(Plain(), gateway.url, validators=validators).pages[0].body == CATALOG
    assert ["if-none-match" in asked.headers for asked in gateway.asked] == [True, False]


def test_not_modified_without_having_asked_is_an_error() -> None:
    with Gateway(reply(304)) as gateway:
        assert "HTTP 304, which was not asked for" in failure(Plain(), gateway.url)


def test_a_body_beyond_the_limit_is_refused_and_kept_up_to_it() -> None:
    limits = dataclasses.replace(QUICK, max_page_bytes=1000)
    with Gateway(ok(b"x" * 1000), ok(b"x" * 1001)) as gateway:
        assert fetched(Plain(), gateway.url, limits=limits).error is None
        outcome = fetched(Plain(), gateway.url, limits=limits)
    assert "more than 1,000 bytes in one page" in str(outcome.error)
    assert [len(page.body) for page in outcome.pages] == [1000]
    assert len(gateway.asked) == 2


def test_header_lines_without_an_end_are_a_broken_reply() -> None:
    with Gateway(raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000)) as gateway:
        assert "a broken reply" in failure(Plain(), gateway.url)


def test_no_http_at_all_is_a_broken_reply() -> None:
    with Gateway(raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")) as gateway:
        assert "a broken reply" in failure(Plain(), gateway.url)
