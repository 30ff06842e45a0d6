"""The encoder's stream on its way to viewers, each of them aiortc as it comes: over real ICE, DTLS and SRTP."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from customer_client.capture.surfaces import Picture
from customer_client.sending.encoder import START_BITRATE, ScreenEncoder
from customer_client.sending.stream import (
    BURST_BYTES,
    PACED_BITRATE,
    SILENT_AFTER,
    Pacing,
    ScreenOutgoing,
    ScreenStream,
    begins_keyframe,
)
from signaling import rtp
from signaling.aiortc_internals import close, peer_connection
from tests.customer_client.screens import captured, desktop, gray, likeness


class Encoder(ScreenEncoder):
    """The encoder, with a note of what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.bitrates: list[int] = []
        self.wishes = 0

    def set_bitrate(self, bits_per_second: int, waiting: int = 0) -> None:
        self.bitrates.append(bits_per_second)
        super().set_bitrate(bits_per_second, waiting)

    def want_keyframe(self) -> None:
        self.wishes += 1
        super().want_keyframe()


class Viewer:
    """An agent's side of one connection."""

    def __init__(self, outgoing: ScreenOutgoing) -> None:
        self.outgoing = outgoing
        self.peer: RTCPeerConnection = peer_connection([])
        self.tracks: list[MediaStreamTrack] = []
        self.peer.on("track", self.tracks.append)

    async def connect(self) -> str:
        """Answers; returns what was offered."""
        offered = await self.outgoing.offer()
        await self.peer.setRemoteDescription(RTCSessionDescription(offered, "offer"))
        await self.peer.setLocalDescription()
        await self.outgoing.accept(self.peer.localDescription.sdp)
        await until(lambda: self.peer.connectionState == self.outgoing.state == "connected")
        return offered

    @property
    def ssrc(self) -> int:
        """What the stream is called on this connection."""
        return int(re.findall(r"a=ssrc:(\d+)", self.peer.remoteDescription.sdp)[0])

    async def say(self, report: bytes) -> None:
        """Sends RTCP."""
        [video] = [each for each in self.peer.getTransceivers() if each.kind == "video"]
        await video.receiver.transport._send_rtp(report)

    async def seen(self) -> Picture:
        frame = await asyncio.wait_for(self.tracks[0].recv(), 20)
        assert isinstance(frame, av.VideoFrame)
        return np.asarray(frame.to_ndarray()[: frame.height], np.uint8)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def encoder() -> Iterator[Encoder]:
    made = Encoder()
    made.start()
    yield made
    made.stop()


@asynccontextmanager
async def viewing(stream: ScreenStream) -> AsyncIterator[Viewer]:
    viewer = Viewer(ScreenOutgoing(stream, []))
    try:
        yield viewer
    finally:
        await viewer.outgoing.close()
        await close(viewer.peer)


async def test_two_viewers_see_one_encoder_whose_screen_stands_still(encoder: Encoder) -> None:
    stream = ScreenStream(encoder)
    encoder.feed(captured(1, desktop()))
    async with viewing(stream) as alice:
        offered = await alice.connect()
        assert re.findall("profile-level-id=(.*)", offered.replace("\r", "")) == ["42e01f"]
        assert likeness(await alice.seen(), gray(desktop())) > 0.99
        assert encoder.on_encoded is not None
        async with viewing(stream) as bob:
            await bob.connect()
            assert likeness(await bob.seen(), gray(desktop())) > 0.99
            encoder.feed(captured(2, desktop(3.0)))
            for viewer in (alice, bob):
                while likeness(await viewer.seen(), gray(desktop(3.0))) < 0.99:
                    pass
        assert encoder.on_encoded is not None
    assert encoder.on_encoded is None


async def test_a_large_screen_is_announced_with_its_level_and_a_lost_picture_is_made_anew(encoder: Encoder) -> None:
    stream = ScreenStream(encoder)
    large = np.full((1440, 2560, 4), 255, np.uint8)
    large[100:800, 200:900] = 30
    encoder.feed(captured(1, large))
    async with viewing(stream) as alice:
        assert "profile-level-id=42e032" in await alice.connect()
        assert likeness(await alice.seen(), gray(large)) > 0.99
        wishes = encoder.wishes
        async with asyncio.timeout(20):
            while encoder.wishes == wishes:
                await alice.say(rtp.picture_loss(1, alice.ssrc))
                await asyncio.sleep(0.02)


async def test_the_encoder_is_told_what_the_path_bears(encoder: Encoder) -> None:
    stream = ScreenStream(encoder)
    encoder.feed(captured(1, desktop()))
    async with viewing(stream) as alice:
        await alice.connect()
        await until(lambda: encoder.bitrates)
        assert encoder.bitrates[0] == START_BITRATE
        async with asyncio.timeout(20):
            for received in itertools.count(1_000_000, 100):  # beyond what alice's own reports tell
                await alice.say(rtp.receiver_report(1, alice.ssrc, rtp.Report(100, received // 3, received, 0, 0, 0)))
                if encoder.bitrates[-1] < START_BITRATE:
                    break
                await asyncio.sleep(0.02)
        assert encoder.bitrates[-1] == alice.outgoing.bitrate


async def test_a_viewer_that_is_not_heard_of_any_more_has_failed_at_once(encoder: Encoder) -> None:
    stream = ScreenStream(encoder)
    encoder.feed(captured(1, desktop()))
    async with viewing(stream) as alice:
        told = list[str]()
        alice.outgoing.changed = lambda: told.append(alice.outgoing.state)
        await alice.connect()
        assert told[-1] == "connected"
        now = asyncio.get_running_loop().time()
        alice.outgoing.tick(now + SILENT_AFTER - 1)
        assert alice.outgoing.state == "connected"
        alice.outgoing.tick(now + SILENT_AFTER + 1)
        assert told[-1] == "failed"
        assert encoder.on_encoded is None


def test_a_large_frame_is_let_out_over_some_time_and_a_small_one_at_once() -> None:
    sent = list[bytes]()
    pacing = Pacing(sent.append)
    pacing.put(bytes(1200), 10.0)
    assert len(sent) == 1 and not pacing.waiting
    for _ in range(200):
        pacing.put(bytes(1200), 20.0)
    assert BURST_BYTES <= 1200 * (len(sent) - 1) < BURST_BYTES + 1200
    steps = 0
    while pacing.waiting:
        steps += 1
        pacing.drain(20.0 + steps * 0.005)
    assert len(sent) == 201
    assert steps * 0.005 == pytest.approx((240_000 - BURST_BYTES) * 8 / PACED_BITRATE, abs=0.01)


def test_a_keyframe_is_known_by_the_parameter_sets_that_it_begins_with() -> None:
    assert begins_keyframe(b"\x67\x42") and begins_keyframe(b"\x78\x00\x02\x67\x42\x00\x02\x68\xce")
    assert not any(map(begins_keyframe, (b"\x41\x9a", b"\x7c\x85\x88", b"\x65\x88", b"\x78")))
