"""Urls that are configured: whether it is one, and whether it carries what must not stand in a file."""

from urllib.parse import parse_qsl, urlsplit

_SHOWN = {"http", "https"}

_SECRET_PATHS = {"hooks.slack.com", "hooks.slack-gov.com", "discord.com", "discordapp.com"}
"""Hosts whose urls are their own password: whoever knows the path may post."""


def is_url(text: str) -> bool:
    """Whether it is http://host… or https://host…, without spaces or control characters."""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna")
        return bool(host) and parts.scheme in _SHOWN and parts.port != 0 and text.isprintable() and " " not in text
    except ValueError:
        return False


def has_user_info(text: str) -> bool:
    """Whether a user or a password stands before the host; also in a text that is no url."""
    return "@" in text.partition("://")[2].partition("/")[0]


def is_secret(text: str) -> bool:
    """Whether whoever knows the url could use it: by user-info, by a value in its query, or by its very path."""
    if has_user_info(text):
        return True
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parse_qsl(parts.query)) or (parts.hostname or "").lower() in _SECRET_PATHS
