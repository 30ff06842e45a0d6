"""Every codec with a voice, from a real Chromium through a whole recorder to a file, and out of it as it is served.

All are recorded at once: flashes that are seen when their beeps are heard, and then another size.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import av
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from recorder.archive import Archive
from recorder.codecs import CODECS
from recorder.participant import SessionRecorder
from signaling import messages as m
from signaling.client import SignalingConnection, new_id
from signaling.session import Assign, Open
from tests.recorder import ffmpeg
from tests.recorder.conftest import ALICE, DANA, TAPE, pages
from tests.recorder.recording import archive_in
from tests.signaling.memory_server import MemoryServer, memory_server

NAMES = ("VP9", "H264", "VP8", "AV1")
FLASHES, COUNTED = 6, 4
"""Of the flashes the last are counted: the sender reports that bring picture and voice in step take a while to come."""
IN_STEP = 0.04
"""Seconds by which a voice and its picture may be apart."""
BEFORE, AFTER = (480, 270), (320, 240)
SILENCE = 0xFB
"""How packets begin that the recorder fills in, and none that Chromium sends."""


async def share(link: SignalingConnection, page: Page, codec: str) -> None:
    """Takes part as dana, who agrees to everything, and whose screen and voice are the page's."""
    async with link:
        await link.caught_up()
        for scope in ("view", "record"):
            await link.send(m.GiveConsent(id=new_id(), scope=scope, granted=True))
        surface = m.Surface(id="screen", kind="browser", label="", width=BEFORE[0], height=BEFORE[1])
        await link.send(m.StartSharing(id=new_id(), surface=surface))
        await link.send(m.GiveConsent(id=new_id(), scope="voice", granted=True))
        async for heard in link:
            match heard:
                case m.Event(body=m.RecordingStarted()):
                    offer = await page.evaluate(f"offer('{codec}', 600)")
                    link.pass_on(m.Offer(to=TAPE.id, connection=codec, sdp=offer))
                case m.Relay(message=m.Answer(sdp=sdp)):
                    await page.evaluate("([codec, sdp]) => answer(codec, sdp)", [codec, sdp])


class Recording:
    """One codec's session, and what comes of it."""

    def __init__(self, codec: str, server: MemoryServer, archive: Archive) -> None:
        self.codec = codec
        self._server = server
        self._archive = archive

    def bodies(self, kind: type[Any]) -> list[Any]:
        return [event.body for event in self._server.timeline.events[self.codec] if isinstance(event.body, kind)]

    @property
    def segments(self) -> list[str]:
        return [body.segment for body in self.bodies(m.SegmentStarted)]

    @property
    def addresses(self) -> list[str]:
        """Where each segment is served."""
        return [f"{self._server.url}/segments/{segment}" for segment in self.segments]

    @property
    def durations(self) -> list[float]:
        """What the timeline says of each segment, in seconds."""
        lasts = {body.segment: body.duration_ms / 1000 for body in self.bodies(m.SegmentFinished)}
        return [lasts[segment] for segment in self.segments]

    def media(self, number: int = 0) -> io.BytesIO:
        with self._archive.open(self.segments[number]) as stored:
            return io.BytesIO(stored.read(0, stored.size))

    def holds(self, size: tuple[int, int]) -> bool:
        """Whether there is a keyframe of this size in what is written so far, and a voice."""
        found, voice = set[tuple[int, int] | None](), 0
        for number in range(len(self.segments)):
            with av.open(self.media(number), "r") as container:
                for packet in container.demux():
                    data = bytes(packet)
                    if data and packet.stream.type == "video":
                        found.add(CODECS[self.codec].keyframe_size(data))
                    voice += bool(data) and packet.stream.type == "audio" and data[0] != SILENCE
        return size in found and voice > 50


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.05)


class Recorded(NamedTuple):
    """The page, by how much each of its flashes was later than the beep (s), and the finished recordings by codec."""

    page: Page
    skew: list[float]
    recordings: dict[str, Recording]


def distances(seen: list[float], heard: list[float]) -> list[float]:
    return [flash - beep for flash, beep in zip(seen, heard, strict=True)]


