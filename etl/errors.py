"""Every error that a user can meet, grouped by what happens next.

    EtlError
    ├── UsageError          nothing was started; exit status 2
    │   ├── ConfigurationError    a setting is wrong or missing
    │   ├── CredentialError       the variable that should hold a credential is unset
    │   └── DatabaseError         no database, or one with another schema
    ├── ExportError         an export could not be written; the one before it stands; exit status 1
    ├── ReportError         a report could not be made or written; the one before it stands; exit status 1
    ├── ArchiveError        a folder cannot take or give an archived body; nothing was dropped; exit status 1
    ├── SparkError          Spark did not start, or a job of it failed; exit status 1
    └── SourceError         this source's snapshot failed, the others go on; exit status 1
        ├── FetchError            nothing usable came, after the retries
        ├── AccessError           the gateway refused us; a retry would not help
        ├── ContractError         bytes came and were landed, but are not the catalog we know
        │   ├── OutOfReachError       they were archived, and are not where they were put
        │   └── DamagedError          the stored bytes are not those that were landed
        ├── IncompleteError       the walk contradicts itself, also after walking again
        ├── ClockError            the clock of this host is ahead: what it dates is landed, not loaded
        ├── ConflictError         another snapshot of this source has the same time
        └── SupersededError       the run was given up for dead, and another may have taken its place

An error carries facts in one line: what, where, what to do. It neither logs nor retries.
"""


class EtlError(Exception):
    """The root; ``exit_status`` is what the command line ends with."""

    exit_status = 1


class UsageError(EtlError):
    """Wrong usage or configuration: nothing was started."""

    exit_status = 2


class ConfigurationError(UsageError):
    """A setting is wrong or missing."""


class CredentialError(UsageError):
    """A source asked for by name has no credential."""


class DatabaseError(UsageError):
    """The database cannot be reached, or its schema is not the one this version needs."""


class ExportError(EtlError):
    """An export could not be written whole: what was exported before stands as it was."""


class ReportError(EtlError):
    """A report could not be made or written: what was in its place stands as it was."""


class ArchiveError(EtlError):
    """A folder cannot take an archived body, or does not give back what was put there; nothing was dropped."""


class SparkError(EtlError):
    """Spark did not start, or one of its jobs failed; what it had written is not the result."""


class SourceError(EtlError):
    """One source's snapshot failed; the others go on."""


class FetchError(SourceError):
    """Nothing usable came, after the retries."""


class AccessError(SourceError):
    """The gateway refused us; a retry would not help."""


class ContractError(SourceError):
    """Bytes came and were landed, but they are not the catalog we know."""


class OutOfReachError(ContractError):
    """The landed bytes were archived, and no folder gives them back now."""


class DamagedError(ContractError):
    """The stored bytes are not those that were landed."""


class IncompleteError(SourceError):
    """The walk contradicts itself, also after walking again."""


class ClockError(SourceError):
    """The clock of this host is ahead of the database's: a snapshot that it dates would hide all those before it."""


class ConflictError(SourceError):
    """Another snapshot of this source already has this time, with other content."""


class SupersededError(SourceError):
    """The run was given up for dead, and another may have taken its place: what it brought is not landed."""


def in_short(error: BaseException) -> str:
    """What went wrong, on one line of at most 300 characters: our own words, or the driver's, else with the type.

    Of a database's error that is without the statement and its values, which SQLAlchemy would add.
    """
    fault = getattr(error, "orig", None) or error
    is_plain = fault is not error or isinstance(error, EtlError)
    return " ".join((str(fault) if is_plain else f"{type(error).__name__}: {error}").split())[:300]
