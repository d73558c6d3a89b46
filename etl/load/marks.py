"""Marks of our own code: what was made by it is made anew once it has changed."""

import hashlib
from functools import cache
from importlib import resources


@cache
def mark(*packages: str) -> str:
    """A short text that changes with any module or table in the packages."""
    files = [file for package in packages for file in resources.files(package).iterdir()]
    texts = (file.read_bytes() for file in sorted(files, key=lambda file: file.name) if _is_ours(file.name))
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]


def _is_ours(name: str) -> bool:
    return name.endswith((".py", ".csv", ".sql"))
