"""Retention: how long recordings are kept, by the class of their ticket.

A recording is counted from the end of its session. The class that is `standard` holds for tickets without one of their
own, and for sessions without a ticket. What deletes is in `deletion`, what forbids it in `holds`.
"""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from sqlalchemy import BigInteger, ColumnElement, Select, and_, cast, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server import audit
from server.app import App
from server.database import articles, events, new_id, now_ms, sessions, ticket_classes, tickets, tombstones
from server.holds import Hold, held, holds_on
from server.limits import address_of
from server.logins import User
from server.problems import Conflict, Invalid, Missing
from server.routes import route

# --- Records ---

DAY_MS = 86_400_000
ClassName = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Days = Annotated[int, msgspec.Meta(ge=1, le=36_500)]


class ClassRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an administrator says of a class: recordings are kept for `days`, or for ever when that is null."""

    name: ClassName
    days: Days | None
    standard: bool


class TicketClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class with the tickets that have it, the recordings kept by it, and those that the next sweep deletes."""

    id: str
    name: str
    days: int | None
    standard: bool
    tickets: int
    recordings: int
    due: int


class ClassChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class as it is offered on a ticket."""

    id: str
    name: str
    days: int | None
    standard: bool


class DueRecordings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many recordings of a class would be deleted at once if it kept them for so many days."""

    due: int


class KeptArticle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An article that was made from a recording."""

    id: str
    slug: str
    title: str
    state: str


class Keeping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a recording is kept and why: `until` is ms since 1970, null for ever; `holds` win over it."""

    class_name: str
    days: int | None
    until: int | None
    holds: list[Hold]
    articles: list[KeptArticle]


# --- The rule ---


def kept_until(ended_at: int | None, days: int | None) -> int | None:
    """Until when a recording is kept, ms since 1970; None for ever, as is one whose session goes on."""
    return None if ended_at is None or days is None else ended_at + days * DAY_MS


def is_due(ended_at: int | None, days: int | None, now: int) -> bool:
    """Whether the rule alone, without holds, says that a recording is to be deleted."""
    until = kept_until(ended_at, days)
    return until is not None and until <= now


# --- Operations ---


def of_session() -> ColumnElement[bool]:
    """Whether a row of `ticket_classes` is that of a row of `sessions`, with its ticket outer-joined."""
    none = tickets.c.class_id.is_(None)
    return or_(ticket_classes.c.id == tickets.c.class_id, and_(none, ticket_classes.c.standard))


def recorded() -> ColumnElement[bool]:
    """Whether something was recorded of a row of `sessions`, and is still there."""
    began = exists().where(events.c.session_id == sessions.c.id, events.c.type == "segment_started")
    return began & ~exists().where(tombstones.c.session_id == sessions.c.id)


def recordings_kept() -> Select[Any]:
    """Every recording of an ended session with the rule that holds for it."""
    return (
        select(sessions.c.id, sessions.c.ended_at, ticket_classes.c.id.label("class_id"), ticket_classes.c.days)
        .outerjoin(tickets, tickets.c.id == sessions.c.ticket_id)
        .join(ticket_classes, of_session())
        .where(sessions.c.ended_at.is_not(None), recorded())
    )


async def due_recordings(connection: AsyncConnection, now: int, limit: int) -> list[str]:
    """Sessions whose recordings the rule deletes and no hold keeps, the oldest first."""
    old = sessions.c.ended_at + cast(ticket_classes.c.days, BigInteger) * DAY_MS <= now
    query = recordings_kept().where(ticket_classes.c.days.is_not(None), old, ~held())
    rows = await connection.execute(query.order_by(sessions.c.ended_at).limit(limit))
    return [row.id for row in rows]


async def rule_of(connection: AsyncConnection, session: str) -> tuple[str, int | None]:
    """The name and the days of the class that holds for a session."""
    query = (
        select(ticket_classes.c.name, ticket_classes.c.days)
        .select_from(sessions)
        .outerjoin(tickets, tickets.c.id == sessions.c.ticket_id)
        .join(ticket_classes, of_session())
        .where(sessions.c.id == session)
    )
    row = (await connection.execute(query)).one()
    return row.name, row.days


async def keeping(connection: AsyncConnection, session: str) -> Keeping:
    """How long a recording is kept, and what would be left of it."""
    name, days = await rule_of(connection, session)
    row = (await connection.execute(select(sessions).where(sessions.c.id == session))).one()
    made = select(articles.c.id, articles.c.slug, articles.c.title, articles.c.state)
    rows = await connection.execute(made.where(articles.c.session_id == session).order_by(articles.c.created_at))
    found = [KeptArticle(*article) for article in rows]
    return Keeping(
        name, days, kept_until(row.ended_at, days), await holds_on(connection, session, row.ticket_id), found
    )


async def list_classes(connection: AsyncConnection, now: int) -> list[TicketClass]:
    """Every class, the standard one first, then by name."""
    counted = select(tickets.c.class_id, func.count()).group_by(tickets.c.class_id)
    of_tickets: dict[str | None, int] = {row[0]: row[1] for row in await connection.execute(counted)}
    kept = (await connection.execute(recordings_kept().add_columns(held().label("held")))).all()
    rows = await connection.execute(select(ticket_classes).order_by(ticket_classes.c.standard.desc(), "name"))
    return [
        TicketClass(
            id=row.id, name=row.name, days=row.days, standard=row.standard,
            tickets=of_tickets.get(row.id, 0) + (of_tickets.get(None, 0) if row.standard else 0),
            recordings=sum(1 for one in kept if one.class_id == row.id),
            due=sum(1 for one in kept if one.class_id == row.id and _goes(one, row.days, now)),
        )
        for row in rows
    ]  # fmt: skip


