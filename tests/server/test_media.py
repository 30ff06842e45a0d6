"""Recorded media over HTTP: any part of it, for who may see it, and never in the clear on the disk."""

import asyncio
import os

import aiohttp
import pytest

from recorder import vp8
from recorder.vault import CHUNK
from recorder.webm import Block, Track, cluster, header
from server import demo
from server.media import PIECE, Part, part_of
from tests.server.desk import Desk

SIZE = 1000


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-", (0, 1000)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        (" bytes=10-19 ", (10, 20)),
        ("bytes=999-", (999, 1000)),
        ("bytes=990-5000", (990, 1000)),
        ("bytes=-1", (999, 1000)),
        ("bytes=-5000", (0, 1000)),
        ("bytes=-0", (1000, 1000)),
        ("bytes=1000-", (1000, 1000)),
        ("bytes=2000-3000", (2000, 2000)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("bytes=a-b", None),
        ("lines=0-1", None),
        ("bytes 0-1", None),
        ("bytes=0-" + "9" * 500, None),
    ],
)
def test_a_range_is_understood_as_the_standard_says(asked: str, part: tuple[int, int] | None) -> None:
    assert part_of(asked, SIZE) == (None if part is None else Part(*part))


@pytest.fixture
async def desk(recorded_desk: Desk) -> Desk:
    return recorded_desk


@pytest.fixture
def session() -> str:
    """A finished session with a real recording."""
    return demo.SESSION


@pytest.fixture
async def url(desk: Desk, session: str) -> str:
    return str((await desk.tess.get(f"/api/recordings/{session}")).body["segments"][0]["url"])


async def test_parts_are_served_again_and_again_and_are_parts_of_the_whole(desk: Desk, url: str) -> None:
    whole = await desk.tess.get(url)
    size, tag = len(whole.raw), whole.headers["ETag"]
    assert size > PIECE  # it is sent in several pieces
    assert (whole.headers["Accept-Ranges"], whole.headers["Cache-Control"]) == ("bytes", "private, no-store")
    for asked, start, end in (
        ("bytes=0-1", 0, 2),
        (f"bytes={CHUNK - 3}-{CHUNK + 3}", CHUNK - 3, CHUNK + 4),
        ("bytes=-500", size - 500, size),
        ("bytes=1000-", 1000, size),
    ):
        part = await desk.tess.get(url, headers={"Range": asked})
        assert (part.status, part.raw) == (206, whole.raw[start:end])
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
    for asked, fresh, status in (("bytes=0-9", tag, 206), ("bytes=0-9", '"other"', 200), ("bytes=0-1,5-6", tag, 200)):
        answer = await desk.tess.get(url, headers={"Range": asked, "If-Range": fresh})
        assert (answer.status, len(answer.raw)) == (status, 10 if status == 206 else size)
    beyond = await desk.tess.get(url, headers={"Range": f"bytes={size}-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    only = await desk.tess.ask("HEAD", url)
    assert (only.status, only.raw) == (200, b"")
    assert (only.headers["Content-Length"], only.headers["ETag"]) == (str(size), tag)


async def test_what_is_damaged_is_never_sent_and_what_grows_is_sent_as_far_as_it_is(desk: Desk, url: str) -> None:
    whole = (await desk.tess.get(url)).raw
    (vault,) = desk.app.archive.folder.glob("*.vault")
    data = bytearray(vault.read_bytes())
    data[44 + 4 * (CHUNK + 16) + 9] ^= 1
    vault.write_bytes(data)
    damaged = await desk.tess.get(url, headers={"Range": f"bytes={5 * CHUNK - 2000}-"})
    assert (damaged.status, damaged.code) == (410, "recording_damaged")
    fine = await desk.tess.get(url, headers={"Range": f"bytes={5 * CHUNK + 2000}-"})
    assert fine.raw == whole[5 * CHUNK + 2000 :]
    with pytest.raises(aiohttp.ClientError):  # it begins well, and is cut off where it is damaged
        await desk.tess.get(url)

    segment = url.rsplit("/", 1)[1]
    await asyncio.to_thread(desk.app.archive.shred, segment)
    assert (await desk.tess.get(url)).status == 404
    file = await asyncio.to_thread(desk.app.archive.create, segment)
    written = header([Track(vp8, (8, 8), b"")])
    for number in range(3):
        piece = cluster([Block(number, 1, True, os.urandom(CHUNK // 2))])
        written += piece
        await asyncio.to_thread(file.append, written if number == 0 else piece)
        answer = await desk.tess.get(url, headers={"Range": "bytes=5-"})
        assert answer.raw == written[5:]
        assert "ETag" not in answer.headers
        assert (await desk.tess.get(url, headers={"Range": "bytes=5-", "If-Range": '"x"'})).raw == written
    await asyncio.to_thread(file.finish, 3)
    assert "ETag" in (await desk.tess.ask("HEAD", url)).headers


async def test_no_plaintext_of_a_recording_is_found_in_the_data_folder(desk: Desk, session: str, url: str) -> None:
    page = (await desk.tess.get(f"/api/recordings/{session}")).body
    start = page["segments"][0]["started_at"]
    clip = {"in_ms": start + 1000, "out_ms": start + 5000, "title": "Blank pages", "text": ""}
    assert (await desk.tess.post(f"/api/recordings/{session}/clips", clip)).status == 200
    media = (await desk.tess.get(url)).raw
    canaries = [media[at : at + 24] for at in range(2000, len(media) - 24, 4001)]
    canaries += [b"V_VP8", b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75"]
    found = 0
    for path in desk.app.data.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [canary for canary in canaries if canary in data], path
            found += path.suffix == ".vault"
    assert found == 1
