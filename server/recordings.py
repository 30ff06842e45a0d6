"""Recordings: what was written of the sessions, found and played by the staff."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web
from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from recorder.archive import has_index, holds
from server import audit, media
from server.app import App
from server.database import articles, events, sessions, tickets, tombstones, users
from server.folding import like_patterns
from server.holds import held, recording_deleted
from server.limits import address_of
from server.logins import User
from server.problems import Missing
from server.retention import DAY_MS, Keeping, keeping
from server.routes import route
from server.tickets import MAX_LISTED, snapshot_url
from server.tombstones import Tombstone, tombstone_of
from signaling.messages import Event, Joined, Role, SegmentFinished, SegmentStarted, SnapshotTaken, Surface

# --- Records ---


class RecordingSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recorded session; `duration_ms` adds up its segments. Times are ms since 1970."""

    session: str
    ticket: str | None
    ticket_number: int | None
    subject: str
    customer_name: str
    agent_name: str | None
    created_at: int
    ended_at: int | None
    duration_ms: int
    bookmarks: int
    published: int
    held: bool
    deleted_at: int | None


class RecordingList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest first, at most 200; `more` is true when there are others that a search would find."""

    recordings: list[RecordingSummary]
    more: bool


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the recording with the media of `participant`: its first frame was shown at `started_at`.

    `indexed` files seek without a scan. One that is `missing` was written, and is not on the disk any more.
    """

    id: str
    participant: str
    started_at: int
    duration_ms: int
    codec: str
    url: str
    indexed: bool
    finished: bool
    missing: bool


class RecordedSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    surface: Surface
    url: str
    at: int


class RecordedParticipant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    role: Role
    name: str


class RecordingPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the player needs: the files in order, and the whole timeline with its ink, chat and bookmarks.

    Of a recording that was deleted, `tombstone` says so, and there are no files and no words any more.
    """

    session: str
    ticket: str | None
    ticket_number: int | None
    subject: str
    customer_name: str
    agent_name: str | None
    created_at: int
    ended_at: int | None
    participants: list[RecordedParticipant]
    segments: list[Segment]
    events: list[Event]
    snapshots: list[RecordedSnapshot]
    keeping: Keeping
    tombstone: Tombstone | None


# --- Operations ---

VOICE = "OPUS"


def folder(data: Path) -> Path:
    """Where the recorder's files lie."""
    return data / "recordings"


def _rows() -> Select[Any]:
    recorded = exists().where(events.c.session_id == sessions.c.id, events.c.type == "segment_started")
    return (
        select(
            sessions.c.id.label("session"), sessions.c.ticket_id.label("ticket"),
            tickets.c.number.label("ticket_number"), sessions.c.subject, sessions.c.customer_name,
            users.c.name.label("agent_name"), sessions.c.created_at, sessions.c.ended_at,
        )
        .outerjoin(tickets, tickets.c.id == sessions.c.ticket_id)
        .outerjoin(users, users.c.id == sessions.c.owner_id)
        .where(recorded)
    )  # fmt: skip


async def list_recordings(connection: AsyncConnection, query: str) -> RecordingList:
    """Recorded sessions with all words of `query` in subject, customer, problem or chat; deleted ones say so."""
    rows = _rows().add_columns(held().label("held"), tombstones.c.at.label("deleted_at"))
    rows = rows.outerjoin(tombstones, tombstones.c.session_id == sessions.c.id)
    for pattern in like_patterns(query):
        rows = rows.where(sessions.c.search_text.like(pattern))
    newest = rows.order_by(sessions.c.created_at.desc()).limit(MAX_LISTED + 1)
    found = (await connection.execute(newest)).all()
    listed = [row.session for row in found[:MAX_LISTED]]
    of_events = (
        select(events.c.session_id, events.c.type, events.c.body)
        .where(
            events.c.session_id.in_(listed),
            events.c.type.in_(["segment_started", "segment_finished", "bookmark_added"]),
        )
        .order_by(events.c.session_id, events.c.seq)
    )
    durations, bookmarks = dict.fromkeys(listed, 0), dict.fromkeys(listed, 0)
    voices: set[str] = set()
    for session, kind, body in await connection.execute(of_events):
        if kind == "bookmark_added":
            bookmarks[session] += 1
            continue
        match msgspec.json.decode(body, type=SegmentStarted | SegmentFinished):
            case SegmentStarted(segment, codec=codec) if codec == VOICE:
                voices.add(segment)  # heard beside the pictures, it makes the recording no longer
            case SegmentFinished(segment, duration_ms=duration) if segment not in voices:
                durations[session] += duration
    of_articles = (
        select(articles.c.session_id, func.count())
        .where(articles.c.session_id.in_(listed), articles.c.state == "published")
        .group_by(articles.c.session_id)
    )
    published: dict[str, int] = {row[0]: row[1] for row in await connection.execute(of_articles)}
    return RecordingList(
        [
            RecordingSummary(
                **row._asdict(), duration_ms=durations[row.session], bookmarks=bookmarks[row.session],
                published=published.get(row.session, 0),
            )
            for row in found[:MAX_LISTED]
        ],
        len(found) > MAX_LISTED,
    )  # fmt: skip


