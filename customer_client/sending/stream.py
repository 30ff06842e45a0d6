"""The shared encoder's stream sent to each viewer over a peer connection of its own, and what the viewers say of it.

aiortc makes the connection; the packets are made once for all viewers and sent past its own sender, which would send a
keyframe in one burst, forget it while it is still on its way, and not tell its encoder what the network bears.
"""

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Callable, Iterable
from fractions import Fraction

import av
import structlog
from aiortc import RTCIceServer
from aiortc.codecs.h264 import H264Encoder
from aiortc.rtcrtpsender import RTCRtpSender

from customer_client.participant import Outgoing
from customer_client.sending.encoder import CLOCK_RATE, START_BITRATE, EncodedFrame, ScreenEncoder
from signaling import messages as m
from signaling.aiortc_internals import RawTransport, negotiated, peer_connection, stand_aside
from signaling.pace import CEILING
from signaling.passing import History, Passing, terms_of
from signaling.rtp import Packet

log = structlog.get_logger()

TICK = 0.1
BUSY_TICK = 0.005
KNOWN_AFTER = 1.5
"""Seconds of reports that say something of a path."""
LEAST_BITRATE = 500_000
"""Bits per second below which the picture is not made worse for the others: who can't follow them skips frames."""
BURST_BYTES = 32_000
"""What is sent at once; more would overrun the buffers on its way."""
PACED_BITRATE = 6_000_000
SLOW_KEYFRAME_AFTER = 0.8
"""Seconds; a keyframe of ours is never more than the path to the slowest viewer takes in half of that."""
SILENT_AFTER = 5.0
"""Seconds without a report of the viewer, which come every second or so; ICE itself gives up after thirty."""
_PROFILE = "42e01f"
"""Constrained baseline, which every browser decodes."""
_PLAYOUT_DELAY = "14 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
"""An id that nothing else has, and the extension by which Chromium gives up waiting for what might come late."""
_SEQUENCE_SET, _STAP_A = 7, 24


def begins_keyframe(payload: bytes) -> bool:
    """Whether an RTP payload (RFC 6184) is the first of a keyframe: its parameter sets come before it."""
    kind = payload[0] & 0x1F
    return (payload[3] & 0x1F if kind == _STAP_A and len(payload) > 3 else kind) == _SEQUENCE_SET


class Pacing:
    """Lets a large frame out over some time; small ones pass at once. Time comes in as an argument, in seconds."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._waiting: deque[bytes] = deque()
        self._credit = float(BURST_BYTES)
        self._credited_at = 0.0

    @property
    def waiting(self) -> int:
        """Bytes that are yet to be sent."""
        return sum(map(len, self._waiting))

    def put(self, data: bytes, now: float) -> None:
        """Sends a packet as soon as those before it and the pace allow."""
        self._waiting.append(data)
        self.drain(now)

    def drain(self, now: float) -> None:
        """Sends what may be sent by now."""
        self._credit = min(BURST_BYTES, self._credit + (now - self._credited_at) * PACED_BITRATE / 8)
        self._credited_at = now
        while self._waiting and self._credit > 0:
            data = self._waiting.popleft()
            self._credit -= len(data)
            self._send(data)


class ScreenStream:
    """What the encoder makes, as packets for all viewers; the encoder rests while there are none.

    It lives on the event loop on which it is made.
    """

    def __init__(self, encoder: ScreenEncoder) -> None:
        self._encoder = encoder
        self._loop = asyncio.get_running_loop()
        self._packetizer = H264Encoder()
        self._history = History(begins_keyframe)
        self._sequence = 0
        self._viewers: list[ScreenOutgoing] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def level(self) -> int:
        """Ten times the level of H.264 that is sent."""
        return self._encoder.level

    @property
    def resting(self) -> bool:
        """Whether nothing may be sent, not even what is already encoded."""
        return self._encoder.resting

    def want_keyframe(self, _: float = 0.0) -> None:
        """Asks the encoder for a keyframe."""
        self._encoder.want_keyframe()

    def join(self, viewer: "ScreenOutgoing") -> None:
        """From now on this viewer is sent the stream, from its next keyframe on."""
        if viewer not in self._viewers:
            self._viewers.append(viewer)
        if self._encoder.on_encoded is None:
            self._encoder.on_encoded = self._encoded
        self._soon(0.0)

    def leave(self, viewer: "ScreenOutgoing") -> None:
        """This viewer is sent no more."""
        if viewer in self._viewers:
            self._viewers.remove(viewer)
        if not self._viewers and self._timer is not None:
            self.close()

    def close(self) -> None:
        """Lets go of the encoder, and of all viewers; their connections are closed by who opened them."""
        self._viewers.clear()
        self._encoder.on_encoded = None
        self._history.forget()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _encoded(self, frame: EncodedFrame) -> None:
        """In the encoder's thread."""
        with contextlib.suppress(RuntimeError):  # the loop ended a moment ago
            self._loop.call_soon_threadsafe(self._send, frame)

    def _send(self, frame: EncodedFrame) -> None:
        packet = av.Packet(frame.data)
        packet.pts, packet.time_base = frame.timestamp, Fraction(1, CLOCK_RATE)
        payloads, timestamp = self._packetizer.pack(packet)
        now = self._loop.time()
        for place, payload in enumerate(payloads, 1):
            self._sequence = (self._sequence + 1) & 0xFFFF
            part = Packet(0, place == len(payloads), self._sequence, timestamp & 0xFFFFFFFF, 0, payload, None)
            index = self._history.add(part)
            assert index is not None
            for viewer in self._viewers:
                viewer.packet(self._history, index, part, now)
        if any(viewer.waiting for viewer in self._viewers):
            self._soon(BUSY_TICK)

    def _soon(self, seconds: float) -> None:
        """Ticks after so many seconds, or before."""
        due = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > due:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        for viewer in list(self._viewers):
            viewer.tick(now)
        if not self._viewers:
            return
        followed = [viewer for viewer in self._viewers if viewer.bitrate >= LEAST_BITRATE] or self._viewers
        slowest = min(viewer.bitrate for viewer in followed)
        self._encoder.set_bitrate(slowest, max(viewer.waiting for viewer in followed))
        self._soon(BUSY_TICK if any(viewer.waiting for viewer in self._viewers) else TICK)


