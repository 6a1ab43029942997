"""What reviewers of a held statement see: its effects and the planner's estimate."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; requests that are there already say nothing of either."""
    op.add_column(
        "access_requests",
        sa.Column("effects", sa.Text, nullable=False, server_default="[]"),
    )
    op.add_column("access_requests", sa.Column("estimated_rows", sa.BigInteger))
