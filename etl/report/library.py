"""Plotly's library as a page carries it: packed, and allowed by its digest alone."""

import base64
import gzip
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

EMPTY = ""
"""The library makes style elements without text and fills them by rules, which a policy lets through by this text."""


class Library(NamedTuple):
    """The library: ``packed`` by gzip as base64, its ``digest``, and ``styles``: ids of style sheets that it would add.

    Those are for maps, of which a page has none; where an element has such an id, the library adds nothing.
    """

    packed: str
    digest: str
    styles: tuple[str, ...]


@cache
def library() -> Library:
    """The library of the installed Plotly. The same every time, so that a page is the same when its facts are."""
    code = (files("plotly") / "package_data" / "plotly.min.js").read_text("utf-8")
    styles = dict.fromkeys(re.findall(r'getElementById\("([0-9a-f]{64})"\)', code))
    return Library(packed(code), digest(code), tuple(styles))


def packed(text: str) -> str:
    """A text as a page carries it."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def digest(text: str) -> str:
    """A text as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
