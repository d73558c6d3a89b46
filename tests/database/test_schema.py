"""A landed migration is never edited, and what the migrations make is known without running them."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl.database import schema
from etl.database.migrations import SCRIPTS
from tests.database.marts import run

DIGESTS = SCRIPTS / "digests.txt"
REVISIONS = sorted((SCRIPTS / "versions").glob("*.py"))


@pytest.fixture
def engine(owner_engine: Engine) -> Engine:
    """The warehouse for its owner, whose work all of this is."""
    return owner_engine


def landed() -> dict[str, str]:
    """The digest of each landed revision, by its file, as ``sha256sum`` writes them."""
    lines = (line.split() for line in DIGESTS.read_text().splitlines())
    return {name: digest for digest, name in lines}


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda path: path.name)
def test_a_landed_migration_is_never_edited(revision: Path) -> None:
    digest = hashlib.sha256(revision.read_bytes()).hexdigest()
    add = f"(cd migrations/versions && sha256sum {revision.name} >> ../digests.txt)"
    assert revision.name in landed(), f"{revision.name} is new: once it is final, record it: {add}"
    assert landed()[revision.name] == digest, (
        f"{revision.name} differs from what landed. Databases have run it and will never run it again: "
        "a landed migration is never edited, write a new one"
    )


def test_a_landed_migration_is_never_removed() -> None:
    assert landed().keys() == {path.name for path in REVISIONS}


def test_the_migrations_make_what_is_written_down(engine: Engine) -> None:
    with engine.connect() as connection:
        found = schema.listing(connection)
    if not schema.FILE.exists():
        schema.FILE.write_text(found)
        pytest.fail(f"{schema.FILE} is written: read it, then commit it")
    assert found == schema.FILE.read_text(), f"a migration changes the schema: remove {schema.FILE} and run this again"


def test_what_was_changed_by_hand_is_named(engine: Engine) -> None:
    with engine.connect() as connection:
        nothing = schema.compare(connection)
    assert nothing == schema.Differences(missing=(), changed=(), added=())
    run(
        engine,
        "DROP TRIGGER append_only ON raw.snapshot",
        "ALTER TABLE core.run DROP CONSTRAINT run_caller_check",
        "ALTER TABLE core.model ALTER COLUMN source DROP NOT NULL",
        "ALTER TABLE core.price DISABLE TRIGGER USER",
        "CREATE OR REPLACE FUNCTION core.refuse_overlap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE INDEX mine ON core.model (name)",
        "ALTER TABLE core.model ADD COLUMN mine text DEFAULT 'x'",
    )
    with engine.connect() as connection:
        found = schema.compare(connection)
    assert found.missing == ("constraint run_caller_check on core.run", "trigger append_only on raw.snapshot")
    assert {"column core.model.source", "function core.refuse_overlap()"} < set(found.changed)
    assert any(name.startswith("trigger ") and name.endswith(" on core.price") for name in found.changed)
    assert found.added == ("column core.model.mine", "index core.mine")
