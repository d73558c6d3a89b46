"""The seconds of every contender as a chart: an SVG of bars, one group for each step."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from benchmarks._speed.goals import RATIOS
from benchmarks._speed.race import Cells
from benchmarks._speed.scenarios import Step

_WIDTH, _LEFT, _RIGHT, _BAR, _TITLE, _GAP = 900, 150, 170, 18, 26, 14
_COLOURS = {"ours": "#1f6feb", "limit": "#57606a"}
_OTHER = "#d0a215"


def chart(steps: Sequence[Step], cells: Cells) -> str:
    """The chart of one size. A line across a bar of ours is the goal."""
    longest = max(cell.median for cell in cells.values())
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    parts, y = [], 60
    for step in steps:
        parts.append(_text(16, y + 14, step.name, "bold"))
        y += _TITLE
        limit = cells[step.name, "limit"].median
        for (at, name), cell in cells.items():
            if at == step.name:
                goal = limit * RATIOS[step.name] if name == "ours" else None
                parts += _bar(y, name, cell.median, limit, scale)
                parts += _goal(y, goal, scale)
                y += _BAR + 3
        y += _GAP
    title = (
        f"One load of {steps[0].prices:,} prices ({steps[0].size / 1e6:.0f} MB of JSON): seconds, and times the limit"
    )
    style = "font-family:system-ui,sans-serif;font-size:13px"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 30}" width="{_WIDTH}" style="{style}">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n'
        + _text(16, 30, title, "bold", size=16)
        + "".join(parts)
        + _text(16, y + 12, "Median seconds; shorter is better. The red line is the goal for ours.", "normal")
        + "</svg>\n"
    )


def _bar(y: int, name: str, seconds: float, limit: float, scale: float) -> Iterator[str]:
    length = max(seconds * scale, 1)
    yield _text(_LEFT - 8, y + 14, name, "normal", anchor="end")
    yield f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" fill="{_COLOURS.get(name, _OTHER)}"/>\n'
    yield _text(_LEFT + length + 6, y + 14, f"{seconds:.2f} s  ({seconds / limit:.1f} ×)", "normal")


def _goal(y: int, seconds: float | None, scale: float) -> Iterator[str]:
    if seconds is not None:
        x = _LEFT + seconds * scale
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 3}" y2="{y + _BAR + 3}" stroke="#cf222e" stroke-width="2"/>\n'


def _text(x: float, y: float, text: str, weight: str, *, anchor: str = "start", size: int = 13) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}"'
        f' fill="#1f2328">{escape(text)}</text>\n'
    )
