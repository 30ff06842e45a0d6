"""Snapshots: pictures of a surface, taken in by a bounded stream, made anew from their pixels, and served."""

import asyncio
import errno
import hashlib
import os
import time
from pathlib import Path
from typing import get_args

import msgspec
import structlog
from aiohttp import web
from sqlalchemy import exists, select
from sqlalchemy.exc import OperationalError

from server.app import App
from server.database import events, new_id, now_ms, sessions, snapshots
from server.logins import User
from server.participants import Admitted
from server.pictures import MAX_BYTES, REFUSALS, Picture, PictureRefusedError, reencode_apart, sniff
from server.problems import Forbidden, Invalid, Missing, Problem, TooLarge, Unavailable, Unsupported
from server.routes import Caller, background, route
from server.sessions import current, tell
from signaling.messages import Surface, SurfaceKind
from signaling.session import Participant, StoreSnapshot, permitted

# --- Records ---


class SnapshotStored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The picture is stored and on the timeline as a surface of its own."""

    surface: Surface


# --- Operations ---

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_HEAD = 16
_UNDER_WAY_S = 600
RECEIVE_S = 120.0

log = structlog.get_logger()


def folder(data: Path) -> Path:
    """Where the pictures lie, each under its id."""
    return data / "snapshots"


def _refused(error: PictureRefusedError) -> Problem:
    kinds = {"picture_too_large": TooLarge, "not_a_picture": Unsupported, "disk_full": Unavailable}
    return kinds.get(error.code, Invalid)(error.code, str(error))


def _storage_problem(error: OSError) -> Problem:
    if error.errno in _DISK_FULL:
        return Unavailable("disk_full", REFUSALS["disk_full"])
    text = "The server cannot store this picture at the moment. Nothing was kept. Send it again soon."
    return Unavailable("unavailable", text, 5)


async def receive(request: web.Request, target: Path) -> int:
    """Write the body to `target` under a counter of our own; returns its bytes, raises `PictureRefusedError`."""
    if (request.content_length or 0) > MAX_BYTES:
        raise PictureRefusedError("picture_too_large")
    size, head = 0, b""
    with target.open("xb") as file:
        async for chunk in request.content.iter_chunked(65536):
            size += len(chunk)
            if size > MAX_BYTES:
                raise PictureRefusedError("picture_too_large")
            if len(head) < _HEAD:
                head += chunk[:_HEAD]
                if len(head) >= _HEAD and not sniff(head):
                    raise PictureRefusedError("not_a_picture")
            await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(file.flush)
    if not sniff(head):
        raise PictureRefusedError("not_a_picture")
    return size


def keep(made: Path, target: Path) -> tuple[int, str]:
    """Give a finished file its name for good; returns its bytes and SHA-256."""
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    size = made.stat().st_size
    made.rename(target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return size, digest


async def store(app: App, request: web.Request, snapshot: str) -> tuple[Picture, int, str]:
    """The body of the request as a picture on disk; raises a `Problem`, and then nothing is left of it."""
    place = folder(app.data)
    raw, made, target = place / f"{snapshot}.upload", place / f"{snapshot}.made", place / snapshot
    try:
        await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True)
        async with asyncio.timeout(RECEIVE_S):
            await receive(request, raw)
        async with app.decoding:
            picture = await reencode_apart(raw, made)
        size, digest = await asyncio.to_thread(keep, made, target)
    except PictureRefusedError as error:
        raise _refused(error) from error
    except TimeoutError:
        text = "The picture did not arrive in time. Send it again, or a smaller one."
        raise Invalid("picture_late", text) from None
    except OSError as error:
        raise _storage_problem(error) from error
    finally:
        for leftover in (raw, made):
            await asyncio.to_thread(leftover.unlink, missing_ok=True)
    return picture, size, digest


async def take(app: App, request: web.Request, who: Admitted, wanted: Surface, requested_by: str | None) -> Surface:
    """Store the picture in the request and put it on the timeline, or leave nothing behind; raises a `Problem`.

    `wanted` is the surface as it will be, save for the size, which the picture gives.
    """
    sender = Participant(who.id, who.role, who.name)
    if refusal := permitted(await current(app, who.session), sender, StoreSnapshot(wanted, requested_by, "")):
        raise Forbidden(refusal.code, refusal.text)
    picture, size, digest = await store(app, request, wanted.id)
    surface = msgspec.structs.replace(wanted, width=picture.width, height=picture.height)
    try:
        async with app.database.write() as connection:
            await connection.execute(
                snapshots.insert().values(
                    id=surface.id, session_id=who.session, width=picture.width, height=picture.height,
                    mime=picture.mime, bytes=size, sha256=digest, created_by=who.id, at=now_ms(),
                )
            )  # fmt: skip
        await tell(app, who.session, StoreSnapshot(surface, requested_by, digest), sender)
    except BaseException:
        await asyncio.shield(_drop(app, surface.id))
        raise
    return surface


async def _drop(app: App, snapshot: str) -> None:
    await asyncio.to_thread((folder(app.data) / snapshot).unlink, missing_ok=True)
    try:
        async with app.database.write() as connection:
            await connection.execute(snapshots.delete().where(snapshots.c.id == snapshot))
    except (OperationalError, TimeoutError):
        log.warning("snapshot_row_left", snapshot=snapshot)  # `tidy` takes it away at the next start


@background
async def tidy(app: App) -> None:
    """After a start: what a crash left half stored is taken away."""
    place = folder(app.data)
    async with app.database.read() as connection:
        known = set((await connection.execute(select(snapshots.c.id))).scalars())
    lying = await asyncio.to_thread(lambda: {path.name: path.stat().st_mtime for path in place.glob("*")})
    for name, changed_at in lying.items():
        if name not in known and changed_at < time.time() - _UNDER_WAY_S:
            await asyncio.to_thread((place / name).unlink, missing_ok=True)
    for snapshot in (known - lying.keys()) | await _untold(app):
        await _drop(app, snapshot)


async def _untold(app: App) -> set[str]:
    """Pictures of live sessions that were stored before this start, and of which no timeline tells."""
    told = exists().where(
        events.c.session_id == snapshots.c.session_id,
        events.c.type == "snapshot_taken",
        events.c.body.contains(snapshots.c.id),
    )
    untold = (
        select(snapshots.c.id)
        .join(sessions, sessions.c.id == snapshots.c.session_id)
        .where(sessions.c.ended_at.is_(None), snapshots.c.at < app.started_at, ~told)
    )
    async with app.database.read() as connection:
        return set((await connection.execute(untold)).scalars())


# --- Routes ---


async def of_participant(app: App, request: web.Request, caller: Caller) -> bool:
    """Whether the session in the path is the one that the participant's token is for; staff may see all."""
    return isinstance(caller, User) or (
        isinstance(caller, Admitted) and caller.session == request.match_info["session"]
    )


