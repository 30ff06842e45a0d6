"""A process that receives as aiortc does, or as the recorder does: `python -m tests.benchmarks.receivers KIND FOLDER`.

It reads lines of JSON, `{"offer": sdp}`, `{"ask": true}` or `{"stop": true}`, and answers each with one line.
"""

import asyncio
import json
import struct
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TextIO

import uvloop
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription, rtcrtpreceiver
from aiortc.contrib.media import MediaBlackhole, MediaRecorder
from aiortc.rtp import RtpPacket
from av import VideoFrame

from recorder.frames import Frame
from recorder.incoming import Incoming
from signaling import messages as m
from signaling.aiortc_internals import codecs_by_preference, peer_connection


class Receiver(ABC):
    """What becomes of one session's stream."""

    def __init__(self, place: int, folder: Path) -> None:
        self.path = folder / f"session-{place}"
        self.frames = 0
        self.peer: RTCPeerConnection = peer_connection([])

    async def answer(self, sdp: str) -> str:
        video = self.peer.addTransceiver("video", direction="recvonly")
        wanted = ("video/VP8", "video/rtx")
        video.setCodecPreferences([codec for codec in codecs_by_preference("video") if codec.mimeType in wanted])
        self.peer.on("track", self.take)
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self.prepare()
        await self.peer.setLocalDescription()
        described: str = self.peer.localDescription.sdp
        return described

    def take(self, track: MediaStreamTrack) -> None:
        return

    async def prepare(self) -> None:
        return

    @abstractmethod
    async def finish(self) -> Mapping[str, object]:
        """Ends it; what else there is to be said."""


class Counted(MediaStreamTrack):
    """A track whose frames are counted, and whose times are mended.

    aiortc's recorder has a time base of a 30th of a second, in which two frames that came sooner get one time: the file
    can't be written any more, its task ends without a word, and the frames pile up.
    """

    kind = "video"

    def __init__(self, source: MediaStreamTrack, receiver: Receiver) -> None:
        super().__init__()
        self._source = source
        self._receiver = receiver
        self._last = -1

    async def recv(self) -> VideoFrame:
        while True:
            frame = await self._source.recv()
            assert isinstance(frame, VideoFrame) and frame.pts is not None
            self._receiver.frames += 1
            if (place := int(frame.pts * (frame.time_base or 0) * 30)) > self._last:
                frame.pts, frame.time_base, self._last = place, Fraction(1, 30), place
                return frame


class StockRecorder(Receiver):
    """aiortc's MediaRecorder to MP4."""

    def take(self, track: MediaStreamTrack) -> None:
        self._recorder = MediaRecorder(str(self.path.with_suffix(".mp4")))
        self._recorder.addTrack(Counted(track, self))

    async def prepare(self) -> None:
        await self._recorder.start()

    async def finish(self) -> Mapping[str, object]:
        await self._recorder.stop()
        await self.peer.close()
        return {}


class Blackhole(Receiver):
    """aiortc's MediaBlackhole, which decodes and throws away."""

    def take(self, track: MediaStreamTrack) -> None:
        self._blackhole = MediaBlackhole()
        self._blackhole.addTrack(Counted(track, self))

    async def prepare(self) -> None:
        await self._blackhole.start()

    async def finish(self) -> Mapping[str, object]:
        await self._blackhole.stop()
        await self.peer.close()
        return {}


class BareDump(Receiver):
    """Each packet into a file as aiortc's own transport hands it up, with its length before it; nothing is answered."""

    async def prepare(self) -> None:
        [transceiver] = self.peer.getTransceivers()
        self._file = self.path.with_suffix(".rtp").open("wb")

        async def receive(parameters: Any) -> None:
            transceiver.receiver.transport._register_rtp_receiver(self, parameters)

        transceiver.receiver.receive = receive  # type: ignore[method-assign]

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        data = packet.serialize()
        self._file.write(struct.pack("!H", len(data)) + data)
        self.frames += packet.marker

    async def _handle_rtcp_packet(self, packet: object) -> None:
        return

    def _handle_disconnect(self) -> None:
        return

    async def finish(self) -> Mapping[str, object]:
        self._file.close()
        await self.peer.close()
        return {}


class NoJitterBuffer:
    """Takes packets, and never has a frame to be decoded."""

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        return False, None


class RtpDump(BareDump):
    """The same, while aiortc's own receiver answers with reports, REMB and NACK; it decodes nothing."""

    async def prepare(self) -> None:
        [transceiver] = self.peer.getTransceivers()
        self._file = self.path.with_suffix(".rtp").open("wb")
        receiver = transceiver.receiver
        answer = receiver._handle_rtp_packet
        rtcrtpreceiver.__dict__["depayload"] = lambda codec, payload: b""  # a dump has no use for it
        receiver._RTCRtpReceiver__jitter_buffer = NoJitterBuffer()  # type: ignore[attr-defined]

        async def handle(packet: RtpPacket, arrival_time_ms: int) -> None:
            await self._handle_rtp_packet(packet, arrival_time_ms)
            await answer(packet, arrival_time_ms)

        receiver._handle_rtp_packet = handle  # type: ignore[method-assign]


class Watched(Receiver):
    """The recorder's reception: how long the picture stood still at the most."""

    async def answer(self, sdp: str) -> str:
        self._incoming = Incoming(m.Offer("recorder", "screen", sdp), "customer", [])
        self._last_at: float | None = None
        self.longest_gap = 0.0
        answer, _ = await self._incoming.accept(sdp, self._deliver, lambda _: None)
        assert isinstance(answer, m.Answer)
        return answer.sdp

    def _deliver(self, _: Incoming, frame: Frame, now: float) -> None:
        self.frames += 1
        if self._last_at is not None:
            self.longest_gap = max(self.longest_gap, now - self._last_at)
        self._last_at = now

    async def finish(self) -> Mapping[str, object]:
        await self._incoming.close()
        await self.peer.close()
        return {"longest_gap_ms": round(1000 * self.longest_gap)}


KINDS: Mapping[str, Callable[[int, Path], Receiver]] = {
    "mediarecorder": StockRecorder,
    "blackhole": Blackhole,
    "rtp_dump": RtpDump,
    "bare_dump": BareDump,
    "watched": Watched,
}


async def serve(kind: str, folder: Path, output: TextIO) -> None:
    """Does as the lines on standard input say."""
    loop = asyncio.get_running_loop()
    receivers: list[Receiver] = []
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        told = json.loads(line)
        said: Mapping[str, object] = {"frames": sum(receiver.frames for receiver in receivers)}
        if "offer" in told:
            receiver = KINDS[kind](len(receivers), folder)
            receivers.append(receiver)
            said = {"answer": await receiver.answer(told["offer"])}
        elif "stop" in told:
            said = {"frames": said["frames"], "each": [await receiver.finish() for receiver in receivers]}
        print(json.dumps(said), file=output, flush=True)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], Path(sys.argv[2]), sys.stdout))
