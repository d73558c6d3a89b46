"""Phaseo's offers: each quotes one plan of one provider, and a provider with several plans has one endpoint."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from etl.domain.catalog import STANDARD, Endpoint, Json, Provider
from etl.sources.base import Place, Record, Texts, text_key
from etl.sources.collect import Collector, names, unordered
from etl.sources.phaseo_prices import Owner, put_sheet
from etl.sources.phaseo_wire import Route, Wire, readable


class Capabilities(Wire):
    """``capabilities`` of a current model or an offer."""

    parameters: Texts | None = None


class OfferProvider(Wire):
    """``provider`` of an offer."""

    id: Annotated[str, Field(min_length=1)]
    name: str | None = None


class Offer(Route):
    """One provider's route to a current model under one plan, with prices of its own."""

    provider: OfferProvider
    model: str | None = None
    capabilities: Capabilities | None = None
    pricing: Json = None

    @classmethod
    def provider_of(cls, item: Json) -> str | None:
        """Return ``provider.id``, or null where it cannot be read."""
        return text_key(item.get("provider"), "id") if isinstance(item, dict) else None

    @property
    def plan(self) -> str:
        """Return the plan that the prices are for; an offer without prices counts as the standard one."""
        return text_key(self.pricing, "pricing_plan") or STANDARD

    @property
    def route(self) -> dict[str, Json]:
        """Return what the offer says of the endpoint, its provider and its prices left out."""
        return self.model_dump(exclude={"provider", "pricing"}, exclude_none=True)


Plans = dict[str, Record[Offer]]
"""The offers of one provider, by plan."""


def put_offers(tray: Collector, offers: Sequence[Json], place: Place, owner: Owner) -> None:
    """Put down an endpoint for each provider, with the prices of all its plans.

    The list comes in another order every day, so nothing but a repeated plan depends on it: flex before standard is
    the same endpoint as standard before flex. Of two offers with one provider and one plan the second is quarantined.
    """
    readable_offers = readable(tray, Offer, offers, place, owner.model_id)
    for provider, plans in _by_provider(tray, readable_offers, owner.model_id).items():
        if _put_endpoint(tray, owner.model_id, plans):
            for offer in plans.values():
                put_sheet(tray, offer.wire.pricing, offer.place.at("pricing"), replace(owner, provider=provider))


def _by_provider(tray: Collector, offers: Iterable[Record[Offer]], model_id: str) -> dict[str, Plans]:
    found: dict[str, Plans] = {}
    for offer in offers:
        provider, plan = offer.wire.provider.id, offer.wire.plan
        first = found.setdefault(provider, {}).setdefault(plan, offer)
        if first is not offer:
            tray.quarantine_repeated(offer.place, first.place, (model_id, provider, plan), offer.raw)
    return found


def _put_endpoint(tray: Collector, model_id: str, plans: Plans) -> bool:
    """Put down a provider's endpoint as its standard offer describes it; ``extra.plans`` is what others add to that."""
    main = plans.get(STANDARD) or plans[min(plans)]
    wire, rest = main.wire, main.wire.rest()
    provider = Provider(
        provider=wire.provider.id, display_name=wire.provider.name, extra=unordered(rest.pop("provider", {}))
    )
    tray.provider(provider)
    others = {plan: _beyond(offer.wire.route, wire.route) for plan, offer in plans.items()}
    if differing := {plan: route for plan, route in others.items() if route}:
        rest["plans"] = differing
    endpoint = Endpoint(
        model_id=model_id,
        provider=wire.provider.id,
        provider_model_id=wire.model,
        supported_parameters=names((wire.capabilities or Capabilities()).parameters),
        extra=unordered(rest),
    )
    return tray.endpoint(endpoint, main.place, main.raw)


def _beyond(route: Mapping[str, Json], main: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in route.items() if value != main.get(name)}