def _goes(row: Any, days: int | None, now: int) -> bool:
    return not row.held and is_due(row.ended_at, days, now)


async def store_class(connection: AsyncConnection, class_id: str | None, rule: ClassRule) -> str:
    """Add a class, or change it; exactly one stays the standard one. Raises `Missing`, `Invalid` or `Conflict`."""
    name = " ".join(rule.name.split())
    if not name:
        raise Invalid("class_nameless", "A class needs a name. Say what kind of tickets it is for.")
    before = None
    if class_id is not None:
        before = (await connection.execute(select(ticket_classes).where(ticket_classes.c.id == class_id))).one_or_none()
        if before is None:
            raise _missing()
        if before.standard and not rule.standard:
            raise Conflict("class_standard", "One class has to be the standard one. Make another one standard first.")
    if rule.standard:
        await connection.execute(ticket_classes.update().values(standard=False))
    values = {"name": name, "days": rule.days, "standard": rule.standard}
    try:
        if before is None:
            class_id = new_id()
            await connection.execute(ticket_classes.insert().values(id=class_id, created_at=now_ms(), **values))
        else:
            await connection.execute(ticket_classes.update().where(ticket_classes.c.id == class_id).values(**values))
    except IntegrityError:
        raise Conflict("class_name_taken", "There is a class of this name already. Choose another.") from None
    return str(class_id)


async def drop_class(connection: AsyncConnection, class_id: str) -> None:
    """Take a class away; its tickets follow the standard one from now on. Raises `Missing` or `Conflict`."""
    row = (await connection.execute(select(ticket_classes).where(ticket_classes.c.id == class_id))).one_or_none()
    if row is None:
        raise _missing()
    if row.standard:
        raise Conflict("class_standard", "One class has to be the standard one. Make another one standard first.")
    await connection.execute(tickets.update().where(tickets.c.class_id == class_id).values(class_id=None))
    await connection.execute(ticket_classes.delete().where(ticket_classes.c.id == class_id))


def _missing() -> Missing:
    return Missing("class_not_found", "There is no such class. Open the page again.")


# --- Routes ---


@route("GET", "/api/ticket-classes/choices", "ticket.read")
async def get_choices(request: web.Request, app: App) -> list[ClassChoice]:
    """The classes that a ticket can have."""
    columns = (ticket_classes.c.id, ticket_classes.c.name, ticket_classes.c.days, ticket_classes.c.standard)
    async with app.database.read() as connection:
        rows = await connection.execute(select(*columns).order_by(ticket_classes.c.standard.desc(), "name"))
        return [ClassChoice(*row) for row in rows]


@route("GET", "/api/ticket-classes", "retention.admin")
async def get_classes(request: web.Request, app: App) -> list[TicketClass]:
    """Every class with what it keeps."""
    async with app.database.read() as connection:
        return await list_classes(connection, now_ms())


@route("GET", "/api/ticket-classes/{class}/due", "retention.admin")
async def get_due(request: web.Request, app: App) -> DueRecordings:
    """What a change to `days` days would delete, before it is made."""
    days, class_id = request.query.get("days", ""), request.match_info["class"]
    if not days.isdecimal() or not 1 <= int(days) <= 36_500:
        raise Invalid("days_invalid", "Say for how many days, between 1 and 36500.")
    async with app.database.read() as connection:
        query = recordings_kept().add_columns(held().label("held")).where(ticket_classes.c.id == class_id)
        rows = (await connection.execute(query)).all()
    return DueRecordings(sum(1 for row in rows if _goes(row, int(days), now_ms())))


async def _stored(request: web.Request, app: App, user: User, class_id: str | None, body: ClassRule) -> None:
    address = address_of(request, app.settings.trusted_proxies)
    async with app.database.write() as connection:
        stored = await store_class(connection, class_id, body)
        await audit.record(connection, user.id, "retention.changed" if class_id else "retention.added", stored, address)
    app.feed.hint("retention")


@route("POST", "/api/ticket-classes", "retention.admin")
async def post_class(request: web.Request, app: App, user: User, body: ClassRule) -> None:
    """A new class."""
    await _stored(request, app, user, None, body)


@route("PATCH", "/api/ticket-classes/{class}", "retention.admin")
async def patch_class(request: web.Request, app: App, user: User, body: ClassRule) -> None:
    """A class's new rule; the next sweep goes by it."""
    await _stored(request, app, user, request.match_info["class"], body)


@route("DELETE", "/api/ticket-classes/{class}", "retention.admin")
async def delete_class(request: web.Request, app: App, user: User) -> None:
    """Take a class away."""
    class_id, address = request.match_info["class"], address_of(request, app.settings.trusted_proxies)
    async with app.database.write() as connection:
        await drop_class(connection, class_id)
        await audit.record(connection, user.id, "retention.removed", class_id, address)
    app.feed.hint("retention")
