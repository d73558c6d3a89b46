"""One Postgres cluster as a folder: what lies where, and how it comes into being.

HOME/postgres/data       the cluster itself
HOME/postgres/password   made together with the data and renamed together: the two can never disagree
HOME/postgres.log        what initdb and the server say
HOME/postgres.port       on which port the server listens, unless ETL_DB_PORT says another
HOME/postgres.lock       held by whoever is at work in here: the starter, then initdb, then the server
"""

import hmac
import os
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from etl.database.binaries import Binaries, find
from etl.database.unprivileged import account_for, entrance, hand_over, reachable, run
from etl.errors import DatabaseError
from etl.files import atomic
from etl.files.trust import distrust

SUPERUSER = "etl"
"""Makes the other roles and gives them the database; nothing else is done as this one."""

OWNER = "etl_owner"
"""Owns the database and all that is in it: migrations, and what people do by hand."""

VIEWER = "etl_viewer"
"""Reads the mart: for BI tools."""

_ACCESS = "# Written once by etl: from this machine only, and never without the password.\n"
_ACCESS += "host all all 127.0.0.1/32 scram-sha-256\n"
_BUILTIN_LOCALES = 17
"""Since this major version Postgres brings C.UTF-8 along; before, only C is sure to be there."""
_INITDB_SECONDS = 300
_LOG_BYTES = 8 * 2**20
_TELLING = ("No space left", "PANIC:", "FATAL:", "error:")
"""What marks a line of the log as the reason for a failure, the plainest first."""


@dataclass(frozen=True)
class Cluster:
    """The embedded cluster below ``home``."""

    home: Path

    @property
    def folder(self) -> Path:
        """Everything that belongs together."""
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        """What Postgres calls the data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What initdb and the server say."""
        return self.home / "postgres.log"

    @property
    def lock(self) -> Path:
        """Held while anybody is at work in here."""
        return self.home / "postgres.lock"

    @property
    def major(self) -> int | None:
        """The version of Postgres that made the data; None when there are none."""
        try:
            found = re.match(r"\d+", (self.data / "PG_VERSION").read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        return int(found[0]) if found else None

    @property
    def port(self) -> int | None:
        """The port that this cluster was given at its first start; None before it, or when it was always named."""
        try:
            return int((self.home / "postgres.port").read_text())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None

    def remember(self, port: int) -> None:
        """Keep the port for all later starts. Only under the lock."""
        _write(self.home / "postgres.port", f"{port}\n")

    def password(self, role: str = SUPERUSER) -> str:
        """The password of a role.

        Those of others follow from that of the superuser, which does not follow from them: there is one file to keep.
        """
        secret = (self.folder / "password").read_text()
        return secret if role == SUPERUSER else hmac.new(secret.encode(), role.encode(), "sha256").hexdigest()[:48]

    def prepare(self) -> None:
        """Make the home, and what is missing above it; only what we make is closed to others."""
        missing = [folder for folder in (self.home, *self.home.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.require_ours()

    def require_ours(self) -> None:
        """Raise DatabaseError when the home is another user's, or others may write it: they could move what is ours.

        A home that is not there has no owner yet.
        """
        try:
            why = distrust(self.home, self.home.stat())
        except (FileNotFoundError, NotADirectoryError):
            return
        if why:
            raise DatabaseError(f"ETL_HOME {self.home} {why}, or set ETL_HOME to a folder of your own")

    def tidy(self) -> None:
        """Remove what a killed initdb left and a log that grew for years.

        Only under the lock, which an initdb that outlived its starter would still hold.
        """
        for leftover in self.home.glob("postgres.new-*"):
            shutil.rmtree(leftover)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def open_log(self) -> BinaryIO:
        """Open the log at its end; statements that failed stand in it, so it is closed to others."""
        return os.fdopen(os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), "ab")

    def last_words(self, since: int) -> str:
        """The most telling line of the log after byte ``since``."""
        with self.log.open("rb") as log:
            log.seek(since)
            lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
        telling = [line for word in _TELLING for line in reversed(lines) if word in line]
        return (telling or lines[-1:] or ["it said nothing"])[0]

    def check_version(self, binaries: Binaries) -> None:
        """Raise DatabaseError when another major version than that of the programs made the data."""
        if self.major == binaries.major:
            return
        try:
            advice = f"set PGBIN={find(major=self.major).folder}"
        except DatabaseError:
            advice = f"set PGBIN to the programs of Postgres {self.major}"
        raise DatabaseError(
            f"{self.data} was made by Postgres {self.major}, but the programs in {binaries.folder} are Postgres "
            f"{binaries.version}: {advice}, or set ETL_HOME to another folder to begin anew"
        )

    def create(self, binaries: Binaries, lock: int) -> None:
        """Make the cluster in a temporary folder, and rename it when it is whole."""
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.home))
        try:
            (new / "data").mkdir(mode=0o700)
            _write(new / "password", secrets.token_hex(24))
            self._initdb(new, binaries, lock)
            _write(new / "data" / "pg_hba.conf", _ACCESS)
            atomic.sync_folder(new)
            new.rename(self.folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        atomic.sync_folder(self.home)

    def _initdb(self, new: Path, binaries: Binaries, lock: int) -> None:
        """Run initdb. It holds the lock too: should we be killed, it goes on for a while without us."""
        account = account_for(new / "data")
        hand_over(new, account)
        program = reachable(binaries, account).program("initdb")
        with entrance(new / "data", account) as (data, inherited), self.open_log() as log:
            since = log.tell()
            status = run(
                [program, f"--pgdata={data}", f"--pwfile={data}/../password", *_options(binaries.major)],
                account=account,
                descriptors=(lock, *inherited),
                output=log,
                seconds=_INITDB_SECONDS,
            )
        if status:
            said = self.last_words(since)
            raise DatabaseError(f"initdb {binaries.version} could not make {self.data}: {said} (see {self.log})")


def _options(major: int) -> list[str]:
    """Options for initdb that work where no locale is installed."""
    fixed = [f"--username={SUPERUSER}", "--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"]
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= _BUILTIN_LOCALES else []
    return [*fixed, "--no-instructions", "--locale=C", *builtin]


def _write(path: Path, text: str) -> None:
    """Write a small file that only its owner reads, and that survives a power failure; its owner stays who it was."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
