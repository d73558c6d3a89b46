"""What a check found, in words for a person: a line with what is, and what to do about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from etl.errors import ConfigurationError, EtlError, in_short


class Status(StrEnum):
    """How it stands; what was skipped could not be looked at, because of something else."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line. ``exit_status`` is what the command has to end with because of it, if nothing is worse."""

    check: str
    status: Status
    found: str
    remedy: str | None = None
    exit_status: int = 0


def ok(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check=check, status=Status.OK, found=found)


def warning(check: str, found: str, remedy: str) -> Finding:
    """Something to know of, that stops nothing."""
    return Finding(check=check, status=Status.WARNING, found=found, remedy=remedy)


def failed(check: str, found: str, remedy: str | None = None) -> Finding:
    """Something that stops work."""
    return Finding(check=check, status=Status.FAILED, found=found, remedy=remedy, exit_status=1)


def skipped(check: str, why: str) -> Finding:
    """Nothing to look at."""
    return Finding(check=check, status=Status.SKIPPED, found=why)


def refused(check: str, error: EtlError, *, name: str = "") -> Finding:
    """The one line of an error, taken apart; ``name`` is not repeated. A wrong configuration is the worst there is."""
    line = str(error).removeprefix(f"{name}: ")
    found, _, remedy = line.rpartition("; ") if "; " in line else (line, "", "")
    status = 2 if isinstance(error, ConfigurationError) else 1
    return Finding(check=check, status=Status.FAILED, found=found, remedy=remedy or None, exit_status=status)


def examined(check: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a check finds; a check that breaks is itself a finding, and the others go on."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except EtlError as error:
        found.append(refused(check, error))
    except Exception as error:  # noqa: BLE001  whoever asks what is broken must be answered, whatever it is
        found.append(failed(check, in_short(error), "this check itself broke: please report it"))
    return found
