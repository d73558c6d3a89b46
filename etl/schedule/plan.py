"""What the daemon works by until the next reload: the configuration, and the warehouse that it leads to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from etl.config import ConfiguredSource, Settings
from etl.pipeline import Pipeline
from etl.result import Result


def _nothing(*_: object) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The sources to pull, each by its own schedule, and what is done beside.

    ``require_ready`` raises ``DatabaseError`` or ``DBAPIError`` while the warehouse is not there with our schema, and
    brings back what it can. ``each_minute`` and ``after`` (a run, with its seconds) never raise.
    """

    pipeline: Pipeline
    settings: Settings
    sources: Mapping[str, ConfiguredSource]
    require_ready: Callable[[], None] = _nothing
    each_minute: Callable[[], None] = _nothing
    after: Callable[[Result, float], None] = _nothing
