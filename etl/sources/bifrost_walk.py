"""What the pages of a Bifrost walk say beside their rows: the next token, and how far absence proves anything.

Judged from the bodies alone, so that saved pages are judged like fresh ones.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from etl.domain.catalog import Coverage, Json
from etl.domain.snapshot import Page
from etl.errors import ContractError
from etl.sources.base import explain, text_key

NOBODY: frozenset[str] = frozenset()


class KeyStatus(BaseModel):
    """How one key of the gateway fared with its provider: the only sign that a provider's rows are missing."""

    provider: Annotated[str, Field(min_length=1)]
    status: str
    error: Json = None


def coverage(pages: Sequence[Page], *, own_name: str) -> Coverage:
    """How far absence from these pages proves absence; ``own_name`` stands for ids that name no provider."""
    if contradiction := _contradiction(pages):
        return Coverage(is_complete=False, reason=contradiction, providers=NOBODY, is_contradictory=True)
    if pages and token_of(pages[-1]):
        reason = (
            f"page {len(pages) + 1} of the walk is missing: page {len(pages)} names a next one, "
            "which only a source with page_size asks for"
        )
        return Coverage(is_complete=False, reason=reason, providers=NOBODY)
    return _by_key(pages, own_name)


def row_id(row: Json) -> str | None:
    """The id of a row, readable or not; null when it has none."""
    return text_key(row, "id")


def _document(page: Page) -> dict[str, Json]:
    if not isinstance(page.document, dict):
        raise ContractError(f"{page.url} sent no JSON object: check url and path of the source")
    return page.document


def rows(page: Page) -> list[Json]:
    """``data`` of a page; an error body with a success status says what it complains of."""
    document = _document(page)
    found = document.get("data")
    if not isinstance(found, list):
        came = message_of(document) or f"its keys are {sorted(document)}"
        raise ContractError(f"{page.url} sent no list `data`: {came:.300}")
    return found


def token_of(page: Page) -> str | None:
    """The opaque token of the next page; null when this is the last one."""
    token = _document(page).get("next_page_token")
    if token is not None and not isinstance(token, str):
        raise ContractError(f"{page.url} sent a next_page_token that is no text: {token!r:.80}")
    return token or None


def message_of(body: Json) -> str | None:
    """The message of a Bifrost error, which stands under one ``error`` or several."""
    while isinstance(body, dict) and not isinstance(body.get("message"), str):
        body = body.get("error")
    text = body["message"] if isinstance(body, dict) else body
    return text if isinstance(text, str) and text else None


def _contradiction(pages: Sequence[Page]) -> str | None:
    """Why the pages cannot be one walk over one list, or null."""
    ids_seen: set[str] = set()
    token_seen: dict[str, int] = {}
    for number, page in enumerate(pages, 1):
        ids = {key for row in rows(page) if (key := row_id(row))}
        if repeated := len(ids & ids_seen):
            return f"{repeated} ids of page {number} were on earlier pages: the walk restarted or repeated"
        token = token_of(page)
        if token in token_seen:
            return f"pages {token_seen[token]} and {number} name the same next page: the walk runs in a circle"
        if token is None and number < len(pages):
            return f"page {number} names no next page, yet {len(pages) - number} more came"
        ids_seen |= ids
        token_seen[token or ""] = number
    return None


def _by_key(pages: Sequence[Page], own_name: str) -> Coverage:
    """What the gateway's keys vouch for; a failure on any page counts, since each page asks the providers anew.

    Ids without a slash hang on the source itself, and nobody vouches for them unless nobody failed.
    """
    reports = [report for page in pages for report in _reports(page)]
    if not reports:
        return Coverage()
    try:
        statuses = [KeyStatus.model_validate(report) for report in reports]
    except ValidationError as error:
        reason = f"a key status cannot be read ({explain(error)}); all rows are carried on"
        return Coverage(is_complete=False, reason=reason, providers=NOBODY)
    succeeded = {status.provider for status in statuses if status.status == "success"}
    failed = {
        status.provider: message_of(status.error)
        for status in reversed(statuses)
        if status.status == "list_models_failed" or status.provider not in succeeded
    }
    if not failed:
        return Coverage(providers=frozenset({*succeeded, own_name}))
    causes = "; ".join(f"{name} failed" + (f": {text}" if text else "") for name, text in sorted(failed.items()))
    reason = f"{causes}; {'its' if len(failed) == 1 else 'their'} rows are carried on"
    return Coverage(is_complete=False, reason=reason, providers=frozenset(succeeded - failed.keys()))


def _reports(page: Page) -> list[Json]:
    """``key_statuses`` of a page; what is no list is one report that cannot be read."""
    reports = _document(page).get("key_statuses") or []
    return reports if isinstance(reports, list) else [reports]
