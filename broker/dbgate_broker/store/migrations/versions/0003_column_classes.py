"""What was found in the columns of the governed databases."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; every column is looked at anew."""
    op.create_table(
        "column_classes",
        sa.Column("database", sa.String(200), nullable=False),
        sa.Column("table_schema", sa.String(200), nullable=False),
        sa.Column("table_name", sa.String(200), nullable=False),
        sa.Column("column_name", sa.String(200), nullable=False),
        sa.Column("relation_oid", sa.BigInteger, nullable=False),
        sa.Column("attnum", sa.Integer, nullable=False),
        sa.Column("type_oid", sa.BigInteger, nullable=False),
        sa.Column("looked", sa.Text, nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "database", "table_schema", "table_name", "column_name", name="pk_column_classes"
        ),
    )
