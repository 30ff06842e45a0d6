"""Participants: who may come into a session, known by an opaque token of which only a hash is stored."""

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.database import Database, new_id, now_ms, participants, sessions, users
from server.keys import new_token, token_hash
from signaling.messages import Role

AFTER_END_MS = 3_600_000
"""So long after its session's end a token is good: for the receipt, the customer's word, a recorder's last report."""


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
    """The participant behind a token, unless it is unknown, its user disabled, or its session long over."""
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
        .join(sessions, sessions.c.id == participants.c.session_id)
        .outerjoin(users, users.c.id == participants.c.user_id)
        .where(
            participants.c.token_hash == token_hash(token),
            or_(sessions.c.ended_at.is_(None), sessions.c.ended_at > now_ms() - AFTER_END_MS),
            or_(participants.c.user_id.is_(None), users.c.disabled.is_(False)),
        )
    )
    async with database.read() as connection:
        row = (await connection.execute(query)).one_or_none()
    return Admitted(*row) if row else None


async def revoke(connection: AsyncConnection, user_id: str, session: str | None = None) -> list[tuple[str, str]]:
    """Make every token of a user worthless, or those for one session.

    What comes back is the (session, participant) of those whose session goes on.
    """
    theirs = participants.c.user_id == user_id
    if session is not None:
        theirs &= participants.c.session_id == session
    live = (
        select(participants.c.session_id, participants.c.id)
        .join(sessions, sessions.c.id == participants.c.session_id)
        .where(theirs, sessions.c.ended_at.is_(None))
    )
    found = [(place, participant) for place, participant in await connection.execute(live)]
    of_user = select(participants.c.id).where(theirs)
    for participant in (await connection.execute(of_user)).scalars().all():
        change = participants.update().where(participants.c.id == participant)
        await connection.execute(change.values(token_hash=token_hash(new_token())))
    return found
