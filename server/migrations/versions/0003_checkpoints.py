"""Signed checkpoints of timelines."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.Column("to_note", sa.Boolean(), nullable=False),
        sa.Column("to_send", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "number", name=op.f("pk_checkpoints")),
    )
    with op.batch_alter_table("checkpoints") as table:
        table.create_index(op.f("ix_checkpoints_to_note"), ["to_note"])
        table.create_index(op.f("ix_checkpoints_to_send"), ["to_send"])


def downgrade() -> None:
    op.drop_table("checkpoints")
