"""Small sources that walk like the real ones, without their catalogs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from etl.domain.catalog import Catalog, Coverage
from etl.domain.snapshot import Page, PageRequest
from etl.errors import ContractError
from etl.extract.limits import Limits
from etl.extract.secrets import Secret
from etl.extract.walk import Outcome, fetch_snapshot
from etl.sources.base import Credential, Reading, Source

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

KEY = "sk-very-secret-0123456789"

SECRET = Secret(header="Authorization", value=f"Bearer {KEY}", variable="PLAIN_API_KEY")

QUICK = Limits(timeout_seconds=5, backoff_seconds=0.01, max_backoff_seconds=0.02, jitter_seconds=0, pause_seconds=0.01)


class Plain(Source[BaseModel]):
    """One page."""

    kind = "plain"
    url = "http://127.0.0.1"
    path = "/models"
    credential = Credential(header="Authorization", env="DEFAULT_API_KEY", prefix="Bearer ")

    def parse(self, pages: Sequence[Page]) -> Reading[BaseModel]:  # noqa: ARG002
        return Reading(records=())

    def flatten(self, reading: Reading[BaseModel]) -> Catalog:  # noqa: ARG002
        return Catalog()


class Tokens(Plain):
    """Pages chained by opaque tokens; the walk is good when no id comes twice, like Bifrost's."""

    kind = "tokens"

    def next_page(self, page: Page) -> PageRequest | None:
        if not isinstance(page.document, dict):
            raise ContractError("a list where an object was expected")
        token = page.document.get("next_page_token")
        return PageRequest(path=self.path, params=(("page_token", token),)) if token else None

    def coverage(self, pages: Sequence[Page]) -> Coverage:
        ids = [row["id"] for page in pages for row in page.document["data"]]
        repeated = len(ids) != len(set(ids))
        return Coverage(is_complete=False, reason="an id came twice", is_contradictory=True) if repeated else Coverage()


class Offsets(Plain):
    """Pages by offset; the walk is good when there are as many ids as ``total`` says, like Phaseo's."""

    kind = "offsets"
    size = 2

    def first_page(self) -> PageRequest:
        return self._at(0)

    def next_page(self, page: Page) -> PageRequest | None:
        end = page.document["offset"] + self.size
        return self._at(end) if end < page.document["total"] else None

    def coverage(self, pages: Sequence[Page]) -> Coverage:
        ids = {row for page in pages for row in page.document["models"]}
        if {page.document["total"] for page in pages} == {len(ids)}:
            return Coverage()
        return Coverage(is_complete=False, reason="total and ids disagree", is_contradictory=True)

    def _at(self, offset: int) -> PageRequest:
        return PageRequest(path=self.path, params=(("limit", f"{self.size}"), ("offset", f"{offset}")))


def fetched(source: Source[Any], url: str, **settings: Any) -> Outcome:
    """One walk with small waits and a clock that stands still."""
    return fetch_snapshot(source, url=url, **{"clock": lambda: NOW, "limits": QUICK, **settings})


def failure(source: Source[Any], url: str, **settings: Any) -> str:
    """The one line that a failed walk ends with."""
    outcome = fetched(source, url, **settings)
    assert outcome.error is not None
    line = str(outcome.error)
    assert "\n" not in line
    assert line.startswith(f"{source.name}: http")
    return line
