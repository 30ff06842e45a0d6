"""Tickets: the desk's list, a ticket's page, its notes, and what its sessions left in it."""

from typing import Annotated, Literal

import msgspec
from aiohttp import web
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server import audit
from server.app import App
from server.database import (
    events,
    new_id,
    now_ms,
    sessions,
    snapshots,
    ticket_classes,
    ticket_notes,
    tickets,
    tombstones,
    users,
)
from server.folding import like_patterns, search_text
from server.holds import Hold, holds_of_ticket
from server.limits import address_of
from server.logins import User
from server.problems import Invalid, Missing
from server.routes import route

# --- Records ---

TicketStatus = Literal["open", "pending", "solved", "closed"]
TicketPriority = Literal["low", "normal", "high", "urgent"]
TicketTitle = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
TicketProblem = Annotated[str, msgspec.Meta(max_length=4000)]
PersonName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
CustomerName = Annotated[str, msgspec.Meta(max_length=100)]
Email = Annotated[str, msgspec.Meta(max_length=254)]
NoteText = Annotated[str, msgspec.Meta(min_length=1, max_length=8000)]


class NewTicket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a ticket begins with; who makes it becomes its owner."""

    title: TicketTitle
    problem: TicketProblem
    priority: TicketPriority
    customer_name: CustomerName
    customer_email: Email


class TicketChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New values; null leaves a value as it is.

    An empty `owner_id` gives the ticket to nobody, an empty `class_id` the class that is standard.
    """

    title: TicketTitle | None
    problem: TicketProblem | None
    status: TicketStatus | None
    priority: TicketPriority | None
    customer_name: CustomerName | None
    customer_email: Email | None
    owner_id: Annotated[str, msgspec.Meta(max_length=64)] | None
    class_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class NewNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: NoteText


class TicketSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the list; `live` is true while one of its sessions has not ended. Times are ms since 1970."""

    id: str
    number: int
    title: str
    status: TicketStatus
    priority: TicketPriority
    customer_name: str
    owner_id: str | None
    owner_name: str | None
    created_at: int
    updated_at: int
    live: bool


class TicketList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest first, at most 200; `more` is true when there are others that a search would find."""

    tickets: list[TicketSummary]
    more: bool


class TicketNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note; without an author it was written by the system at the end of a session."""

    id: str
    author_id: str | None
    author_name: str | None
    text: str
    at: int


class TicketSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session of the ticket; `recorded` is true when there is something to play, or was until `deleted_at` (ms)."""

    id: str
    subject: str
    owner_id: str | None
    owner_name: str | None
    created_at: int
    ended_at: int | None
    recorded: bool
    deleted_at: int | None


class TicketSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    session: str
    url: str
    width: int
    height: int
    at: int


class TicketPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a ticket's page shows, the oldest note and session first; `holds` are those on the ticket itself."""

    id: str
    number: int
    title: str
    problem: str
    status: TicketStatus
    priority: TicketPriority
    customer_name: str
    customer_email: str
    owner_id: str | None
    owner_name: str | None
    created_at: int
    updated_at: int
    notes: list[TicketNote]
    sessions: list[TicketSession]
    snapshots: list[TicketSnapshot]
    class_id: str | None
    holds: list[Hold]


# --- Operations ---

MAX_LISTED = 200
_DESK = ("agent", "admin")


def folded(number: int, title: str, problem: str, customer_name: str, customer_email: str) -> str:
    """What a ticket is found by."""
    return search_text(str(number), title, customer_name, customer_email, problem)


async def insert_ticket(connection: AsyncConnection, new: NewTicket, owner_id: str | None) -> str:
    """Add a ticket with the next number inside a transaction of the caller; returns its id."""
    ticket, now = new_id(), now_ms()
    number = (await connection.execute(select(func.coalesce(func.max(tickets.c.number), 0) + 1))).scalar_one()
    values = {**msgspec.structs.asdict(new), "title": _titled(new.title)}
    text = folded(number, new.title, new.problem, new.customer_name, new.customer_email)
    await connection.execute(
        tickets.insert().values(
            id=ticket, number=number, status="open", owner_id=owner_id, created_at=now, updated_at=now,
            search_text=text, **values,
        )
    )  # fmt: skip
    return ticket


