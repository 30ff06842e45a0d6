"""Participation: what a participant's own page may ask about its session, and the customer's word at the end."""

from typing import Annotated

import msgspec
from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.app import App
from server.database import now_ms, sessions, users
from server.participants import Admitted
from server.problems import Forbidden, Missing
from server.routes import route
from signaling.messages import Role

# --- Records ---

Language = Annotated[str, msgspec.Meta(pattern="^[a-z]{2}(-[A-Za-z0-9]{1,7})?$")]


class Participation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in a session: `token` is what `hello` and the participant's requests carry."""

    token: str
    session: str
    participant: str


class WaitingPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`position` counts from 1."""

    position: int
    waited_ms: int


class ParticipationDetails(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a participant's page says about the session; `waiting` is null once an agent is there."""

    session: str
    participant: str
    role: Role
    organization: str
    subject: str
    agent_name: str | None
    ask_recording: bool
    waiting: WaitingPlace | None
    feedback_given: bool


class Feedback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The customer's word after the session, from 1 (bad) to 5 (good)."""

    score: Annotated[int, msgspec.Meta(ge=1, le=5)]


# --- Operations ---


async def details(connection: AsyncConnection, who: Admitted, organization: str) -> ParticipationDetails:
    """What the participant's page shows; raises `Missing`."""
    of_session = (
        select(sessions, users.c.name)
        .outerjoin(users, users.c.id == sessions.c.owner_id)
        .where(sessions.c.id == who.session)
    )
    row = (await connection.execute(of_session)).one_or_none()
    if row is None:
        raise Missing("session_not_found", "This session does not exist any more.")
    waiting = None
    if row.owner_id is None and row.ended_at is None:
        before = select(func.count()).select_from(sessions)
        before = before.where(
            sessions.c.owner_id.is_(None), sessions.c.ended_at.is_(None), sessions.c.created_at < row.created_at
        )
        position = (await connection.execute(before)).scalar_one() + 1
        waiting = WaitingPlace(position, max(0, now_ms() - row.created_at))
    return ParticipationDetails(
        session=who.session,
        participant=who.id,
        role=who.role,
        organization=organization,
        subject=row.subject,
        agent_name=row.name,
        ask_recording=row.ask_recording,
        waiting=waiting,
        feedback_given=row.feedback is not None,
    )


# --- Routes ---


@route("GET", "/api/participation", "participant")
async def get_participation(request: web.Request, app: App, who: Admitted) -> ParticipationDetails:
    """About the session that the token belongs to."""
    async with app.database.read() as connection:
        return await details(connection, who, app.settings.organization)


@route("POST", "/api/participation/feedback", "participant")
async def post_feedback(request: web.Request, app: App, who: Admitted, body: Feedback) -> None:
    """The customer's word; the last one counts."""
    if who.role != "customer":
        raise Forbidden("forbidden", "Only the customer is asked how it went.")
    async with app.database.write() as connection:
        of_session = sessions.update().where(sessions.c.id == who.session).values(feedback=body.score)
        await connection.execute(of_session)
    app.feed.hint(f"session:{who.session}")
