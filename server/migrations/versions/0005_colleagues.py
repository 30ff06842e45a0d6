"""Colleagues whom a session's owner lets in."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "colleagues",
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("added_by", sa.String(64), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["users.id"], name=op.f("fk_colleagues_added_by_users")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_colleagues_session_id_sessions")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_colleagues_user_id_users")),
        sa.PrimaryKeyConstraint("session_id", "user_id", name=op.f("pk_colleagues")),
    )
    with op.batch_alter_table("colleagues") as table:
        table.create_index(op.f("ix_colleagues_user_id"), ["user_id"])


def downgrade() -> None:
    op.drop_table("colleagues")
