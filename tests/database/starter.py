"""Another process that starts the server: ``python -m tests.database.starter HOME PORT`` prints the URL."""

import os
import subprocess
import sys
from pathlib import Path

from etl.database.embedded import EmbeddedServer, EmbeddedSettings
from etl.errors import DatabaseError

ROOT = Path(__file__).parents[2]


def start_elsewhere(server: EmbeddedServer, *, then: str = "") -> subprocess.Popen[str]:
    """Run ``ensure`` in a process, and a process group, of its own; with ``then="wait"`` it lives on afterwards."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.database.starter", str(server.settings.home), str(server.settings.port), then],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def main(home: str, port: str, then: str = "") -> None:
    """Print the URL, or the error."""
    try:
        url = EmbeddedServer(EmbeddedSettings(home=Path(home), port=int(port))).ensure()
    except DatabaseError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
    if then:
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
