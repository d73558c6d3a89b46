"""Whether a file or a folder can be trusted: whose it is, and who else may write it."""

import grp
import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path


def distrust(path: Path, found: os.stat_result) -> str | None:
    """Return why what ``found`` describes is not ours, and what to do; null when it is. Its path is for the message.

    Ours is what belongs to us or to root; for root under sudo also to the user who called it.
    """
    if found.st_uid not in _ourselves():
        return f"belongs to user {found.st_uid}: `chown` it to user {os.geteuid()} if you trust it"
    return writable(path, found)


def writable(path: Path, found: os.stat_result) -> str | None:
    """Return which other users may write it, and what to do; null when none may."""
    if found.st_mode & stat.S_IWOTH:
        return f"can be written by every user: `chmod o-w {path}`"
    if found.st_mode & stat.S_IWGRP and _has_others(found.st_gid):
        return f"can be written by other users of group {found.st_gid}: `chmod g-w {path}`"
    return None


def _ourselves() -> set[int]:
    caller = os.environ.get("SUDO_UID", "") if os.geteuid() == 0 else ""
    return {0, os.geteuid(), *([int(caller)] if caller.isdecimal() else [])}


def _has_others(group: int) -> bool:
    """Whether a group has members besides us: a user's private group, as most systems make one, has not."""
    if group == 0:
        return False
    ours = {pwd.getpwuid(uid).pw_name for uid in _ourselves() if _is_known(uid)}
    named: set[str] = set()
    with suppress(KeyError):
        named = set(grp.getgrgid(group).gr_mem)
    return bool((named | {user.pw_name for user in pwd.getpwall() if user.pw_gid == group}) - ours)


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
