"""The way to a name: gateways put servers, regions and makers before it, by slashes, colons and dots."""

import re
from dataclasses import dataclass

from etl.identity import vendors

_BEDROCK_REGION = re.compile(r"(?:us|eu|apac|ap|global|us-gov|jp|au|ca|sa|me|af)\.(?=[a-z])")
_MAKER_DOT = re.compile(r"([a-z][a-z0-9-]*)\.(?=[a-z])")
_SCHEME = re.compile(r"([a-z][\w-]*):(?=[a-z])")


@dataclass(frozen=True, slots=True)
class Route:
    """A model id taken apart: its name, the maker that stands before it, and what else does.

    ``vendor`` is a maker we know; ``stranger`` a word before the name that is neither a maker nor a server we know.
    """

    name: str
    vendor: str | None
    stranger: str | None
    dropped: tuple[str, ...]


def take_apart(model_id: str, providers: frozenset[str] = frozenset()) -> Route:
    """What stands before the name of an id, in lower case. ``providers`` are those that serve the model."""
    *before, name = [part for part in model_id.casefold().strip().strip("/").split("/") if part] or [""]
    scheme = _SCHEME.match(name)
    if scheme and _leads_to_a_family(scheme[1], name[scheme.end() :]):
        before, name = [*before, scheme[1]], name[scheme.end() :]
    region = _BEDROCK_REGION.match(name)
    if region and _MAKER_DOT.match(name, region.end()):
        before, name = [*before, region[0].rstrip(".")], name[region.end() :]
    maker = _MAKER_DOT.match(name)
    if maker and vendors.vendor_of(maker[1]):
        before, name = [*before, maker[1]], name[maker.end() :]
    return _judged(before, name, {provider.casefold() for provider in providers})


def _leads_to_a_family(word: str, rest: str) -> bool:
    """Whether a word before a colon is a server's or a maker's, as in ``openai:gpt-4o``; ``qwen:7b`` is a name."""
    is_known = vendors.vendor_of(word) is not None or vendors.is_host(word)
    family = re.match(r"[a-z]+", rest)
    is_family = family is not None and (family[0] in vendors.FAMILY or vendors.vendor_of_name(rest, ()) is not None)
    return is_known and ("." in rest or is_family)


def _judged(before: list[str], name: str, providers: set[str]) -> Route:
    """The nearest maker to the name counts; a stranger counts only where he stands right before it."""
    vendor, stranger = None, None
    words = [word.lstrip("@~").removeprefix("hf:") for word in before]
    for distance, word in enumerate(reversed(words)):
        vendor = vendors.vendor_of(word)
        if vendor:
            break
        if distance == 0 and not vendors.is_host(word) and word not in providers:
            stranger = vendors.vendor_slug(word)
            break
    return Route(name=name, vendor=vendor, stranger=stranger, dropped=tuple(before))
