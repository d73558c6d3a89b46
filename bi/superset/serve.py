"""Superset with the dashboards on this machine: ``python -m bi.superset.serve``.

``WAREHOUSE_URL`` names the warehouse as a reader sees it. Without it, it is the one that ``etl`` works on here, read
through a role of its own.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from bi.superset import environment, reader
from bi.superset.start import ADMIN, secret
from etl.database.engine import database_url

HOME = environment.ROOT / "build" / "superset" / "home"
ADDRESS = "127.0.0.1:8088"
ROLE = "etl_superset"
_PATIENCE = 180
"""Seconds to wait for the server: a first start migrates an empty database of metadata."""


def main() -> None:
    """Install, prepare and become the server; Ctrl-C ends it."""
    interpreter = environment.python()
    HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    warehouse = os.environ.get("WAREHOUSE_URL") or _own_warehouse()
    place = (HOME / "admin_password").relative_to(environment.ROOT)
    sys.stderr.write(f"http://{ADDRESS}, user {ADMIN}, password in {place}\n")
    os.chdir(environment.ROOT)
    os.execve(interpreter, _command(interpreter, ADDRESS), _environment(HOME, warehouse))  # noqa: S606


@contextmanager
def serving(home: Path, warehouse: str, address: str) -> Iterator[str]:
    """Superset with its metadata in ``home``, for as long as the block lasts; gives where it answers."""
    interpreter = environment.python()
    log = home / "superset.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(  # noqa: S603  our own program
            _command(interpreter, address),
            cwd=environment.ROOT,
            env=_environment(home, warehouse),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(process, f"http://{address}/health", log)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(30)


def _await(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.5)
    said = log.read_text(encoding="utf-8").strip().splitlines()[-30:]
    raise RuntimeError("\n".join(["Superset does not answer; the end of its log:", *said]))


def _command(interpreter: Path, address: str) -> list[str]:
    return [str(interpreter), "-m", "bi.superset.start", address]


def _environment(home: Path, warehouse: str) -> dict[str, str]:
    """What Superset finds: nothing of what is configured for anything else."""
    given = {"SUPERSET_HOME": str(home), "WAREHOUSE_URL": warehouse}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"} | given


def _own_warehouse() -> str:
    asking = [sys.executable, "-m", "etl", "db", "url"]
    told = subprocess.run(asking, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  our own program
    url = reader.login(database_url(told.stdout.strip()), ROLE, secret(HOME / "reader_password"))
    return url.render_as_string(hide_password=False)


if __name__ == "__main__":
    main()
