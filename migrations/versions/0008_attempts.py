"""No snapshot blocks its source: attempts are counted, quarantine has an end, no index on texts without one."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PROBLEMS = ("failing", "stale", "held", "quarantined", "unmapped", "suspect")


def upgrade() -> None:
    """Count attempts and quarantined records; a url may be of any length."""
    op.execute("ALTER TABLE core.snapshot ADD COLUMN attempts integer NOT NULL DEFAULT 0")
    op.execute("CREATE INDEX snapshot_set_aside_idx ON core.snapshot (source) WHERE status = 'failed' AND attempts > 0")
    op.execute("ALTER TABLE core.quarantine ADD COLUMN count integer NOT NULL DEFAULT 1")
    op.execute("DROP INDEX raw.page_url_idx")
    _permit((*PROBLEMS, "set_aside"))


def downgrade() -> None:
    """Forget the counts. The index on urls comes back, which no url longer than 2,700 bytes fits into."""
    op.execute("DELETE FROM core.alert WHERE problem = 'set_aside'")
    _permit(PROBLEMS)
    op.execute("CREATE INDEX page_url_idx ON raw.page (url)")
    op.execute("DROP SCHEMA IF EXISTS mart CASCADE")
    op.execute("ALTER TABLE core.quarantine DROP COLUMN count")
    op.execute("ALTER TABLE core.snapshot DROP COLUMN attempts")


def _permit(problems: tuple[str, ...]) -> None:
    """Permit alerts of these problems."""
    listed = ", ".join(f"'{problem}'" for problem in problems)
    op.execute("ALTER TABLE core.alert DROP CONSTRAINT alert_problem_check")
    op.execute(f"ALTER TABLE core.alert ADD CONSTRAINT alert_problem_check CHECK (problem IN ({listed}))")
