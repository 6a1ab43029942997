"""The first tables: brokers, access requests, votes, sessions, leases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "brokers",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("started_at", Time, nullable=False),
        sa.Column("seen_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_brokers"),
    )
    _requests()
    _sessions()


def _requests() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("database", sa.String(200), nullable=False),
        sa.Column("access_role", sa.String(200), nullable=False),
        sa.Column("requester", sa.Text, nullable=False),
        sa.Column("requester_key", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("approval", sa.Text, nullable=False),
        sa.Column("duration_s", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("expires_at", Time, nullable=False),
        sa.Column("decided_at", Time),
        sa.Column("window_ends_at", Time),
        sa.Column("used_at", Time),
        sa.Column("used_by", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_access_requests"),
    )
    _index("access_requests", "state", "expires_at")
    _index("access_requests", "requester_key", "database", "state")
    _index("access_requests", "created_at")
    op.create_table(
        "votes",
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("reviewer_key", sa.String(2000), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("choice", sa.String(16), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("request_id", "reviewer_key", name="pk_votes"),
        sa.ForeignKeyConstraint(["request_id"], ["access_requests.id"], name="fk_votes_request_id"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("broker", sa.String(64), nullable=False),
        sa.Column("database", sa.String(200), nullable=False),
        sa.Column("access_role", sa.String(200), nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("request_id", sa.String(64)),
        sa.Column("db_user", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened_at", Time, nullable=False),
        sa.Column("expires_at", Time, nullable=False),
        sa.Column("closed_at", Time),
        sa.Column("close_reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    _index("sessions", "state", "opened_at")
    _index("sessions", "broker", "state")
    op.create_table(
        "leases",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("database", sa.String(200), nullable=False),
        sa.Column("vault_role", sa.String(200), nullable=False),
        sa.Column("lease_id", sa.Text),
        sa.Column("username", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("expires_at", Time),
        sa.Column("ended_at", Time),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", Time),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leases"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_leases_session_id"),
    )
    _index("leases", "state", "next_try_at")
    _index("leases", "session_id")
    _index("leases", "vault_role")


def _index(table: str, *columns: str) -> None:
    op.create_index("_".join(("ix", table, *columns)), table, list(columns))


def downgrade() -> None:
    """Drop them."""
    for table in ("leases", "sessions", "votes", "access_requests", "brokers"):
        op.drop_table(table)
