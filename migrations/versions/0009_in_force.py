"""What is in force is found by its end, and what a person has confirmed is known to whichever process loads it."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("model", "endpoint", "price")


def upgrade() -> None:
    """Index the ends of the versions that are current knowledge, so that the present can leave out what is to come."""
    for table in TABLES:
        op.execute(f"CREATE INDEX {table}_valid_to_idx ON core.{table} (valid_to) WHERE known_to IS NULL")
    op.execute("ALTER TABLE core.snapshot ADD COLUMN is_confirmed boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    """Drop them."""
    op.execute("ALTER TABLE core.snapshot DROP COLUMN is_confirmed")
    for table in TABLES:
        op.execute(f"DROP INDEX core.{table}_valid_to_idx")
