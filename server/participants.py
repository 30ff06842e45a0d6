"""Participants: who may come into a session, known by an opaque token of which only a hash is stored."""

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.database import Database, new_id, now_ms, participants, users
from server.keys import new_token, token_hash
from signaling.messages import Role


class Admitted(msgspec.Struct, frozen=True):
    """A participant as the server knows it; `user_id` is null for the customer and the recorder."""

    id: str
    session: str
    role: Role
    name: str
    user_id: str | None


async def admit(
    connection: AsyncConnection, session: str, role: Role, name: str, user_id: str | None = None
) -> tuple[Admitted, str]:
    """A new participant of the session and its token, which is nowhere stored."""
    admitted, token = Admitted(new_id(), session, role, name, user_id), new_token()
    await connection.execute(
        participants.insert().values(
            id=admitted.id,
            session_id=session,
            role=role,
            name=name,
            user_id=user_id,
            token_hash=token_hash(token),
            created_at=now_ms(),
        )
    )
    return admitted, token


async def authenticate(database: Database, token: str | None) -> Admitted | None:
    """The participant behind a token, unless it is unknown or belongs to a disabled user."""
    if not token:
        return None
    query = (
        select(
            participants.c.id,
            participants.c.session_id,
            participants.c.role,
            participants.c.name,
            participants.c.user_id,
        )
        .outerjoin(users, users.c.id == participants.c.user_id)
        .where(
            participants.c.token_hash == token_hash(token),
            or_(participants.c.user_id.is_(None), users.c.disabled.is_(False)),
        )
    )
    async with database.read() as connection:
        row = (await connection.execute(query)).one_or_none()
    return Admitted(*row) if row else None
