"""A real browser's picture, through a real peer connection, into a file."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import pytest
import pytest_asyncio
from playwright.async_api import Page

from recorder import participant
from recorder.archive import Archive, SegmentFile
from recorder.candidates import MAX_CANDIDATES, literal_only
from recorder.digest import CHUNK
from recorder.participant import SessionRecorder
from signaling import messages as m
from tests.recorder.conftest import counter_of
from tests.recorder.recording import archive_in
from tests.recorder.test_digest import digest_of
from tests.signaling.memory_server import MemoryServer

on_one_loop = pytest.mark.asyncio(loop_scope="module")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.05)


def bodies(server: MemoryServer, kind: type[Any]) -> list[Any]:
    return [event.body for event in server.timeline.events["session"] if isinstance(event.body, kind)]


def counters(archive: Archive, segment: str) -> list[int]:
    """Every counter in a segment, however it ends."""
    with archive.open(segment) as stored, av.open(stored.file(), "r") as container:
        return [counter_of(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


def held(archive: Archive, segment: str) -> int:
    """How many frames are in a segment."""
    with archive.open(segment) as stored, av.open(stored.file(), "r") as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return archive_in(tmp_path)


@pytest_asyncio.fixture(loop_scope="module")
async def recorder(server: MemoryServer, archive: Archive) -> AsyncIterator[SessionRecorder]:
    with ThreadPoolExecutor(2) as threads:
        taking_part = SessionRecorder(server.url, "tape", archive, threads, growth_every=0.2)
        running = asyncio.create_task(taking_part.run())
        yield taking_part
        await taking_part.stop()
        await running


async def begin(server: MemoryServer, dana: Page, archive: Archive) -> str:
    """Dana shares; the segment that is written, once it holds a second."""
    before = len(bodies(server, m.SegmentStarted))
    await dana.evaluate("share('dana')")
    await until(lambda: len(bodies(server, m.SegmentStarted)) > before)
    segment: str = bodies(server, m.SegmentStarted)[-1].segment
    await until(lambda: held(archive, segment) > 15)
    return segment


@on_one_loop
async def test_a_browsers_picture_is_written_up_to_the_last_frame_of_a_still_screen(
    server: MemoryServer, dana: Page, recorder: SessionRecorder, archive: Archive
) -> None:
    segment = await begin(server, dana, archive)
    last = await dana.evaluate("still()")
    await until(lambda: counters(archive, segment)[-1] == last)  # the file is still open: it can be read while it grows
    await dana.evaluate("stop()")
    await until(lambda: bodies(server, m.SegmentFinished))

    finished = bodies(server, m.SegmentFinished)[0]
    with archive.open(segment) as stored:
        media = stored.raw(0, finished.bytes + 1)
        with av.open(stored.file(), "r") as container:
            assert container.duration is not None
            assert abs(container.duration / 1000 - finished.duration_ms) < 100
    assert (finished.bytes, finished.digest) == (len(media), digest_of(media))
    assert {body.digest for body in bodies(server, m.SegmentGrown)} <= {
        digest_of(media[:n]) for n in range(0, len(media), CHUNK)
    }
    seen = counters(archive, segment)
    assert seen[-1] == last
    assert seen == sorted(seen)
    assert len(set(seen)) > 15


@on_one_loop
async def test_a_change_of_size_keeps_the_recording_playable_here_and_in_a_browser(
    server: MemoryServer, dana: Page, recorder: SessionRecorder, archive: Archive
) -> None:
    segment = await begin(server, dana, archive)
    await dana.set_viewport_size({"width": 960, "height": 600})
    await dana.evaluate("resize(960, 600)")
    last = await dana.evaluate("still()")
    await until(lambda: counters(archive, segment)[-1] == last)
    await dana.evaluate("stop()")
    await until(lambda: bodies(server, m.SegmentFinished))

    with archive.open(segment) as stored, av.open(stored.file(), "r") as container:
        sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
    # A busy browser may capture a tab smaller than it is; the shape tells the two apart all the same.
    assert abs(sizes[0][0] / sizes[0][1] - 1280 / 720) < 0.02
    assert abs(sizes[-1][0] / sizes[-1][1] - 960 / 600) < 0.02
    shown = await dana.evaluate(
        """async (address) => {
            const video = Object.assign(document.createElement("video"), { src: address, muted: true });
            await new Promise((resolve, reject) => { video.onloadeddata = resolve; video.onerror = reject; });
            const first = [video.videoWidth, video.videoHeight];
            video.currentTime = video.duration - 0.05;
            await new Promise((resolve, reject) => { video.onseeked = resolve; video.onerror = reject; });
            return [first, [video.videoWidth, video.videoHeight]];
        }""",
        f"{server.url}/segments/{segment}",
    )
    assert shown == [list(sizes[0]), list(sizes[-1])]


@on_one_loop
async def test_nothing_is_written_while_sharing_is_paused(
    server: MemoryServer, dana: Page, recorder: SessionRecorder, archive: Archive
) -> None:
    segment = await begin(server, dana, archive)
    await dana.evaluate("pause()")
    await until(lambda: bodies(server, m.SharingPaused))
    paused_at = await dana.evaluate("count()")
    await dana.wait_for_function(f"count() > {paused_at + 20}")
    await dana.evaluate("resume()")
    await until(lambda: counters(archive, segment)[-1] > paused_at + 20)
    hidden = [counter for counter in counters(archive, segment) if paused_at + 5 < counter < paused_at + 18]
    assert hidden == []


@on_one_loop
async def test_recording_survives_a_restart_of_the_server(
    server: MemoryServer, dana: Page, recorder: SessionRecorder, archive: Archive
) -> None:
    segment = await begin(server, dana, archive)
    await server.stop()
    at_stop = await dana.evaluate("count()")
    await until(lambda: counters(archive, segment)[-1] > at_stop + 15)
    await server.start()
    await recorder.stop()
    assert bodies(server, m.SegmentFinished)[0].bytes == archive.recover(segment).bytes


@on_one_loop
async def test_an_offer_that_was_lost_is_asked_for_again(
    server: MemoryServer, dana: Page, recorder: SessionRecorder, archive: Archive
) -> None:
    await dana.evaluate("window.offer = () => { window.offer = offerTo; }")
    segment = await begin(server, dana, archive)
    assert len(set(counters(archive, segment))) > 15


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure of the disk a new segment is tried soon."""
    monkeypatch.setattr(participant, "REST", 0.2)


