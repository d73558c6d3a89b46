"""A mart of another version: the files of this one, some of them changed."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from etl.database import mart
from etl.database.driver import run_script


class NextVersion:
    """The folder of the mart of a next version, which ``etl.database.mart`` installs from now on."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        shutil.copytree(mart.FOLDER, folder)
        monkeypatch.setattr(mart, "FOLDER", folder)

    def change(self, file: str, before: str, after: str) -> None:
        """Replace a text that stands in a file."""
        path = mart.FOLDER / file
        sql = path.read_text()
        assert before in sql
        path.write_text(sql.replace(before, after))

    def remove(self, file: str) -> None:
        """Leave an object out."""
        (mart.FOLDER / file).unlink()

    def prepend_column(self, file: str) -> None:
        """Let a view begin with another column, so that it cannot be replaced in place."""
        self.change(file, "AS\nSELECT ", "AS\nSELECT '' AS reason, ")


def run(engine: Engine, *statements: str) -> None:
    """Run SQL as an analyst would."""
    with engine.begin() as connection:
        for statement in statements:
            run_script(connection, statement)


def state(engine: Engine) -> dict[str, tuple[str, ...]]:
    """Each object of the mart: its oid, and which transaction wrote its definition last."""
    query = text(
        """
        SELECT c.relname AS name, c.oid::text AS oid, r.xmin::text AS written FROM pg_class c
          JOIN pg_rewrite r ON r.ev_class = c.oid WHERE c.relnamespace = 'mart'::regnamespace
        UNION ALL
        SELECT p.proname, p.oid::text, '' FROM pg_proc p WHERE p.pronamespace = 'mart'::regnamespace
        """
    )
    with engine.connect() as connection:
        return {row.name: (row.oid, row.written) for row in connection.execute(query)}


def definitions(engine: Engine) -> dict[str, str]:
    """What each object of the mart is, with its comment and who may read it."""
    query = text(
        """
        SELECT c.oid::regclass::text, concat_ws(' ', pg_get_viewdef(c.oid), obj_description(c.oid), c.relacl,
               (SELECT string_agg(a.attname || coalesce(col_description(c.oid, a.attnum), ''), ' ' ORDER BY a.attnum)
                  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0))
          FROM pg_class c WHERE c.relnamespace = 'mart'::regnamespace
        UNION ALL
        SELECT p.oid::regprocedure::text, concat_ws(' ', pg_get_functiondef(p.oid), obj_description(p.oid), p.proacl)
          FROM pg_proc p WHERE p.pronamespace = 'mart'::regnamespace
        """
    )
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
