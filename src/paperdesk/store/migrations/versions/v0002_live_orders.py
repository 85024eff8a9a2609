"""Live orders are found by an index of their own: a page asks for them several times a second, however many have ended."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the index."""
    op.execute(
        "CREATE INDEX orders_that_live ON orders (run, account, order_id) WHERE status IN ('submitted', 'accepted', 'partially_filled')"
    )
