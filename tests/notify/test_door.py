"""The door by which messages go out respects proxies and authorities, as the one for catalogs does."""

import ssl
from pathlib import Path

import pytest

from etl.errors import ConfigurationError
from etl.notify.post import Door
from tests.extract.gateway import Gateway, reply
from tests.notify.stage import NOW


@pytest.fixture
def door() -> Door:
    return Door(None, lambda: NOW)


def test_a_receiver_far_away_is_told_through_the_proxy(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    with Gateway(reply(200)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert door.post("http://desk.test/hook", b"{}", "id").error is None
    assert proxy.asked[0].target == "http://desk.test/hook"


def test_a_receiver_on_this_machine_is_told_directly(
    door: Door, desk: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Gateway(reply(200)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert door.post(desk.url, b"{}", "id").error is None
        assert proxy.asked == []
    assert desk.asked[0].body == b"{}"


def test_a_certificate_must_be_trusted(door: Door, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Gateway(reply(200), tls=context) as gateway:
        refused = door.post(gateway.url, b"{}", "id").error
        assert gateway.asked == []
        taken = Door(certificate.with_suffix(".crt"), lambda: NOW).post(gateway.url, b"{}", "id").error
    assert refused == "its certificate is not trusted: name the authority's file as ca_file"
    assert taken is None


def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="missing.pem: no certificates can be read"):
        Door(tmp_path / "missing.pem", lambda: NOW).get("http://127.0.0.1:1/T0P-SECRET")


def test_the_user_and_password_of_a_url_are_sent_as_such(door: Door, desk: Gateway) -> None:
    door.get(desk.url.replace("//", "//me:T0P-SECRET@"))
    [asked] = desk.asked
    assert asked.headers["authorization"].startswith("Basic ")
    assert asked.target == "/"
