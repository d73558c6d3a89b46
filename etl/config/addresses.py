"""Urls that are configured: whether it is one, and whether it carries what must not stand in a file."""

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, urlsplit

from etl.concealment import secret_values

_SCHEMES = ("http", "https")

_SECRET_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com", "discord.com", "discordapp.com", "webhook.office.com")
"""Hosts whose urls are their own password: whoever knows the path may post."""


def is_url(text: str) -> bool:
    """Whether it is http://host… or https://host…, without spaces or control characters, and with @ in user-info only.

    Elsewhere an @ is the end of a password with a / that nobody has encoded, and the beginning of it would be a host.
    """
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna")
    except ValueError:
        return False
    is_sound = text.isprintable() and " " not in text and "@" not in parts.path + parts.query + parts.fragment
    return is_sound and bool(host) and parts.scheme in _SCHEMES and _has_port(parts)


def _has_port(parts: SplitResult) -> bool:
    """Whether the port, if there is one, is a port."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def has_user_info(text: str) -> bool:
    """Whether a user or a password stands before the host; also in a text that is no url."""
    return "@" in text.partition("//")[2].partition("/")[0].partition("?")[0]


def has_password(text: str) -> bool:
    """Whether the url of a database carries a password, as user-info or in its query; also when it is none."""
    # A password may have any sign in it when nobody has encoded it, so its end is the last @.
    user_info = text.partition("//")[2].rpartition("@")[0]
    query = text.partition("?")[2]
    return bool(user_info.partition(":")[2]) or any(any(secret_values(*pair)) for pair in parse_qsl(query))


def carries_credential(text: str) -> bool:
    """Whether a url proves who we are: by user-info, or by a parameter of its query."""
    query = text.partition("?")[2]
    return has_user_info(text) or any(any(secret_values(*pair)) for pair in parse_qsl(query))


def is_overheard(text: str) -> bool:
    """Whether others can read what is sent to a url: over plain http, to another machine."""
    parts = urlsplit(text)
    host = parts.hostname or ""
    with suppress(ValueError):
        return parts.scheme == "http" and not ip_address(host).is_loopback
    return parts.scheme == "http" and host != "localhost" and not host.endswith(".localhost")


def is_secret(text: str) -> bool:
    """Whether whoever knows the url could use it: by user-info, by a value in its query, or by its very path."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return has_user_info(text)
    host = (parts.hostname or "").lower()
    is_telling = any(host == known or host.endswith(f".{known}") for known in _SECRET_HOSTS)
    return has_user_info(text) or bool(parse_qsl(parts.query)) or is_telling
