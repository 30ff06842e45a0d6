"""The peer connection over which one agent gets what the recorder passes on: offered, fed, and its feedback taken."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

import structlog
from aiortc import RTCIceServer, RTCSessionDescription
from aiortc.rtcrtpsender import RTCRtpSender

from recorder.candidates import RemoteCandidates, literal_only
from recorder.frames import Frame
from recorder.reception import Reception
from recorder.voices import Listening
from signaling import messages as m
from signaling.aiortc_internals import (
    RawTransport,
    close,
    codecs_by_preference,
    negotiated,
    peer_connection,
    stand_aside,
)
from signaling.client import new_id
from signaling.passing import History, Passing, terms_of
from signaling.rtp import Packet

log = structlog.get_logger()

ANSWER_WITHIN = 5.0
CONNECT_WITHIN = 10.0
Stage = Literal["offered", "connected", "broken"]


class Ears(NamedTuple):
    """What is done with an agent's voice: each packet as it comes, and each frame in its order."""

    packet: Callable[[Packet, float], None]
    frame: Callable[[Frame, float], None]


class Outgoing:
    """One connection to the participant `to`, with the customer's video in `codec` (as in SDP, in capitals)."""

    def __init__(
        self,
        to: str,
        codec: str,
        ice_servers: Iterable[m.IceServer],
        want_keyframe: Callable[[float], None],
        ears: Ears,
    ) -> None:
        self.connection = new_id()
        self.to = to
        self.codec = codec
        self.stage: Stage = "offered"
        self.passing: Passing | None = None
        self.listening: Listening | None = None
        self._ears = ears
        self._said: Reception | None = None
        self._want_keyframe = want_keyframe
        self._loop = asyncio.get_running_loop()
        self._peer = peer_connection(
            [
                RTCIceServer(urls=server.urls, username=server.username, credential=server.credential)
                for server in ice_servers
            ]
        )
        self._candidates = RemoteCandidates(self._peer)
        self._video = self._peer.addTransceiver("video", direction="sendonly")
        self._voice = self._peer.addTransceiver("audio", direction="sendrecv")
        stand_aside(self._video)
        stand_aside(self._voice)
        self._transport: RawTransport | None = None
        self._answered = False

    @property
    def patience(self) -> float:
        """Seconds after the offer until which it may still become a connection."""
        return CONNECT_WITHIN if self._answered else ANSWER_WITHIN

    async def offer(self) -> list[m.Relayed]:
        """What to send to the agent."""
        wanted = f"video/{self.codec}".lower()
        codecs = RTCRtpSender.getCapabilities("video").codecs
        kinds = ("video/rtx", wanted)
        self._video.setCodecPreferences([codec for codec in codecs if codec.mimeType.lower() in kinds])
        self._voice.setCodecPreferences(codecs_by_preference("audio"))
        self._peer.on("connectionstatechange", self._changed)
        await self._peer.setLocalDescription()
        to, connection = self.to, self.connection
        end = m.Candidate(to=to, connection=connection, candidate="", sdp_mid=None, sdp_m_line_index=0)
        return [m.Offer(to=to, connection=connection, sdp=self._peer.localDescription.sdp), end]

    async def accept(self, sdp: str) -> None:
        """Takes the agent's answer; raises what aiortc does on hostile SDP, and ValueError without the codec."""
        if self._answered:
            return
        self._answered = True
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp=literal_only(sdp), type="answer"))
        terms = terms_of(negotiated(self._video), self.codec)
        self._transport = transport = RawTransport(self._video, self._rtp, self._rtcp)
        self.passing = Passing(terms, transport.send_rtp, transport.send_rtcp, self._want_keyframe, transport.backlog)
        voice = negotiated(self._voice)
        for payload_type in list(voice.codecs)[:1]:
            self.listening = Listening(payload_type, voice.local_ssrc, transport.send_rtp)
            self._said = Reception(voice, transport.send_rtcp, self._ears.frame)
            self._said.on_packet = self._ears.packet

    async def add_candidate(self, message: m.Candidate) -> None:
        """Takes a candidate of the agent's side."""
        await self._candidates.add(message)

    def packet(self, history: History, index: int, packet: Packet, now: float) -> None:
        """Passes one of the customer's packets on, once there is a connection."""
        if self.stage == "connected" and self.passing is not None:
            self.passing.packet(history, index, packet, now)

    def voice(self, speaker: str, packet: Packet, now: float) -> None:
        """Lets the agent hear somebody, once there is a connection."""
        if self.stage == "connected" and self.listening is not None:
            self.listening.packet(speaker, packet, now)

    def tick(self, now: float) -> bool:
        """Does what is due; whether it wants to be called again within 10 ms."""
        if self.stage != "connected" or self.passing is None:
            return False
        with _harmless():
            self.passing.tick(now)
            if self._said is not None:
                self._said.tick(now)
        return self.passing.busy

    async def close(self) -> None:
        """Closes the connection."""
        self.stage = "broken"
        if self._transport is not None:
            self._transport.release()
        await close(self._peer)

    def _changed(self) -> None:
        state = self._peer.connectionState
        if state == "connected" and self.stage == "offered":
            self.stage = "connected"
        elif state in ("failed", "closed"):
            self.stage = "broken"

    def _rtp(self, packets: list[bytes]) -> None:
        if self._said is None:
            return
        for data in packets:
            with _harmless():
                self._said.rtp(data, self._loop.time())

    def _rtcp(self, data: bytes) -> None:
        with _harmless():
            if self.passing is not None:
                self.passing.rtcp(data, self._loop.time())
            if self._said is not None:
                self._said.rtcp(data, self._loop.time())


@contextlib.contextmanager
def _harmless() -> Iterator[None]:
    """Raised into the socket's transport, an error would close every path to this peer."""
    try:
        yield
    except Exception:
        log.exception("not passed on")