async def insert_note(
    connection: AsyncConnection, ticket: str, author_id: str | None, text: str, session: str | None = None
) -> str:
    """Add a note inside a transaction of the caller; at most one note speaks for a session. Returns its id."""
    note, now = new_id(), now_ms()
    await connection.execute(
        ticket_notes.insert().values(
            id=note, ticket_id=ticket, author_id=author_id, text=text, at=now, session_id=session
        )
    )
    await connection.execute(tickets.update().where(tickets.c.id == ticket).values(updated_at=now))
    return note


async def list_tickets(connection: AsyncConnection, status: str | None, query: str, owner_id: str | None) -> TicketList:
    """Tickets with this status, these words and this owner, each filter left out when None or empty."""
    live = exists().where(sessions.c.ticket_id == tickets.c.id, sessions.c.ended_at.is_(None)).label("live")
    rows = select(
        tickets.c.id, tickets.c.number, tickets.c.title, tickets.c.status, tickets.c.priority,
        tickets.c.customer_name, tickets.c.owner_id, users.c.name.label("owner_name"),
        tickets.c.created_at, tickets.c.updated_at, live,
    ).outerjoin(users, users.c.id == tickets.c.owner_id)  # fmt: skip
    if status:
        rows = rows.where(tickets.c.status == status)
    if owner_id:
        rows = rows.where(tickets.c.owner_id == owner_id)
    for pattern in like_patterns(query):
        rows = rows.where(tickets.c.search_text.like(pattern))
    found = (await connection.execute(rows.order_by(tickets.c.number.desc()).limit(MAX_LISTED + 1))).all()
    listed = [TicketSummary(**row._asdict()) for row in found[:MAX_LISTED]]
    return TicketList(listed, len(found) > MAX_LISTED)


async def ticket_page(connection: AsyncConnection, ticket: str) -> TicketPage:
    """Everything of one ticket; raises `Missing`."""
    columns = [column for column in tickets.c if column.name != "search_text"]
    of_ticket = (
        select(*columns, users.c.name.label("owner_name"))
        .outerjoin(users, users.c.id == tickets.c.owner_id)
        .where(tickets.c.id == ticket)
    )
    row = (await connection.execute(of_ticket)).one_or_none()
    if row is None:
        raise _missing()
    of_notes = (
        select(ticket_notes.c.id, ticket_notes.c.author_id, users.c.name, ticket_notes.c.text, ticket_notes.c.at)
        .outerjoin(users, users.c.id == ticket_notes.c.author_id)
        .where(ticket_notes.c.ticket_id == ticket)
        .order_by(ticket_notes.c.at, ticket_notes.c.id)
    )
    recorded = exists().where(events.c.session_id == sessions.c.id, events.c.type == "segment_started")
    of_sessions = (
        select(
            sessions.c.id, sessions.c.subject, sessions.c.owner_id, users.c.name, sessions.c.created_at,
            sessions.c.ended_at, recorded.label("recorded"), tombstones.c.at.label("deleted_at"),
        )
        .outerjoin(users, users.c.id == sessions.c.owner_id)
        .outerjoin(tombstones, tombstones.c.session_id == sessions.c.id)
        .where(sessions.c.ticket_id == ticket)
        .order_by(sessions.c.created_at)
    )  # fmt: skip
    of_snapshots = (
        select(snapshots)
        .join(sessions, sessions.c.id == snapshots.c.session_id)
        .where(sessions.c.ticket_id == ticket)
        .order_by(snapshots.c.at)
    )
    notes = [TicketNote(*note) for note in await connection.execute(of_notes)]
    held = [TicketSession(*found) for found in await connection.execute(of_sessions)]
    taken = [
        TicketSnapshot(s.id, s.session_id, snapshot_url(s.session_id, s.id), s.width, s.height, s.at)
        for s in await connection.execute(of_snapshots)
    ]
    holds = await holds_of_ticket(connection, ticket)
    return TicketPage(**row._asdict(), notes=notes, sessions=held, snapshots=taken, holds=holds)


