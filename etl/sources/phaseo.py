"""Phaseo gateway: ``GET /gateway/models`` by offset, 250 models a page, in one of the shapes of ``phaseo_shapes``.

The list is sorted anew at every request, so a walk is believed only when its pages agree with each other.
"""

from collections.abc import Sequence
from dataclasses import replace

from etl.domain.catalog import Catalog, Coverage, Json
from etl.domain.snapshot import Page, PageRequest
from etl.errors import ContractError
from etl.sources.base import (
    Credential,
    Place,
    Reading,
    Recourse,
    Refusal,
    Source,
    error_document,
    refusal_by_status,
    text_key,
    validate,
)
from etl.sources.collect import Collector
from etl.sources.phaseo_shapes import PhaseoModel, shape_of

LIMIT = 250
"""Models on a page; the server silently clamps what is above."""

LAST_OFFSET = 5000
"""The server refuses offsets beyond."""

HINT = "check the setting `path`"


class Phaseo(Source[PhaseoModel]):
    """The catalog of the Phaseo gateway."""

    kind = "phaseo"
    url = "https://api.phaseo.app/v1"
    path = "/gateway/models"
    credential = Credential(header="Authorization", env="PHASEO_API_KEY", prefix="Bearer ")

    def first_page(self) -> PageRequest:
        """The request that begins a walk."""
        return self._page_at(0)

    def next_page(self, page: Page) -> PageRequest | None:
        """The request for the models after this page's; a missing ``total`` is no end, an empty page is."""
        count, total = len(_models(page)), _figure(page, "total")
        offset = _offset(page) + count
        if count == 0 or offset > LAST_OFFSET or (total is not None and offset >= total):
            return None
        return self._page_at(offset)

    def refusal(self, page: Page) -> Refusal:
        """By status, save a 401 of which the server's own database is the cause, and a 404, which is the path's."""
        complaint = self.complaint(page)
        if page.status == 404:
            complaint = f"{HINT} ({self.request_path}); {complaint or 'nothing is there'}"
        refusal = refusal_by_status(page, complaint)
        if page.status == 401 and error_document(page).get("reason") == "db_error":
            return replace(refusal, recourse=Recourse.RETRY)
        return refusal

    def complaint(self, page: Page) -> str | None:
        """What the error body says: the code, its reason, and a sentence."""
        body = error_document(page)
        texts = (text_key(body, name) for name in ("error", "reason", "message", "description"))
        return ": ".join(text for text in texts if text) or None

    def coverage(self, pages: Sequence[Page]) -> Coverage:
        """Complete when the pages follow each other, agree on ``total``, and hold as many ids, none of them twice."""
        if contradiction := _contradiction(pages):
            return _incomplete(contradiction, is_contradictory=True)
        totals = [_figure(page, "total") for page in pages]
        if not totals or (total := totals[0]) is None or None in totals:
            return _incomplete("no total says how many models there are")
        found = sum(len(_models(page)) for page in pages)
        distinct = len({key for page in pages for key in _keys(page)})
        if distinct == total:
            return Coverage()
        if distinct == found > LAST_OFFSET:
            return _incomplete(f"total {total} is beyond the offset limit {LAST_OFFSET}: {distinct} models came")
        return _incomplete(f"{distinct} distinct ids of {total}", is_contradictory=True)

    def parse(self, pages: Sequence[Page]) -> Reading[PhaseoModel]:
        """The models of all pages, each in its own shape."""
        readings = [
            validate(PhaseoModel, _known(page), Place(page.number, "/models"), _key, self.quarantine_limit)
            for page in pages
        ]
        return Reading(
            records=tuple(record for reading in readings for record in reading.records),
            quarantined=tuple(entry for reading in readings for entry in reading.quarantined),
            coverage=self.coverage(pages),
        )

    def flatten(self, reading: Reading[PhaseoModel]) -> Catalog:
        """Models with their endpoints and prices, and the names of providers and authors."""
        tray = Collector(limit=self.quarantine_limit)
        tray.lists_names()
        for record in reading.records:
            model = record.wire.root
            if tray.model(model.to_model(), record.place, record.raw):
                model.put(tray, record.place, self.name)
        return tray.build(reading.coverage, reading.quarantined)

    def _page_at(self, offset: int) -> PageRequest:
        limit = min(LIMIT, self.page_size or LIMIT)
        return PageRequest(path=self.request_path, params=(("limit", str(limit)), ("offset", str(offset))))


def _document(page: Page) -> dict[str, Json]:
    try:
        document = page.document
    except ContractError as error:
        raise ContractError(f"{error}; {HINT}") from None
    if not isinstance(document, dict):
        raise ContractError(f"{page.url} sent no JSON object; {HINT}")
    return document


def _models(page: Page) -> list[Json]:
    document = _document(page)
    models = document.get("models")
    if not isinstance(models, list):
        told = text_key(document, "message", "error")
        came = f"keys: {', '.join(sorted(document))}" + (f"; it says: {told}" if told else "")
        raise ContractError(f"{page.url} sent no list `models` ({came:.300}); {HINT}")
    return models


def _known(page: Page) -> list[Json]:
    """The models of a page, of which one at least must have a known shape."""
    models = _models(page)
    if models and not any(map(shape_of, models)):
        keys = sorted({key for model in models if isinstance(model, dict) for key in model})
        came = f"keys: {', '.join(keys)}" if keys else "no objects"
        raise ContractError(f"{page.url} sent models without `offers` or `pricing_detail` ({came:.300}); {HINT}")
    return models


def _figure(page: Page, name: str) -> int | None:
    """A number of the envelope; null when it is missing or no count."""
    value = _document(page).get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _offset(page: Page) -> int:
    """Where the page starts: as it says itself, else as it was asked."""
    told = _figure(page, "offset")
    asked = dict(page.request.params).get("offset", "0") if page.request else "0"
    return int(asked) if told is None else told


def _key(item: Json) -> str | None:
    return text_key(item, "model_id", "id")


def _keys(page: Page) -> set[str]:
    """The ids of a page; a model whose id cannot be read is one of its own."""
    return {_key(item) or f"\x00{page.number}/{index}" for index, item in enumerate(_models(page))}


def _contradiction(pages: Sequence[Page]) -> str | None:
    """Why the pages cannot be one walk over one list, or null. Judged from bodies alone, for saved pages too."""
    seen: set[str] = set()
    count = 0
    for number, page in enumerate(pages, 1):
        before, total, offset = _figure(pages[0], "total"), _figure(page, "total"), _figure(page, "offset")
        if before is not None and total not in (before, None):
            return f"total changed from {before} to {total} on page {number}"
        if offset is not None and offset != count:
            return f"page {number} begins at offset {offset} instead of {count}: a page is missing or came twice"
        if repeated := len(_keys(page) & seen):
            return f"{repeated} ids of page {number} were on earlier pages: the list moved during the walk"
        seen |= _keys(page)
        count += len(_models(page))
    return None


def _incomplete(reason: str, *, is_contradictory: bool = False) -> Coverage:
    return Coverage(is_complete=False, reason=reason, providers=frozenset(), is_contradictory=is_contradictory)
