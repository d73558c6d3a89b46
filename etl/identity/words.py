"""A name as words in one spelling: whatever separates them, however versions are punctuated.

No word is dropped that could tell one model from another: sizes, variants and revisions all stay.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from etl.identity import dates, vendors
from etl.identity.dates import Stamp

_SERVICE_REVISION = re.compile(r"-(v?)(\d+):(\d+)$")
_HOST_SUFFIX = re.compile(r"(@default|-maas)$")
_SPELLED_P = re.compile(r"(?<![^\W_])([a-z]*\d+)p(\d+[a-z]?)(?![^\W_])")
_GLUED = re.compile(rf"({'|'.join(sorted({*vendors.FAMILY, *vendors.MARKS}, key=len, reverse=True))})(v?\d.*)")
_MAJOR, _MINOR = re.compile(r"[vkm]?([1-9]\d?|0)"), re.compile(r"\dv?")
_NUMBER = re.compile(r"\d+(\.\d+)*")
_SIZE = re.compile(r"\d+(\.\d+)?[bmkt]|\d+x\d+b")
_TAG = re.compile(r"[a-z]+")
_POINT_OF_NO_NUMBER, _BETWEEN_WORDS = re.compile(r"(?<!\d)\.|\.(?!\d)"), re.compile(r"[^\w.@]+|_+")
_VERSION, _MARKED_VERSION, _NOUGHT = re.compile(r"v\d.*"), re.compile(r"v\d+(\.\d+)*"), re.compile(r"(?<=\d)\.0$")
_SAME_WORD = {"experimental": "exp", "nonreasoning": "non-reasoning", "nonthinking": "non-thinking"}
_TAG_WORDS = frozenset({"free", "batch"})
_PLAIN_VERSIONS = frozenset({"llama", "qwen", "gemma", "mixtral"})


@dataclass(frozen=True, slots=True)
class Name:
    """The words of a name in their order, its tags (``:free``), its date, and the rules that read it so."""

    words: tuple[str, ...]
    tags: frozenset[str]
    stamp: Stamp | None
    rules: tuple[str, ...]


def read_name(name: str) -> Name:
    """The words of a name that stands without its route."""
    rules: list[str] = []
    text = _noted(rules, "revision of the serving cloud dropped", name, _without_revision(name))
    text = _noted(rules, "suffix of the serving cloud dropped", text, _HOST_SUFFIX.sub("", text))
    text = unicodedata.normalize("NFKC", text).replace("+", "-plus ").replace("@", "-")
    text, tags = _tags(text)
    text, stamp, spelled = dates.take(text)
    text = _noted(rules, "p read as the dot of a version", text, _SPELLED_P.sub(r"\1.\2", text))
    words = [_SAME_WORD.get(word, word) for word in _BETWEEN_WORDS.split(_POINT_OF_NO_NUMBER.sub("-", text))]
    words = _joined([part for word in words if word for part in _unglued(word)])
    words = _negations(_dialects(words))
    while len(words) > 1 and words[-1] in _TAG_WORDS:
        tags, words = tags | {words[-1]}, words[:-1]
    placed = tuple(spelled.replace("_", "-") if word == "@" else word for word in words)
    if stamp is not None and stamp.is_full:
        placed = tuple(word for word in words if word != "@")
    return Name(words=placed, tags=tags, stamp=stamp, rules=tuple(rules))


def key_of(name: Name) -> tuple[str, ...]:
    """What every spelling and order of the words has in common, without the date.

    Where the order of the words may carry the meaning (two versions, two sizes, text to image), it is kept.
    """
    words = plain(name)
    numbers = sum(_NUMBER.fullmatch(word) is not None for word in words)
    sizes = sum(_SIZE.fullmatch(word) is not None for word in words)
    is_free = numbers <= 1 and sizes <= 1 and not {"to", "from", "on"} & set(words)
    return tuple(sorted(words)) if is_free else words


def has_digit(words: tuple[str, ...]) -> bool:
    """Whether any word holds a digit: a version, a size or a date."""
    return any(character.isdigit() for word in words for character in word)


def _noted(rules: list[str], rule: str, before: str, after: str) -> str:
    if before != after:
        rules.append(rule)
    return after


def _without_revision(name: str) -> str:
    """Without Bedrock's ``-v1:0``, or whatever revision stands behind a date; ``v0:2`` is the model's own v0.2."""
    found = _SERVICE_REVISION.search(name)
    if found is None:
        return name
    head, (v, major, minor) = name[: found.start()], found.groups()
    _, stamp, _ = dates.take(head[-10:] if "-" in head[-10:] else head[-8:])
    if (major, minor) == ("1", "0") or (stamp is not None and stamp.is_full):
        return head
    return f"{head}-{v}{major}" + ("" if minor == "0" else f".{minor}")


def _tags(text: str) -> tuple[str, frozenset[str]]:
    """What stands behind colons, when it is a word and no size: ``:free``, ``:thinking``."""
    head, *tail = text.split(":")
    tags = {part for part in tail if _TAG.fullmatch(part)}
    return "-".join([head, *(part for part in tail if part not in tags)]), frozenset(tags)


def _unglued(word: str) -> list[str]:
    """A family and the version that is glued to it: ``qwen2.5`` is ``qwen`` and ``2.5``."""
    found = _GLUED.fullmatch(word)
    return [found[1], found[2]] if found else [word]


def _joined(words: list[str]) -> list[str]:
    """Versions in one word: ``4 5`` is ``4.5`` when each is one digit (the first may be two), as in ``k2 5``."""
    joined: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        is_version = bool(rest) and _MAJOR.fullmatch(word) is not None and _MINOR.fullmatch(rest[0]) is not None
        if is_version and not (len(rest) > 1 and rest[1].isdigit() and len(rest[1]) == 1):
            word = f"{word}.{rest.pop(0)}"
        joined.append(word)
    return joined


def _dialects(words: list[str]) -> list[str]:
    """Spellings that only one family has."""
    if words[:3] == ["gpt", "35", "turbo"]:
        words = ["gpt", "3.5", *words[2:]]
    if "gemma" in words:
        words = ["it" if word == "instruct" else word for word in words]
    if "llama" in words and words[-1] == "hf":
        words = words[:-1]
    return [
        word[1:] if before in _PLAIN_VERSIONS and _VERSION.fullmatch(word) else word
        for before, word in zip(["", *words], words, strict=False)
    ]


def _negations(words: list[str]) -> list[str]:
    """``non reasoning`` is one word, lest another order of the words lose what it negates."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in ("non", "no"):
            joined[-1] = f"non-{word}"
        else:
            joined.append(word)
    return joined


@lru_cache(maxsize=10_000)
def _plain(word: str) -> str:
    """A version without its ``v`` and without ``.0``."""
    bare = word[1:] if _MARKED_VERSION.fullmatch(word) else word
    return _NOUGHT.sub("", bare)


def without_stamp(name: Name) -> tuple[str, ...]:
    """The words without a short date; a full one never stands among them."""
    stamp = name.stamp
    if stamp is None or stamp.is_full:
        return name.words
    return tuple(word for word in name.words if dates.take(word)[1] != stamp)


def plain(name: Name) -> tuple[str, ...]:
    """The words in their order, without the date, without what versions may be spelled with or without."""
    return tuple(_plain(word) for word in without_stamp(name))
