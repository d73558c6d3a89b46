"""What is in force is found by its end: views of the present leave out what is not valid yet."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("model", "endpoint", "price")


def upgrade() -> None:
    """Index the ends of the versions that are current knowledge."""
    for table in TABLES:
        op.execute(f"CREATE INDEX {table}_valid_to_idx ON core.{table} (valid_to) WHERE known_to IS NULL")


def downgrade() -> None:
    """Drop the indexes."""
    for table in TABLES:
        op.execute(f"DROP INDEX core.{table}_valid_to_idx")
