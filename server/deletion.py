"""Deleting a recording: by the rule of its class or on request, never under a hold, and never without a tombstone.

One transaction looks for holds, erases what is personal in the timeline, and stores the signed tombstone; only when it
is committed are media, keys and pictures shredded, and a crash in between is made up for by the next sweep. So there is
no moment at which a hold could be placed on what is half gone.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import structlog
from aiohttp import web
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from recorder import vault
from server import audit, knowledge, recordings, snapshots as pictures
from server.app import App
from server.database import (
    Database,
    articles,
    events,
    jobs,
    now_ms,
    participants,
    sessions,
    snapshots,
    ticket_notes,
    tickets,
    tombstones,
)
from server.folding import search_text
from server.holds import holds_on, lock_session, recording_deleted
from server.limits import address_of
from server.logins import User
from server.problems import Conflict, Missing, Problem
from server.retention import due_recordings, is_due, rule_of
from server.routes import Caller, background, route
from server.signing import Signer
from server.tickets import insert_note
from server.tombstones import DeletedPicture, DeletedSegment, Ground, Statement
from server.transcript import compose
from signaling import messages as m

# --- Records ---

SWEEP_EVERY_S = 600.0
SWEPT = 200
"""Recordings that one sweep looks at; the next one takes the rest."""
SETTLED_MS = 600_000
"""So long after a session's end no recorder reports anything of it any more."""
Reason = Annotated[str, msgspec.Meta(min_length=3, max_length=1000)]


class DeletionOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a recording is deleted, and whether the articles that were made of it go with it."""

    ground: Literal["customer_request", "other"]
    reason: Reason
    articles: Literal["keep", "delete"]


class Order(msgspec.Struct, frozen=True):
    """Who deletes a recording, from where, and why."""

    by: str
    by_user: str | None
    address: str
    ground: Ground
    reason: str
    articles: Literal["keep", "delete"] = "keep"


class Remains(msgspec.Struct, frozen=True):
    """What is still to be taken off the disk."""

    segments: list[str]
    snapshots: list[str]
    media: list[str]


# --- Operations ---

PERSONAL = frozenset(
    {
        "session_opened",
        "sharing_started",
        "surface_changed",
        "snapshot_taken",
        "chat_said",
        "note_added",
        "bookmark_added",
        "annotation_added",
    }
)
"""Types of events whose bodies say something of the customer: words, titles of windows, ink. So does the customer's own
`joined`; those of the staff stay, for who did something is what an audit asks."""

log = structlog.get_logger()


def is_personal(kind: str, body: str) -> bool:
    """Whether a stored body goes with the recording."""
    return kind in PERSONAL or (kind == "joined" and msgspec.json.decode(body, type=m.Joined).role == "customer")


async def delete(database: Database, data: Path, signer: Signer, session: str, order: Order, now: int) -> bool:
    """Delete a session's recording; whether all of it is off the disk already.

    Raises `Missing`, `Gone` when it was deleted before, or `Conflict` that says what keeps it.
    """
    async with database.write() as connection:
        await bury(connection, signer, session, order, now)
    try:
        await shred(database, data, session, now)
    except OSError as error:
        log.error("shredding_failed", session=session, cause=str(error))
        return False
    return True


async def bury(connection: AsyncConnection, signer: Signer, session: str, order: Order, now: int) -> Statement:
    """Everything of a deletion but the files, inside a transaction of the caller; raises as `delete` does."""
    await lock_session(connection, session)
    found = select(sessions, tickets.c.number).outerjoin(tickets, tickets.c.id == sessions.c.ticket_id)
    row = (await connection.execute(found.where(sessions.c.id == session))).one_or_none()
    chain = (
        await connection.execute(select(events).where(events.c.session_id == session).order_by(events.c.seq))
    ).all()
    if row is None or all(link.type != "segment_started" for link in chain):
        raise Missing("recording_not_found", "There is no such recording. Look for it in the library.")
    buried = select(tombstones.c.session_id).where(tombstones.c.session_id == session)
    if (await connection.execute(buried)).one_or_none() is not None:
        raise recording_deleted()
    segments = _segments(chain)
    await _permit(connection, row, segments, order, now)
    name, days = await rule_of(connection, session)
    kept, dropped, media = await _articles(connection, session, order.articles)
    taken = (await connection.execute(select(snapshots).where(snapshots.c.session_id == session))).all()
    erased = [link.seq for link in chain if link.body is not None and is_personal(link.type, link.body)]
    statement = Statement(
        session=session, ticket_number=row.number, at=now, by=order.by, by_user=order.by_user,
        ground=order.ground, rule=f"{name}: {'for ever' if days is None else f'{days} days'}", reason=order.reason,
        segments=segments, snapshots=[DeletedPicture(s.id, s.bytes, s.sha256) for s in taken],
        events=chain[-1].seq, last_hash=chain[-1].hash.hex(), erased=erased,
        articles_kept=kept, articles_deleted=dropped,
    )  # fmt: skip
    await _erase(connection, row, chain, frozenset(erased))
    said = msgspec.json.encode(statement)
    signed = signer.sign(said)
    remains = Remains([s.id for s in segments], [s.id for s in taken], media)
    await connection.execute(
        tombstones.insert().values(
            session_id=session, statement=said.decode(), key_id=signed.key_id, signature=signed.signature, at=now,
            remains=msgspec.json.encode(remains).decode(), shredded_at=None,
        )
    )  # fmt: skip
    await audit.record(connection, order.by_user, "recording.deleted", session, order.address)
    return statement


def _segments(chain: Sequence[Any]) -> list[DeletedSegment]:
    """The files that a timeline names, each with the last that it says of it."""
    found: dict[str, DeletedSegment] = {}
    for link in chain:
        if link.type not in {"segment_started", "segment_grown", "segment_finished"} or link.body is None:
            continue
        match msgspec.json.decode(link.body, type=m.SegmentStarted | m.SegmentGrown | m.SegmentFinished):
            case m.SegmentStarted(segment, participant, codec, _):
                found[segment] = DeletedSegment(segment, participant, codec, None, None, None)
            case m.SegmentGrown(segment, size, digest):
                found[segment] = msgspec.structs.replace(found[segment], bytes=size, digest=digest)
            case m.SegmentFinished(segment, size, duration, digest):
                whole = {"bytes": size, "duration_ms": duration, "digest": digest}
                found[segment] = msgspec.structs.replace(found[segment], **whole)
    return list(found.values())


async def _permit(
    connection: AsyncConnection, row: Any, segments: Sequence[DeletedSegment], order: Order, now: int
) -> None:
    """Raises `Conflict` when the recording is held, in use, or not due by its rule."""
    if holds := await holds_on(connection, row.id, row.ticket_id):
        text = f"{holds[0].placed_by} has put a legal hold on this recording. It has to be released first."
        raise Conflict("legal_hold", text)
    if row.ended_at is None:
        raise Conflict("session_live", "This session is still going on. End it first.")
    _, days = await rule_of(connection, row.id)
    if order.ground == "retention" and not is_due(row.ended_at, days, now):
        raise Conflict("not_due", "The class of the ticket keeps this recording still.")
    if any(s.duration_ms is None for s in segments) and now - row.ended_at < SETTLED_MS:
        raise Conflict("still_recording", "The recorder is still finishing this recording. Try again in some minutes.")
    in_work = (
        select(jobs.c.id)
        .join(articles, articles.c.job_id == jobs.c.id)
        .where(articles.c.session_id == row.id, jobs.c.state.in_(["queued", "running"]))
    )
    if (await connection.execute(in_work.limit(1))).one_or_none() is not None:
        raise Conflict("clip_in_work", "A video is being made of this recording. Try again when it is done.")


async def _articles(
    connection: AsyncConnection, session: str, what: Literal["keep", "delete"]
) -> tuple[list[str], list[str], list[str]]:
    """The slugs of articles made of the recording that stay, of those that go, and the files of the latter."""
    rows = await connection.execute(select(articles.c.id, articles.c.slug).where(articles.c.session_id == session))
    found = rows.all()
    if what == "keep":
        return [slug for _, slug in found], [], []
    media = [name for article, _ in found for name in await knowledge.take_away(connection, article)]
    return [], [slug for _, slug in found], media


async def _erase(connection: AsyncConnection, row: Any, chain: Sequence[Any], erased: frozenset[int]) -> None:
    """Take out of the database what the session told of the customer; the commitments stay, so the chain holds."""
    each = events.update().where(events.c.session_id == row.id, events.c.seq == bindparam("number"))
    await connection.execute(each.values(body=None, salt=None), [{"number": seq} for seq in sorted(erased)])
    decode = msgspec.json.Decoder(m.EventBody).decode
    left = [
        m.Event(e.seq, e.at, e.actor, m.BodyErased(e.type) if e.body is None or e.seq in erased else decode(e.body))
        for e in chain
    ]
    note, text = ticket_notes.update().where(ticket_notes.c.session_id == row.id), compose(row.id, left)
    if not (await connection.execute(note.values(text=text))).rowcount and row.ticket_id:
        await insert_note(connection, row.ticket_id, None, text, row.id)
    unnamed = {"customer_name": "", "problem": "", "search_text": search_text(row.subject)}
    await connection.execute(sessions.update().where(sessions.c.id == row.id).values(**unnamed))
    customer = (participants.c.session_id == row.id) & (participants.c.role == "customer")
    await connection.execute(participants.update().where(customer).values(name=""))
    await connection.execute(snapshots.delete().where(snapshots.c.session_id == row.id))


async def shred(database: Database, data: Path, session: str, now: int) -> None:
    """Take the files of a buried recording off the disk; may be repeated. Raises OSError."""
    async with database.read() as connection:
        query = select(tombstones.c.remains).where(tombstones.c.session_id == session)
        stored = (await connection.execute(query)).scalar_one_or_none()
    if stored is None:
        return
    remains = msgspec.json.decode(stored, type=Remains)

    def remove() -> None:
        for segment in remains.segments:
            vault.shred(recordings.folder(data), segment)
        for snapshot in remains.snapshots:
            (pictures.folder(data) / snapshot).unlink(missing_ok=True)
        for name in remains.media:
            (knowledge.folder(data) / name).unlink(missing_ok=True)

    await asyncio.to_thread(remove)
    async with database.write() as connection:
        over = tombstones.update().where(tombstones.c.session_id == session)
        await connection.execute(over.values(remains=None, shredded_at=now))
    await database.forget()


async def sweep(database: Database, data: Path, signer: Signer, now: int) -> list[str]:
    """Delete what the rules no longer keep, and what a crash left undeleted; the sessions that went now."""
    async with database.read() as connection:
        half = select(tombstones.c.session_id).where(tombstones.c.remains.is_not(None))
        unfinished = (await connection.execute(half)).scalars().all()
        due = await due_recordings(connection, now, SWEPT)
    for session in unfinished:
        try:
            await shred(database, data, session, now)
        except OSError as error:
            log.error("shredding_failed", session=session, cause=str(error))
    gone: list[str] = []
    for session in due:
        order = Order("retention", None, "", "retention", "")
        try:
            await delete(database, data, signer, session, order, now)
        except Problem as kept:
            log.info("recording_kept", session=session, code=kept.code)
        else:
            gone.append(session)
    return gone


async def tell(app: App, session: str) -> None:
    """Have the pages that show the recording look again."""
    async with app.database.read() as connection:
        query = select(sessions.c.ticket_id).where(sessions.c.id == session)
        ticket = (await connection.execute(query)).scalar_one_or_none()
    for topic in (f"session:{session}", f"ticket:{ticket}", "retention"):
        app.feed.hint(topic)


@background
async def sweep_for_ever(app: App) -> None:
    """Sweeps at the start, and then again and again."""
    while True:
        for session in await sweep(app.database, app.data, app.signer, now_ms()):
            log.info("recording_deleted", session=session, ground="retention")
            await tell(app, session)
        await asyncio.sleep(SWEEP_EVERY_S)


# --- Routes ---


@route("POST", "/api/recordings/{session}/deletion", ("recording.delete", "process"))
async def post_deletion(request: web.Request, app: App, body: DeletionOrder, user: Caller) -> None:
    """Delete a recording now; `sightline recordings delete` comes here too."""
    session = request.match_info["session"]
    by, by_user = (user.name, user.id) if isinstance(user, User) else ("console", None)
    address = address_of(request, app.settings.trusted_proxies) if by_user else "console"
    order = Order(by, by_user, address, body.ground, body.reason, body.articles)
    await delete(app.database, app.data, app.signer, session, order, now_ms())
    await tell(app, session)
