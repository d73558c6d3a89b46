"""A login of the reader's role: what dashboards connect as, made by whoever owns the warehouse."""

from sqlalchemy import URL, text

from etl.database import reader
from etl.database.driver import run_script
from etl.database.engine import open_engine


def login(owner: URL, role: str, password: str) -> URL:
    """The warehouse's address for a role that reads the mart alone; the role is made, or gets the password."""
    engine = open_engine(owner)
    try:
        with engine.begin() as connection:
            quoted = text("SELECT quote_ident(:role), quote_literal(:password)")
            name, secret = connection.execute(quoted, {"role": role, "password": password}).one()
            is_there = connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :role"), {"role": role})
            run_script(connection, f"{'ALTER' if is_there else 'CREATE'} ROLE {name} LOGIN PASSWORD {secret}")
        reader.grant(engine, role)
    finally:
        engine.dispose()
    return owner.set(username=role, password=password)
