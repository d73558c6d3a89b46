"""One measurement in a process of its own: ``python -m benchmarks.speed.child CONTENDER URL FILE TIME``.

Prints one JSON object: the seconds of the load, and the peak of the process's memory in bytes. The clock starts when
the body is in memory and everything is imported, and stops when the load is committed.
"""

import importlib
import json
import sys
import time
from datetime import datetime
from pathlib import Path


def peak_bytes() -> int:
    """The most memory that this process ever held. ``ru_maxrss`` would count the parent's, from before the start."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell the peak of memory")


def main(contender: str, url: str, file: str, observed_at: str) -> None:
    """Measure one load."""
    module = importlib.import_module(f"benchmarks.speed.{contender}")
    body, moment = Path(file).read_bytes(), datetime.fromisoformat(observed_at)
    begun = time.perf_counter()
    module.load(url, body, moment)
    seconds = time.perf_counter() - begun
    json.dump({"seconds": seconds, "peak": peak_bytes()}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
