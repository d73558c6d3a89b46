"""Who may load: the role that reads and writes rows, and can neither change the schema nor rewrite history."""

from sqlalchemy import Connection, Engine, text

from etl.database.driver import run_script

LOADER = "etl_loader"

REMEDY = f"let an administrator run CREATE ROLE {LOADER}; and repeat this, if who loads shall not own the warehouse"

_ENDS = "SELECT, INSERT, UPDATE (valid_to, end_known_from, known_to)"
"""A version is begun, ended and superseded; what it says is never changed, and it is never deleted."""

_RETRACTS = "SELECT, INSERT, UPDATE (retracted, known_to)"

SPECIAL = {
    "raw.content": "SELECT, INSERT, UPDATE (body)",
    **{f"core.{name}": _ENDS for name in ("model", "endpoint", "price", "provider", "author", "unseen")},
    **{f"core.{name}": _RETRACTS for name in ("price_change", "catalog_change")},
    "core.lock": "SELECT, INSERT, UPDATE",
    "core.mart_object": "SELECT",
}
"""What the loader may do with the tables that are not like the others of their schema."""


def rights(table: str) -> str:
    """What the loader may do with a table: if not ``SPECIAL``, landed bytes are added, other rows change and go."""
    usual = "SELECT, INSERT" if table.startswith("raw.") else "SELECT, INSERT, UPDATE, DELETE"
    return SPECIAL.get(table, usual)


def is_there(engine: Engine) -> bool:
    """Whether the server has the role."""
    with engine.connect() as connection:
        return bool(connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :role"), {"role": LOADER}))


def let_load(connection: Connection) -> None:
    """Give the loader what it needs and nothing else, in the caller's transaction, if there is such a role.

    Where it owns the schema, as where one role does everything, or is a superuser, it has all that already.
    """
    if connection.scalar(_IS_OTHER):
        tables = connection.scalars(_TABLES).all()
        grants = (f"GRANT {rights(table)} ON TABLE {table} TO {LOADER};" for table in tables)
        run_script(connection, _BEFORE + "".join(grants) + _BESIDES)


_IS_OTHER = text(
    f"""
    SELECT NOT pg_has_role(loader.oid, schema.nspowner, 'USAGE')
      FROM pg_roles loader, pg_namespace schema
     WHERE loader.rolname = '{LOADER}' AND schema.nspname = 'core'
    """  # noqa: S608  our own name
)

_TABLES = text(
    """
    SELECT format('%I.%I', n.nspname, c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('raw', 'core') AND c.relkind IN ('r', 'p')
     ORDER BY 1
    """
)

_BEFORE = f"""
REVOKE ALL ON ALL TABLES IN SCHEMA raw, core, mart FROM {LOADER};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA raw, core FROM {LOADER};
"""

_BESIDES = f"""
GRANT USAGE ON SCHEMA raw, core, mart TO {LOADER};
GRANT SELECT ON ALL SEQUENCES IN SCHEMA raw, core TO {LOADER};
GRANT USAGE ON SEQUENCE core.feed_position TO {LOADER};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA core, mart TO {LOADER};
GRANT SELECT ON ALL TABLES IN SCHEMA mart TO {LOADER};
GRANT SELECT ON public.schema_revision TO {LOADER};
DO $$ BEGIN
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO {LOADER}', current_database());
END $$;
"""
