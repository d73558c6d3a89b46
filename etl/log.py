"""Events for whoever watches: one line each on stderr, so that stdout stays what was asked for.

For people on a terminal, JSON otherwise; docs/logs.md lists the events and what is none.
"""

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec
import stamina
import structlog
from stamina.instrumentation import RetryDetails
from structlog.typing import EventDict, Processor

from etl.concealment import conceal, on_one_line, redacted

__all__ = ["Format", "conceal", "configure", "crashed", "is_whole", "narrate", "say"]

Format = Literal["auto", "human", "json"]

_JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)

_FIRST = ("timestamp", "level", "event", "logger", "source", "run")
"""The keys that an event begins with, where it has them; its facts follow."""

_PROGRAM = logging.getLogger("etl")

_RUNS = logging.getLogger("etl.run")
"""How runs begin and end, well or not: a command that people look at says so itself."""

_DEEPEST_FRAMES = 20

_PLAIN = (bool, float, Decimal, date, type(None))
"""Facts that are written as they are."""


def configure(form: Format = "auto") -> None:
    """Send what this program and its libraries have to say to stderr in one form; the last call counts.

    ``auto`` is for people when stderr is a terminal, else JSON. Only warnings are written until ``narrate``.
    """
    is_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    _listen(_Stderr(is_json=is_json, is_whole=form == "json"))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_ABOUT,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    if not _PROGRAM.isEnabledFor(logging.INFO):
        _RUNS.setLevel(logging.CRITICAL)
    stamina.instrumentation.set_on_retry_hooks([_announce])


def narrate(*, even_to_people: bool = False) -> None:
    """From now on write what goes well, too, for machines; people look at the display of a command, if it has one."""
    if even_to_people or _is_json():
        _PROGRAM.setLevel(logging.INFO)
        _RUNS.setLevel(logging.NOTSET)


def is_whole() -> bool:
    """Whether stderr is to hold events and nothing else, because JSON was asked for by its name."""
    return any(isinstance(handler, _Stderr) and handler.is_whole for handler in logging.getLogger().handlers)


def say(line: str) -> None:
    """Say as an event what would be a plain line for a person; how it begins tells how grave it is."""
    words = logging.getLogger("etl.cli")
    words.setLevel(logging.INFO)
    grave = {"etl:": logging.ERROR, "warning:": logging.WARNING}
    structlog.get_logger("etl.cli").log(grave.get(line.partition(" ")[0], logging.INFO), line)


def crashed(error: BaseException) -> None:
    """Say what nobody foresaw, with all that is needed to mend it: an event, or for people a traceback."""
    if _is_json():
        structlog.get_logger("etl").critical("crashed", exc_info=error)
    else:
        sys.stderr.write(redacted("".join(traceback.format_exception(error))))


class _Stderr(logging.Handler):
    """Writes each record as one line to what is stderr at that moment: a progress display takes its place."""

    def __init__(self, *, is_json: bool, is_whole: bool) -> None:
        super().__init__()
        self.is_json = is_json
        self.is_whole = is_whole
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=_ABOUT,
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.TimeStamper(fmt="iso" if is_json else "%Y-%m-%dT%H:%M:%SZ", utc=True),
                    _unfold,
                    _redact,
                    _as_json if is_json else _as_line,
                ],
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a stderr that nobody reads any more is no reason to stop."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass
        except Exception:  # noqa: BLE001  as every handler: what cannot be written is said and forgotten
            self.handleError(record)


def _listen(handler: _Stderr) -> None:
    """Put the handler in the place of an earlier one."""
    root = logging.getLogger()
    for former in root.handlers[:]:
        if isinstance(former, _Stderr):
            root.removeHandler(former)
    root.addHandler(handler)
    # Below that libraries chat: httpx would print every url, apscheduler every job.
    root.setLevel(logging.WARNING)


def _is_json() -> bool:
    return any(isinstance(handler, _Stderr) and handler.is_json for handler in logging.getLogger().handlers)


def _unfold(_: Any, __: str, facts: EventDict) -> EventDict:
    """An exception as facts: its type, its message, and the way to it, outermost first."""
    facts.pop("stack_info", None)
    raised = facts.pop("exc_info", None)
    error = raised[1] if isinstance(raised, tuple) else sys.exception() if raised is True else raised
    if not isinstance(error, BaseException):
        return facts
    frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST_FRAMES:]
    trace = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {**facts, "raised": type(error).__name__, "message": str(error), "trace": trace}


def _redact(_: Any, __: str, facts: EventDict) -> EventDict:
    told: EventDict = _told(facts)
    return told


def _told(value: Any) -> Any:
    """A fact as it may be written: texts on one line and without secrets, the rest by what it says of itself."""
    match value:
        case _ if isinstance(value, _PLAIN):
            return value
        case int():
            return value if abs(value) < 2**63 else str(value)
        case Mapping():
            return {on_one_line(redacted(str(name))): _told(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_told(each) for each in value]
        case BaseException():
            return _told(f"{type(value).__name__}: {value}")
        case _:
            return on_one_line(redacted(str(value)))


def _as_json(_: Any, __: str, facts: EventDict) -> str:
    ordered = {name: facts[name] for name in _FIRST if name in facts} | dict(facts)
    return _JSON.encode(ordered).decode()


def _as_line(logger: Any, name: str, facts: EventDict) -> str:
    shown = {fact: value for fact, value in facts.items() if fact not in ("logger", "trace")}
    return on_one_line(_SHOWN(logger, name, shown))


_SHOWN = structlog.dev.ConsoleRenderer(colors=False, pad_level=False, pad_event_to=0)

_ABOUT: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
]
"""What every event is told with: the source and the run that are bound where it happens, level, logger."""


def _announce(details: RetryDetails) -> None:
    """A gateway was asked in vain and will be asked again; the reason holds no secret."""
    reason = str(details.caused_by)
    structlog.get_logger("etl.extract").warning("asking again", seconds=round(details.wait_for, 1), because=reason)
