"""Ticket classes, legal holds, tombstones, and event bodies that can be erased."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    classes = op.create_table(
        "ticket_classes",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("standard", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_classes")),
        sa.UniqueConstraint("name", name=op.f("uq_ticket_classes_name")),
    )
    # Without a limit: an update must not begin to delete what nobody decided to delete.
    first = {"id": "standard", "name": "Standard", "days": None, "standard": True}
    op.bulk_insert(classes, [first | {"created_at": time.time_ns() // 1_000_000}])
    # Not by a batch: SQLite would take the table away, and notes and sessions refer to its rows.
    reference = "CONSTRAINT fk_tickets_class_id_ticket_classes REFERENCES ticket_classes (id)"
    op.execute(f"ALTER TABLE tickets ADD COLUMN class_id VARCHAR(64) {reference}")
    with op.batch_alter_table("events") as table:
        table.alter_column("body", existing_type=sa.Text(), nullable=True)
        table.alter_column("salt", existing_type=sa.LargeBinary(16), nullable=True)
    op.create_table(
        "holds",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=True),
        sa.Column("ticket_id", sa.String(64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(64), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("released_by", sa.String(64), nullable=True),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["placed_by"], ["users.id"], name=op.f("fk_holds_placed_by_users")),
        sa.ForeignKeyConstraint(["released_by"], ["users.id"], name=op.f("fk_holds_released_by_users")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_holds_session_id_sessions")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_holds_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    with op.batch_alter_table("holds") as table:
        table.create_index(op.f("ix_holds_session_id"), ["session_id"])
        table.create_index(op.f("ix_holds_ticket_id"), ["ticket_id"])
    op.create_table(
        "tombstones",
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("remains", sa.Text(), nullable=True),
        sa.Column("shredded_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_tombstones_session_id_sessions")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_tombstones")),
    )
    with op.batch_alter_table("tombstones") as table:
        table.create_index(op.f("ix_tombstones_at"), ["at"])


def downgrade() -> None:
    op.drop_table("tombstones")
    op.drop_table("holds")
    with op.batch_alter_table("tickets") as table:
        table.drop_constraint(op.f("fk_tickets_class_id_ticket_classes"), type_="foreignkey")
        table.drop_column("class_id")
    op.drop_table("ticket_classes")
