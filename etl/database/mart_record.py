"""What is installed in the mart, object by object: the digests in ``core.mart_object``, and what differs from them.

``file`` is the digest of the object's file, ``definition`` of what the server gives as its definition, which a server
of another major version may spell otherwise.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, text


def files(connection: Connection) -> dict[str, str]:
    """Return the digest of the file from which each object was made."""
    return {row.name: row.file for row in connection.execute(_RECORDED)}


def drifted(connection: Connection) -> list[str]:
    """Return the objects that are not as ``install`` left them, changed or dropped by hand, sorted.

    A server of another major version may spell a definition otherwise: there only missing ones are found. A role that
    may not read ``core`` finds nothing.
    """
    if not connection.scalar(_HAS_RECORD):
        return []
    pin_path(connection)
    current = {row.name: row.definition for row in connection.execute(_DEFINITIONS)}
    expected = {row.name: row for row in connection.execute(_RECORDED)}
    return sorted(
        name
        for name, row in expected.items()
        if name not in current or (row.is_comparable and row.definition != current[name])
    )


def record(connection: Connection, digests: Mapping[str, str]) -> None:
    """Record the objects of the mart, which are there as they should be, with the digests of their files."""
    connection.execute(text("DELETE FROM core.mart_object"))
    connection.execute(_RECORD, [{"name": name, "file": digest} for name, digest in digests.items()])
    record_definitions(connection)


def record_definitions(connection: Connection) -> None:
    """Take the objects for what they should be; pg_restore leaves them spelled otherwise than they were installed."""
    pin_path(connection)
    if connection.scalar(_HAS_RECORD):
        current = [{"name": row.name, "definition": row.definition} for row in connection.execute(_DEFINITIONS)]
        connection.execute(_DEFINE, current)


def pin_path(connection: Connection) -> None:
    """Let definitions be written in one way, whatever the path of this session is."""
    connection.execute(text("SELECT set_config('search_path', '', true)"))


_HAS_RECORD = text(
    """
    SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE (n.nspname, c.relname) = ('core', 'mart_object')
                      AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
    """
)

_DEFINITIONS = text(
    """
    SELECT name, md5(string_agg(definition, ' ' ORDER BY definition)) AS definition
      FROM (SELECT relname AS name, concat(pg_get_viewdef(oid), reloptions) AS definition
              FROM pg_class WHERE relnamespace = to_regnamespace('mart') AND relkind IN ('v', 'm')
            UNION ALL
            SELECT proname, pg_get_functiondef(oid)
              FROM pg_proc WHERE pronamespace = to_regnamespace('mart') AND prokind IN ('f', 'p')) object
     GROUP BY name
    """
)

_RECORDED = text(
    """
    SELECT name, file, definition, server = current_setting('server_version_num')::integer / 10000 AS is_comparable
      FROM core.mart_object
    """
)

_RECORD = text("INSERT INTO core.mart_object (name, file, definition, server) VALUES (:name, :file, '', 0)")

_DEFINE = text(
    """
    UPDATE core.mart_object
       SET definition = :definition, server = current_setting('server_version_num')::integer / 10000
     WHERE name = :name
    """
)
