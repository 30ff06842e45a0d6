"""What Chromium sent once, sent again to a whole recorder: its segments, their sizes, and who may be heard."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

from customer_client.participant import Outgoing
from customer_client.simulation.simulation import SimulatedCustomer
from recorder.archive import Archive
from recorder.participant import SessionRecorder
from signaling import messages as m
from signaling.aiortc_internals import RawTransport, codecs_by_preference, negotiated, peer_connection, stand_aside
from signaling.session import Assign, Open
from tests.recorder.conftest import ALICE, DANA, TAPE
from tests.recorder.recording import archive_in
from tests.recorder.replayed_customer import Redeemed
from tests.recorder.test_codecs import AFTER, BEFORE, captured
from tests.signaling.memory_server import MemoryServer, memory_server

FASTER = 3


class CapturedPeer(Outgoing):
    """A connection that sends a capture once, picture and voice."""

    def __init__(self, codec: str) -> None:
        super().__init__(peer_connection([]))
        self._codec = codec
        self._transceivers = [self.peer.addTransceiver(kind, direction="sendonly") for kind in ("video", "audio")]
        wanted = {f"video/{codec}", "video/rtx", "audio/opus"}
        for transceiver in self._transceivers:
            codecs = codecs_by_preference(transceiver.kind)
            transceiver.setCodecPreferences([each for each in codecs if each.mimeType in wanted])

    async def accept(self, sdp: str) -> None:
        for transceiver in self._transceivers:
            stand_aside(transceiver)
        await super().accept(sdp)

    async def play(self) -> None:
        """Sends it all, faster than it came."""
        await until(lambda: self.peer.connectionState == "connected")
        terms, records = captured(self._codec)
        numbers = {
            was: next(number for number, name in negotiated(transceiver).codecs.items() if name == agreed)
            for transceiver in self._transceivers
            for was, agreed in terms[transceiver.kind].codecs.items()
        }
        transport = RawTransport(self._transceivers[0], lambda _: None, lambda _: None)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for ms, is_rtp, data in records:
            await asyncio.sleep(max(0.0, began + ms / 1000 / FASTER - loop.time()))
            if not is_rtp:
                transport.send_rtcp(data)
            elif (number := numbers.get(data[1] & 0x7F)) is not None:
                transport.send_rtp(data[:1] + bytes((data[1] & 0x80 | number,)) + data[2:])


class CapturedCustomer(SimulatedCustomer):
    """Dana, whose screen and voice are a capture."""

    def __init__(self, server_url: str, codec: str) -> None:
        super().__init__(server_url, Redeemed("dana", "session"))
        self.peer = CapturedPeer(codec)

    def open_outgoing(self, viewer: str, servers: list[m.IceServer]) -> Outgoing:
        return self.peer


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


def bodies(server: MemoryServer, kind: type[Any]) -> list[Any]:
    return [event.body for event in server.timeline.events["session"] if isinstance(event.body, kind)]


def loudest(archive: Archive, segment: str) -> float:
    with archive.open(segment) as stored, av.open(stored.file(), "r") as container:
        return max(float(np.abs(frame.to_ndarray()).max()) for frame in container.decode(audio=0))


def sizes(archive: Archive, segment: str) -> list[tuple[int, int]]:
    """Each size that a segment's pictures have, in order."""
    with archive.open(segment) as stored, av.open(stored.file(), "r") as container:
        return list(dict.fromkeys((frame.width, frame.height) for frame in container.decode(video=0)))


@asynccontextmanager
async def recorded(folder: Path, codec: str, *, voice: bool) -> AsyncIterator[tuple[MemoryServer, Archive]]:
    """A capture recorded from beginning to end, and all its segments finished."""
    archive = archive_in(folder)
    async with memory_server(ALICE, DANA, TAPE) as server:
        await server.endpoint.command("session", Open("Example", "Printer", True))
        await server.endpoint.command("session", Assign("alice", "Alice"))
        with ThreadPoolExecutor(2) as threads:
            recorder, customer = (
                SessionRecorder(server.url, "tape", archive, threads),
                CapturedCustomer(server.url, codec),
            )
            tasks = [asyncio.create_task(work) for work in (recorder.run(), customer.run())]
            await until(lambda: bodies(server, m.RecordingStarted))
            if voice:
                await customer.agree("voice")
                await until(lambda: any(body.scope == "voice" for body in bodies(server, m.ConsentGiven)))
            await customer.peer.play()
            await recorder.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        yield server, archive


async def test_a_picture_of_another_size_goes_on_in_the_same_segment(tmp_path: Path) -> None:
    async with recorded(tmp_path, "VP9", voice=True) as (server, archive):
        [started] = bodies(server, m.SegmentStarted)
        assert (started.codec, started.participant) == ("VP9", "dana")
        assert sizes(archive, started.segment) == [BEFORE, AFTER]
        assert loudest(archive, started.segment) > 0.1


async def test_h264_of_another_size_goes_on_in_another_segment_and_a_voice_without_consent_is_not_kept(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path, "H264", voice=False) as (server, archive):
        first, second = bodies(server, m.SegmentStarted)
        assert {finished.segment for finished in bodies(server, m.SegmentFinished)} == {first.segment, second.segment}
        assert (sizes(archive, first.segment), sizes(archive, second.segment)) == ([BEFORE], [AFTER])
        assert loudest(archive, first.segment) < 0.001