async def change_ticket(connection: AsyncConnection, ticket: str, change: TicketChange) -> None:
    """Store the values that are not null; raises `Missing`, or `Invalid` for an owner who cannot be one."""
    row = (await connection.execute(select(tickets).where(tickets.c.id == ticket))).one_or_none()
    if row is None:
        raise _missing()
    values: dict[str, str | None] = {k: v for k, v in msgspec.structs.asdict(change).items() if v is not None}
    if change.title is not None:
        values["title"] = _titled(change.title)
    if change.class_id == "":
        values["class_id"] = None
    elif change.class_id is not None:
        known = select(ticket_classes.c.id).where(ticket_classes.c.id == change.class_id)
        if (await connection.execute(known)).one_or_none() is None:
            raise Invalid("class_not_found", "There is no such class. Open the page again.")
    if change.owner_id == "":
        values["owner_id"] = None
    elif change.owner_id is not None:
        owner = select(users.c.id).where(
            users.c.id == change.owner_id, users.c.role.in_(_DESK), users.c.disabled.is_(False)
        )
        if (await connection.execute(owner)).one_or_none() is None:
            raise Invalid("invalid_owner", "A ticket's owner must be an agent or an administrator. Choose another.")
    if not values:
        return
    after = row._asdict() | values
    text = folded(after["number"], after["title"], after["problem"], after["customer_name"], after["customer_email"])
    await connection.execute(
        tickets.update().where(tickets.c.id == ticket).values(**values, search_text=text, updated_at=now_ms())
    )


def snapshot_url(session: str, snapshot: str) -> str:
    """Where a snapshot is served."""
    return f"/api/sessions/{session}/snapshots/{snapshot}"


def _titled(title: str) -> str:
    if not (stripped := " ".join(title.split())):
        raise Invalid("title_empty", "A ticket needs a title. Say in a few words what it is about.")
    return stripped


def _missing() -> Missing:
    return Missing("ticket_not_found", "There is no such ticket. Look for it in the list of all tickets.")


# --- Routes ---


@route("GET", "/api/tickets", "ticket.read")
async def get_tickets(request: web.Request, app: App, user: User) -> TicketList:
    """The list: `status`, `q` for words, and `mine=1` for one's own."""
    mine = user.id if request.query.get("mine") in {"1", "true"} else None
    async with app.database.read() as connection:
        return await list_tickets(connection, request.query.get("status"), request.query.get("q", "")[:200], mine)


@route("POST", "/api/tickets", "ticket.write")
async def post_ticket(request: web.Request, app: App, user: User, body: NewTicket) -> TicketPage:
    """A new ticket, owned by who made it."""
    async with app.database.write() as connection:
        ticket = await insert_ticket(connection, body, user.id)
        page = await ticket_page(connection, ticket)
    app.feed.hint(f"ticket:{ticket}")
    return page


@route("GET", "/api/tickets/{ticket}", "ticket.read")
async def get_ticket(request: web.Request, app: App) -> TicketPage:
    """A ticket's page."""
    async with app.database.read() as connection:
        return await ticket_page(connection, request.match_info["ticket"])


@route("PATCH", "/api/tickets/{ticket}", "ticket.write")
async def patch_ticket(request: web.Request, app: App, user: User, body: TicketChange) -> TicketPage:
    """A ticket's new values; another class, by which its recordings are kept, goes into the audit log."""
    ticket, address = request.match_info["ticket"], address_of(request, app.settings.trusted_proxies)
    async with app.database.write() as connection:
        await change_ticket(connection, ticket, body)
        if body.class_id is not None:
            await audit.record(connection, user.id, "ticket.class_changed", ticket, address)
        page = await ticket_page(connection, ticket)
    app.feed.hint(f"ticket:{ticket}")
    return page


@route("POST", "/api/tickets/{ticket}/notes", "ticket.write")
async def post_note(request: web.Request, app: App, user: User, body: NewNote) -> TicketPage:
    """A note by who is signed in."""
    ticket = request.match_info["ticket"]
    async with app.database.write() as connection:
        if (await connection.execute(select(tickets.c.id).where(tickets.c.id == ticket))).one_or_none() is None:
            raise _missing()
        await insert_note(connection, ticket, user.id, body.text)
        page = await ticket_page(connection, ticket)
    app.feed.hint(f"ticket:{ticket}")
    return page
