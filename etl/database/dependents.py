"""What hangs on objects of the database: views of analysts on the mart, and whatever hangs on those in turn.

The catalog of Postgres records which object needs which. Each dependent comes with the SQL that drops it and the SQL
that creates it again, with its owner, grants and comments; objects whose removal would lose data have neither.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter

from sqlalchemy import Connection, text

OURS = ("raw", "core", "mart")
"""The schemas of the warehouse: what lies in them is created and dropped by this program."""

Object = tuple[int, int]
"""An object as ``pg_depend`` knows it: the oid of its catalog and its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dependent:
    """One object. ``drop`` and ``create`` are SQL, both null where a person has to decide what becomes of it."""

    kind: str
    name: str
    owner: str
    is_ours: bool
    drop: str | None
    create: str | None

    def __str__(self) -> str:
        """Return how a message names it."""
        return f"{self.kind} {self.name} (owner {self.owner})"


def hanging_on(connection: Connection, roots: Iterable[Object]) -> list[Dependent]:
    """Return all that hangs on the objects, directly or not, each after what it hangs on itself.

    The definitions are to be run in this order, the drops in the opposite one.
    """
    known = set(roots)
    graph: dict[Object, set[Object]] = {}
    for row in connection.execute(_EDGES, _arrays(known)):
        graph.setdefault((row.catalog, row.id), set()).add((row.on_catalog, row.on_id))
    order = [each for each in TopologicalSorter(graph).static_order() if each in graph and each not in known]
    # With an empty path every name in a definition is written with its schema.
    before = connection.scalar(text("SELECT current_setting('search_path')"))
    connection.execute(_SET_PATH, {"path": ""})
    found = connection.execute(_DESCRIBED, _arrays(order)).all()
    connection.execute(_SET_PATH, {"path": before})
    return [
        Dependent(
            kind=row.kind,
            name=row.name,
            owner=row.owner,
            is_ours=row.schema in OURS,
            drop=row.drop if row.create else None,
            create=";\n".join([row.create, *row.more]) if row.create else None,
        )
        for row in found
    ]


def of_the_warehouse(connection: Connection) -> list[Dependent]:
    """Return what others created and what hangs on ``raw``, ``core`` or ``mart``, each after what it hangs on."""
    roots = [(row.catalog, row.id) for row in connection.execute(_ROOTS, {"schemas": list(OURS)})]
    return [each for each in hanging_on(connection, roots) if not each.is_ours]


def drops(found: Iterable[Dependent]) -> str:
    """Return the SQL that drops them all, or says in a comment which a person has to deal with."""
    lines = [_by_hand(each) if each.drop is None else f"{each.drop};" for each in reversed(list(found))]
    return "".join(f"{line}\n" for line in lines)


def creations(found: Iterable[Dependent]) -> str:
    """Return the SQL that creates them all again."""
    return "".join(f"-- {_one_line(str(each))}\n{each.create};\n\n" for each in found if each.create is not None)


def _arrays(objects: Iterable[Object]) -> dict[str, list[int]]:
    pairs = list(objects)
    return {"catalogs": [catalog for catalog, _ in pairs], "ids": [id_ for _, id_ in pairs]}


def _by_hand(each: Dependent) -> str:
    return f"-- by hand: {_one_line(str(each))}; dropping it would lose more than a definition"


def _one_line(name: str) -> str:
    return " ".join(name.split())


_SET_PATH = text("SELECT set_config('search_path', :path, true)")

_ROOTS = text(
    """
    SELECT 'pg_class'::regclass::oid::bigint AS catalog, oid::bigint AS id
      FROM pg_class WHERE relnamespace::regnamespace::text = ANY (:schemas) AND relkind IN ('r', 'v', 'm')
    UNION ALL
    SELECT 'pg_proc'::regclass::oid::bigint, oid::bigint
      FROM pg_proc WHERE pronamespace::regnamespace::text = ANY (:schemas)
    ORDER BY 1, 2
    """
)

