"""Alembic's entry: runs on the connection that `upgrade` hands in."""

from alembic import context

from server.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
