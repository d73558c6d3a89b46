"""`python -m tests.oracle CATALOGS`: how many versions the recorded bodies must make, kind by kind."""

import sys
from pathlib import Path

from tests.oracle.fold import bodies, fold, read
from tests.oracle.readings import KINDS


def main(catalogs: Path) -> None:
    """Prints one line per kind and relation."""
    for kind in KINDS:
        recorded = bodies(catalogs / kind)
        readings = read(kind, recorded)
        print(f"{kind}: {len(recorded)} snapshots, {len(recorded) - len(readings)} not understood")
        for observed_at, reading in readings.items():
            counts = f"{len(reading.models)} models, {len(reading.endpoints)} endpoints, {len(reading.prices)} prices"
            doubt = "" if reading.complete else " incomplete"
            print(f"  {observed_at:%Y-%m-%dT%H:%M:%SZ}{doubt}: {counts}", *reading.quarantined, sep=" | ")
            if +reading.unmapped:
                print("    unmapped:", dict(+reading.unmapped))
        for relation, versions in fold(readings).items():
            closed = sum(version["valid_to"] is not None for version in versions)
            print(f"  {relation}: {len(versions)} opened, {closed} closed, {len(versions) - closed} open")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
