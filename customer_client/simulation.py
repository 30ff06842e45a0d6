"""The demo's simulated customer: agrees, shares a moving desktop, answers in the chat, sends pictures when asked.

It is a participant like any other: same token, same messages, same peer connections.
"""

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from fractions import Fraction
from typing import Protocol

import aiohttp
import av
import cv2
import numpy as np
import structlog
from aiortc import MediaStreamTrack, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpsender import RTCRtpSender
from aiortc.sdp import candidate_from_sdp

from customer_client.desktop import HEIGHT, WIDTH, Picture, draw_desktop
from signaling import messages as m
from signaling.aiortc_internals import close, peer_connection
from signaling.client import ClosedError, RefusedError, SignalingConnection, new_id
from signaling.session import State

log = structlog.get_logger()

FRAMES_PER_SECOND = 10
CLOCK_RATE = 90_000
OFFER_AGAIN_AFTER = 3.0
ANSWERS = (
    "Thank you for helping me! Yes, I can see what you draw.",
    "I see. Where do I have to click?",
    "That makes sense. I'll try it.",
    "It works now, that's wonderful. Thank you!",
)


class Participation(Protocol):
    """What redeeming an invitation gave."""

    @property
    def token(self) -> str: ...

    @property
    def session(self) -> str: ...


class Screen:
    """The desktop, drawn once for all viewers, in a thread, and only while somebody looks."""

    def __init__(self) -> None:
        self._picture: Picture | None = None
        self._planes: Picture | None = None
        self._number = 0
        self._drawn = asyncio.Condition()
        self._wanted = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def next(self, after: int) -> tuple[int, Picture]:
        """The first frame whose number is higher than `after`, as planes of YUV 4:2:0."""
        self._wanted.set()
        async with self._drawn:
            await self._drawn.wait_for(lambda: self._number > after)
            assert self._planes is not None
            return self._number, self._planes

    async def png(self) -> bytes:
        """What is shown now, in full resolution."""
        await self.next(0)
        return await asyncio.to_thread(self._encode_png)

    async def close(self) -> None:
        """Stops drawing."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _encode_png(self) -> bytes:
        assert self._picture is not None
        encoded, data = cv2.imencode(".png", cv2.cvtColor(self._picture, cv2.COLOR_RGB2BGR))
        if not encoded:
            raise ValueError("the picture could not be encoded")
        return data.tobytes()

    def _draw(self) -> tuple[Picture, Picture]:
        picture = draw_desktop(time.time())
        return picture, np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._picture, self._planes = await asyncio.to_thread(self._draw)
            async with self._drawn:
                self._number += 1
                self._drawn.notify_all()
            due = max(due + 1 / FRAMES_PER_SECOND, loop.time())
            await asyncio.sleep(due - loop.time())


class ScreenTrack(MediaStreamTrack):
    """The screen for one viewer, until it is stopped."""

    kind = "video"

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen
        self._number = 0
        self._started = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._number, planes = await self._screen.next(self._number)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = int((time.monotonic() - self._started) * CLOCK_RATE)
        frame.time_base = Fraction(1, CLOCK_RATE)
        return frame


class Outgoing:
    """The peer connection to one viewer."""

    def __init__(self, peer: RTCPeerConnection, track: ScreenTrack) -> None:
        self.connection = new_id()
        self.offered_at = time.monotonic()
        self.peer = peer
        self.track = track

    async def close(self) -> None:
        self.track.stop()
        await close(self.peer)


class SimulatedCustomer:
    """One session's customer."""

    def __init__(self, server_url: str, participation: Participation) -> None:
        self._server_url = server_url.rstrip("/")
        self._participation = participation
        self._link = SignalingConnection(server_url, participation.token)
        self._screen = Screen()
        self._viewers: dict[str, Outgoing] = {}
        self._connected: set[str] = set()
        self._asked: set[str] = set()
        """Who wants a connection of its own, whatever else it has."""
        self._starting = False
        self._answered = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def viewers(self) -> list[str]:
        """Those to whom there is a connection, or is being made."""
        return list(self._viewers)

    async def agree(self, scope: m.Scope) -> None:
        """Gives a consent that the simulated customer would not give by itself."""
        await self._link.send(m.GiveConsent(id=new_id(), scope=scope, granted=True))

    async def run(self) -> None:
        """Takes part until the session ends."""
        try:
            async with self._link:
                await self._link.caught_up()
                async for heard in self._link:
                    await self._hear(heard)
                    if self._link.state.phase == "ended":
                        break
        finally:
            await self._hang_up()
            for task in self._tasks:
                task.cancel()
            await self._screen.close()

    async def _hear(self, heard: m.Event | m.Relay | m.Presence) -> None:
        match heard:
            case m.Event(actor=actor, body=m.ChatSaid()) if (
                actor != self._link.participant and heard.seq >= self._link.state.seq
            ):
                self._say(ANSWERS[self._answered % len(ANSWERS)])
                self._answered += 1
            case m.Event(body=m.SharingStopped()):
                await self._hang_up()
            case m.Event(body=m.Left(participant=participant)):
                await self._drop(participant)
            case m.Event(body=m.PathChanged(participant=participant, path="recorder")):
                self._asked.discard(participant)
            case m.Relay(sender=sender, message=message):
                await self._take(sender, message)
            case m.Presence(connected=connected):
                came = set(connected) - self._connected
                self._connected = set(connected)
                for viewer in came & set(self._viewers):
                    if time.monotonic() - self._viewers[viewer].offered_at > OFFER_AGAIN_AFTER:
                        await self._drop(viewer)
        await self._follow()

    async def _follow(self) -> None:
        """Does what the session as it stands asks of its customer."""
        state = self._link.state
        for scope, answer in state.consents.items():
            if answer == "asked":
                self._send(m.GiveConsent(id=new_id(), scope=scope, granted=scope in ("view", "record")), scope)
        settled = state.consents.get("view") == "given" and state.consents.get("record") != "asked"
        if state.phase == "consent_asked" and settled:
            surface = m.Surface(id=new_id(), kind="monitor", label="Desktop", width=WIDTH, height=HEIGHT)
            self._send(m.StartSharing(id=new_id(), surface=surface), "start")
        if state.seen:
            wanted = self._audience(state)
            reachable = wanted & self._connected  # an offer to one whose link is not up yet would be lost
            for viewer in set(self._viewers) - wanted:
                await self._drop(viewer)
            for viewer in reachable - set(self._viewers):
                await self._offer(viewer)

    def _audience(self, state: State) -> set[str]:
        """The recorder while it hands the picture on; agents who have it directly, or ask for that."""
        agents = state.those_present("agent")
        handed = {agent for agent in agents if state.paths.get(agent) == "recorder"}
        direct = {each for each in agents if not state.relayed or each in self._asked or each in self._viewers}
        recorders = state.those_present("recorder") if state.recording == "on" or state.relayed or handed else ()
        return (direct - handed) | (direct & self._asked) | {*recorders}

    async def _take(self, sender: str, message: m.Relayed) -> None:
        outgoing = self._viewers.get(sender)
        match message:
            case m.Reoffer():
                self._asked.add(sender)
                await self._drop(sender)
            case m.Answer(connection=connection, sdp=sdp) if outgoing and connection == outgoing.connection:
                with contextlib.suppress(Exception):  # aiortc's parsers raise whatever they like on hostile input
                    await outgoing.peer.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
            case m.Candidate(connection=connection) if outgoing and connection == outgoing.connection:
                await self._add_candidate(outgoing, message)
            case m.RequestSnapshot():
                self._spawn(self._send_snapshot(sender))

    async def _offer(self, viewer: str) -> None:
        servers = await self._link.offer_terms()
        peer = peer_connection([RTCIceServer(s.urls, s.username, s.credential) for s in servers])
        outgoing = Outgoing(peer, ScreenTrack(self._screen))
        self._viewers[viewer] = outgoing
        video = peer.addTransceiver(outgoing.track, direction="sendonly")
        codecs = RTCRtpSender.getCapabilities("video").codecs
        video.setCodecPreferences([c for c in codecs if c.mimeType in ("video/VP8", "video/rtx")])
        peer.addTransceiver("audio", direction="inactive")
        await peer.setLocalDescription()
        sdp = peer.localDescription.sdp
        self._link.pass_on(m.Offer(to=viewer, connection=outgoing.connection, sdp=sdp))
        end = m.Candidate(to=viewer, connection=outgoing.connection, candidate="", sdp_mid=None, sdp_m_line_index=0)
        self._link.pass_on(end)

    async def _add_candidate(self, outgoing: Outgoing, message: m.Candidate) -> None:
        with contextlib.suppress(ValueError, AssertionError, IndexError, OSError, InvalidStateError):
            if not message.candidate:
                await outgoing.peer.addIceCandidate(None)
                return
            candidate = candidate_from_sdp(message.candidate.removeprefix("candidate:"))
            candidate.sdpMid, candidate.sdpMLineIndex = message.sdp_mid, message.sdp_m_line_index
            await outgoing.peer.addIceCandidate(candidate)

    async def _drop(self, viewer: str) -> None:
        if outgoing := self._viewers.pop(viewer, None):
            await outgoing.close()

    async def _hang_up(self) -> None:
        for viewer in list(self._viewers):
            await self._drop(viewer)

    async def _send_snapshot(self, requested_by: str) -> None:
        address = f"{self._server_url}/api/sessions/{self._participation.session}/snapshots"
        query = {"surface_kind": "picture", "label": "Desktop", "requested_by": requested_by}
        headers = {"Authorization": f"Bearer {self._participation.token}", "Content-Type": "image/png"}
        try:
            async with aiohttp.ClientSession() as http:
                picture = await self._screen.png()
                async with http.post(address, params=query, headers=headers, data=picture) as response:
                    if response.status >= 400:
                        log.warning("snapshot not taken", status=response.status)
        except aiohttp.ClientError as error:
            log.warning("snapshot not sent", cause=type(error).__name__)

    def _say(self, text: str) -> None:
        self._send(m.Say(id=new_id(), text=text))

    def _send(self, message: m.DurableMessage, once: str | None = None) -> None:
        """Sends a durable message without waiting; of those with the same `once` only one is under way."""
        if once is None or all(task.get_name() != once for task in self._tasks):
            self._spawn(self._deliver(message), once)

    async def _deliver(self, message: m.DurableMessage) -> None:
        try:
            await self._link.send(message)
        except RefusedError as refusal:
            log.info("refused", message=type(message).__name__, code=refusal.code)
        except ClosedError:
            return

    def _spawn(self, work: Coroutine[None, None, None], name: str | None = None) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def share(server_url: str, participation: Participation) -> None:
    """Plays the customer of a session until it ends; comes back by itself when the server was away."""
    with contextlib.suppress(ClosedError):
        await SimulatedCustomer(server_url, participation).run()
