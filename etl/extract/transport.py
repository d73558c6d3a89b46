"""The connections below HTTP: how they are opened, and what it means when they fail."""

import ssl
from pathlib import Path

import httpx

from etl.errors import ConfigurationError
from etl.extract.limits import Limits

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Hosts that are this machine: no proxy can reach what listens there."""


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """The system's authorities, and that of the file. Raises ``ConfigurationError``."""
    try:
        context = httpx.create_ssl_context()
        if ca_file:
            context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        where = f"ca_file {ca_file}" if ca_file else "the system's authorities"
        remedy = "name a file with certificates in PEM form, or take the key out" if ca_file else "install them"
        raise ConfigurationError(f"{where}: no certificates can be read ({error}); {remedy}") from None
    return context


def open_http(headers: httpx.Headers, limits: Limits, ca_file: Path | None) -> httpx.AsyncClient:
    """The connection pool. Raises ``ConfigurationError``."""
    timeout = httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds)
    try:
        return httpx.AsyncClient(
            headers=headers,
            timeout=timeout,
            verify=trusted(ca_file),
            http2=False,
            trust_env=True,
            mounts={f"all://{host}": None for host in LOOPBACK},
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"the proxy of the environment cannot be used ({error})") from None


def came(error: httpx.TransportError, limits: Limits) -> str:
    """A failure of the transport in a few words."""
    match error:
        case httpx.ConnectTimeout():
            return f"no connection within {limits.connect_seconds:g} s"
        case httpx.TimeoutException():
            return f"nothing more came within {limits.read_seconds:g} s"
        case httpx.ConnectError():
            return f"no connection ({error})"
        case httpx.ReadError() | httpx.WriteError() | httpx.CloseError():
            return "the connection was reset"
        case _:
            return f"a broken reply ({error})"