class SmallFile(SegmentFile):
    """A file that finds room for two writes."""

    _room = 2

    def append(self, data: bytes) -> None:
        if self._room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._room -= 1
        super().append(data)


class FickleDisk(Archive):
    """A disk on which the first file finds little room, and the next one all it wants."""

    files = 0

    def create(self, segment: str) -> SegmentFile:
        self.files += 1
        return (SmallFile if self.files == 1 else SegmentFile)(self.folder, segment, self.keyring)


@on_one_loop
@pytest.mark.usefixtures("impatient")
async def test_a_full_disk_ends_a_segment_which_is_finished_when_there_is_room_again(
    server: MemoryServer, dana: Page, archive: Archive, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(2) as threads:
        recorder = SessionRecorder(server.url, "tape", FickleDisk(tmp_path, archive.keyring), threads)
        running = asyncio.create_task(recorder.run())
        await dana.evaluate("share('dana')")
        await until(lambda: bodies(server, m.RecordingFailed))
        await until(lambda: len(bodies(server, m.SegmentStarted)) == 2)
        await until(lambda: bodies(server, m.SegmentFinished))
        await dana.evaluate("stop()")
        await until(lambda: len(bodies(server, m.SegmentFinished)) == 2)
        await recorder.stop()
        await running
    assert bodies(server, m.RecordingFailed) == [m.RecordingFailed("disk_full")]
    first, second = (segment.segment for segment in bodies(server, m.SegmentStarted))
    assert {finished.segment for finished in bodies(server, m.SegmentFinished)} == {first, second}
    assert counters(archive, first)
    assert counters(archive, second)


@on_one_loop
@pytest.mark.usefixtures("impatient")
async def test_a_folder_that_cannot_be_written_is_reported_once_and_tried_again_later(
    server: MemoryServer, dana: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "later"
    with ThreadPoolExecutor(2) as threads:
        recorder = SessionRecorder(server.url, "tape", archive_in(folder), threads)
        running = asyncio.create_task(recorder.run())
        await dana.evaluate("share('dana')")
        await until(lambda: bodies(server, m.RecordingFailed))
        assert bodies(server, m.SegmentStarted) == []
        await asyncio.to_thread(folder.mkdir)
        await until(lambda: bodies(server, m.SegmentStarted))
        await dana.evaluate("stop()")
        await until(lambda: bodies(server, m.SegmentFinished))
        await recorder.stop()
        await running
    assert bodies(server, m.RecordingFailed) == [m.RecordingFailed("disk_error")]


def test_no_more_candidates_are_taken_out_of_an_offer_than_any_machine_has() -> None:
    line = "a=candidate:1 1 udp 1 {} 9 typ host\r\n"
    named, literal = line.format("secret.local"), line.format("192.0.2.1")
    kept = literal_only("v=0\r\n" + named + literal * (MAX_CANDIDATES + 5) + "a=end-of-candidates\r\n")
    assert kept == "v=0\r\n" + literal * MAX_CANDIDATES + "a=end-of-candidates\r\n"
