"""Fixtures on disk: ``tests/fixtures/<kind>/<scenario>/page-NNN.json``, raw bytes as a gateway would send them."""

from datetime import UTC, datetime
from pathlib import Path

from etl.domain.snapshot import Page

HERE = Path(__file__).parent.parent
FIXTURES = HERE / "fixtures"
GOLDEN = HERE / "golden"


def scenarios() -> list[tuple[str, str]]:
    """Every (kind, scenario) that has a fixture."""
    return sorted((folder.parent.name, folder.name) for folder in FIXTURES.glob("*/*") if folder.is_dir())


def pages_of(kind: str, scenario: str) -> tuple[Page, ...]:
    """The pages of one fixture, in order of their names."""
    files = sorted((FIXTURES / kind / scenario).glob("*.json"))
    return tuple(
        Page(
            number=number,
            url=file.name,
            status=200,
            body=file.read_bytes(),
            fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for number, file in enumerate(files, 1)
    )
