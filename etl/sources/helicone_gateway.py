"""Helicone's AI gateway: GET /v1/models, one page in OpenAI's form. It says which models exist, and no price."""

from collections.abc import Sequence
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from etl.domain.catalog import Catalog, Json, Model
from etl.domain.snapshot import Page
from etl.errors import ContractError
from etl.sources.base import Name, Place, Reading, Source, error_document, joined, text_key, validate
from etl.sources.collect import Collector, epoch, unordered


class GatewayModel(BaseModel):
    """One model: ``created`` in epoch seconds, where 1704067200 and null mean unknown."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Name
    object: str | None = None
    created: Decimal | None = None
    owned_by: str | None = None


class HeliconeGateway(Source[GatewayModel]):
    """Presence only: models with author and release date, no endpoints, no prices."""

    kind = "helicone_gateway"
    url = "https://ai-gateway.helicone.ai"
    path = "/v1/models"
    records = ("data",)

    def complaint(self, page: Page) -> str | None:
        """The text of ``{"error": {"message", "type"}}``."""
        return _complaint(error_document(page))

    def parse(self, pages: Sequence[Page]) -> Reading[GatewayModel]:
        """The entries of ``data``."""
        readings = [
            validate(GatewayModel, _listed(page), Place(page.number, "/data"), _id, self.quarantine_limit)
            for page in pages
        ]
        return joined(readings, self.coverage(pages))

    def flatten(self, reading: Reading[GatewayModel]) -> Catalog:
        """Models; ``object`` says nothing of one, whatever else an entry says goes into ``extra``."""
        collector = Collector(limit=self.quarantine_limit)
        for record in reading.records:
            collector.model(_model(record.wire), record.place, record.raw)
        return collector.build(reading.coverage, reading.quarantined)


def _id(item: Json) -> str | None:
    return text_key(item, "id")


def _listed(page: Page) -> list[Json]:
    """The models of a page. Raises ``ContractError`` when it is no list of models."""
    document = page.document
    if not isinstance(document, dict):
        raise ContractError(f"{page.url} sent no object with `data`: {document!r:.100}")
    models, complaint = document.get("data"), _complaint(document)
    if isinstance(models, list):
        return models
    if complaint:
        raise ContractError(f"{page.url} sent an error instead of models: {complaint!r:.300}")
    raise ContractError(f"{page.url} sent no list `data`, only the keys {sorted(document)!r:.300}")


def _complaint(document: Json) -> str | None:
    """The gateway's words: ``{"error": {"message", "type"}}``."""
    return text_key(document.get("error"), "message", "type")


def _model(wire: GatewayModel) -> Model:
    return Model(
        model_id=wire.id,
        author=wire.owned_by,
        released_at=epoch(wire.created),
        extra=unordered(wire.model_extra or {}),
    )
