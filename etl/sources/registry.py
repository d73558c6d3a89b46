"""The kinds of source that exist, found by looking into this package: no list to edit."""

import importlib
import inspect
import pkgutil
from functools import cache
from typing import Any

import etl.sources
from etl.sources.base import Source


@cache
def kinds() -> dict[str, type[Source[Any]]]:
    """Every kind with its class, in alphabetical order."""
    modules = [
        importlib.import_module(f"etl.sources.{module.name}") for module in pkgutil.iter_modules(etl.sources.__path__)
    ]
    found = {
        member.kind: member
        for module in modules
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Source) and not inspect.isabstract(member) and member.__module__ == module.__name__
    }
    return dict(sorted(found.items()))
