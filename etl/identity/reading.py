"""One model id, read: who made the model, which words name it, and by which rules that was told.

A reading depends on nothing but what the source says of the one model. What depends on other models is in ``linking``.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from etl.identity import vendors, words
from etl.identity.dates import Stamp
from etl.identity.route import Route, take_apart
from etl.identity.words import Name

_QWEN = re.compile(r"\bqwen-(?=\d+(\.\d+)?(-|$))")
_NUMBER, _REVISION, _MARK = re.compile(r"\d+(\.\d+)?"), re.compile(r"v\d+"), re.compile(r"^v(?=\d)")
_VERSION_ALONE = re.compile(r"[rvm]\d")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Listed:
    """A model as a source lists it: its id, and what else the source says that may tell who it is."""

    source: str
    model_id: str
    author: str = ""
    name: str = ""
    providers: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What an id says. ``vendor`` is null when nobody can be told; ``told_by`` says what tells the vendor.

    ``route`` is what stood before the name; ``bare`` the name as the source writes it, ``spelled`` its words in the
    source's order, ``name`` in the maker's. ``is_floating``: a tag for the latest was left out; ``is_completed``:
    the source's name for the model tells the version.
    """

    vendor: str | None
    told_by: str
    route: tuple[str, ...]
    bare: str
    spelled: Name
    name: Name
    is_floating: bool = False
    is_completed: bool = False

    @property
    def text(self) -> str:
        """The reading as a canonical id: ``anthropic/claude-opus-4.5``, ``openai/gpt-4o-2024-08-06``."""
        return canonical(self.vendor, self.name.words, self.name.tags, self.name.stamp)

    def dated(self, stamp: Stamp | None) -> str:
        """The same with another date, or without any."""
        return canonical(self.vendor, self.words_at(stamp), self.name.tags, stamp)

    def words_at(self, stamp: Stamp | None) -> tuple[str, ...]:
        """The words with a date: a short one stands among them where the id itself tells it."""
        return self.name.words if stamp == self.stamp else words.without_stamp(self.name)

    @property
    def stamp(self) -> Stamp | None:
        """The date that the name tells, in whatever form."""
        return self.name.stamp

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for two readings exactly when they name the same model but for the date."""
        return (
            vendors.slug(self.vendor or ""),
            *words.key_of(self.name),
            *(f":{tag}" for tag in sorted(self.name.tags)),
        )


def canonical(vendor: str | None, named: tuple[str, ...], tags: frozenset[str], stamp: Stamp | None) -> str:
    """A canonical id; a short date stands among the words, a full one behind them."""
    parts = (*named, stamp.text) if stamp is not None and stamp.is_full else named
    text = _QWEN.sub("qwen", "-".join(parts))  # Its maker writes no separator there.
    return f"{vendor}/" * (vendor is not None) + text + "".join(f":{tag}" for tag in sorted(tags))


def read(listed: Listed) -> Reading:
    """Read one model id. A name without words is a reading without words: nothing can be linked to it."""
    route = take_apart(listed.model_id, listed.providers)
    name = words.read_name(route.name)
    vendor, told_by = _vendor(route, name, listed)
    reading = Reading(vendor=vendor, told_by=told_by, route=route.dropped, bare=route.name, spelled=name, name=name)
    return _completed(_floating(_in_order(reading)), listed)


def _vendor(route: Route, name: Name, listed: Listed) -> tuple[str | None, str]:
    """Who made it, and what tells: what the name leaves no doubt of, then the path, the author, the family."""
    spelled = "-".join(without_head(name.words))
    family = vendors.vendor_of_name(spelled, without_head(name.words))
    author = vendors.vendor_of_author(listed.author)
    is_telling = bool(listed.author) and vendors.slug(listed.author) not in vendors.NOBODY
    is_server = vendors.is_host(listed.author) or listed.author in listed.providers
    other_author = vendors.vendor_slug(listed.author) if is_telling and not is_server and not author else None
    is_closed = vendors.CLOSED.match(spelled) is not None and (other_author is None or route.vendor == family)
    judged = (
        (_finetuner(name, route.vendor or author or route.stranger), "name"),
        (family if is_closed else None, "name"),
        (route.vendor, "path"),
        (author, "author"),
        (route.stranger, "path"),
        (other_author, "author"),
        (family, "name"),
        (vendors.vendor_slug(listed.author) if is_telling else None, "author"),
        (next((word for word in route.dropped[-1:] if word in vendors.SERVERS_THAT_MAKE), None), "path"),
    )
    vendor, told_by = next(((vendor, told_by) for vendor, told_by in judged if vendor), (None, "nothing"))
    return vendor, next((by for by, said in (("path", route.vendor), ("author", author)) if vendor == said), told_by)


def _finetuner(name: Name, claimed: str | None) -> str | None:
    """Whom a mark in the name tells, where nobody is named before it but the maker of the weights that were tuned."""
    marked = next((vendors.MARKS[word] for word in name.words if word in vendors.MARKS), None)
    tuned = {vendors.FAMILY[word] for word in name.words if word in vendors.FAMILY}
    return marked if claimed is None or claimed in tuned else None


@lru_cache(maxsize=10_000)
def without_head(name: tuple[str, ...]) -> tuple[str, ...]:
    """Without a maker's name that only repeats what the next word tells: ``meta-llama-3``, ``nvidia-nemotron``."""
    for length in (1, 2):
        vendor = vendors.vendor_of("".join(name[:length]))
        is_glue = vendors.is_glue(name[0]) if name else False
        if (vendor is None and not is_glue) or len(name) <= length:
            continue
        rest = without_head(name[length:])
        marked = next((vendors.MARKS[word] for word in rest if word in vendors.MARKS), None)
        made_by = marked or vendors.vendor_of_name("-".join(rest), rest)
        if made_by is not None and (made_by == vendor or is_glue):
            return rest
    return name


