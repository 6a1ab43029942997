"""What principals with limits of a day used up; `day` is a date in UTC, in ISO 8601."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "day_usage",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("database", sa.String(200), nullable=False),
        sa.Column("principal_key", sa.String(2000), nullable=False),
        sa.Column("statements", sa.BigInteger, nullable=False),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("row_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "database", "principal_key", name="pk_day_usage"),
    )