class ScreenOutgoing(Outgoing):
    """The peer connection over which one viewer is sent the stream."""

    def __init__(self, stream: ScreenStream, ice_servers: Iterable[m.IceServer]) -> None:
        peer = peer_connection([RTCIceServer(each.urls, each.username, each.credential) for each in ice_servers])
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._joined_at: float | None = None
        self._broken = False
        self._transport: RawTransport | None = None
        self._pacing: Pacing | None = None
        self._passing: Passing | None = None
        self._video = peer.addTransceiver("video", direction="sendonly")
        stand_aside(self._video)
        stand_aside(peer.addTransceiver("audio", direction="inactive"))
        super().__init__(peer)

    @property
    def state(self) -> str:
        """As RTCPeerConnectionState; failed as soon as the viewer is not heard of any more."""
        return "failed" if self._broken else super().state

    @property
    def waiting(self) -> int:
        """Bytes that are yet to be sent; with some, `tick` wants to be called soon."""
        return sum(part.waiting for part in (self._pacing, self._passing) if part is not None)

    @property
    def bitrate(self) -> int:
        """What the path to this viewer bears, in bits per second."""
        unknown = self._joined_at is None or self._heard_at - self._joined_at < KNOWN_AFTER
        borne = CEILING if self._passing is None else self._passing.pace.bitrate
        return min(borne, START_BITRATE) if unknown else borne

    async def offer(self) -> str:
        """The offer, with every candidate in it, and the level of H.264 that is sent."""
        wanted = [
            codec
            for codec in RTCRtpSender.getCapabilities("video").codecs
            if codec.mimeType == "video/rtx" or codec.parameters.get("profile-level-id") == _PROFILE
        ]
        self._video.setCodecPreferences(wanted)
        level = f"profile-level-id={_PROFILE[:4]}{self._stream.level:02x}"
        offered = re.sub(f"profile-level-id={_PROFILE}", level, await super().offer())
        return offered.replace("a=extmap:", f"a=extmap:{_PLAYOUT_DELAY}\r\na=extmap:", 1)

    async def accept(self, sdp: str) -> None:
        """Takes the viewer's answer; one that makes no sense is as if it had never come."""
        await super().accept(sdp)
        if not self.answered or self._transport is not None:
            return
        transport = self._transport = RawTransport(self._video, lambda _: None, self._rtcp)
        pacing = self._pacing = Pacing(lambda data: None if self._stream.resting else transport.send_rtp(data))
        terms = terms_of(negotiated(self._video), "H264")
        if f"a=extmap:{_PLAYOUT_DELAY}" in sdp:
            terms = terms._replace(playout_delay=int(_PLAYOUT_DELAY.split(maxsplit=1)[0]))
        self._passing = Passing(
            terms,
            lambda data: pacing.put(data, self._loop.time()),
            transport.send_rtcp,
            self._stream.want_keyframe,
            transport.backlog,
            SLOW_KEYFRAME_AFTER,
        )
        self._tell()

    async def close(self) -> None:
        """Ends it; nothing is sent from here on."""
        self._broken = True
        self._stream.leave(self)
        if self._transport is not None:
            self._transport.release()
        await super().close()

    def packet(self, history: History, index: int, packet: Packet, now: float) -> None:
        """Sends one of the stream's packets."""
        assert self._passing is not None
        self._passing.packet(history, index, packet, now)

    def tick(self, now: float) -> None:
        """Does what is due."""
        assert self._passing is not None and self._pacing is not None
        self._pacing.drain(now)
        self._passing.tick(now)
        if now - self._heard_at > SILENT_AFTER:
            self._broken = True
            self._tell()

    def _tell(self) -> None:
        if self.state == "connected" and self._passing is not None:
            self._heard_at = self._loop.time()
            self._joined_at = self._joined_at or self._heard_at
            self._stream.join(self)
        elif self.state in ("failed", "closed"):
            self._stream.leave(self)
        super()._tell()

    def _rtcp(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        if self._passing is not None:
            try:
                self._passing.rtcp(data, self._heard_at)
            except Exception:  # raised into the socket's transport it would close every path to this peer
                log.exception("feedback not understood")