def segments_of(timeline: Sequence[Event], session: str, data: Path) -> list[Segment]:
    """The files of a timeline, in order; one that was never finished lasts until the timeline's last event.

    Those that hold nothing but a voice, of codec `VOICE`, are among them, and those that are missing.
    """
    finished = {e.body.segment: e.body.duration_ms for e in timeline if isinstance(e.body, SegmentFinished)}
    last = timeline[-1].at if timeline else 0
    return [
        Segment(
            id=body.segment,
            participant=body.participant,
            started_at=body.started_at,
            duration_ms=finished.get(body.segment, max(0, last - body.started_at)),
            codec=body.codec,
            url=f"/api/recordings/{session}/segments/{body.segment}",
            indexed=has_index(folder(data), body.segment),
            finished=body.segment in finished,
            missing=not holds(folder(data), body.segment),
        )
        for body in (event.body for event in timeline)
        if isinstance(body, SegmentStarted)
    ]


def pictures_of(timeline: Sequence[Event], session: str, data: Path) -> list[Segment]:
    """The files of a timeline that hold pictures and are there, in order."""
    return [s for s in segments_of(timeline, session, data) if s.codec != VOICE and not s.missing]


async def recording_page(app: App, session: str, opening: str) -> RecordingPage:
    """All that the player needs; raises `Missing`. Looks at the files count as one with that at the page."""
    async with app.database.read() as connection:
        row = (await connection.execute(_rows().where(sessions.c.id == session))).one_or_none()
        if row is None:
            raise _missing()
        kept = await keeping(connection, session)
        tombstone = await tombstone_of(app, connection, session)
    timeline = await app.timeline.read(session)
    segments = [] if tombstone else await asyncio.to_thread(segments_of, timeline, session, app.data)
    if opening:
        segments = [msgspec.structs.replace(s, url=f"{s.url}?opening={quote(opening)}") for s in segments]
    taken = [
        RecordedSnapshot(event.body.surface, snapshot_url(session, event.body.surface.id), event.at)
        for event in timeline
        if isinstance(event.body, SnapshotTaken)
    ]
    people = [
        RecordedParticipant(body.participant, body.role, body.name)
        for body in {e.body.participant: e.body for e in timeline if isinstance(e.body, Joined)}.values()
    ]
    return RecordingPage(
        **row._asdict(), participants=people, segments=segments, events=timeline, snapshots=taken, keeping=kept,
        tombstone=tombstone,
    )  # fmt: skip


async def account(app: App, request: web.Request, user: User, session: str) -> None:
    """Put a look at a recording into the audit log: once for an opening of the player, a download each time.

    Who asks for a file without having opened the player is put there once an hour.
    """
    if "download" in request.query:
        if request.headers.get("Range", "bytes=0-").startswith("bytes=0-"):
            async with app.database.write() as connection:
                address = address_of(request, app.settings.trusted_proxies)
                await audit.record(connection, user.id, "recording.downloaded", session, address)
        return
    opening = request.query.get("opening", "")[:64]
    period_ms = DAY_MS if opening else 3_600_000
    await audit.record_once(app, request, user, "recording.played", session, opening=opening, period_ms=period_ms)


def _missing() -> Missing:
    return Missing("recording_not_found", "There is no such recording. Look for it in the library.")


# --- Routes ---


@route("GET", "/api/recordings", "recording.read")
async def get_recordings(request: web.Request, app: App) -> RecordingList:
    """The library; `q` for words."""
    async with app.database.read() as connection:
        return await list_recordings(connection, request.query.get("q", "")[:200])


@route("GET", "/api/recordings/{session}", "recording.read")
async def get_recording(request: web.Request, app: App, user: User) -> RecordingPage:
    """The player's data; that it was opened goes into the audit log, once for each `opening`."""
    session = request.match_info["session"]
    page = await recording_page(app, session, request.query.get("opening", "")[:64])
    if page.tombstone is None:
        await account(app, request, user, session)
    return page


@route("HEAD", "/api/recordings/{session}/segments/{segment}", "recording.read")
@route("GET", "/api/recordings/{session}/segments/{segment}", "recording.read")
async def get_segment(request: web.Request, app: App, user: User) -> web.StreamResponse:
    """A file of the recording; Range is served. With `download` in the query it is to be kept as a file."""
    session, segment = request.match_info["session"], request.match_info["segment"]
    async with app.database.read() as connection:
        of_session = select(events.c.body).where(events.c.session_id == session, events.c.type == "segment_started")
        bodies = (await connection.execute(of_session)).scalars().all()
        if await tombstone_of(app, connection, session):
            raise recording_deleted()
    known = {msgspec.json.decode(body, type=SegmentStarted).segment for body in bodies}
    if segment not in known:
        raise _missing()
    await account(app, request, user, session)
    headers = dict[str, str]()
    if "download" in request.query:
        headers["Content-Disposition"] = f'attachment; filename="{segment}.webm"'
    return await media.send(request, app.archive, segment, headers)
