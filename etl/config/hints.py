"""Near names, for whoever mistyped one."""

import difflib
from collections.abc import Iterable


def hint(word: str, known: Iterable[str], name: str) -> str:
    """What may have been meant, or what there is."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {near[0]}?" if near else f"{name}: {', '.join(words)}"
