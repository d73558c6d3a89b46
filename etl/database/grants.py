"""What others were granted on the mart: kept while the mart is replaced."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from etl.database.driver import run_script


class Grant(NamedTuple):
    """One privilege: on what, the function of Postgres that finds it, and the SQL that grants it again."""

    identity: str
    finder: str
    again: str


def granted(connection: Connection) -> list[Grant]:
    """Return what others were granted on the objects of the mart."""
    return [Grant(*row) for row in connection.execute(_GRANTS)]


def grant_again(connection: Connection, grants: list[Grant]) -> None:
    """Grant it again on what is still there."""
    for each in grants:
        if connection.scalar(text(f"SELECT {each.finder}(:identity)"), {"identity": each.identity}):
            run_script(connection, each.again)


_GRANTS = text(
    """
    SELECT object.identity, object.finder,
           format('GRANT %s ON %s %s TO %s%s', a.privilege_type, object.kind, object.identity,
                  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS again
      FROM (SELECT 'TABLE' AS kind, 'to_regclass' AS finder, format('mart.%I', relname) AS identity, relacl AS acl,
                   relowner AS owner
              FROM pg_class WHERE relnamespace = to_regnamespace('mart') AND relkind IN ('v', 'm')
            UNION ALL
            SELECT 'FUNCTION', 'to_regprocedure', oid::regprocedure::text, proacl, proowner
              FROM pg_proc WHERE pronamespace = to_regnamespace('mart')) object
     CROSS JOIN LATERAL aclexplode(object.acl) a
     WHERE a.grantee <> object.owner AND (object.kind = 'TABLE' OR a.grantee <> 0)
    """
)
"""What others were granted: it outlives the replacement of what they were granted it on, while there is such a thing.

Everybody may call a function unless somebody says otherwise, so that what everybody may do says nothing.
"""