def _in_order(reading: Reading) -> Reading:
    """The words as the maker orders them, where that is known: its own name left out or put first, Claude's tier."""
    name = without_head(reading.name.words)
    if reading.vendor in vendors.SELF_NAMED and _VERSION_ALONE.match(name[0] if name else ""):
        name = (reading.vendor, *name)
    if reading.vendor == "anthropic":
        name = _claude(name, reading.stamp)
    return reading if name == reading.name.words else replace(reading, name=replace(reading.name, words=name))


def _claude(name: tuple[str, ...], stamp: Stamp | None) -> tuple[str, ...]:
    """Claude's names: the tier before the version from 4 on, behind it until then; no revision of a cloud."""
    if stamp is not None and stamp.is_full:
        name = tuple(word for word in name if not _REVISION.fullmatch(word))
    name = tuple(_MARK.sub("", word) if before == "claude" else word for before, word in _pairs(name))
    tier = next((word for word in name if word in ("opus", "sonnet", "haiku")), None)
    version = next((word for word in name if _NUMBER.fullmatch(word)), None)
    if name[:1] != ("claude",) or tier is None or version is None:
        return name
    is_late = int(version.split(".")[0]) >= 4
    rest = [word for word in name[1:] if word not in (tier, version) and not (is_late and word == "v1")]
    pair = [tier, version] if is_late else [version, tier]
    return ("claude", *pair, *rest)


def _pairs(name: tuple[str, ...]) -> list[tuple[str, str]]:
    """Each word with the one before it."""
    return list(zip(("", *name), name, strict=False))


def _floating(reading: Reading) -> Reading:
    """``-latest`` left out, where the maker's undated name means the same; elsewhere it is a word like any other."""
    name = reading.name.words
    is_claude = reading.vendor == "anthropic" and name[:1] == ("claude",)
    is_chat = reading.vendor == "openai" and name[:1] == ("gpt",) and name[-2:] == ("chat", "latest")
    is_codex = reading.vendor == "openai" and name == ("codex", "mini", "latest")
    if name[-1:] != ("latest",) or not (is_claude or is_chat or is_codex) or reading.stamp is not None:
        return reading
    return replace(reading, name=replace(reading.name, words=name[:-1]), is_floating=True)


def _completed(reading: Reading, listed: Listed) -> Reading:
    """A name without any number, completed by the version that the source's own words for the model tell."""
    ours = set(reading.name.words)
    if not ours or words.has_digit(reading.name.words):
        return reading
    shown = words.read_name(take_apart(listed.name.casefold().replace("/", " ")).name)
    fuller = without_head(shown.words)
    added = [word for word in fuller if word not in ours]
    if not ours <= set(fuller) or shown.stamp or shown.tags:
        return reading
    if len(added) != 1 or not _NUMBER.fullmatch(added[0]):
        return reading
    named = replace(reading, name=replace(reading.name, words=fuller), is_completed=True)
    return _in_order(named)
