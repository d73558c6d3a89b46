"""Seconds and peak memory of one load, told as one JSON object on the last line of stdout. Standard library only."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def measure(load: Callable[[], None]) -> None:
    """Run a load that is ready to begin, and tell what it took."""
    begun = time.perf_counter()
    load()
    seconds = time.perf_counter() - begun
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "peak": peak_bytes()}) + "\n")


def peak_bytes() -> int:
    """The most memory that this process ever held. ``ru_maxrss`` would count the parent's, from before the start."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell the peak of memory")
