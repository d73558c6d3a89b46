"""Certificates are verified, and an authority of one's own can be trusted."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from etl.errors import ConfigurationError
from tests.extract.gateway import Gateway, ok
from tests.extract.sources import SECRET, Plain, failure, fetched

SUBJECT = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and the certificate that it signed for itself."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("there is no openssl to make a certificate with")
    file = tmp_path_factory.mktemp("tls") / "self.pem"
    making = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(
        [openssl, *making, *SUBJECT, "-keyout", file, "-out", file.with_suffix(".crt")], check=True, capture_output=True
    )
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


def server_of(certificate: Path) -> ssl.SSLContext:
    """What a gateway needs to use it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(certificate: Path) -> None:
    with Gateway(ok(b"{}"), tls=server_of(certificate)) as gateway:
        line = failure(Plain(), gateway.url, secret=SECRET)
    assert "certificate verify failed" in line
    assert "name the authority's file as ca_file" in line
    assert "attempts" not in line
    assert gateway.asked == []


def test_a_certificate_of_an_authority_of_ones_own_is_accepted(certificate: Path) -> None:
    with Gateway(ok(b"{}"), tls=server_of(certificate)) as gateway:
        outcome = fetched(Plain(), gateway.url, secret=SECRET, ca_file=certificate.with_suffix(".crt"))
    assert outcome.error is None
    assert outcome.pages[0].url.startswith("https://127.0.0.1:")


def test_a_certificate_for_another_host_is_refused(certificate: Path) -> None:
    with Gateway(ok(b"{}"), tls=server_of(certificate)) as gateway:
        url = gateway.url.replace("127.0.0.1", "localhost")
        assert "certificate verify failed" in failure(Plain(), url, ca_file=certificate.with_suffix(".crt"))


def test_an_authority_that_cannot_be_read_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(ConfigurationError, match=f"ca_file .*{name}: no certificates can be read"):
            fetched(Plain(), "https://127.0.0.1", ca_file=tmp_path / name)
