"""The proxies of the environment: used for gateways far away, never for this machine, never shown with a password."""

import pytest

from etl.errors import ConfigurationError
from tests.extract.gateway import Gateway, ok
from tests.extract.sources import Plain, failure, fetched

VARIABLES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")

CATALOG = b'{"data": []}'


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_asked_directly(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Gateway(ok(b"no JSON, but a proxy")) as proxy, Gateway(ok(CATALOG)) as gateway:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        (page,) = fetched(Plain(), gateway.url.replace("127.0.0.1", host)).pages
    assert page.body == CATALOG
    assert proxy.asked == []


def test_a_gateway_far_away_is_asked_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with Gateway(ok(CATALOG)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        (page,) = fetched(Plain(), "http://gateway.test").pages
    assert page.url == "http://gateway.test/models"
    assert proxy.asked[0].target == "http://gateway.test/models"


def test_a_proxy_that_is_not_there_is_named_as_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:proxy-password@127.0.0.1:1")
    line = failure(Plain(), "http://gateway.test")
    assert "no connection" in line
    assert "proxy-password" not in line


@pytest.mark.parametrize("proxy", ["http://me:proxy-password@:bad", "gopher://me:proxy-password@127.0.0.1"])
def test_a_proxy_that_is_none_starts_nothing(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(ConfigurationError, match="^the proxy of the environment cannot be used") as caught:
        fetched(Plain(), "http://gateway.test")
    assert "proxy-password" not in str(caught.value)
