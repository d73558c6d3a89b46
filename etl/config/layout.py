"""The shape of the settings classes: which tables there are, and which class describes what stands at a place."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from etl.config.settings import Settings, Table

Step = int | str
"""A key, or the number of an entry, from 0."""

PREFIX = "ETL_"

NESTED = "__"
"""Stands between the keys of tables in the name of a variable."""


@dataclass(frozen=True)
class Section:
    """One table of the file: its ``path`` of keys, whether there are several of it, and the class that describes it."""

    path: tuple[str, ...]
    is_list: bool
    model: type[BaseModel]

    @property
    def heading(self) -> str:
        """As it stands in the file; empty for the keys at the top."""
        name = ".".join(self.path)
        return f"[[{name}]]" if self.is_list else f"[{name}]" if name else ""

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The keys of which one at most is given."""
        return self.model.alternatives if issubclass(self.model, Table) else ()

    @property
    def keys(self) -> list[str]:
        """The keys that are no tables of their own."""
        return [key for key, field in self.model.model_fields.items() if model_in(field.annotation) is None]


def sections(
    model: type[BaseModel] = Settings, path: tuple[str, ...] = (), *, is_list: bool = False
) -> Iterator[Section]:
    """Every table, in the order of the settings, each before those in it."""
    yield Section(path, is_list, model)
    for key, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is not None:
            kind = get_origin(field.annotation)
            names = ("NAME",) if kind is dict else ()
            yield from sections(inner, (*path, key, *names), is_list=kind in (list, tuple))


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The class of tables that an annotation contains; null when it is about plain values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (model_in(part) for part in get_args(annotation))
    return next((model for model in found if model is not None), None)


def model_at(steps: Iterable[Step]) -> type[BaseModel]:
    """The class that describes the table at the end of a path; numbers and names of entries are passed over."""
    model: type[BaseModel] = Settings
    for step in steps:
        field = model.model_fields.get(str(step))
        model = (field and model_in(field.annotation)) or model
    return model


def variable(steps: Iterable[Step]) -> str:
    """The variable that sets what stands at a path."""
    first, *rest = map(str, steps)
    field = Settings.model_fields.get(first)
    if field and isinstance(field.validation_alias, str) and not rest:
        return field.validation_alias
    return PREFIX + NESTED.join([first, *rest]).upper()


def place_of(steps: Iterable[Step]) -> str:
    """A path as people read it: entries of a list are counted from 1, and strange keys are quoted, on one line."""
    return ".".join(str(step + 1) if isinstance(step, int) else _shown(step) for step in steps)


def _shown(key: str) -> str:
    return key if key and key.isprintable() and " " not in key else ascii(key)
