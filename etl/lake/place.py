"""Where an export goes: a local folder, or whatever pyarrow or fsspec reach by a URL, such as s3:// and gs://.

A place is ours once it has the mark. What else may stand there is never looked at, never changed, never removed.
"""

import contextlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem

from etl.concealment import redacted
from etl.database.lock import trying
from etl.errors import ConfigurationError, ExportError
from etl.files import atomic

MARK = ".etl-export"
LOCK = ".lock"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A folder of a file system; ``uri`` is how other programs name it, ``shown`` the same without credentials."""

    files: FileSystem
    root: str
    uri: str

    @classmethod
    def at(cls, spelling: str) -> Self:
        """The place of a path or a URL. Raises ``ConfigurationError`` for one that nobody can reach."""
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", spelling):
            path = Path(spelling).expanduser().absolute()
            return cls(files=LocalFileSystem(), root=str(path), uri=f"file://{path}")
        try:
            files, root = _reached(spelling)
        except (ImportError, OSError, ValueError, pa.ArrowException) as error:
            raise ConfigurationError(f"{redacted(spelling)} is no place for an export: {_said(error)}") from None
        root = root.rstrip("/")
        if not root:
            raise ConfigurationError(
                f"{redacted(spelling)} is no place for an export: name a bucket, and a folder in it"
            )
        is_local = isinstance(files, LocalFileSystem)
        # Whoever reads the URL of a local folder in a table takes it literally, per cent signs too.
        return cls(files=files, root=root, uri=f"file://{root}" if is_local else spelling.rstrip("/"))

    @property
    def shown(self) -> str:
        """How it is named to a person."""
        return self.root if self.is_local else redacted(self.uri)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return isinstance(self.files, LocalFileSystem)

    def read(self, path: str) -> bytes | None:
        """What a file holds; null when it is not there. Raises ``ExportError``."""
        with self._explained(), contextlib.suppress(FileNotFoundError), self._opened(path) as stream:
            return bytes(stream.read())
        return None

    def write(self, path: str, content: pa.Buffer | bytes) -> None:
        """Have a file there, whole or not at all. Raises ``ExportError``."""
        with self._explained():
            if self.is_local:
                place = Path(self.root, path)
                place.parent.mkdir(parents=True, exist_ok=True)
                atomic.write(place, [content])
                return
            # An object store shows an object when it is closed, and knows no folders.
            self.files.create_dir(f"{self.root}/{path}".rpartition("/")[0])
            with self.files.open_output_stream(f"{self.root}/{path}") as stream:
                stream.write(content)

    def delete(self, path: str) -> None:
        """Have a file there no more. Raises ``ExportError``."""
        with self._explained(), contextlib.suppress(FileNotFoundError):
            self.files.delete_file(f"{self.root}/{path}")

    def listed(self, folder: str = "", *, deep: bool = True) -> dict[str, int]:
        """The files below a folder with their sizes; without ``deep`` its own entries alone, folders too, as -1."""
        top = f"{self.root}/{folder}".rstrip("/")
        with self._explained():
            found = self.files.get_file_info(FileSelector(top, recursive=deep, allow_not_found=True))
        start = len(self.root.strip("/")) + 1
        sizes = {each.path.strip("/")[start:]: each.size if each.type == FileType.File else -1 for each in found}
        return {path: size for path, size in sizes.items() if size >= 0 or not deep}

    def require_ours(self, kind: str) -> None:
        """Raise ``ConfigurationError`` unless the place is empty, or marked for exports of this kind."""
        with self._explained():
            if self.files.get_file_info(self.root).type == FileType.File:
                raise ConfigurationError(f"{self.shown} is a file: name a folder")
        mark = self.read(MARK)
        if mark is None and self.listed(deep=False):
            raise ConfigurationError(f"{self.shown} holds other things and no export: name an empty folder")
        there = (mark or b"").decode(errors="replace").strip()
        if mark is not None and there != kind:
            raise ConfigurationError(f"{self.shown} holds an export as {there}, not as {kind}: name another folder")

    @contextmanager
    def taken(self, kind: str) -> Iterator[None]:
        """Mark the place, and, where it is local, be the only one who writes there. Raises ``ExportError``."""
        with contextlib.ExitStack() as stack:
            if self.is_local:
                with self._explained():
                    Path(self.root).mkdir(parents=True, exist_ok=True)
                    lock = stack.enter_context(trying(Path(self.root, LOCK)))
                if lock is None:
                    raise ExportError(f"{self.shown}: another process exports into it: wait until it is done")
            if self.read(MARK) is None:
                self.write(MARK, f"{kind}\n".encode())
            yield

    def _opened(self, path: str) -> pa.NativeFile:
        return self.files.open_input_stream(f"{self.root}/{path}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            what = f"{self.shown}: {_said(error)}"
            raise ExportError(f"{what}; what was exported before stands, mend it or name another place") from None


def _reached(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it: pyarrow's own, else that of fsspec."""
    try:
        files, root = FileSystem.from_uri(url)
    except pa.ArrowInvalid as error:
        if "Unrecognized filesystem type" not in str(error):
            raise
        files, root = FileSystem.from_uri(f"fsspec+{url}")
    return files, str(root)


def _said(error: BaseException) -> str:
    """What a file system said, on one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
