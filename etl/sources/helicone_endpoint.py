"""One provider's route to a model, as Helicone's registry nests it: endpoint, deployment, model configuration.

The inner levels repeat each other; a value is kept once, and a contradiction is kept as such.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from etl.domain.catalog import ANY_REGION, Endpoint, Json, Scope
from etl.sources.base import Count, Name, Texts, text_key
from etl.sources.collect import names, unordered


class RegistryWire(BaseModel):
    """A record of the registry: names in camel case, open to fields that nobody declared."""

    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_camel)

    @property
    def rest(self) -> dict[str, Json]:
        """The fields that nobody declared."""
        return self.model_extra or {}


class UserConfig(RegistryWire):
    """Where an endpoint is deployed; absent before 2025-09-22."""

    region: str | None = None


class Deployment(RegistryWire):
    """``endpoint`` of an endpoint, completed by ``modelConfig``; absent in the oldest bodies."""

    contradicted: dict[str, Any] = Field(default_factory=dict, alias="modelConfig")
    """What ``modelConfig`` says otherwise than ``endpoint``."""

    user_config: UserConfig = UserConfig()
    provider_model_id: str | None = None
    context_length: Count | None = None
    max_completion_tokens: Count | None = None
    quantization: str | None = None
    ptb_enabled: bool | None = None
    supported_parameters: Texts | None = None
    unsupported_parameters: Texts | None = None
    rate_limits: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, said: Json) -> Json:
        """The inner configuration where the outer one is silent."""
        if not isinstance(said, dict):
            return said
        own = {name: value for name, value in said.items() if value is not None}
        config = own.get("modelConfig", {})
        if not isinstance(config, dict):
            return own
        contradicted = {
            name: value
            for name, value in config.items()
            if name in own and name != "pricing" and own[name] != value and unordered(own[name]) != unordered(value)
        }
        return {**config, **own, "modelConfig": contradicted}


class RegistryEndpoint(RegistryWire):
    """One provider's route to a model, without its prices."""

    provider: Name
    supports_ptb: bool | None = None
    endpoint: Deployment = Deployment()

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, said: Json) -> Json:
        return {name: value for name, value in said.items() if value is not None} if isinstance(said, dict) else said

    @property
    def is_ptb(self) -> bool | None:
        """Whether Helicone can bill it; false means that the caller brings a key."""
        return self.endpoint.ptb_enabled if self.supports_ptb is None else self.supports_ptb

    def flat(self, model_id: str, author: str | None) -> Endpoint:
        """The endpoint of a model that ``author`` made."""
        inner = self.endpoint
        return Endpoint(
            model_id=model_id,
            provider=self.provider,
            region=inner.user_config.region or ANY_REGION,
            provider_model_id=inner.provider_model_id,
            context_length=inner.context_length,
            max_output_tokens=inner.max_completion_tokens,
            quantization=inner.quantization,
            is_ptb=self.is_ptb,
            supported_parameters=names(inner.supported_parameters),
            unsupported_parameters=names(inner.unsupported_parameters),
            rate_limits=unordered(inner.rate_limits),
            extra=unordered(self._extra(author)),
        )

    def _extra(self, author: str | None) -> dict[str, Json]:
        """What no column and no price says: ``author`` and ``provider`` only where the inner levels have others."""
        inner = self.endpoint
        known = {"author": author, "provider": self.provider}
        extra = {name: value for name, value in {**inner.rest, **self.rest}.items() if known.get(name) != value}
        nested = {"userConfig": inner.user_config.rest, "modelConfig": inner.contradicted}
        if inner.ptb_enabled not in (None, self.is_ptb):
            extra["ptbEnabled"] = inner.ptb_enabled
        return {
            **{name: value for name, value in extra.items() if name not in ("pricing", "pricingTiers")},
            **{name: value for name, value in nested.items() if value},
        }


def readable_scope(model_id: str, item: Json) -> Scope:
    """What is known of the key of an endpoint that cannot be read as a whole."""
    return Scope(model_id=model_id, provider=text_key(item, "provider"), region=_readable_region(item))


def _readable_region(item: Json) -> str | None:
    """The region, if only because none is named; null when not even that can be told."""
    for step in ("endpoint", "userConfig", "region"):
        if not isinstance(item, dict):
            return None
        item = item.get(step)
        if item is None:
            return ANY_REGION
    return (item or ANY_REGION) if isinstance(item, str) else None
