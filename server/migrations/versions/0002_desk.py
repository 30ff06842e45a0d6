"""What the desk searches by, what articles are asked, and the full-text index of the help centre."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tickets") as table:
        table.add_column(sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("ticket_notes") as table:
        table.alter_column("author_id", existing_type=sa.String(64), nullable=True)
        table.add_column(sa.Column("session_id", sa.String(64), nullable=True))
        table.create_unique_constraint(op.f("uq_ticket_notes_session_id"), ["session_id"])
    with op.batch_alter_table("sessions") as table:
        table.add_column(sa.Column("problem", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("invitations") as table:
        table.add_column(sa.Column("code_expires_at", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("articles") as table:
        table.add_column(sa.Column("solved", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("unsolved", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("job_id", sa.String(64), nullable=True))
        table.create_foreign_key(op.f("fk_articles_job_id_jobs"), "jobs", ["job_id"], ["id"])
    with op.batch_alter_table("clips") as table:
        table.add_column(sa.Column("width", sa.Integer(), nullable=True))
        table.add_column(sa.Column("height", sa.Integer(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE article_search USING fts5(article UNINDEXED, title, text)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE article_search")
    for name, columns in {
        "clips": ["height", "width"],
        "articles": ["job_id", "unsolved", "solved"],
        "invitations": ["code_expires_at"],
        "sessions": ["search_text", "problem"],
        "ticket_notes": ["session_id"],
        "tickets": ["search_text"],
    }.items():
        with op.batch_alter_table(name) as table:
            for column in columns:
                table.drop_column(column)
