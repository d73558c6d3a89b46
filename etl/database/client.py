"""How a program of Postgres, such as psql, is given a database: an address without secrets, and an environment."""

import os
from collections.abc import Mapping

from sqlalchemy import URL

from etl.concealment import secret_values
from etl.database.engine import spelled
from etl.errors import ConfigurationError

_SERVICE = "etl_client"


def client_address(url: URL, environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the url for a program's arguments, which every user of the machine can read, and its environment.

    The password is in PGPASSWORD. libpq reads other secrets, such as ``sslpassword``, from a service file alone: they
    are in one that has no name and ends with this process. Raises ``ConfigurationError`` where that cannot be.
    """
    secret = {name: values[-1] for name, values in url.normalized_query.items() if any(secret_values(name, values[-1]))}
    target = url.difference_update_query(list(secret))._replace(password=None)
    environment = dict(environ)
    if url.password:
        environment["PGPASSWORD"] = str(url.password)
    if secret:
        _require_service_file(url, secret)
        environment["PGSERVICEFILE"] = _service_file(secret)
        target = target.update_query_dict({"service": _SERVICE})
    return spelled(target), environment


def _require_service_file(url: URL, secret: Mapping[str, str]) -> None:
    if "service" in url.query or not hasattr(os, "memfd_create") or any("\n" in value for value in secret.values()):
        names = ", ".join(secret)
        raise ConfigurationError(f"{names} of the database's url: write it into a service file of libpq (service=NAME)")


def _service_file(parameters: Mapping[str, str]) -> str:
    """Return the name of a file in memory that this process, what becomes of it, and its children can read."""
    descriptor = os.memfd_create("etl-service", 0)
    lines = [f"[{_SERVICE}]", *(f"{name}={value}" for name, value in parameters.items()), ""]
    os.write(descriptor, "\n".join(lines).encode())
    return f"/proc/{os.getpid()}/fd/{descriptor}"
