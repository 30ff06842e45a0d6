"""Tombstones: what is left of a deleted recording, signed, so that a deletion can be told from a loss."""

from typing import Any, Literal

import msgspec
from aiohttp import web
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server import audit
from server.app import App
from server.database import sessions, tombstones
from server.limits import address_of
from server.logins import User
from server.problems import Missing
from server.routes import route
from signaling.checkpoints import Signature, Signed, genuine, signed

# --- Records ---

Ground = Literal["retention", "customer_request", "other"]


class DeletedSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was shredded: what its timeline last said of it, `digest` as in recorder/digest.py."""

    id: str
    participant: str
    codec: str
    bytes: int | None
    duration_ms: int | None
    digest: str | None


class DeletedPicture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot that was removed: its length and its SHA-256 in hex."""

    id: str
    bytes: int
    sha256: str


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="purpose", tag="tombstone"):
    """What a tombstone says; its JSON is what is signed. `by` is the name of who ordered it, `at` is ms since 1970.

    `erased` are the events whose bodies are gone; `last_hash` is the hash of event number `events`, the last one then.
    """

    session: str
    ticket_number: int | None
    at: int
    by: str
    by_user: str | None
    ground: Ground
    rule: str
    reason: str
    segments: list[DeletedSegment]
    snapshots: list[DeletedPicture]
    events: int
    last_hash: str
    erased: list[int]
    articles_kept: list[str]
    articles_deleted: list[str]


class Tombstone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A deletion as the staff see it; `shredded_at` is null while files are still on the disk.

    `genuine` says whether the signature is one of this server's keys over this statement.
    """

    session: str
    subject: str
    ticket_number: int | None
    at: int
    by: str
    ground: Ground
    rule: str
    reason: str
    segments: int
    snapshots: int
    erased: int
    articles_kept: list[str]
    articles_deleted: list[str]
    shredded_at: int | None
    genuine: bool


class ExportedTombstone(msgspec.Struct, frozen=True):
    """The file that is handed on: the text that was signed, the signature, and the public key, both in hex."""

    statement: str
    key_id: str
    signature: str
    public_key: str


# --- Operations ---

MAX_LISTED = 500


def tombstone_rows() -> Select[Any]:
    """Tombstones with the subject of their session."""
    return select(tombstones, sessions.c.subject).join(sessions, sessions.c.id == tombstones.c.session_id)


def _signed(row: Any) -> Signed:
    return signed(row.statement.encode(), Signature(row.key_id, row.signature))


def as_tombstone(app: App, row: Any) -> Tombstone:
    """A row of `tombstone_rows` as the staff see it."""
    said = msgspec.json.decode(row.statement, type=Statement)
    return Tombstone(
        session=said.session, subject=row.subject, ticket_number=said.ticket_number, at=said.at, by=said.by,
        ground=said.ground, rule=said.rule, reason=said.reason, segments=len(said.segments),
        snapshots=len(said.snapshots), erased=len(said.erased), articles_kept=said.articles_kept,
        articles_deleted=said.articles_deleted, shredded_at=row.shredded_at,
        genuine=genuine(_signed(row), app.signer.public_keys),
    )  # fmt: skip


async def tombstone_of(app: App, connection: AsyncConnection, session: str) -> Tombstone | None:
    """The tombstone of a session, if its recording was deleted."""
    query = tombstone_rows().where(tombstones.c.session_id == session)
    row = (await connection.execute(query)).one_or_none()
    return as_tombstone(app, row) if row else None


def exported(app: App, row: Any) -> ExportedTombstone:
    """A row of `tombstones` as a file."""
    held, key = _signed(row), app.signer.public_keys.get(row.key_id, b"")
    return ExportedTombstone(held.statement, held.key_id, held.signature, key.hex())


# --- Routes ---


def _file(content: bytes, name: str, kind: str) -> web.Response:
    disposition = f'attachment; filename="{name}"'
    headers = {"Content-Type": kind, "Content-Disposition": disposition, "Cache-Control": "no-store"}
    return web.Response(body=content, headers=headers)


@route("GET", "/api/tombstones", "audit.read")
async def get_tombstones(request: web.Request, app: App) -> list[Tombstone]:
    """Every deletion, the newest first, at most 500."""
    async with app.database.read() as connection:
        rows = await connection.execute(tombstone_rows().order_by(tombstones.c.at.desc()).limit(MAX_LISTED))
        return [as_tombstone(app, row) for row in rows]


@route("GET", "/api/tombstones/export", "audit.read")
async def get_export(request: web.Request, app: App, user: User) -> web.StreamResponse:
    """Every tombstone as it was signed, one JSON object a line, the oldest first."""
    async with app.database.write() as connection:
        rows = (await connection.execute(tombstone_rows().order_by(tombstones.c.at))).all()
        address = address_of(request, app.settings.trusted_proxies)
        await audit.record(connection, user.id, "tombstones.exported", "all", address)
    lines = b"".join(msgspec.json.encode(exported(app, row)) + b"\n" for row in rows)
    return _file(lines, "tombstones.jsonl", "application/jsonl")


@route("GET", "/api/tombstones/{session}", "audit.read")
async def get_tombstone(request: web.Request, app: App, user: User) -> web.StreamResponse:
    """One tombstone as it was signed."""
    session, address = request.match_info["session"], address_of(request, app.settings.trusted_proxies)
    async with app.database.write() as connection:
        query = tombstone_rows().where(tombstones.c.session_id == session)
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise Missing("tombstone_not_found", "Nothing of this session was deleted.")
        await audit.record(connection, user.id, "tombstones.exported", session, address)
    return _file(msgspec.json.encode(exported(app, row)), f"tombstone-{session}.json", "application/json")
