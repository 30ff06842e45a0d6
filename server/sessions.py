"""Sessions as the desk sees them: started from a ticket, looked at, and joined by their agent."""

import contextlib

import msgspec
from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server import audit, invitations
from server.app import App
from server.database import colleagues, new_id, now_ms, sessions, tickets, users
from server.folding import search_text
from server.holds import lock_session
from server.invitations import Invitation, InvitationState
from server.limits import address_of
from server.logins import User
from server.participants import admit
from server.participation import Language, Participation
from server.problems import Conflict, Forbidden, Missing, Unavailable
from server.routes import Caller, not_yours, route
from signaling import timeline
from signaling.decisions import CommandRefused
from signaling.messages import Role
from signaling.session import Assign, Command, Depart, Open, Participant, State
from signaling.state import Phase, Recording

# --- Records ---


class NewSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ask_recording` is whether the customer will be asked to let the session be recorded.

    `strict_recording` is whether sharing is paused while recording fails; null means as the server is set.
    """

    ask_recording: bool
    strict_recording: bool | None = None


class SessionStarted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    session: str
    invitation: Invitation


class SessionParticipant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who has been in the session; `present` is whether they are there now."""

    id: str
    role: Role
    name: str
    present: bool


class SessionSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session for the console, as who asks sees it.

    `may_join` is whether they may take part in it as an agent, `mine` whether they also say who else may.
    """

    id: str
    ticket: str | None
    ticket_number: int | None
    subject: str
    customer_name: str
    owner_id: str | None
    owner_name: str | None
    language: str
    ask_recording: bool
    phase: Phase
    recording: Recording
    created_at: int
    ended_at: int | None
    participants: list[SessionParticipant]
    invitation: InvitationState | None
    may_join: bool
    mine: bool


# --- Operations ---


async def insert_session(
    connection: AsyncConnection,
    session: str,
    subject: str,
    *,
    problem: str,
    customer_name: str,
    language: Language,
    ask_recording: bool,
    ticket: str | None = None,
    owner_id: str | None = None,
) -> None:
    """Add a session's row inside a transaction of the caller."""
    await connection.execute(
        sessions.insert().values(
            id=session, ticket_id=ticket, owner_id=owner_id, subject=subject, problem=problem,
            customer_name=customer_name, language=language, ask_recording=ask_recording, created_at=now_ms(),
            ended_at=None, feedback=None, search_text=search_text(subject, customer_name, problem),
        )
    )  # fmt: skip


async def current(app: App, session: str) -> State:
    """The session as its timeline has it."""
    try:
        return await app.endpoint.state(session)
    except timeline.Unavailable as error:
        raise unavailable() from error


async def tell(app: App, session: str, command: Command, sender: Participant | None = None) -> None:
    """Have the server, or a participant by way of HTTP, do something; a refusal is raised as a problem."""
    try:
        await app.endpoint.command(session, command, sender)
    except timeline.Unavailable as error:
        raise unavailable() from error
    except CommandRefused as refused:
        match refused.code:
            case "unavailable":
                raise unavailable() from refused
            case "forbidden" | "not_present" | "no_consent":
                raise Forbidden(refused.code, refused.text) from refused
            case _:
                raise Conflict(refused.code, refused.text) from refused


def unavailable() -> Unavailable:
    """The timeline cannot be reached."""
    text = "The session's timeline cannot be stored or read at the moment. Nothing was changed. Try again soon."
    return Unavailable("unavailable", text, 5)


async def of_owner(app: App, request: web.Request, caller: Caller) -> bool:
    """Whether the session in the path is the caller's own, or the caller an administrator; raises `Missing`."""
    async with app.database.read() as connection:
        owner = select(sessions.c.owner_id).where(sessions.c.id == request.match_info["session"])
        row = (await connection.execute(owner)).one_or_none()
    if row is None:
        raise missing()
    return isinstance(caller, User) and _is_whose(caller, row.owner_id)


def _is_whose(user: User, owner_id: str | None) -> bool:
    return user.role == "admin" or user.id == owner_id


async def of_agents(app: App, request: web.Request, caller: Caller) -> bool:
    """Whether the session in the path is the caller's as with `of_owner`, or one that they were let into."""
    if await of_owner(app, request, caller):
        return True
    async with app.database.read() as connection:
        return isinstance(caller, User) and await _is_inside(connection, request.match_info["session"], caller)


async def _is_inside(connection: AsyncConnection, session: str, user: User) -> bool:
    """Whether the user is one of the session's colleagues."""
    whose = (colleagues.c.session_id == session) & (colleagues.c.user_id == user.id)
    return (await connection.execute(select(colleagues.c.user_id).where(whose))).one_or_none() is not None


async def send_away(app: App, places: list[tuple[str, str]], code: str) -> None:
    """Have participants, whose tokens are worthless already, out of their sessions now: a picture needs no socket."""
    for session, participant in places:
        app.endpoint.dismiss(session, [participant], code)
        with contextlib.suppress(Unavailable):  # then they are taken for gone after the grace
            await tell(app, session, Depart(participant, "left"))


def missing() -> Missing:
    """There is no such session."""
    return Missing("session_not_found", "There is no such session. Look for it on its ticket.")


def ended() -> Conflict:
    """Nobody comes into it any more."""
    return Conflict("session_ended", "This session has ended. Start a new one from the ticket.")


async def start(app: App, user: User, ticket: str, new: NewSession, request: web.Request) -> SessionStarted:
    """A session of the ticket, owned by the user, with an invitation for the customer; raises `Missing`."""
    async with app.database.read() as connection:
        row = (await connection.execute(select(tickets).where(tickets.c.id == ticket))).one_or_none()
    if row is None:
        raise Missing("ticket_not_found", "There is no such ticket. Look for it in the list of all tickets.")
    session = new_id()
    strict = app.settings.strict_recording if new.strict_recording is None else new.strict_recording
    opening = Open(app.settings.organization, row.title, new.ask_recording, strict, app.settings.control)
    await tell(app, session, opening)
    await tell(app, session, Assign(user.id, user.name))
    async with app.database.write() as connection:
        await insert_session(
            connection, session, row.title, problem=row.problem, customer_name=row.customer_name, language="en",
            ask_recording=new.ask_recording, ticket=ticket, owner_id=user.id,
        )  # fmt: skip
        invitation = await invitations.issue(app, connection, session, user.id, request)
        address = address_of(request, app.settings.trusted_proxies)
        await audit.record(connection, user.id, "session.started", session, address)
    app.feed.hint(f"ticket:{ticket}")
    return SessionStarted(session, invitation)


async def summary(app: App, session: str, user: User) -> SessionSummary:
    """A session for the console; raises `Missing`."""
    state = await current(app, session)
    async with app.database.read() as connection:
        of_session = (
            select(sessions, users.c.name.label("owner_name"), tickets.c.number)
            .outerjoin(users, users.c.id == sessions.c.owner_id)
            .outerjoin(tickets, tickets.c.id == sessions.c.ticket_id)
            .where(sessions.c.id == session)
        )
        row = (await connection.execute(of_session)).one_or_none()
        invitation = await invitations.newest(connection, session)
        inside = await _is_inside(connection, session, user)
    if row is None:
        raise missing()
    mine = _is_whose(user, row.owner_id)
    people = [SessionParticipant(p.id, p.role, p.name, p.id in state.present) for p in state.participants.values()]
    return SessionSummary(
        id=session, ticket=row.ticket_id, ticket_number=row.number, subject=row.subject,
        customer_name=row.customer_name, owner_id=row.owner_id, owner_name=row.owner_name, language=row.language,
        ask_recording=row.ask_recording, phase=state.phase, recording=state.recording, created_at=row.created_at,
        ended_at=row.ended_at, participants=people, invitation=invitation,
        may_join=row.ended_at is None and (mine or inside), mine=mine,
    )  # fmt: skip


async def join(app: App, session: str, user: User, request: web.Request) -> Participation:
    """A place in the session as an agent; raises `Conflict`, or `Forbidden` where the user has no part in it."""
    state = await current(app, session)
    if state.phase == "ended":
        raise ended()
    async with app.database.write() as connection:
        await lock_session(connection, session)
        owner = (await connection.execute(select(sessions.c.owner_id).where(sessions.c.id == session))).scalar_one()
        if not (_is_whose(user, owner) or await _is_inside(connection, session, user)):
            raise not_yours()  # they were removed a moment ago
        if owner is None:
            raise Conflict("not_accepted", "This customer is still waiting. Accept them on the waiting list first.")
        admitted, token = await admit(connection, session, "agent", user.name, user.id)
        address = address_of(request, app.settings.trusted_proxies)
        await audit.record(connection, user.id, "session.joined", session, address)
    if state.agent is None:
        await tell(app, session, Assign(user.id, user.name))
    return Participation(token, session, admitted.id)


# --- Routes ---


@route("POST", "/api/tickets/{ticket}/sessions", "session.start")
async def post_session(request: web.Request, app: App, user: User, body: NewSession) -> SessionStarted:
    """Start a session from a ticket."""
    return await start(app, user, request.match_info["ticket"], body, request)


@route("GET", "/api/sessions/{session}", "session.read")
async def get_session(request: web.Request, app: App, user: User) -> SessionSummary:
    """A session as it stands."""
    return await summary(app, request.match_info["session"], user)


@route("POST", "/api/sessions/{session}/invitations", "session.start", owner=of_owner)
async def post_invitation(request: web.Request, app: App, user: User) -> Invitation:
    """A new invitation; the one before it can't be used any more."""
    session = request.match_info["session"]
    async with app.database.write() as connection:
        of_session = select(sessions.c.ended_at).where(sessions.c.id == session)
        if (await connection.execute(of_session)).scalar_one() is not None:
            raise ended()
        invitation = await invitations.issue(app, connection, session, user.id, request)
    app.feed.hint(f"session:{session}")
    return invitation


@route("DELETE", "/api/sessions/{session}/invitations", "session.start", owner=of_owner)
async def delete_invitations(request: web.Request, app: App, user: User) -> None:
    """Revoke what is not used yet."""
    session = request.match_info["session"]
    async with app.database.write() as connection:
        await invitations.revoke(connection, session)
        address = address_of(request, app.settings.trusted_proxies)
        await audit.record(connection, user.id, "invitation.revoked", session, address)
    app.feed.hint(f"session:{session}")


@route("POST", "/api/sessions/{session}/participants", "session.start", owner=of_agents)
async def post_participant(request: web.Request, app: App, user: User) -> Participation:
    """The session's agent, or a colleague who was let in, comes in."""
    return await join(app, request.match_info["session"], user, request)
