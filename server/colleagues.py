"""Colleagues: agents beside its own whom a session's owner lets in, and the sessions that one was let into."""

from typing import Annotated

import msgspec
from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server import audit
from server.app import App
from server.database import colleagues, now_ms, sessions, tickets, users
from server.holds import lock_session
from server.limits import address_of
from server.logins import User
from server.participants import revoke
from server.problems import Conflict, Missing
from server.routes import CAPABILITIES, route
from server.sessions import ended, of_owner, send_away
from signaling.session import MAX_VIEWERS

# --- Records ---


class NewColleague(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to let in, by the id of the account."""

    user: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Colleague(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account that may take part in sessions; the e-mail address tells two of the same name apart."""

    id: str
    name: str
    email: str


class SessionColleagues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who was let into a session, and who else could be; both by name."""

    inside: list[Colleague]
    others: list[Colleague]


class InvitedSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session that goes on, and that a colleague was let into; `added_at` is ms since 1970."""

    session: str
    subject: str
    customer_name: str
    owner_name: str
    ticket_number: int | None
    added_at: int


# --- Operations ---


async def list_colleagues(connection: AsyncConnection, session: str) -> SessionColleagues:
    """Who was let into the session, and who could be; its owner is neither."""
    of_session = select(colleagues.c.user_id).where(colleagues.c.session_id == session)
    added = set((await connection.execute(of_session)).scalars())
    owner = (await connection.execute(select(sessions.c.owner_id).where(sessions.c.id == session))).scalar_one()
    rows = (await connection.execute(select(users).order_by(func.lower(users.c.name), users.c.email))).all()
    inside, others = list[Colleague](), list[Colleague]()
    for row in rows:
        if row.id in added:
            inside.append(Colleague(row.id, row.name, row.email))
        elif row.role in CAPABILITIES["session.start"] and not row.disabled and row.id != owner:
            others.append(Colleague(row.id, row.name, row.email))
    return SessionColleagues(inside, others)


async def let_in(connection: AsyncConnection, session: str, user_id: str, by: str, address: str) -> None:
    """Have the session open to a colleague, inside a transaction of the caller; raises `Missing` or `Conflict`."""
    await lock_session(connection, session)
    row = (await connection.execute(select(sessions).where(sessions.c.id == session))).one()
    if row.ended_at is not None:
        raise ended()
    of_session = select(colleagues.c.user_id).where(colleagues.c.session_id == session)
    inside = set((await connection.execute(of_session)).scalars())
    if user_id in inside or user_id == row.owner_id:
        return
    user = (await connection.execute(select(users).where(users.c.id == user_id))).one_or_none()
    if user is None or user.disabled:
        raise Missing("user_missing", "This person does not exist, or can't sign in any more.")
    if user.role not in CAPABILITIES["session.start"]:
        raise Conflict("not_an_agent", "Only agents and administrators take part in sessions. Choose another.")
    if len(inside) + 1 >= MAX_VIEWERS:
        raise Conflict("full", f"A session holds {MAX_VIEWERS} agents. Remove a colleague first.")
    await connection.execute(
        colleagues.insert().values(session_id=session, user_id=user_id, added_by=by, added_at=now_ms())
    )
    await _record(connection, by, "colleague.added", session, user_id, address)


async def put_out(
    connection: AsyncConnection, session: str, user_id: str, by: str, address: str
) -> list[tuple[str, str]]:
    """Close the session to a colleague; the (session, participant) of their places in it, which are worthless now."""
    await lock_session(connection, session)
    whose = (colleagues.c.session_id == session) & (colleagues.c.user_id == user_id)
    if not (await connection.execute(colleagues.delete().where(whose))).rowcount:
        return []
    await _record(connection, by, "colleague.removed", session, user_id, address)
    return await revoke(connection, user_id, session)


async def _record(connection: AsyncConnection, by: str, action: str, session: str, user_id: str, address: str) -> None:
    """Found in the log by the session as well as by the person."""
    for subject in (session, user_id):
        await audit.record(connection, by, action, subject, address)


async def invited(connection: AsyncConnection, user_id: str) -> list[InvitedSession]:
    """The sessions that go on and that the user was let into, the newest first."""
    found = (
        select(
            sessions.c.id, sessions.c.subject, sessions.c.customer_name, users.c.name, tickets.c.number,
            colleagues.c.added_at,
        )
        .join(colleagues, colleagues.c.session_id == sessions.c.id)
        .join(users, users.c.id == sessions.c.owner_id)
        .outerjoin(tickets, tickets.c.id == sessions.c.ticket_id)
        .where(colleagues.c.user_id == user_id, sessions.c.ended_at.is_(None))
        .order_by(colleagues.c.added_at.desc())
    )  # fmt: skip
    return [InvitedSession(*row) for row in await connection.execute(found)]


# --- Routes ---


@route("GET", "/api/invited-sessions", "session.start")
async def get_invited_sessions(request: web.Request, app: App, user: User) -> list[InvitedSession]:
    """The sessions that one was let into by others."""
    async with app.database.read() as connection:
        return await invited(connection, user.id)


@route("GET", "/api/sessions/{session}/colleagues", "session.start", owner=of_owner)
async def get_colleagues(request: web.Request, app: App) -> SessionColleagues:
    """Who was let in, and who could be."""
    async with app.database.read() as connection:
        return await list_colleagues(connection, request.match_info["session"])


@route("POST", "/api/sessions/{session}/colleagues", "session.start", owner=of_owner)
async def post_colleague(request: web.Request, app: App, user: User, body: NewColleague) -> None:
    """Let a colleague in; one who is let in already stays so."""
    session, address = request.match_info["session"], address_of(request, app.settings.trusted_proxies)
    async with app.database.write() as connection:
        await let_in(connection, session, body.user, user.id, address)
    _hint(app, session, body.user)


@route("DELETE", "/api/sessions/{session}/colleagues/{user}", "session.start", owner=of_owner)
async def delete_colleague(request: web.Request, app: App, user: User) -> None:
    """Remove a colleague, who is out of the session at once."""
    session, colleague = request.match_info["session"], request.match_info["user"]
    address = address_of(request, app.settings.trusted_proxies)
    async with app.database.write() as connection:
        places = await put_out(connection, session, colleague, user.id, address)
    await send_away(app, places, "removed")
    _hint(app, session, colleague)


def _hint(app: App, session: str, user_id: str) -> None:
    for topic in (f"user:{user_id}", f"session:{session}"):
        app.feed.hint(topic)