_EDGES = text(
    """
    WITH RECURSIVE relation AS (
        -- A view is its rule, and the row type of a relation or an array of it is that relation.
        SELECT 'pg_rewrite'::regclass AS catalog, oid AS id, ev_class AS relation
          FROM pg_rewrite WHERE rulename = '_RETURN'
        UNION ALL
        SELECT 'pg_type'::regclass, oid, typrelid FROM pg_type WHERE typrelid <> 0
        UNION ALL
        SELECT 'pg_type'::regclass, a.oid, t.typrelid FROM pg_type t JOIN pg_type a ON a.oid = t.typarray
         WHERE t.typrelid <> 0
    ), edge AS (
        SELECT DISTINCT CASE WHEN r.id IS NULL THEN d.classid ELSE 'pg_class'::regclass END AS catalog,
               coalesce(r.relation, d.objid) AS id,
               CASE WHEN o.id IS NULL THEN d.refclassid ELSE 'pg_class'::regclass END AS on_catalog,
               coalesce(o.relation, d.refobjid) AS on_id
          FROM pg_depend d
          LEFT JOIN relation r ON r.catalog = d.classid AND r.id = d.objid
          LEFT JOIN relation o ON o.catalog = d.refclassid AND o.id = d.refobjid
         WHERE d.deptype IN ('n', 'a', 'i') AND d.objid >= 16384
    ), hanging AS (
        SELECT e.* FROM edge e
          JOIN unnest(CAST(:catalogs AS oid[]), CAST(:ids AS oid[])) root (catalog, id)
            ON (root.catalog, root.id) = (e.on_catalog, e.on_id)
        UNION
        SELECT e.* FROM edge e JOIN hanging h ON (h.catalog, h.id) = (e.on_catalog, e.on_id)
         -- What is dropped or not is a column of a table, not what else hangs on that table.
         WHERE NOT EXISTS (SELECT FROM pg_class c
                            WHERE h.catalog = 'pg_class'::regclass AND c.oid = h.id AND c.relkind IN ('r', 'p', 'f'))
    )
    SELECT catalog::bigint, id::bigint, on_catalog::bigint, on_id::bigint
      FROM hanging h
     WHERE (catalog, id) <> (on_catalog, on_id)
       AND NOT EXISTS (SELECT FROM pg_class c WHERE h.catalog = 'pg_class'::regclass AND c.oid = h.id
                          AND (c.relkind = 'S' OR c.relnamespace = 'pg_toast'::regnamespace))
       AND NOT EXISTS (SELECT FROM pg_trigger t WHERE h.catalog = 'pg_trigger'::regclass AND t.oid = h.id
                          AND t.tgisinternal)
     ORDER BY 1, 2, 3, 4
    """
)

