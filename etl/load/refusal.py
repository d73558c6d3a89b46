"""What it means when the database refuses."""

from sqlalchemy.exc import DBAPIError

_DATA_ERRORS = ("22", "23", "54")
"""Classes of SQLSTATE in which the database refuses what we wrote: trying again would not help."""


def is_about_the_data(error: DBAPIError) -> bool:
    """Whether the database refuses what we wrote, rather than to work at all."""
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_DATA_ERRORS)


def refusal(error: DBAPIError) -> str:
    """What the database has against our data, without the data."""
    primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    return f"the database refuses it: {primary or error.orig}"
