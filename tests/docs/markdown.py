"""What the documents contain: code blocks, links, commands."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING_OR_FENCE = re.compile(r"^#+ ([^\n]*)$|^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"`(etl [^`]*)`")


class Block(NamedTuple):
    """One fenced block of code."""

    language: str
    code: str


def blocks(document: Path, *languages: str) -> list[Block]:
    """The fenced blocks in these languages, or all, in order."""
    found = [Block(*fence) for fence in _FENCE.findall(document.read_text(encoding="utf-8"))]
    return [block for block in found if not languages or block.language in languages]


def headed(document: Path, *languages: str) -> Iterator[tuple[str, Block]]:
    """The fenced blocks in these languages, in order, each with the heading that it stands under."""
    heading = ""
    for title, language, code in _HEADING_OR_FENCE.findall(document.read_text(encoding="utf-8")):
        if title:
            heading = title
        elif language in languages:
            yield heading, Block(language, code)


def statements(sql: str) -> list[str]:
    """The statements of a block of SQL, one after the other; each ends with a semicolon at the end of a line."""
    return [part.strip() for part in re.split(r";[ ]*$", sql, flags=re.MULTILINE) if part.strip()]


def links(document: Path) -> Iterator[str]:
    """The targets of all links outside of code."""
    yield from _LINK.findall(_FENCE.sub("", document.read_text(encoding="utf-8")))


def anchors(document: Path) -> set[str]:
    """The anchors of the headings."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(document: Path) -> Iterator[str]:
    """Every ``etl …`` that the document shows, in the text and in blocks for the shell, without comments."""
    text = document.read_text(encoding="utf-8")
    yield from _COMMAND.findall(_FENCE.sub("", text))
    for block in blocks(document, "sh"):
        for line in block.code.splitlines():
            command = line.partition("#")[0].strip()
            if command.startswith("etl "):
                yield command


def cells(table: str) -> list[list[str]]:
    """The rows of a table as psql prints it, its headings first."""
    lines = [line for line in table.splitlines() if "-+-" not in line]
    return [[cell.strip() for cell in line.split("|")] for line in lines]