async def perform(page: Page, recordings: list[Recording]) -> list[float]:
    """Flashes and beeps, then another size; by how much each flash was later."""
    await until(lambda: all(recording.holds(BEFORE) for recording in recordings))
    await page.evaluate("listen()")
    for _ in range(FLASHES):
        await page.evaluate("flashed()")
    source = await page.evaluate("source")
    assert len(source["flashes"]) == len(source["beeps"]) == FLASHES
    await page.evaluate("([width, height]) => resize(width, height)", AFTER)
    await until(lambda: all(recording.holds(AFTER) for recording in recordings))
    await page.evaluate("still()")
    return distances(source["flashes"], source["beeps"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Recorded]:
    archive = archive_in(tmp_path_factory.mktemp("codecs"))
    async with memory_server(ALICE, DANA, TAPE, routes=pages(archive.folder)) as server:
        page = await browser.new_page()
        await page.goto(f"{server.url}/codecs")
        await page.click("canvas")  # so that the page may play a sound
        recordings = {codec: Recording(codec, server, archive) for codec in NAMES}
        for codec in NAMES:
            await server.endpoint.command(codec, Open("Example", "Printer", True))
            await server.endpoint.command(codec, Assign("alice", "Alice"))
        with ThreadPoolExecutor(2) as threads:
            async with asyncio.TaskGroup() as group:
                recorders = [SessionRecorder(server.url, f"{codec}/{TAPE.id}", archive, threads) for codec in NAMES]
                for recorder in recorders:
                    group.create_task(recorder.run())
                await until(lambda: all(each.bodies(m.Joined) for each in recordings.values()))
                links = {codec: SignalingConnection(server.url, f"{codec}/{DANA.id}") for codec in NAMES}
                sharing = [group.create_task(share(link, page, codec)) for codec, link in links.items()]
                await until(lambda: all(each.segments for each in recordings.values()))
                skew = await perform(page, list(recordings.values()))
                for recorder in recorders:
                    await recorder.stop()
                for task in sharing:
                    task.cancel()
        await page.evaluate("window.close()")
        yield Recorded(page, skew, recordings)
        await page.close()


def rises(levels: Iterator[tuple[float, float]], threshold: float) -> list[float]:
    """When a level rises over the threshold, each at least 400 ms after the one before."""
    found = list[float]()
    for (_, before), (time, level) in pairwise(levels):
        if before <= threshold < level and (not found or time - found[-1] > 0.4):
            found.append(time)
    return found


def flashes(file: io.BytesIO) -> list[float]:
    with av.open(file, "r") as container:
        frames = container.decode(video=0)
        return rises(((frame.time or 0.0, frame.to_ndarray(format="gray").mean()) for frame in frames), 150)


def changed(file: io.BytesIO) -> float | None:
    """When the pictures become of another size."""
    with av.open(file, "r") as container:
        frames = [((frame.width, frame.height), frame.time or 0.0) for frame in container.decode(video=0)]
    return next((time for size, time in frames if size != frames[0][0]), None)


def beeps(file: io.BytesIO) -> list[float]:
    with av.open(file, "r") as container:
        frames = list(container.decode(audio=0))
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    loud = np.abs(samples[: len(samples) // 240 * 240]).reshape(-1, 240).max(axis=1)
    return rises((((frames[0].time or 0.0) + number / 200, level) for number, level in enumerate(loud)), 0.1)


every_codec = pytest.mark.parametrize("codec", NAMES)
on_one_loop = pytest.mark.asyncio(loop_scope="module")


@every_codec
@on_one_loop
async def test_a_flash_is_seen_when_its_beep_is_heard(recorded: Recorded, codec: str) -> None:
    recording = recorded.recordings[codec]
    seen, heard = flashes(recording.media()), beeps(recording.media())
    played = await recorded.page.evaluate("address => beeps(address)", recording.addresses[0])
    for sounded in (heard, played):
        assert len(seen) == len(sounded) == FLASHES
        apart = [after - before for after, before in zip(distances(seen, sounded), recorded.skew, strict=True)]
        assert abs(median(apart[-COUNTED:])) < IN_STEP


@every_codec
@on_one_loop
async def test_chromium_seeks_in_it_and_plays_it_to_its_end(recorded: Recorded, codec: str) -> None:
    recording = recorded.recordings[codec]
    seen = flashes(recording.media())
    moments = [seen[4] + 0.1, seen[1] + 0.1, seen[3] - 0.1]
    sizes = list[list[int]]()
    for number, (address, duration) in enumerate(zip(recording.addresses, recording.durations, strict=True)):
        last = max(0.0, (changed(recording.media(number)) or duration) - 0.2)
        found = await recorded.page.evaluate("given => play(...given)", [address, moments, last])
        assert found["bright"] == [True, True, False][: len(moments)]
        assert found["duration"] == pytest.approx(found["ended"], abs=0.05) == pytest.approx(duration, abs=0.001)
        sizes += found["sizes"]
        moments = []
    before, after = list(BEFORE), list(AFTER)
    assert sizes == ([before] * 3 + [after] * 3 if codec == "H264" else [before, before, after])


@pytest.mark.skipif(not ffmpeg.INSTALLED, reason="ffmpeg is not installed: apt-get install ffmpeg")
@every_codec
@on_one_loop
async def test_ffprobe_reads_it_and_ffmpeg_decodes_all_of_it(recorded: Recorded, codec: str) -> None:
    recording = recorded.recordings[codec]
    sizes = list[list[tuple[int, int]]]()
    for address, duration in zip(recording.addresses, recording.durations, strict=True):
        read, _ = await asyncio.gather(ffmpeg.probe(address), ffmpeg.decode(address))
        assert read.format == ffmpeg.Format("matroska,webm", f"{duration:.6f}")
        assert read.streams == [ffmpeg.Stream("video", codec.lower()), ffmpeg.Stream("audio", "opus")]
        packets, pictures, voice = read.packets("video"), read.decoded("video"), read.decoded("audio")
        times = [packet.pts for packet in packets]
        assert times == [picture.pts for picture in pictures]
        assert (times[0], times) == (0, sorted(set(times)))
        assert times[-1] < duration * 1000
        keyframes = [picture for picture in pictures if picture.key_frame]
        assert [packet.pts for packet in packets if packet.flags[0] == "K"] == [picture.pts for picture in keyframes]
        sizes.append(list(dict.fromkeys(picture.size for picture in pictures)))
        assert sizes[-1] == list(dict.fromkeys(picture.size for picture in keyframes))
        assert all(abs(after.pts - before.pts - before.nb_samples / 48) <= 1 for before, after in pairwise(voice))
    assert sizes == ([[BEFORE], [AFTER]] if codec == "H264" else [[BEFORE, AFTER]])
