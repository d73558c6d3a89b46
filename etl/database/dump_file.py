"""What pg_dump wrote, read with pg_restore: what is in it, whether all of it can be read, its SQL and its rows."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import IO

from etl.errors import DatabaseError


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of the table of contents: ``TABLE DATA``, ``core``, ``price``."""

    kind: str
    schema: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """The rows of one table: the statement that takes them, and pieces of what it reads."""

    copy: str
    pieces: Iterator[bytes]

    @property
    def schema(self) -> str:
        """The schema of the table, as it is quoted."""
        return self.copy.removeprefix("COPY ").partition(".")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class DumpFile:
    """A dump in one of the archive formats, and the pg_restore that reads it. Nothing here touches a database.

    All methods raise ``DatabaseError`` when the file cannot be read to its end.
    """

    pg_restore: str
    path: Path

    def entries(self) -> list[Entry]:
        """Return what is in the dump."""
        found = map(_ENTRY.match, self._read("--list").splitlines())
        return [Entry(kind=each["kind"], schema=each["schema"], name=each["name"]) for each in found if each]

    def require_readable(self) -> None:
        """Read and decompress all of it, rows too, and keep nothing."""
        with self._output("--file=-") as output:
            while output.read(_PIECE):
                pass

    def revision(self) -> str | None:
        """Return the revision of the schema that was dumped; null when the dump is not of a warehouse."""
        with self._output("--data-only", "--schema=public", "--table=schema_revision", "--file=-") as output:
            for rows in _tables(output):
                if isinstance(rows, Rows):
                    return b"".join(rows.pieces).decode().strip()
        return None

    def sql(self, section: str) -> str:
        """Return the SQL of a section without rows: ``pre-data`` or ``post-data``.

        A newer pg_restore begins with a setting that an older server does not know, and writes commands for psql.
        """
        lines = self._read(*_NOBODYS, f"--section={section}", "--file=-").splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(_NOT_FOR_A_SERVER))

    @contextmanager
    def rows(self) -> Iterator[Iterator[Rows | str]]:
        """Give the rows of each table, to be read one after the other, and statements that set sequences."""
        with self._output(*_NOBODYS, "--section=data", "--file=-") as output:
            yield _tables(output)

    def _read(self, *options: str) -> str:
        with self._output(*options) as output:
            return output.read().decode()

    @contextmanager
    def _output(self, *options: str) -> Iterator[IO[bytes]]:
        with tempfile.TemporaryFile() as errors:
            command = [self.pg_restore, *options, str(self.path.absolute())]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process:  # noqa: S603  of Postgres
                assert process.stdout is not None  # noqa: S101  it is a pipe
                try:
                    yield process.stdout
                    process.stdout.read()
                finally:
                    process.stdout.close()
            if process.returncode:
                errors.seek(0)
                raise DatabaseError(" ".join(errors.read(_PIECE).decode(errors="replace").split())[:300])


def _tables(output: IO[bytes]) -> Iterator[Rows | str]:
    """Take the SQL of the section with the rows apart. What is not known raises: it might be rows, too."""
    for line in output:
        if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
            lines = takewhile(lambda each: each != b"\\.\n", output)
            yield Rows(copy=line.decode().removesuffix(";\n"), pieces=_pieces(lines))
        elif line.startswith(b"SELECT pg_catalog.setval("):
            yield line.decode()
        elif not line.startswith(_WITHOUT_ROWS):
            raise DatabaseError("its rows are in another form than COPY: dump with `etl db dump -Fc`")


def _pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Join lines to pieces that are worth sending."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) > _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


_PIECE = 1 << 16
_NOBODYS = ("--no-owner", "--no-acl")
_NOT_FOR_A_SERVER = ("SET transaction_timeout", "\\restrict ", "\\unrestrict ")
_WITHOUT_ROWS = (b"\n", b"--", b"SET ", b"SELECT pg_catalog.set_config(", b"\\restrict ", b"\\unrestrict ")
_ENTRY = re.compile(r"\d+; \d+ \d+ (?P<kind>[A-Z][A-Z ]*) (?P<schema>\S+) (?P<name>.+) \S+$")
