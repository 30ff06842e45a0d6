"""The waiting list: customers who came unasked through "Get help", until an agent accepts them."""

import asyncio
from typing import Annotated

import msgspec
from aiohttp import web
from sqlalchemy import select

from server import audit
from server.app import App
from server.database import new_id, now_ms, sessions, users
from server.limits import address_of
from server.logins import User
from server.participants import admit
from server.participation import Language, Participation
from server.problems import Conflict, Unavailable
from server.routes import background, observer, route
from server.sessions import current, insert_session, missing, tell
from server.tickets import NewTicket, PersonName, insert_ticket
from signaling import timeline
from signaling.messages import End, Event, Joined, Left
from signaling.session import Assign, Open

# --- Records ---

Problem = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class HelpRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: PersonName
    problem: Problem
    language: Language


class WaitingCustomer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A customer on the list; `since` is ms since 1970, `now` being the server's own clock in the list around it."""

    session: str
    name: str
    problem: str
    language: str
    since: int


class WaitingList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The longest wait first."""

    waiting: list[WaitingCustomer]
    now: int


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The session is the agent's, and has a ticket."""

    session: str
    ticket: str


# --- Operations ---

ASK_RECORDING = True
"""A customer who came unasked is asked, so that there may be something to learn from."""
FIRST_CONNECTION_MS = 30_000
ABANDONED_MS = 600_000
_SUBJECT = 80


def subject_of(problem: str) -> str:
    """The problem in one short line."""
    line = " ".join(problem.split())
    return line if len(line) <= _SUBJECT else line[: _SUBJECT - 1].rstrip() + "…"


async def ask(app: App, body: HelpRequest, address: str) -> Participation:
    """Put a customer on the waiting list; raises `Unavailable`."""
    session, subject = new_id(), subject_of(body.problem)
    own = app.settings
    await tell(app, session, Open(own.organization, subject, ASK_RECORDING, own.strict_recording, own.control))
    async with app.database.write() as connection:
        await insert_session(
            connection, session, subject, problem=body.problem, customer_name=body.name, language=body.language,
            ask_recording=ASK_RECORDING,
        )  # fmt: skip
        admitted, token = await admit(connection, session, "customer", body.name)
        await audit.record(connection, None, "help.asked", session, address)
    app.feed.hint("waiting")
    return Participation(token, session, admitted.id)


async def waiting_list(app: App) -> WaitingList:
    """The customers who wait and are there; one who closed the page is not shown."""
    async with app.database.read() as connection:
        unowned = select(sessions).where(sessions.c.owner_id.is_(None), sessions.c.ended_at.is_(None))
        rows = (await connection.execute(unowned.order_by(sessions.c.created_at, sessions.c.id))).all()
    now = now_ms()
    waiting = [
        WaitingCustomer(row.id, row.customer_name, row.problem, row.language, row.created_at)
        for row in rows
        if now - row.created_at < FIRST_CONNECTION_MS or (await current(app, row.id)).customer is not None
    ]
    return WaitingList(waiting, now)


async def accept(app: App, session: str, user: User, address: str) -> Accepted:
    """Give a waiting customer to the user, with a ticket; raises `Missing`, or `Conflict` that says who was first."""
    async with app.database.write() as connection:
        mine = (sessions.c.id == session) & sessions.c.owner_id.is_(None) & sessions.c.ended_at.is_(None)
        taken = await connection.execute(sessions.update().where(mine).values(owner_id=user.id))
        of_session = (
            select(sessions, users.c.name.label("owner_name"))
            .outerjoin(users, users.c.id == sessions.c.owner_id)
            .where(sessions.c.id == session)
        )
        row = (await connection.execute(of_session)).one_or_none()
        if row is None:
            raise missing()
        if row.ended_at is not None:
            raise Conflict("session_ended", f"{row.customer_name} has gone. Their wait is over; take the next one.")
        if row.owner_id != user.id:
            raise Conflict("already_accepted", f"{row.owner_name} has taken {row.customer_name} already.")
        ticket = row.ticket_id
        if taken.rowcount and ticket is None:
            new = NewTicket(row.subject, row.problem, "normal", row.customer_name, "")
            ticket = await insert_ticket(connection, new, user.id)
            await connection.execute(sessions.update().where(sessions.c.id == session).values(ticket_id=ticket))
            await audit.record(connection, user.id, "waiting.accepted", session, address)
    await tell(app, session, Assign(user.id, user.name))
    for topic in ("waiting", f"session:{session}", f"ticket:{ticket}"):
        app.feed.hint(topic)
    return Accepted(session, ticket)


async def give_up(app: App, session: str) -> None:
    """End a session for which nobody waits any more."""
    async with app.database.read() as connection:
        unowned = select(sessions.c.id).where(
            sessions.c.id == session, sessions.c.owner_id.is_(None), sessions.c.ended_at.is_(None)
        )
        if (await connection.execute(unowned)).one_or_none() is None:
            return
    await tell(app, session, End(new_id(), "abandoned"))
    app.feed.hint("waiting")


@observer
async def watch(app: App, session: str, events: list[Event]) -> None:
    """A customer who says goodbye while waiting is taken off the list."""
    if any(isinstance(event.body, Joined | Left) for event in events):
        app.feed.hint("waiting")
    if any(isinstance(event.body, Left) and event.body.reason == "left" for event in events):
        await give_up(app, session)


@background
async def sweep(app: App) -> None:
    """Ends the waiting of those who have been gone for long."""
    while True:
        await asyncio.sleep(ABANDONED_MS / 10_000)
        async with app.database.read() as connection:
            old = select(sessions.c.id).where(
                sessions.c.owner_id.is_(None), sessions.c.ended_at.is_(None),
                sessions.c.created_at < now_ms() - ABANDONED_MS,
            )  # fmt: skip
            rows = (await connection.execute(old)).scalars().all()
        for session in rows:
            try:
                events = await app.timeline.read(session)
                if not (await current(app, session)).customer and events[-1].at < now_ms() - ABANDONED_MS:
                    await give_up(app, session)
            except (timeline.Unavailable, Unavailable, Conflict):
                continue  # the next round tries again


# --- Routes ---


@route("POST", "/api/help", "public", limit="6/minute")
async def post_help(request: web.Request, app: App, body: HelpRequest) -> Participation:
    """A customer comes unasked."""
    return await ask(app, body, address_of(request, app.settings.trusted_proxies))


@route("GET", "/api/waiting", "waiting.read")
async def get_waiting(request: web.Request, app: App) -> WaitingList:
    """Who waits."""
    return await waiting_list(app)


@route("POST", "/api/waiting/{session}/accept", "waiting.accept")
async def post_acceptance(request: web.Request, app: App, user: User) -> Accepted:
    """Take a customer off the list."""
    address = address_of(request, app.settings.trusted_proxies)
    return await accept(app, request.match_info["session"], user, address)
