"""A stream that was sent once, sent again: over real ICE, DTLS and SRTP, and without an encoder."""

import asyncio
import random
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Literal

import av
import msgspec
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket
from numpy.typing import NDArray

from signaling.aiortc_internals import RawTransport, codecs_by_preference, negotiated, peer_connection, stand_aside

KEPT = 2048
"""Packets that can be sent again."""
TICK = 0.004
REPORT_EVERY = 1.0
NTP_EPOCH = 2_208_988_800


class Packet(msgspec.Struct, frozen=True, array_like=True):
    """What was sent `at` seconds after the first packet; `timestamp` counts from 0."""

    at: float
    timestamp: int
    marker: bool
    payload: bytes


class Capture(msgspec.Struct, frozen=True):
    """A stream of packets from its first keyframe on; it is repeated after `duration` seconds."""

    codec: Literal["VP8", "VP9", "H264", "AV1"]
    width: int
    height: int
    packets: list[Packet]

    @property
    def duration(self) -> float:
        return self.packets[-1].at + 1 / 30

    @property
    def frames(self) -> int:
        return sum(packet.marker for packet in self.packets)

    @property
    def bitrate(self) -> int:
        """Bits per second of payload."""
        return int(8 * sum(len(packet.payload) for packet in self.packets) / self.duration)

    @property
    def longest_gap(self) -> float:
        """Seconds between two frames of it, at the most."""
        ends = [packet.at for packet in self.packets if packet.marker]
        return max(after - before for before, after in pairwise(ends))

    def even(self, rate: int) -> "Capture":
        """The same frames, `rate` a second, each frame's packets evenly over half of its time."""
        frames = [list(packets) for _, packets in groupby(self.packets, lambda packet: packet.timestamp)]
        packets = [
            Packet((number + place / len(frame) / 2) / rate, number * 90_000 // rate, packet.marker, packet.payload)
            for number, frame in enumerate(frames)
            for place, packet in enumerate(frame)
        ]
        return Capture(self.codec, self.width, self.height, packets)

    def save(self, path: Path) -> None:
        path.write_bytes(msgspec.msgpack.encode(self))

    @classmethod
    def load(cls, path: Path) -> "Capture":
        return msgspec.msgpack.decode(path.read_bytes(), type=cls)


def number_of(picture: NDArray[Any]) -> int:
    """The number that `numbered` drew, from an RGB picture."""
    square = picture.shape[1] / 16
    row = picture[int(square / 2)].mean(axis=1)
    return sum(int(row[int((bit + 0.5) * square)] > 127) << (15 - bit) for bit in range(16))


def numbered(first: int, frames: int = 240) -> Capture:
    """A small picture in which each frame bears its number, counted from `first`."""
    return drawn(frames=frames, first=first)


def drawn(width: int = 320, height: int = 180, frames: int = 40, rate: int = 30, first: int | None = None) -> Capture:
    """A small moving picture, for where Chromium's would be too much; its frames are numbered from `first`."""
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.bit_rate = Fraction(1, rate), 600_000
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "30000"}
    packets: list[Packet] = []
    for number in range(frames):
        picture = np.full((height, width, 3), (30, 60, 90), np.uint8)
        left = number * 4 % (width - 60)
        picture[20:120, left : left + 60] = (number * 6 % 256, 200, 40)
        if first is not None:
            for bit in range(16):
                shade = 255 if (first + number) >> (15 - bit) & 1 else 0
                picture[: width // 16, bit * width // 16 : (bit + 1) * width // 16] = shade
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, rate)
        for encoded in encoder.encode(frame):
            shares = Vp8Encoder._packetize(bytes(encoded), number)
            for place, share in enumerate(shares):
                at, last = number / rate + place * 0.0001, place == len(shares) - 1
                packets.append(Packet(at, number * 90_000 // rate, last, share))
    return Capture("VP8", width, height, packets)


class Replay:
    """A participant's peer connection that sends a capture again and again, from a keyframe on when it is asked to."""

    def __init__(self, capture: Capture, *, loss: float = 0.0, seed: int = 0) -> None:
        self.capture = capture
        self.peer: RTCPeerConnection = peer_connection([])
        self.sent = 0
        self.refreshed = 0
        self._transceiver = self.peer.addTransceiver("video", direction="sendonly")
        wanted = (f"video/{capture.codec}", "video/rtx")
        codecs = [codec for codec in codecs_by_preference("video") if codec.mimeType in wanted]
        self._transceiver.setCodecPreferences(codecs)
        self.on_frame: Callable[[int], None] = lambda timestamp: None
        """Is given the timestamp within the capture of each frame that was sent."""
        self._loss = loss
        self._random = random.Random(seed)
        self._transport: RawTransport | None = None
        self._payload_type = self._ssrc = 0
        self._extension: int | None = None
        self._started = 0.0
        self._next = 0
        self._base = self._random.randrange(1 << 31)
        self._sequence = self._random.randrange(1 << 15)
        self._octets = 0
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=KEPT)
        self._reported_at = 0.0
        self._refresh = False

    async def offer(self) -> str:
        """The SDP of an offer with all candidates."""
        await self.peer.setLocalDescription()
        sdp: str = self.peer.localDescription.sdp
        return sdp

    async def accept(self, answer: str) -> None:
        """Takes the answer; from now on `send` sends once the connection stands."""
        stand_aside(self._transceiver)
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        terms = negotiated(self._transceiver)
        self._payload_type = next(kind for kind, name in terms.codecs.items() if name == self.capture.codec)
        self._ssrc, self._extension = terms.local_ssrc, terms.abs_send_time
        self._transport = RawTransport(self._transceiver, lambda _: None, self._feedback)

    @property
    def connected(self) -> bool:
        return self.peer.connectionState == "connected"

    def send(self, now: float) -> None:
        """Sends what is due; `now` is the loop's time in seconds."""
        if self._transport is None or not self.connected:
            return
        packets = self.capture.packets
        if not self._started or self._refresh:
            self._begin_again(now)
        while now >= self._started + packets[self._next].at:
            self._send(packets[self._next])
            self._next += 1
            if self._next == len(packets):
                self._begin_again(self._started + self.capture.duration)
        if now - self._reported_at >= REPORT_EVERY:
            self._report(now)

    async def close(self) -> None:
        await self.peer.close()

    def _begin_again(self, started: float) -> None:
        if self._started:
            self._base += max(3000, int((started - self._started) * 90_000))
        self._started, self._next, self._refresh = started, 0, False

    def _send(self, packet: Packet) -> None:
        assert self._transport is not None
        kind = self._payload_type | (0x80 if packet.marker else 0)
        timestamp = (self._base + packet.timestamp) & 0xFFFFFFFF
        self._sequence = (self._sequence + 1) & 0xFFFF
        if self._extension is None:
            data = struct.pack("!BBHII", 0x80, kind, self._sequence, timestamp, self._ssrc)
        else:
            sent_at = int(time.time() * (1 << 18)) & 0xFFFFFF
            head = (0x90, kind, self._sequence, timestamp, self._ssrc, 0xBEDE, 1, self._extension << 28 | 2 << 24)
            data = struct.pack("!BBHIIHHI", *head[:-1], head[-1] | sent_at)
        data += packet.payload
        self._kept.append((self._sequence, data))
        self.sent += 1
        self._octets += len(packet.payload)
        if packet.marker:
            self.on_frame(packet.timestamp)
        if not self._loss or self._random.random() >= self._loss:
            self._transport.send_rtp(data)

    def _report(self, now: float) -> None:
        assert self._transport is not None
        self._reported_at = now
        wall = time.time() + NTP_EPOCH
        timestamp = (self._base + int((now - self._started) * 90_000)) & 0xFFFFFFFF
        counts = (int(wall), int(wall % 1 * (1 << 32)), timestamp, self.sent, self._octets & 0xFFFFFFFF)
        self._transport.send_rtcp(struct.pack("!BBHIIIIII", 0x80, 200, 6, self._ssrc, *counts))

    def _feedback(self, data: bytes) -> None:
        assert self._transport is not None
        for report in RtcpPacket.parse(data):
            if isinstance(report, RtcpPsfbPacket) and report.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                self._refresh, self.refreshed = True, self.refreshed + 1
            elif isinstance(report, RtcpRtpfbPacket) and report.fmt == RTCP_RTPFB_NACK:
                missing = set(report.lost)
                for sequence, again in list(self._kept):
                    if sequence in missing and (not self._loss or self._random.random() >= self._loss):
                        self._transport.send_rtp(again)


async def play(replays: Sequence[Replay]) -> None:
    """Sends all of them, until cancelled."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        now = loop.time()
        for replay in replays:
            replay.send(now)
        due = max(due + TICK, now)
        await asyncio.sleep(due - loop.time())
