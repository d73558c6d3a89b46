"""The folder as the archive that Superset imports: the same bytes whenever the files are the same.

``python -m bi.superset.bundle`` writes ``build/superset.zip``. Superset's own Python reads it too, so nothing but the
standard library is imported.
"""

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

HERE = Path(__file__).parent
ARCHIVE = HERE.parents[1] / "build" / "superset.zip"
PARTS = ("databases", "datasets", "charts", "dashboards")
PLACEHOLDER = "postgresql+psycopg2://dashboards@localhost:5432/etl"
"""What the committed file says of the warehouse: no password, and a host for whoever imports by hand to replace."""

_ROOT = "llm-prices"
_WHEN = (2026, 1, 1, 0, 0, 0)


def files() -> dict[str, str]:
    """Every file of the bundle by its place in it, sorted."""
    found = [HERE / "metadata.yaml", *(file for part in PARTS for file in (HERE / part).rglob("*.yaml"))]
    return {str(file.relative_to(HERE)): file.read_text(encoding="utf-8") for file in sorted(found)}


def archive() -> bytes:
    """The bundle as a zip below one folder, which is how Superset writes and reads it."""
    buffer = BytesIO()
    with ZipFile(buffer, "w") as bundle:
        for place, text in files().items():
            entry = ZipInfo(f"{_ROOT}/{place}", _WHEN)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, text)
    return buffer.getvalue()


if __name__ == "__main__":
    ARCHIVE.parent.mkdir(exist_ok=True)
    ARCHIVE.write_bytes(archive())
    print(ARCHIVE)  # noqa: T201  the answer of a command
