"""Talk to the embedded server: whether it answers, and whether it is ours."""

from dataclasses import dataclass

import psycopg

from etl.database.cluster import OWNER, SUPERUSER, Cluster
from etl.database.engine import PINNED
from etl.database.postmaster import Postmaster

HOST = "127.0.0.1"

_WHO_ARE_YOU = """
select pg_read_file('postmaster.pid'), current_setting('server_version'),
       exists (select from pg_database where datname = %s and pg_get_userbyid(datdba) = %s)
"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A server that knows our password and works in our folder; ``version`` is like ``18.4``.

    ``is_ready`` when our database is there and belongs to its owner, as it does once all roles are made.
    """

    postmaster: Postmaster
    version: str
    is_ready: bool


def ask(cluster: Cluster, database: str) -> Answer | None:
    """Ask the server that postmaster.pid names; None when none answers, or not the one of this folder.

    A pid proves nothing. The server has to know our password, which SCRAM proves in both directions, and has to see our
    postmaster.pid as its own, because a copy of the folder knows the password too.
    """
    postmaster = Postmaster.of(cluster.data)
    if postmaster is None:
        return None
    try:
        with connect(cluster, postmaster.port) as connection:
            asked = connection.execute(_WHO_ARE_YOU, [database, OWNER])
            text, version, is_ready = asked.fetchone() or ("", "", False)
    except psycopg.OperationalError:
        return None
    theirs = Postmaster.parse(text)
    if theirs is None or theirs.identity != postmaster.identity:
        return None
    return Answer(postmaster=postmaster, version=version.split()[0], is_ready=is_ready)


def connect(cluster: Cluster, port: int, database: str = "postgres") -> psycopg.Connection:
    """Connect as superuser. All is said explicitly, because PG… variables are meant for other servers."""
    return psycopg.connect(
        host=HOST,
        port=port,
        user=SUPERUSER,
        password=cluster.password(),
        dbname=database,
        autocommit=True,
        connect_timeout=5,
        sslmode="disable",
        gssencmode="disable",
        require_auth="scram-sha-256",
        options=PINNED,
        application_name="etl db",
    )
