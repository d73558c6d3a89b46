"""The virtual environments of the peers below ``.bench``: made on the first run, used again until their pins change."""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "benchmarks" / "_peers"
_PLACE = ROOT / ".bench"


def python_of(peer: str) -> Path | None:
    """The interpreter of a peer's environment; null, with a word on stderr, when it cannot be installed."""
    pins = PEERS / f"requirements-{peer}.txt"
    place = _PLACE / f"venv-{peer}"
    python, installed = place / "bin" / "python", place / "installed.txt"
    if installed.is_file() and installed.read_text(encoding="utf-8") == pins.read_text(encoding="utf-8"):
        return python
    sys.stderr.write(f"installing {peer} into {place.relative_to(ROOT)} …\n")
    venv.create(place, with_pip=True, clear=True)
    quietly = ["--disable-pip-version-check", "--quiet", "--prefer-binary"]
    done = subprocess.run(  # noqa: S603  our own programs
        [python, "-m", "pip", "install", *quietly, "-r", pins], capture_output=True, text=True, check=False
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        sys.stderr.write(f"{peer} could not be installed, the measurement goes on without it: {why}\n")
        return None
    installed.write_text(pins.read_text(encoding="utf-8"), encoding="utf-8")
    return python


def pins(peer: str) -> list[str]:
    """What a peer's environment is made of, as pinned."""
    return (PEERS / f"requirements-{peer}.txt").read_text(encoding="utf-8").split()
