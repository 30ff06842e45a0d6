"""Recorded media over HTTP: any part of a segment, decrypted while it is sent and never written anywhere."""

import asyncio
import re
from collections.abc import Mapping
from typing import NamedTuple

import structlog
from aiohttp import web

from recorder.archive import Archive
from recorder.stored import StoredSegment
from recorder.vault import CHUNK, VaultDamaged
from server.problems import Gone, Missing

PIECE = 4 * CHUNK
"""How much is decrypted, and held in memory, at once."""

log = structlog.get_logger()


class Part(NamedTuple):
    """Bytes from `start` up to `end`, without that one."""

    start: int
    end: int


def part_of(asked: str, size: int) -> Part | None:
    """What a Range header asks for of so many bytes (RFC 9110, 14.1.2); None when it is to be ignored.

    A part that is not there at all is empty. Several ranges at once are not served but answered with the whole.
    """
    found = re.fullmatch(r"bytes=(\d{0,20})-(\d{0,20})", asked.strip())
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        return Part(max(0, size - int(last)), size) if last else None
    if last and int(last) < int(first):
        return None
    start = int(first)
    return Part(start, max(start, min(size, int(last) + 1)) if last else max(start, size))


async def send(request: web.Request, archive: Archive, segment: str, headers: Mapping[str, str]) -> web.StreamResponse:
    """A segment, or the part of it that Range asks for; for HEAD no more than its headers.

    Raises `Missing` when it is not there, and `Gone` when what is asked for begins with a damaged chunk.
    """
    try:
        stored = await asyncio.to_thread(archive.open, segment)
    except FileNotFoundError:
        raise Missing("recording_not_found", "There is no such recording. Look for it in the library.") from None
    except VaultDamaged as damage:
        raise _damaged(damage) from damage
    try:
        return await _send(request, stored, headers)
    finally:
        await asyncio.to_thread(stored.close)


def _damaged(damage: VaultDamaged) -> Gone:
    log.error("recording_damaged", segment=damage.segment, chunk=damage.chunk)
    return Gone("recording_damaged", "This part of the recording is damaged on disk and cannot be shown.")


async def _send(request: web.Request, stored: StoredSegment, headers: Mapping[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    response.content_type = "video/webm"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-store"
    tag = f'"{stored.tag}"' if stored.tag else None
    if tag:
        response.headers["ETag"] = tag
    asked = request.headers.get("Range")
    if asked is not None and request.headers.get("If-Range") not in (None, tag):
        asked = None
    part = part_of(asked, stored.size) if asked is not None else None
    if part is not None:
        if part.start >= part.end:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{stored.size}"})
        response.set_status(206)
        response.headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{stored.size}"
    start, end = part or Part(0, stored.size)
    response.content_length = end - start
    if request.method == "HEAD":
        await response.prepare(request)
        return response
    try:
        piece = await asyncio.to_thread(stored.read, start, min(PIECE, end - start))
        await response.prepare(request)
        while piece:
            await response.write(piece)
            start += len(piece)
            piece = await asyncio.to_thread(stored.read, start, min(PIECE, end - start))
    except VaultDamaged as damage:
        if not response.prepared:
            raise _damaged(damage) from damage
        _damaged(damage)
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the rest is damaged") from damage
    await response.write_eof()
    return response
