"""Links every listed model to the canonical model that it is: a function of the whole set, whatever its order.

Models are one when their maker, words and tags agree after reading, and their dates do. What depends on the set: a
short date names the one full date of which it is true; an undated name is the one full date that anybody lists for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache

from etl.identity import words
from etl.identity.dates import Stamp
from etl.identity.overrides import Decision, Override, overrides
from etl.identity.reading import Listed, Reading, read


class Method(StrEnum):
    """How a model was linked: the weakest of the steps that were needed."""

    EXACT = "exact"
    OVERRIDE = "override"
    PREFIX = "prefix"
    FAMILY = "family"
    SPELLING = "spelling"
    WORD_ORDER = "word order"
    SHORT_DATE = "short date"
    NAME = "name"
    ONLY_DATE = "only date"
    FLOATING = "floating tag"
    UNLINKED = "unlinked"


CONFIDENCE: Mapping[Method, Decimal] = {
    Method.EXACT: Decimal("1.00"),
    Method.OVERRIDE: Decimal("1.00"),
    Method.PREFIX: Decimal("0.99"),
    Method.FAMILY: Decimal("0.97"),
    Method.SPELLING: Decimal("0.96"),
    Method.WORD_ORDER: Decimal("0.93"),
    Method.SHORT_DATE: Decimal("0.90"),
    Method.NAME: Decimal("0.80"),
    Method.ONLY_DATE: Decimal("0.80"),
    Method.FLOATING: Decimal("0.75"),
    Method.UNLINKED: Decimal(0),
}
"""The scale, described in docs/identity.md. A link is as sure as its weakest step."""

_WEAKNESS = {method: (CONFIDENCE[method], place) for place, method in enumerate(Method)}
"""Least first; of two steps that are as sure, the one that stands first above."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One source's model and the canonical model that it is; ``canonical_id`` is null when it cannot be told."""

    source: str
    model_id: str
    canonical_id: str | None
    method: Method
    evidence: str
    confidence: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class _Placed:
    """A listed model with its reading, and the reading that it counts as: another one where a person decided so."""

    listed: Listed
    reading: Reading
    counts_as: Reading
    override: Override | None
    key: tuple[str, ...]

    @property
    def written(self) -> str:
        """The name as the source writes it, in its own case."""
        bare = self.reading.bare
        name = self.listed.model_id.strip().strip("/")[-len(bare) :]
        return name if name.casefold() == bare else bare


def link(models: Iterable[Listed]) -> tuple[Link, ...]:
    """The link of every model, in the order of their sources and ids."""
    placed = [_place(listed) for listed in sorted(set(models), key=_order)]
    groups: dict[tuple[str, ...], list[_Placed]] = defaultdict(list)
    for each in placed:
        if each.counts_as.vendor is not None and each.counts_as.name.words:
            groups[each.key].append(each)
    links = [made for group in groups.values() for made in _group(group)]
    links += [_unlinked(each) for each in placed if each.counts_as.vendor is None or not each.counts_as.name.words]
    return tuple(sorted(links, key=lambda made: (made.source, made.model_id)))


def _order(listed: Listed) -> tuple[str, ...]:
    return (listed.source, listed.model_id, listed.author, listed.name, *sorted(listed.providers))


def _place(listed: Listed) -> _Placed:
    reading = read(listed)
    decided = _decided(reading)
    counts_as = reading
    if decided is not None and decided.decision is Decision.SAME:
        counts_as = read(Listed(source=listed.source, model_id=decided.canonical_id))
    is_apart = decided is not None and decided.decision is Decision.SEPARATE
    key = ("apart", reading.text) if is_apart else counts_as.key
    return _Placed(listed=listed, reading=reading, counts_as=counts_as, override=decided, key=key)


def _decided(reading: Reading) -> Override | None:
    """What a person decided about this id, as it is written or as it is read."""
    written = f"{reading.vendor}/{reading.bare}" if reading.vendor else reading.bare
    return _by_id().get(written) or _by_id().get(reading.text)


@cache
def _by_id() -> Mapping[str, Override]:
    return {row.model_id: row for row in overrides() if row.decision is not Decision.SEVERAL_DATES}


def _group(group: list[_Placed]) -> Iterable[Link]:
    """The links of models that agree in all but their dates."""
    found = sorted({each.counts_as.stamp for each in group if each.counts_as.stamp is not None})
    full = [stamp for stamp in found if stamp.is_full]
    resolved = {stamp: _resolved(stamp, full) for stamp in found}
    dates = set(resolved.values())
    is_undated = any(each.counts_as.stamp is None for each in group)
    is_only = is_undated and len(dates) == 1 and next(iter(dates)).is_full and group[0].key not in _several()
    members: dict[Stamp | None, list[_Placed]] = defaultdict(list)
    for each in group:
        stamp = each.counts_as.stamp
        members[None if stamp is None or is_only else resolved[stamp]].append(each)
    for stamp, same in members.items():
        canonical = _representative(same, stamp)
        for each in same:
            meant = resolved.get(each.counts_as.stamp) if each.counts_as.stamp else None
            yield _linked(each, canonical, meant, stamp)


