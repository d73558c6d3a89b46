r"""Text that a terminal only shows: nothing in it is obeyed, and nothing is beyond the alphabet of the terminal.

Names come from gateways. A sign that moves a cursor, colours what follows or turns the line around is spelled out, such
as ``\x1b``; what an encoding does not have is written with what it has.
"""

import codecs
import io
import sys
import unicodedata

PLAIN = {"→": "->", "…": "...", "·": "|", "×": "x", "÷": "/", "≈": "~"}
"""What we say in signs of our own, for encodings that lack them."""

_ERRORS = "etl.plain"


def legible(text: str) -> str:
    """The text with every sign spelled out that is no letter, mark or space, as stdout can show it."""
    shown = text if text.isprintable() else "".join(map(_visible, text))
    return fitting(shown)


def legible_lines(text: str) -> str:
    """Several lines of ours, in which only names are not."""
    return "\n".join(map(legible, text.split("\n")))


def fitting(text: str) -> str:
    """The text in the alphabet of stdout."""
    encoding = _encoding()
    return text.encode(encoding, _ERRORS).decode(encoding)


def has(characters: str) -> bool:
    """Whether stdout can show all of these characters."""
    try:
        characters.encode(_encoding())
    except UnicodeEncodeError:
        return False
    return True


def never_fail() -> None:
    """Let no character end a command, whichever way it is printed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def _visible(character: str) -> str:
    is_shown = character.isprintable() or unicodedata.category(character) == "Zs"
    return character if is_shown else _spelled(character)


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Called by the codec with what it cannot encode."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(PLAIN.get(each) or _spelled(each) for each in missing), error.end


codecs.register_error(_ERRORS, _plain)