_DESCRIBED = text(
    """
    SELECT ident.type AS kind, ident.identity AS name,
           pg_get_userbyid(coalesce(c.relowner, p.proowner, y.typowner)) AS owner,
           coalesce(n.nspname, ident.schema) AS schema,
           CASE ident.type
                WHEN 'function' THEN 'DROP FUNCTION ' || ident.identity
                WHEN 'procedure' THEN 'DROP PROCEDURE ' || ident.identity
                WHEN 'statistics object' THEN 'DROP STATISTICS ' || ident.identity
                WHEN 'table constraint' THEN format('ALTER TABLE %s DROP CONSTRAINT %I', rel.name, k.conname)
                WHEN 'default value' THEN format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', rel.name, col.attname)
                ELSE format('DROP %s %s', upper(ident.type), ident.identity) END AS drop,
           CASE ident.type
                WHEN 'view' THEN format(E'CREATE VIEW %s%s AS\\n%s', ident.identity, rel.options,
                    rtrim(pg_get_viewdef(c.oid), ';'))
                WHEN 'materialized view' THEN format(E'CREATE MATERIALIZED VIEW %s USING %I%s%s AS\\n%s%s',
                    ident.identity, am.amname, rel.options, ' TABLESPACE ' || quote_ident(space.spcname),
                    rtrim(pg_get_viewdef(c.oid), ';'), CASE WHEN c.relispopulated THEN '' ELSE E'\\n  WITH NO DATA' END)
                WHEN 'function' THEN rtrim(pg_get_functiondef(p.oid), E'\\n')
                WHEN 'procedure' THEN rtrim(pg_get_functiondef(p.oid), E'\\n')
                WHEN 'index' THEN pg_get_indexdef(c.oid)
                WHEN 'rule' THEN rtrim(pg_get_ruledef(r.oid), ';')
                WHEN 'trigger' THEN pg_get_triggerdef(t.oid)
                WHEN 'statistics object' THEN pg_get_statisticsobjdef(s.oid)
                WHEN 'table constraint' THEN format('ALTER TABLE %s ADD CONSTRAINT %I %s', rel.name, k.conname,
                    pg_get_constraintdef(k.oid))
                WHEN 'default value' THEN CASE WHEN col.attgenerated = '' THEN
                    format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', rel.name, col.attname,
                    pg_get_expr(a.adbin, a.adrelid)) END
                WHEN 'policy' THEN format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', o.polname, rel.name,
                    CASE WHEN o.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                    CASE o.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                  WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                    (SELECT string_agg(CASE each WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(each)) END, ', ')
                       FROM unnest(o.polroles) each))
                    || coalesce(' USING (' || pg_get_expr(o.polqual, o.polrelid) || ')', '')
                    || coalesce(' WITH CHECK (' || pg_get_expr(o.polwithcheck, o.polrelid) || ')', '')
                END AS create,
           ARRAY(
               SELECT format('ALTER %s %s OWNER TO %I', upper(ident.type), ident.identity,
                             pg_get_userbyid(coalesce(c.relowner, p.proowner)))
                WHERE ident.type IN ('view', 'materialized view', 'function', 'procedure')
               UNION ALL
               SELECT format('REVOKE ALL ON %s %s FROM PUBLIC', upper(ident.type), ident.identity)
                WHERE p.proacl IS NOT NULL AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) WHERE grantee = 0)
               UNION ALL
               SELECT format('GRANT %s ON %s %s TO %s%s', g.privilege_type,
                             CASE WHEN p.oid IS NULL THEN 'TABLE' ELSE upper(ident.type) END, ident.identity,
                             CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
                             CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                 FROM aclexplode(coalesce(p.proacl, c.relacl)) g
                WHERE g.grantee <> coalesce(c.relowner, p.proowner)
               UNION ALL
               SELECT format('GRANT %s (%I) ON TABLE %s TO %s%s', g.privilege_type, col.attname, ident.identity,
                             CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
                             CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                 FROM pg_attribute col CROSS JOIN aclexplode(col.attacl) g WHERE col.attrelid = c.oid
               UNION ALL
               SELECT format('COMMENT ON %s %s IS %L',
                             CASE ident.type WHEN 'table constraint' THEN 'CONSTRAINT' WHEN 'statistics object'
                             THEN 'STATISTICS' ELSE upper(ident.type) END, ident.identity, d.description)
                 FROM pg_description d
                WHERE (d.classoid, d.objoid, d.objsubid) = (object.catalog, object.id, 0)
               UNION ALL
               SELECT format('COMMENT ON COLUMN %s.%I IS %L', ident.identity, col.attname, d.description)
                 FROM pg_description d JOIN pg_attribute col ON (col.attrelid, col.attnum) = (d.objoid, d.objsubid)
                WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND ident.type <> 'index'
           ) AS more
      FROM unnest(CAST(:catalogs AS oid[]), CAST(:ids AS oid[])) WITH ORDINALITY object (catalog, id, number)
     CROSS JOIN LATERAL pg_identify_object(object.catalog, object.id, 0) ident
      LEFT JOIN pg_rewrite r ON object.catalog = 'pg_rewrite'::regclass AND r.oid = object.id
      LEFT JOIN pg_trigger t ON object.catalog = 'pg_trigger'::regclass AND t.oid = object.id
      LEFT JOIN pg_policy o ON object.catalog = 'pg_policy'::regclass AND o.oid = object.id
      LEFT JOIN pg_constraint k ON object.catalog = 'pg_constraint'::regclass AND k.oid = object.id
      LEFT JOIN pg_attrdef a ON object.catalog = 'pg_attrdef'::regclass AND a.oid = object.id
      LEFT JOIN pg_statistic_ext s ON object.catalog = 'pg_statistic_ext'::regclass AND s.oid = object.id
      LEFT JOIN pg_proc p ON object.catalog = 'pg_proc'::regclass AND p.oid = object.id
      LEFT JOIN pg_type y ON object.catalog = 'pg_type'::regclass AND y.oid = object.id
      LEFT JOIN pg_class c
             ON c.oid = coalesce(r.ev_class, t.tgrelid, o.polrelid, nullif(k.conrelid, 0), a.adrelid, s.stxrelid,
                                 CASE WHEN object.catalog = 'pg_class'::regclass THEN object.id END)
      LEFT JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, p.pronamespace, y.typnamespace)
      LEFT JOIN pg_attribute col ON (col.attrelid, col.attnum) = (a.adrelid, a.adnum)
      LEFT JOIN pg_am am ON am.oid = c.relam
      LEFT JOIN pg_tablespace space ON space.oid = c.reltablespace
      LEFT JOIN LATERAL (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
                                ' WITH (' || array_to_string(c.reloptions, ', ') || ')' AS options) rel ON true
     ORDER BY object.number
    """
)
