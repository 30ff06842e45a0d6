"""Checkpoints: signed at the end of a session, every minute while it is recorded and every 1,000 events, and told.

They are told to the ticket and to a webhook, so that one stands where whoever changes the database does not reach.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp
import msgspec
import structlog
from aiohttp import web
from sqlalchemy import Row, Select, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.app import App
from server.database import Database, checkpoints, events, now_ms, sessions
from server.problems import Missing
from server.routes import background, observer, route
from server.signing import Signer
from server.tickets import insert_note
from signaling.checkpoints import Checkpoint, Reason, Signed, token
from signaling.messages import Event, Left, SegmentFinished, SegmentGrown, SessionEnded

# --- Records ---


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that this server signs with, or signed with before; `key` is its 32 bytes in base64."""

    id: str
    key: bytes
    present: bool


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the webhook is sent: the checkpoint, its signature, the key to check it with, and it all as one word."""

    checkpoint: Checkpoint
    statement: str
    key_id: str
    signature: str
    public_key: bytes
    token: str


# --- Operations ---

EVERY_S = 60.0
EVERY_EVENTS = 1_000
TELL_EVERY_S = 2.0
SETTLED_S = 25
"""So long after its end a session's recorder has reported what it finished, and one note holds for all."""
TOLD_FOR_MS = 86_400_000
"""A session that ended before that is sealed without a note: its ticket may have been closed for years."""
SEND_S = 10.0
PATIENCE_S = 300.0
_AFTER_THE_END = (Left, SegmentFinished, SegmentGrown)

log = structlog.get_logger()


async def tip(connection: AsyncConnection, session: str) -> tuple[int, bytes]:
    """The last event's seq and hash; raises `Missing`."""
    last = select(events.c.seq, events.c.hash).where(events.c.session_id == session)
    row = (await connection.execute(last.order_by(events.c.seq.desc()).limit(1))).one_or_none()
    if row is None:
        raise Missing("session_not_found", "There is no such session.")
    return row.seq, row.hash


async def seal(app: App, session: str, reason: Reason) -> None:
    """Sign a checkpoint of the whole timeline as it is now, unless there is one; raises `Missing`."""
    to_send = app.settings.checkpoint_webhook is not None
    try:
        await store(app.database, app.signer, session, reason, to_send)
    except IntegrityError:  # another process was faster, and may have sealed less
        await store(app.database, app.signer, session, reason, to_send)


async def store(database: Database, signer: Signer, session: str, reason: Reason, to_send: bool) -> None:
    """The same without the application; raises IntegrityError when another process is faster."""
    async with database.write() as connection:
        seq, chain = await tip(connection, session)
        of_session = select(checkpoints.c.number, checkpoints.c.seq).where(checkpoints.c.session_id == session)
        last = (await connection.execute(of_session.order_by(checkpoints.c.number.desc()).limit(1))).one_or_none()
        if last is not None and last.seq == seq:
            return
        ended_at = (await connection.execute(select(sessions.c.ended_at).where(sessions.c.id == session))).scalar()
        now, number = now_ms(), (last.number if last else 0) + 1
        statement = msgspec.json.encode(Checkpoint(session, number, seq, chain.hex(), now, reason))
        key_id, signature = signer.sign(statement)
        await connection.execute(
            checkpoints.insert().values(
                session_id=session, number=number, seq=seq, at=now, statement=statement.decode(), key_id=key_id,
                signature=signature, to_note=reason == "end" and now - (ended_at or 0) < TOLD_FOR_MS, to_send=to_send,
            )
        )  # fmt: skip


async def checkpoints_of(connection: AsyncConnection, session: str) -> list[Signed]:
    """A session's checkpoints in order."""
    of_session = select(checkpoints).where(checkpoints.c.session_id == session).order_by(checkpoints.c.number)
    return [_held(row) for row in await connection.execute(of_session)]


def _held(row: Row[tuple[object, ...]]) -> Signed:
    return Signed(row.statement, row.key_id, row.signature.hex())


def _unsealed(ended: bool) -> Select[tuple[str]]:
    """Sessions with events that no checkpoint covers: those that are over, or those that go on and are recorded."""
    of_session = events.c.session_id == sessions.c.id
    covered = select(func.coalesce(func.max(checkpoints.c.seq), 0)).where(checkpoints.c.session_id == sessions.c.id)
    beyond = exists().where(of_session, events.c.seq > covered.scalar_subquery())
    if ended:
        return select(sessions.c.id).where(sessions.c.ended_at.is_not(None), beyond)
    recorded = exists().where(of_session, events.c.type == "segment_started")
    return select(sessions.c.id).where(sessions.c.ended_at.is_(None), recorded, beyond)


async def seal_all(app: App, reason: Reason) -> None:
    """Seal what is not sealed yet, of sessions that are over (`end`) or that are being recorded (`minute`)."""
    async with app.database.read() as connection:
        found = [str(row.id) for row in await connection.execute(_unsealed(reason == "end"))]
    for session in found:
        await seal(app, session, reason)


