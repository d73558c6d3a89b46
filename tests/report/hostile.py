"""Texts that try to be more than text, in every place where a gateway can put one."""

from typing import Any

from etl.report.facts import QUESTIONS, Facts

PAYLOADS = (
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "\"><svg onload=window.pwned=1>'",
    "<a href='javascript:window.pwned=1'>x</a>",
    "</title></style><!--<script>",
    "{{ 7 * 7 }}{% raw %}%{x}",
    "\u2028\u202e\x1b[31m",
)

OURS = {
    *("change", "cause", "meter", "currency", "price_state", "old_state", "new_state", "kind", "status", "problem"),
    "plan",
}
"""Columns whose words are ours, or chosen from."""


def poisoned(facts: Facts) -> Facts:
    """The same facts, where every text of a gateway carries a payload; what was alike stays alike."""
    seen: dict[str, str] = {}

    def poison(name: str, value: Any) -> Any:
        if not isinstance(value, str) or name in OURS or value == "*":
            return value
        return seen.setdefault(value, f"{value[:8]}{PAYLOADS[len(seen) % len(PAYLOADS)]}{len(seen)}")

    rows = {
        question: [{name: poison(name, value) for name, value in row.items()} for row in getattr(facts, question)]
        for question in QUESTIONS
    }
    return Facts(scope=facts.scope, **rows)