def _resolved(stamp: Stamp, full: list[Stamp]) -> Stamp:
    """The one full date of which the short one is true; the stamp itself when there is none or more than one."""
    candidates = [candidate for candidate in full if stamp.may_be(candidate)]
    return candidates[0] if len(candidates) == 1 else stamp


@cache
def _several() -> frozenset[tuple[str, ...]]:
    """The names of which more than one dated version was published, whatever the sources list now."""
    rows = (row for row in overrides() if row.decision is Decision.SEVERAL_DATES)
    return frozenset(read(Listed(source="", model_id=row.model_id)).key for row in rows)


def _representative(same: list[_Placed], stamp: Stamp | None) -> Reading:
    """The reading whose spelling most sources use; among equals the shortest, then the first."""
    if len(same) == 1:
        return same[0].counts_as
    sources: dict[str, set[str]] = defaultdict(set)
    readings: dict[str, Reading] = {}
    for each in same:
        text = each.counts_as.dated(stamp)
        sources[text].add(each.listed.source)
        readings.setdefault(text, each.counts_as)
    return readings[min(sources, key=lambda text: (-len(sources[text]), len(text), text))]


def _linked(each: _Placed, canonical: Reading, meant: Stamp | None, stamp: Stamp | None) -> Link:
    """The link of a model whose date is ``meant`` to the canonical one, which is dated ``stamp``."""
    canonical_id = canonical.dated(stamp)
    steps = {**dict(_steps(each, canonical, canonical_id, stamp)), **dict(_date_steps(each, meant, stamp))}
    method = min(steps, key=_WEAKNESS.__getitem__)
    return Link(
        source=each.listed.source,
        model_id=each.listed.model_id,
        canonical_id=canonical_id,
        method=method,
        evidence="; ".join(steps.values()),
        confidence=CONFIDENCE[method],
    )


def _steps(each: _Placed, canonical: Reading, canonical_id: str, stamp: Stamp | None) -> Iterable[tuple[Method, str]]:
    """Every step from the source's id to the canonical one but for their dates, and what speaks for it."""
    reading = each.reading
    if each.listed.model_id == canonical_id:
        yield Method.EXACT, "the id itself"
        return
    if each.override is not None and each.override.decision is Decision.SAME:
        yield Method.OVERRIDE, f"reviewed: {each.override.reason}"
        return
    if reading.told_by == "name":
        yield Method.FAMILY, f"the name tells its maker, {reading.vendor}"
    else:
        yield Method.PREFIX, _prefix(reading)
    if spelling := _spelling(each, canonical, canonical_id, stamp):
        yield Method.SPELLING, spelling
    if _is_reordered(reading, canonical):
        yield Method.WORD_ORDER, "the same words in another order"
    if reading.is_completed:
        yield Method.NAME, f"the source names it {'-'.join(reading.name.words)}"
    if reading.is_floating:
        yield Method.FLOATING, "latest: the maker's undated name means the same"


def _date_steps(each: _Placed, meant: Stamp | None, stamp: Stamp | None) -> Iterable[tuple[Method, str]]:
    """The steps from the date that the id tells to the one that is meant, and to none at all."""
    told = each.counts_as.stamp
    if told is not None and meant is not None and told != meant:
        yield Method.SHORT_DATE, f"{meant.text} is the only full date that {told.text} can be"
    if meant is not None and stamp is None:
        yield Method.ONLY_DATE, f"{meant.text} is the only date that any source lists for the name"


def _prefix(reading: Reading) -> str:
    route = f", after {'/'.join(reading.route)}" if reading.route else ""
    return f"made by {reading.vendor} as its {reading.told_by} says{route}"


def _spelling(each: _Placed, canonical: Reading, canonical_id: str, stamp: Stamp | None) -> str:
    """How the name is read, and which words the canonical id spells in another way; nothing where none differs."""
    reading, written = each.reading, each.written
    if written == canonical_id.partition("/")[2]:
        return ""
    ours, theirs = reading.words_at(stamp), canonical.words_at(stamp)
    told = [] if written == reading.text.partition("/")[2] else [f"{written} reads as {reading.text}"]
    if sorted(ours) != sorted(theirs):
        told.append(f"{' '.join(ours)} is spelled {' '.join(theirs)}")
    rules = f" ({', '.join(reading.spelled.rules)})" if told and reading.spelled.rules else ""
    return ", ".join(told) + rules


def _is_reordered(reading: Reading, canonical: Reading) -> bool:
    """Whether the words of the canonical id stand in another order in the source's, whatever else stands there."""
    given = words.plain(reading.spelled)
    rest = iter(given)
    return not all(word in rest for word in words.plain(canonical.name) if word in given)


def _unlinked(each: _Placed) -> Link:
    nothing = "no word of it can be read" if not each.reading.name.words else "nothing tells who made it"
    return Link(
        source=each.listed.source,
        model_id=each.listed.model_id,
        canonical_id=None,
        method=Method.UNLINKED,
        evidence=nothing,
        confidence=CONFIDENCE[Method.UNLINKED],
    )
