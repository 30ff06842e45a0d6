"""The audit log: who did what to what, from where. Rows are only ever added."""

from sqlalchemy.ext.asyncio import AsyncConnection

from server.database import audit, new_id, now_ms


async def record(connection: AsyncConnection, user_id: str | None, action: str, subject: str, address: str) -> None:
    """Add a row inside the transaction that does the thing; `action` is such as `user.created`, `subject` an id."""
    await connection.execute(
        audit.insert().values(
            id=new_id(), at=now_ms(), user_id=user_id, action=action, object=subject[:200], address=address
        )
    )
