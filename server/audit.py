"""The audit log: who did what to what, from where. Rows are only ever added."""

import csv
import hashlib
import io
from typing import Any

import msgspec
from aiohttp import web
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.app import App
from server.database import articles, audit, new_id, now_ms, sessions, ticket_classes, tickets, users
from server.folding import like_patterns
from server.limits import address_of
from server.logins import User
from server.problems import Invalid
from server.routes import route

# --- Records ---


class AuditEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row: `object` is an id, and `about` the name of the thing where it still has one. `at` is ms since 1970."""

    id: str
    at: int
    user_id: str | None
    user_name: str | None
    action: str
    object: str
    about: str | None
    address: str


class AuditPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest first, at most 100; `next` is the row to ask on from, or null. `actions` are those there are."""

    entries: list[AuditEntry]
    next: str | None
    actions: list[str]


# --- Operations ---

MAX_LISTED = 100
MAX_EXPORTED = 100_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a program."""


async def record(
    connection: AsyncConnection, user_id: str | None, action: str, subject: str, address: str, entry: str | None = None
) -> None:
    """Add a row inside the transaction that does the thing; `action` is such as `user.created`, `subject` an id.

    A row with the id `entry` is added only once.
    """
    if entry and (await connection.execute(select(audit.c.id).where(audit.c.id == entry))).one_or_none():
        return
    await connection.execute(
        audit.insert().values(
            id=entry or new_id(), at=now_ms(), user_id=user_id, action=action, object=subject[:200], address=address
        )
    )


async def record_once(
    app: App, request: web.Request, user: User, action: str, subject: str, *, opening: str, period_ms: int
) -> None:
    """Add a row unless this person did the same thing in the same opening of a page, within the last period."""
    period = now_ms() // period_ms
    ids = [_entry(user.id, action, subject, opening, str(number)) for number in (period, period - 1)]
    async with app.database.read() as connection:
        if (await connection.execute(select(audit.c.id).where(audit.c.id.in_(ids)).limit(1))).one_or_none():
            return
    async with app.database.write() as connection:
        address = address_of(request, app.settings.trusted_proxies)
        await record(connection, user.id, action, subject, address, ids[0])


def _entry(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _found(query: Any) -> Select[Any]:
    """The rows that the filter of a request names, the newest first; raises `Invalid`."""
    rows = select(audit, users.c.name.label("user_name")).outerjoin(users, users.c.id == audit.c.user_id)
    if action := query.get("action", "")[:60]:
        rows = rows.where(audit.c.action == action)
    for word in query.get("who", "")[:100].split():
        named = [column.icontains(word, autoescape=True) for column in (users.c.name, users.c.email)]
        rows = rows.where(or_(*named))
    if about := query.get("about", "").strip()[:200]:
        rows = rows.where(or_(audit.c.object == about, *_things_named(about)))
    for name, least in (("since", True), ("until", False)):
        if text := query.get(name, ""):
            if not text.isdecimal() or len(text) > 15:
                raise Invalid("invalid_time", f"{name} is a time in ms since 1970.")
            rows = rows.where(audit.c.at >= int(text) if least else audit.c.at < int(text))
    return rows.order_by(audit.c.at.desc(), audit.c.id.desc())


def _things_named(text: str) -> list[Any]:
    patterns = like_patterns(text)
    if not patterns:
        return []
    found = [
        select(table.c.id).where(*(table.c.search_text.like(pattern) for pattern in patterns))
        for table in (sessions, tickets)
    ]
    return [audit.c.object.in_(each) for each in found]


async def _entries(connection: AsyncConnection, rows: list[Any]) -> list[AuditEntry]:
    objects = {row.object for row in rows}
    names: dict[str, str] = {}
    for table, name in (
        (users, users.c.name), (tickets, tickets.c.title), (sessions, sessions.c.subject),
        (articles, articles.c.title), (ticket_classes, ticket_classes.c.name),
    ):  # fmt: skip
        known = await connection.execute(select(table.c.id, name).where(table.c.id.in_(objects)))
        names |= {row[0]: row[1] for row in known}
    return [
        AuditEntry(
            row.id, row.at, row.user_id, row.user_name, row.action, row.object, names.get(row.object), row.address
        )
        for row in rows
    ]


async def list_entries(connection: AsyncConnection, query: Any) -> AuditPage:
    """The page of the log that a request asks for; raises `Invalid`."""
    rows = _found(query)
    if after := query.get("next", "")[:64]:
        last = (await connection.execute(select(audit.c.at, audit.c.id).where(audit.c.id == after))).one_or_none()
        if last is None:
            raise Invalid("invalid_place", "This place of the log does not exist. Open the page again.")
        rows = rows.where(or_(audit.c.at < last.at, and_(audit.c.at == last.at, audit.c.id < last.id)))
    found = (await connection.execute(rows.limit(MAX_LISTED + 1))).all()
    shown = list(found[:MAX_LISTED])
    actions = (await connection.execute(select(audit.c.action).distinct().order_by(audit.c.action))).scalars().all()
    follows = shown[-1].id if len(found) > MAX_LISTED else None
    return AuditPage(await _entries(connection, shown), follows, list(actions))


def as_csv(entries: list[AuditEntry]) -> bytes:
    """The rows for a spreadsheet, in UTF-8; nothing in them is a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = AuditEntry.__struct_fields__
    writer.writerow(names)
    for entry in entries:
        cells = ["" if (value := getattr(entry, name)) is None else str(value) for name in names]
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return text.getvalue().encode()


# --- Routes ---


@route("GET", "/api/audit", "audit.read")
async def get_audit(request: web.Request, app: App) -> AuditPage:
    """The log: `who`, `action`, `about` (an id, or words), `since` and `until` (ms since 1970), and `next`."""
    async with app.database.read() as connection:
        return await list_entries(connection, request.query)


@route("GET", "/api/audit/export", "audit.read")
async def get_audit_export(request: web.Request, app: App, user: User) -> web.StreamResponse:
    """What the filter finds as CSV; the export itself goes into the log."""
    async with app.database.read() as connection:
        rows = (await connection.execute(_found(request.query).limit(MAX_EXPORTED))).all()
        entries: list[AuditEntry] = []
        for start in range(0, len(rows), MAX_LISTED):
            entries += await _entries(connection, list(rows[start : start + MAX_LISTED]))
    async with app.database.write() as connection:
        address = address_of(request, app.settings.trusted_proxies)
        await record(connection, user.id, "audit.exported", request.query_string or "all", address)
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": 'attachment; filename="audit.csv"',
        "Cache-Control": "no-store",
    }
    return web.Response(body=as_csv(entries), headers=headers)
