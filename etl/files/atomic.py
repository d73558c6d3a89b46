"""A file that is there whole or not at all, and never through a link that somebody else put in its place."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

PART = r"\.[0-9a-f]{16}\.part"
"""The name of a file that is being written, as a pattern; one that stays is of a process that was killed."""


def write(path: Path, pieces: Iterable[Any], *, mode: int = 0o666) -> None:
    """Write the pieces, which are bytes or buffers, beside a file and put them in its place at once, on the disk.

    A symbolic link of that name is replaced and not followed: in a folder that others may write, it would be theirs.
    Raises ``OSError``, and what was there stays.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(descriptor)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: a rename alone does not survive a power failure. Raises ``OSError``."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
