"""Snapshots: what is taken, what is refused in words, and that a refusal leaves nothing behind."""

import asyncio
import hashlib
import io
import os
import random
import resource
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from PIL import Image, PngImagePlugin

from server.database import new_id, snapshots
from server.pictures import MAX_BYTES, PictureRefusedError, reencode
from server.snapshots import tidy
from signaling import messages as m
from tests.server.desk import Answer, Desk, open_desk

MARKUP = "<script>alert(1)</script>../../etc/passwd"


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#123456").save(out, kind, **options)
    return out.getvalue()


def noise(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", (width, height), random.Random(1).randbytes(width * height * 3)).save(out, "PNG")
    return out.getvalue()


def animated(kind: str) -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def huge_header(width: int, height: int) -> bytes:
    """A PNG of a hundred bytes that says it is this large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


async def send(desk: Desk, place: dict[str, str], data: bytes, **query: str) -> Answer:
    path = f"/api/sessions/{place['session']}/snapshots"
    return await desk.holder(place).post(path, data, params=query)


def files(desk: Desk) -> list[str]:
    folder = desk.app.data / "snapshots"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def rows(desk: Desk) -> int:
    async with desk.app.database.read() as connection:
        return len((await connection.execute(snapshots.select())).all())


async def taken(desk: Desk, session: str) -> list[m.SnapshotTaken]:
    return [e.body for e in await desk.app.timeline.read(session) if isinstance(e.body, m.SnapshotTaken)]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_picture_becomes_a_surface_on_the_timeline_and_is_served_anew(desk: Desk, kind: str) -> None:
    dana, alice = await desk.sharing()
    answer = await send(
        desk, dana, picture(kind), surface_kind="window", label="Mail", requested_by=alice["participant"]
    )
    surface = msgspec.convert(answer.body["surface"], m.Surface)
    assert (surface.kind, surface.label, surface.width, surface.height) == ("window", "Mail", 64, 48)
    path = f"/api/sessions/{dana['session']}/snapshots/{surface.id}"
    digest = hashlib.sha256((await desk.bob.get(path)).raw).hexdigest()
    assert await taken(desk, dana["session"]) == [m.SnapshotTaken(surface, alice["participant"], digest)]
    for person in (desk.holder(dana), desk.holder(alice), desk.bob, desk.quinn):
        got = await person.get(path)
        assert got.status == 200
        assert got.headers["Content-Type"] == f"image/{kind.lower()}"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        with Image.open(io.BytesIO(got.raw)) as image:
            assert image.size == (64, 48)
    assert files(desk) == [surface.id]


async def test_metadata_does_not_get_through(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Dana of 12 Elm Street")
    exif = Image.Exif()
    exif[0x010E] = "12 Elm Street"
    for data in (picture("PNG", pnginfo=info), picture("JPEG", exif=exif), picture() + b"Elm Street"):
        assert b"Elm Street" in data
        surface = (await send(desk, dana, data)).body["surface"]
        got = await desk.holder(dana).get(f"/api/sessions/{dana['session']}/snapshots/{surface['id']}")
        assert b"Elm Street" not in got.raw


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        pytest.param(b"", 415, "not_a_picture", id="nothing"),
        pytest.param(b"hello, I am text", 415, "not_a_picture", id="text"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not_a_picture", id="svg"),
        pytest.param(b"GIF89a" + bytes(60), 415, "not_a_picture", id="gif"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(60), 400, "picture_damaged", id="png by name only"),
        pytest.param(noise(64, 64)[:-2000], 400, "picture_damaged", id="cut off png"),
        pytest.param(picture("JPEG", (400, 400))[:-700], 400, "picture_damaged", id="cut off jpeg"),
        pytest.param(picture("WEBP", (400, 400), lossless=True)[:-30], 400, "picture_damaged", id="cut off webp"),
        pytest.param(huge_header(10_000, 10_000), 413, "picture_too_large", id="100 megapixels"),
        pytest.param(huge_header(2_000_000_000, 2_000_000_000), 413, "picture_too_large", id="absurd"),
        pytest.param(huge_header(20_000, 4), 413, "picture_too_large", id="too wide"),
        pytest.param(animated("PNG"), 400, "picture_animated", id="animated png"),
        pytest.param(animated("WEBP"), 400, "picture_animated", id="animated webp"),
        pytest.param(bytes(MAX_BYTES + 1), 413, "picture_too_large", id="too many bytes"),
    ],
)
async def test_what_is_no_still_picture_of_a_fair_size_is_refused_and_leaves_nothing(
    desk: Desk, data: bytes, status: int, code: str
) -> None:
    dana, _ = await desk.sharing()
    answer = await send(desk, dana, data)
    assert (answer.status, answer.code) == (status, code)
    assert len(answer.body["error"]["text"]) > 30
    assert (files(desk), await rows(desk), await taken(desk, dana["session"])) == ([], 0, [])


async def test_a_body_that_does_not_say_how_long_it_is_is_counted(desk: Desk) -> None:
    dana, _ = await desk.sharing()

    async def endless() -> Any:
        yield b"\x89PNG\r\n\x1a\n"
        for _ in range(MAX_BYTES // 65536 + 2):
            yield bytes(65536)

    path = f"/api/sessions/{dana['session']}/snapshots"
    answer = await desk.holder(dana).ask("POST", path, data=endless())
    assert (answer.status, answer.code) == (413, "picture_too_large")
    assert files(desk) == []


async def test_an_upload_that_breaks_off_leaves_nothing(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    reader, writer = await asyncio.open_connection(desk.site.host, desk.site.port)
    head = (
        f"POST /api/sessions/{dana['session']}/snapshots HTTP/1.1\r\nHost: {desk.site.host}:{desk.site.port}\r\n"
        f"Authorization: Bearer {dana['token']}\r\nContent-Length: 100000\r\n\r\n"
    )
    writer.write(head.encode() + noise(64, 64)[:5000])
    await writer.drain()
    async with asyncio.timeout(10):
        while not any(name.endswith(".upload") for name in files(desk)):
            await asyncio.sleep(0.01)
        writer.transport.abort()
        while files(desk):
            await asyncio.sleep(0.01)
    assert await rows(desk) == 0
    del reader


async def test_markup_and_paths_in_a_label_are_text(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    surface = (await send(desk, dana, picture(), label=MARKUP)).body["surface"]
    assert surface["label"] == MARKUP
    assert files(desk) == [surface["id"]]


async def test_only_the_sessions_participants_and_the_staff_get_at_a_snapshot(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    surface = (await send(desk, dana, picture())).body["surface"]
    other, _ = await desk.sharing()
    path = f"/api/sessions/{dana['session']}/snapshots/{surface['id']}"
    assert (await desk.stranger.get(path)).status == 401
    assert (await desk.holder(other).get(path)).status == 403
    elsewhere = f"/api/sessions/{other['session']}/snapshots/{surface['id']}"
    assert (await desk.holder(other).get(elsewhere)).code == "snapshot_not_found"
    assert (await desk.holder(other).post(f"/api/sessions/{dana['session']}/snapshots", picture())).status == 403


async def test_without_live_consent_no_picture_is_taken(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    await desk.say(dana, m.StopSharing(new_id()))
    answer = await send(desk, dana, picture())
    assert answer.status == 403
    assert (files(desk), await rows(desk)) == ([], 0)


async def test_consent_that_ends_during_the_upload_leaves_nothing(desk: Desk) -> None:
    dana, _ = await desk.sharing()

    async def slowly() -> Any:
        yield picture()[:40]
        await desk.say(dana, m.StopSharing(new_id()))
        yield picture()[40:]

    path = f"/api/sessions/{dana['session']}/snapshots"
    answer = await desk.holder(dana).ask("POST", path, data=slowly())
    assert answer.status in {403, 409}
    assert (files(desk), await rows(desk), await taken(desk, dana["session"])) == ([], 0, [])


@pytest.mark.parametrize("query", [{"surface_kind": "wall"}, {"requested_by": "nobody"}])
async def test_a_wrong_query_is_refused(desk: Desk, query: dict[str, str]) -> None:
    dana, _ = await desk.sharing()
    assert (await send(desk, dana, picture(), **query)).status == 400


@contextmanager
def file_size_limit(limit: int) -> Iterator[None]:
    """No file of this process and its children may grow beyond `limit` bytes; writing gives EFBIG."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_said_in_words_leaves_nothing_and_is_gone_once_there_is_room(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    data = noise(1200, 1000)
    before = len(await desk.app.timeline.read(dana["session"]))
    with file_size_limit(2_000_000):  # room for the database's log, not for the picture
        answer = await send(desk, dana, data)
    assert (answer.status, answer.code) == (503, "disk_full")
    assert (files(desk), await rows(desk)) == ([], 0)
    assert len(await desk.app.timeline.read(dana["session"])) == before
    assert (await send(desk, dana, data)).status == 200


async def test_a_disk_that_fills_while_the_picture_is_made_anew_leaves_nothing(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    data = picture("WEBP", (3000, 3000), lossless=True)
    noisy = io.BytesIO()
    Image.effect_noise((900, 900), 90).convert("RGB").save(noisy, "JPEG", quality=40)
    assert len(data) < len(noisy.getvalue()) < 1_000_000
    with file_size_limit(len(noisy.getvalue()) + 1000):  # what comes in fits, quality 92 does not
        answer = await send(desk, dana, noisy.getvalue())
    assert (answer.status, answer.code) == (503, "disk_full")
    assert (files(desk), await rows(desk)) == ([], 0)


def test_a_decompression_bomb_in_text_chunks_is_refused(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("bomb", "0" * 50_000_000, zip=True)
    (tmp_path / "bomb").write_bytes(picture("PNG", pnginfo=info))
    with pytest.raises(PictureRefusedError, match="damaged"):
        reencode(tmp_path / "bomb", tmp_path / "made")
    assert not (tmp_path / "made").exists()


async def test_a_locked_database_is_said_in_words_leaves_nothing_and_is_met_again_later(tmp_path: Path) -> None:
    async with open_desk(tmp_path / "data", database_timeout_s=0.2) as desk:
        dana, _ = await desk.sharing()
        lock = sqlite3.connect(desk.app.data / "sightline.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        answer = await send(desk, dana, picture())
        assert (answer.status, answer.code) == (503, "unavailable")
        assert (files(desk), await rows(desk), await taken(desk, dana["session"])) == ([], 0, [])
        lock.execute("ROLLBACK")
        lock.close()
        assert (await send(desk, dana, picture())).status == 200


async def test_what_a_crash_left_half_stored_is_gone_after_a_start_and_the_rest_is_kept(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    whole = (await send(desk, dana, picture())).body["surface"]["id"]
    half = (await send(desk, dana, picture())).body["surface"]["id"]
    folder = desk.app.data / "snapshots"
    (folder / half).unlink()
    for name in ("x.upload", "x.made", "rowless", "under-way.upload"):
        (folder / name).write_bytes(picture())
        if name != "under-way.upload":
            os.utime(folder / name, (1, 1))
    await tidy(desk.app)
    assert (files(desk), await rows(desk)) == (sorted([whole, "under-way.upload"]), 1)


async def test_a_picture_of_which_no_timeline_tells_is_gone_after_a_start(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    told = (await send(desk, dana, picture())).body["surface"]["id"]
    row = {"width": 8, "height": 8, "mime": "image/png", "bytes": 1, "sha256": "0" * 64, "created_by": "dana"}
    async with desk.app.database.write() as connection:
        for name, at in (("crashed", desk.app.started_at - 1), ("under-way", desk.app.started_at + 1)):
            (desk.app.data / "snapshots" / name).write_bytes(picture())
            await connection.execute(snapshots.insert().values(id=name, session_id=dana["session"], at=at, **row))
        await connection.execute(snapshots.update().where(snapshots.c.id == told).values(at=desk.app.started_at - 1))
    await tidy(desk.app)
    assert (files(desk), await rows(desk)) == (sorted([told, "under-way"]), 2)


async def test_an_upload_that_takes_for_ever_is_ended_in_words(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.snapshots.RECEIVE_S", 0.2)
    dana, _ = await desk.sharing()
    ended = asyncio.Event()

    async def slowly() -> Any:
        yield picture()[:40]
        await ended.wait()

    path = f"/api/sessions/{dana['session']}/snapshots"
    headers = {"Authorization": f"Bearer {dana['token']}"}
    async with aiohttp.ClientSession() as http, http.post(desk.base + path, data=slowly(), headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, "picture_late")
        ended.set()
    assert (files(desk), await rows(desk)) == ([], 0)
