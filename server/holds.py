"""Legal holds: as long as one lies on a session or on its ticket, nothing deletes the recording."""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server import audit
from server.app import App
from server.database import holds, new_id, now_ms, sessions, tickets, tombstones, users
from server.limits import address_of
from server.logins import User
from server.problems import Conflict, Gone, Missing
from server.routes import route

# --- Records ---

HoldReason = Annotated[str, msgspec.Meta(min_length=3, max_length=1000)]


class NewHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the recording has to be kept, such as the number of a case."""

    reason: HoldReason


class HoldRelease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it need not be kept any longer."""

    reason: HoldReason


class Hold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hold on a session, or on a ticket and so on all of its sessions; in force until `released_at` (ms)."""

    id: str
    session: str | None
    ticket: str | None
    ticket_number: int | None
    subject: str
    reason: str
    placed_by: str
    placed_at: int
    released_by: str | None
    released_at: int | None
    release_reason: str | None


# --- Operations ---


def on_session() -> ColumnElement[bool]:
    """Whether a row of `holds` is in force and lies on a row of `sessions` that the query joins."""
    lies = or_(holds.c.session_id == sessions.c.id, holds.c.ticket_id == sessions.c.ticket_id)
    return holds.c.released_at.is_(None) & lies


def held() -> ColumnElement[bool]:
    """Whether a row of `sessions` may not be deleted now; for queries on sessions."""
    return select(holds.c.id).where(on_session()).exists()


async def lock_session(connection: AsyncConnection, session: str) -> None:
    """Have those who would hold, release or delete this session wait until the transaction ends.

    SQLite has one writer at a time anyway, and knows no FOR UPDATE.
    """
    rows = await connection.execute(select(sessions.c.ticket_id).where(sessions.c.id == session).with_for_update())
    if ticket := rows.scalar_one_or_none():
        await connection.execute(select(tickets.c.id).where(tickets.c.id == ticket).with_for_update())


def _holds() -> Select[Any]:
    placed, released = users.alias(), users.alias()
    of_session = sessions.alias()
    of_ticket = tickets.alias()
    return (
        select(
            holds, placed.c.name.label("placed_name"), released.c.name.label("released_name"),
            of_ticket.c.number, of_ticket.c.title, of_session.c.subject,
        )
        .join(placed, placed.c.id == holds.c.placed_by)
        .outerjoin(released, released.c.id == holds.c.released_by)
        .outerjoin(of_session, of_session.c.id == holds.c.session_id)
        .outerjoin(of_ticket, or_(of_ticket.c.id == holds.c.ticket_id, of_ticket.c.id == of_session.c.ticket_id))
        .order_by(holds.c.placed_at.desc(), holds.c.id)
    )  # fmt: skip


def _as_hold(row: Any) -> Hold:
    return Hold(
        id=row.id, session=row.session_id, ticket=row.ticket_id, ticket_number=row.number,
        subject=row.subject or row.title or "", reason=row.reason, placed_by=row.placed_name,
        placed_at=row.placed_at, released_by=row.released_name, released_at=row.released_at,
        release_reason=row.release_reason,
    )  # fmt: skip


async def holds_on(connection: AsyncConnection, session: str, ticket: str | None) -> list[Hold]:
    """The holds in force on a session, those on its ticket among them; the newest first."""
    lies = or_(holds.c.session_id == session, holds.c.ticket_id == ticket) if ticket else holds.c.session_id == session
    rows = await connection.execute(_holds().where(lies, holds.c.released_at.is_(None)))
    return [_as_hold(row) for row in rows]


async def holds_of_ticket(connection: AsyncConnection, ticket: str) -> list[Hold]:
    """The holds in force on the ticket itself."""
    rows = await connection.execute(_holds().where(holds.c.ticket_id == ticket, holds.c.released_at.is_(None)))
    return [_as_hold(row) for row in rows]


async def place(
    connection: AsyncConnection, user: User, reason: str, address: str, *, session: str | None, ticket: str | None
) -> None:
    """Put a hold on a session or on a ticket, inside a transaction of the caller.

    Raises `Missing`, or `Gone` when the session's recording was deleted before.
    """
    if session is not None:
        await lock_session(connection, session)
        if (await connection.execute(select(sessions.c.id).where(sessions.c.id == session))).one_or_none() is None:
            raise Missing("recording_not_found", "There is no such recording. Look for it in the library.")
        buried = select(tombstones.c.session_id).where(tombstones.c.session_id == session)
        if (await connection.execute(buried)).one_or_none() is not None:
            raise recording_deleted()
    else:
        locked = select(tickets.c.id).where(tickets.c.id == ticket).with_for_update()
        if (await connection.execute(locked)).one_or_none() is None:
            raise Missing("ticket_not_found", "There is no such ticket. Look for it in the list of all tickets.")
    await connection.execute(
        holds.insert().values(
            id=new_id(), session_id=session, ticket_id=ticket, reason=reason, placed_by=user.id,
            placed_at=now_ms(), released_by=None, released_at=None, release_reason=None,
        )
    )  # fmt: skip
    await audit.record(connection, user.id, "hold.placed", session or str(ticket), address)


async def release(connection: AsyncConnection, user: User, hold: str, reason: str, address: str) -> str:
    """End a hold; the id of the session or ticket on which it lay. Raises `Missing` or `Conflict`."""
    row = (await connection.execute(select(holds).where(holds.c.id == hold))).one_or_none()
    if row is None:
        raise Missing("hold_not_found", "There is no such hold. Open the page again.")
    change = holds.update().where(holds.c.id == hold, holds.c.released_at.is_(None))
    values = {"released_by": user.id, "released_at": now_ms(), "release_reason": reason}
    if not (await connection.execute(change.values(**values))).rowcount:
        raise Conflict("hold_released", "Somebody has released this hold already.")
    subject = str(row.session_id or row.ticket_id)
    await audit.record(connection, user.id, "hold.released", subject, address)
    return subject


def recording_deleted() -> Gone:
    """The recording is no more."""
    return Gone("recording_deleted", "This recording was deleted. What was kept of it stands on its page.")


# --- Routes ---


@route("GET", "/api/holds", "recording.hold")
async def get_holds(request: web.Request, app: App) -> list[Hold]:
    """Every hold, those in force first, at most 500."""
    async with app.database.read() as connection:
        rows = await connection.execute(_holds().order_by(None).order_by(
            holds.c.released_at.is_not(None), holds.c.placed_at.desc()
        ).limit(500))  # fmt: skip
        return [_as_hold(row) for row in rows]


@route("POST", "/api/recordings/{session}/holds", "recording.hold")
async def post_recording_hold(request: web.Request, app: App, user: User, body: NewHold) -> None:
    """Hold one recording."""
    session, address = request.match_info["session"], address_of(request, app.settings.trusted_proxies)
    async with app.database.write() as connection:
        await place(connection, user, body.reason, address, session=session, ticket=None)
    app.feed.hint(f"session:{session}")


@route("POST", "/api/tickets/{ticket}/holds", "recording.hold")
async def post_ticket_hold(request: web.Request, app: App, user: User, body: NewHold) -> None:
    """Hold every recording of a ticket, those to come as well."""
    ticket, address = request.match_info["ticket"], address_of(request, app.settings.trusted_proxies)
    async with app.database.write() as connection:
        await place(connection, user, body.reason, address, session=None, ticket=ticket)
    app.feed.hint(f"ticket:{ticket}")
    app.feed.hint("session:")


@route("POST", "/api/holds/{hold}/release", "recording.hold")
async def post_release(request: web.Request, app: App, user: User, body: HoldRelease) -> None:
    """End a hold."""
    address = address_of(request, app.settings.trusted_proxies)
    async with app.database.write() as connection:
        subject = await release(connection, user, request.match_info["hold"], body.reason, address)
    for topic in (f"session:{subject}", f"ticket:{subject}"):
        app.feed.hint(topic)
