"""The price index does not count a price as changed that differs by the noise of a double alone."""

from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

BASKET = "core.refresh_basket(text, timestamptz)"

ANY = "(s.ratio <> 1)::integer"

REAL = "(abs(s.ratio - 1) >= 1e-14)::integer"


def upgrade() -> None:
    """Count what moved by more than noise."""
    _replace(ANY, REAL)


def downgrade() -> None:
    """Count whatever moved."""
    _replace(REAL, ANY)


def _replace(former: str, new: str) -> None:
    """Change one expression of the function that refreshes a basket, whatever else other revisions made of it."""
    op.execute(
        f"""
        DO $do$ BEGIN
            EXECUTE replace(pg_get_functiondef('{BASKET}'::regprocedure), '{former}', '{new}');
        END $do$
        """
    )