@route("POST", "/api/sessions/{session}/snapshots", "participant", owner=of_participant, limit="60/minute")
async def post_snapshot(request: web.Request, app: App, who: Admitted) -> SnapshotStored:
    """A picture, as the raw body; `surface_kind`, `label` and `requested_by` stand in the query."""
    kind, label = request.query.get("surface_kind", "picture"), request.query.get("label", "")
    requested_by = request.query.get("requested_by") or None
    if kind not in get_args(SurfaceKind):
        raise Invalid("invalid_surface", f"surface_kind is one of {', '.join(get_args(SurfaceKind))}.")
    if requested_by is not None and requested_by not in (await current(app, who.session)).participants:
        raise Invalid("invalid_requester", "requested_by is the id of a participant of this session.")
    wanted = Surface(new_id(), msgspec.convert(kind, SurfaceKind), " ".join(label.split())[:200], 1, 1)
    return SnapshotStored(await take(app, request, who, wanted, requested_by))


@route("GET", "/api/sessions/{session}/snapshots/{snapshot}", ("participant", "session.read"), owner=of_participant)
async def get_snapshot(request: web.Request, app: App) -> web.StreamResponse:
    """The picture itself, for the session's participants and the staff."""
    snapshot, session = request.match_info["snapshot"], request.match_info["session"]
    async with app.database.read() as connection:
        of_session = select(snapshots.c.id, snapshots.c.mime).where(
            snapshots.c.id == snapshot, snapshots.c.session_id == session
        )
        row = (await connection.execute(of_session)).one_or_none()
    if row is None:
        raise Missing("snapshot_not_found", "There is no such snapshot in this session.")
    headers = {"Content-Type": row.mime, "Cache-Control": "private, max-age=31536000, immutable"}
    return web.FileResponse(folder(app.data) / row.id, headers=headers)
