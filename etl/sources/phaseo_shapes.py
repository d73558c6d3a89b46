"""The two shapes in which Phaseo has served one catalog, told by their keys, and what each says of a model.

Where a shape spells a column twice, the first spelling that says something is taken, and ``extra`` repeats neither.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import Discriminator, Field, RootModel, Tag

from etl.domain.catalog import Endpoint, Json, Model, Provider
from etl.sources.base import Count, Place, Record, Texts, text_key
from etl.sources.collect import Collector, epoch, moment, names, unordered
from etl.sources.phaseo_offers import Capabilities, put_offers
from etl.sources.phaseo_prices import Owner, publishes, put_sheet, put_strings
from etl.sources.phaseo_wire import Named, Route, Wire, first, put_author, readable


class Architecture(Wire):
    """``architecture`` of a documented model."""

    input_modalities: Texts | None = None
    output_modalities: Texts | None = None


class TopProvider(Wire):
    """``top_provider`` of a documented model: limits in tokens, null in practice."""

    context_length: Count | None = None
    max_completion_tokens: Count | None = None


class Dates(Wire):
    """``lifecycle`` of a documented model; its ``status`` follows the clock and says less than the model's own."""

    deprecation_date: str | None = None
    retirement_date: str | None = None


class ProviderEntry(Route):
    """One of ``providers[]`` of a documented model."""

    api_provider_id: Annotated[str, Field(min_length=1)]
    api_provider_name: str | None = None
    params: Texts | None = None

    @classmethod
    def provider_of(cls, item: Json) -> str | None:
        """``api_provider_id``, where it can be told."""
        return text_key(item, "api_provider_id")


class DocumentedModel(Named):
    """A model until 2026-06: one set of prices, whose meters say whose they are."""

    organisation_id: str | None = None
    organisation_name: str | None = None
    organisation_colour: str | None = None
    status: str | None = None
    release_date: str | None = None
    created: Decimal | None = None
    deprecation_date: str | None = None
    retirement_date: str | None = None
    lifecycle: Dates | None = None
    input_types: Texts | None = None
    output_types: Texts | None = None
    architecture: Architecture | None = None
    supported_params: Texts | None = None
    supported_parameters: Texts | None = None
    top_provider: TopProvider | None = None
    providers: list[Json] | None = None
    pricing_detail: Json = None
    pricing: Json = None

    def to_model(self) -> Model:
        """The columns of the model."""
        architecture, top = self.architecture or Architecture(), self.top_provider or TopProvider()
        dates = self.lifecycle or Dates()
        return Model(
            model_id=self.key,
            name=self.name,
            author=self.organisation_id or None,
            description=self.description,
            context_length=top.context_length,
            max_output_tokens=top.max_completion_tokens,
            input_modalities=names(first(self.input_types, architecture.input_modalities)),
            output_modalities=names(first(self.output_types, architecture.output_modalities)),
            supported_parameters=names(first(self.supported_params, self.supported_parameters)),
            released_at=moment(self.release_date) or epoch(self.created),
            deprecated_at=moment(self.deprecation_date) or moment(dates.deprecation_date),
            retires_at=moment(self.retirement_date) or moment(dates.retirement_date),
            status=self.status,
            aliases=names(self.aliases),
            extra=unordered(self.rest()),
        )

    def put(self, tray: Collector, place: Place, own_name: str) -> None:
        """Put down author, endpoints and prices; ``pricing`` counts only where no meter has a price."""
        put_author(tray, self.organisation_id, self.organisation_name, colour=self.organisation_colour)
        for entry in readable(tray, ProviderEntry, self.providers or (), place.at("providers"), self.key):
            self._put_endpoint(tray, entry)
        owner = Owner(model_id=self.key, fallback=own_name)
        put_sheet(tray, self.pricing_detail, place.at("pricing_detail"), owner)
        if not publishes(self.pricing_detail):
            put_strings(tray, self.pricing, place.at("pricing"), owner)

    def _put_endpoint(self, tray: Collector, entry: Record[ProviderEntry]) -> None:
        endpoint = Endpoint(
            model_id=self.key,
            provider=entry.wire.api_provider_id,
            supported_parameters=names(entry.wire.params),
            extra=unordered(entry.wire.rest()),
        )
        if tray.endpoint(endpoint, entry.place, entry.raw):
            tray.provider(Provider(provider=endpoint.provider, display_name=entry.wire.api_provider_name))


class Organization(Wire):
    """``organization`` of a current model: its author."""

    id: str | None = None
    name: str | None = None
    color: str | None = None


class Lifecycle(Wire):
    """``lifecycle`` of a current model."""

    status: str | None = None
    released_at: str | None = None
    deprecated_at: str | None = None
    retires_at: str | None = None


class Modalities(Wire):
    """``modalities`` of a current model."""

    input: Texts | None = None
    output: Texts | None = None


class Limits(Wire):
    """``limits`` of a current model, in tokens."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None


class CurrentModel(Named):
    """A model since 2026-08: prices stand on its offers; the model's own ``pricing`` only repeats some of them."""

    organization: Organization | None = None
    lifecycle: Lifecycle | None = None
    modalities: Modalities | None = None
    limits: Limits | None = None
    capabilities: Capabilities | None = None
    offers: list[Json]
    pricing: Json = None

    def to_model(self) -> Model:
        """The columns of the model."""
        lifecycle, modalities = self.lifecycle or Lifecycle(), self.modalities or Modalities()
        limits, capabilities = self.limits or Limits(), self.capabilities or Capabilities()
        rest = {name: value for name, value in self.rest().items() if name != "organization"}
        return Model(
            model_id=self.key,
            name=self.name,
            author=(self.organization or Organization()).id or None,
            description=self.description,
            context_length=limits.input_tokens,
            max_output_tokens=limits.output_tokens,
            input_modalities=names(modalities.input),
            output_modalities=names(modalities.output),
            supported_parameters=names(capabilities.parameters),
            released_at=moment(lifecycle.released_at),
            deprecated_at=moment(lifecycle.deprecated_at),
            retires_at=moment(lifecycle.retires_at),
            status=lifecycle.status,
            aliases=names(self.aliases),
            extra=unordered(rest),
        )

    def put(self, tray: Collector, place: Place, own_name: str) -> None:
        """Put down author, endpoints and prices: one endpoint for each provider that offers the model."""
        author = self.organization or Organization()
        put_author(tray, author.id, author.name, colour=author.color, rest=author.rest())
        put_offers(tray, self.offers, place.at("offers"), Owner(model_id=self.key, fallback=own_name))


def shape_of(item: Json) -> str | None:
    """The shape of one model, told by its keys; null for a foreign one."""
    if not isinstance(item, dict):
        return None
    return "current" if "offers" in item else "documented" if "pricing_detail" in item else None


class PhaseoModel(
    RootModel[
        Annotated[
            Annotated[DocumentedModel, Tag("documented")] | Annotated[CurrentModel, Tag("current")],
            Discriminator(
                shape_of, custom_error_type="shape", custom_error_message="neither `offers` nor `pricing_detail`"
            ),
        ]
    ]
):
    """A model of either shape."""