@observer
async def watch(app: App, session: str, committed: list[Event]) -> None:
    """Seals a session at its end, what comes after its end, and at every thousandth event."""
    bodies = [event.body for event in committed]
    ended = any(isinstance(body, SessionEnded) for body in bodies)
    if not ended and any(isinstance(body, _AFTER_THE_END) for body in bodies):
        async with app.database.read() as connection:
            over = select(sessions.c.ended_at).where(sessions.c.id == session)
            ended = (await connection.execute(over)).scalar() is not None
    if ended:
        await seal(app, session, "end")
    elif committed[-1].seq // EVERY_EVENTS > (committed[0].seq - 1) // EVERY_EVENTS:
        await seal(app, session, "count")


@background
async def seal_from_time_to_time(app: App) -> None:
    """Seals what a crash left unsealed, and from then on what is being recorded."""
    await seal_all(app, "end")
    while True:
        await seal_all(app, "minute")
        await asyncio.sleep(EVERY_S)


def note(held: Signed) -> str:
    """What stands in the ticket."""
    sealed = msgspec.json.decode(held.statement, type=Checkpoint)
    at = datetime.fromtimestamp(sealed.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return (
        f"The timeline and the recording were sealed at event {sealed.seq}, on {at} UTC, with key {held.key_id}.\n"
        "Keep this line away from the server: it proves later that nothing was changed, or that something was "
        "(sightline verify FOLDER --checkpoint LINE).\n"
        f"{token(held)}"
    )


async def tell_tickets(app: App, now: int) -> None:
    """Put the last checkpoint of each session that is over into its ticket; `now` is ms since 1970."""
    waiting = (
        select(checkpoints, sessions.c.ticket_id)
        .join(sessions, sessions.c.id == checkpoints.c.session_id)
        .where(checkpoints.c.to_note, checkpoints.c.at < now - SETTLED_S * 1000)
        .order_by(checkpoints.c.session_id, checkpoints.c.number)
    )
    async with app.database.read() as connection:
        last = {row.session_id: row for row in await connection.execute(waiting)}
    for session, row in last.items():
        async with app.database.write() as connection:
            done = checkpoints.update().where(checkpoints.c.session_id == session, checkpoints.c.number <= row.number)
            told = await connection.execute(done.where(checkpoints.c.to_note).values(to_note=False))
            if told.rowcount and row.ticket_id is not None:
                await insert_note(connection, row.ticket_id, None, note(_held(row)))
        if row.ticket_id is not None:
            app.feed.hint(f"ticket:{row.ticket_id}")


async def send(app: App, http: aiohttp.ClientSession, url: str) -> None:
    """Send every checkpoint that was not sent yet, the oldest first; raises `aiohttp.ClientError` or `TimeoutError`."""
    unsent = select(checkpoints).where(checkpoints.c.to_send).order_by(checkpoints.c.at, checkpoints.c.number)
    async with app.database.read() as connection:
        rows: Sequence[Row[tuple[object, ...]]] = (await connection.execute(unsent.limit(100))).all()
    for row in rows:
        held = _held(row)
        stated = msgspec.json.decode(held.statement, type=Checkpoint)
        public_key = app.signer.public_keys[held.key_id]
        notice = Notice(stated, held.statement, held.key_id, held.signature, public_key, token(held))
        headers = {"Content-Type": "application/json"}
        async with http.post(url, data=msgspec.json.encode(notice), headers=headers, allow_redirects=False) as answer:
            if not 200 <= answer.status < 300:
                raise aiohttp.ClientResponseError(answer.request_info, (), status=answer.status)
        async with app.database.write() as connection:
            this = (checkpoints.c.session_id == row.session_id) & (checkpoints.c.number == row.number)
            await connection.execute(checkpoints.update().where(this).values(to_send=False))


@background
async def tell(app: App) -> None:
    """Puts checkpoints into tickets."""
    while True:
        await tell_tickets(app, now_ms())
        await asyncio.sleep(TELL_EVERY_S)


@background
async def tell_webhook(app: App) -> None:
    """Sends checkpoints to the webhook; one that is away is tried again, less and less often, until it is back."""
    url, pause = app.settings.checkpoint_webhook, TELL_EVERY_S
    if url is None:
        return
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SEND_S)) as http:
        while True:
            try:
                await send(app, http, url)
                pause = TELL_EVERY_S
            except (aiohttp.ClientError, TimeoutError) as error:
                pause = min(PATIENCE_S, 2 * pause)
                log.warning("checkpoint_not_sent", cause=type(error).__name__, again_in_s=pause)
            await asyncio.sleep(pause)


# --- Routes ---


@route("GET", "/api/signing-keys", "public", limit="60/minute")
async def get_signing_keys(request: web.Request, app: App) -> list[PublicKey]:
    """The public keys with which exports and checkpoints are checked."""
    signer = app.signer
    return [PublicKey(key_id, key, key_id == signer.key_id) for key_id, key in signer.public_keys.items()]
