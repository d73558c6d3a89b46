"""What both shapes of Phaseo's catalog share: objects that keep what they do not know, ids, authors, routes."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from etl.domain.catalog import Author, Json, Scope
from etl.sources.base import Place, Record, Texts, explain
from etl.sources.collect import Collector, unordered


class Wire(BaseModel):
    """An object of the catalog: what it declares is read, the rest is kept."""

    model_config = ConfigDict(extra="allow")

    def rest(self) -> dict[str, Json]:
        """What no field declares, here or in the objects below."""
        inner = {name: value.rest() for name, value in self if isinstance(value, Wire)}
        return (self.model_extra or {}) | {name: value for name, value in inner.items() if value}


class Named(Wire):
    """A model of either shape; one of its two ids is enough."""

    id: str | None = None
    model_id: str | None = None
    name: str | None = None
    description: str | None = None
    aliases: Texts | None = None

    @property
    def key(self) -> str:
        """The source's own id of the model."""
        return self.model_id or self.id or ""

    @model_validator(mode="after")
    def _has_an_id(self) -> "Named":
        if not self.key:
            raise ValueError("neither model_id nor id")
        return self


class Route(Wire, ABC):
    """One entry of a model's list of providers or offers."""

    @classmethod
    @abstractmethod
    def provider_of(cls, item: Json) -> str | None:
        """The provider of an entry, even of an unreadable one; null where it cannot be told."""


T = TypeVar("T")
R = TypeVar("R", bound=Route)


def first(*spellings: T | None) -> T | None:
    """The first that is not null."""
    return next((value for value in spellings if value is not None), None)


def put_author(tray: Collector, author: str | None, name: str | None, *, colour: str | None, rest: Json = None) -> None:
    """Put down who made a model, where the model says so."""
    if author:
        extra = (rest or {}) | ({"colour": colour} if colour else {})
        tray.author(Author(author=author, display_name=name, extra=unordered(extra)))


def readable(tray: Collector, wire: type[R], items: Sequence[Json], place: Place, model_id: str) -> Iterator[Record[R]]:
    """The readable entries of one model's list; the others are set aside alone."""
    for index, item in enumerate(items):
        at = place.at(index)
        try:
            yield Record(at, wire.model_validate(item), item)
        except ValidationError as error:
            tray.quarantine(at, explain(error), item, Scope(model_id=model_id, provider=wire.provider_of(item)))
