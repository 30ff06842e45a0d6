"""An agent without a browser, for tests that look at the customer's page: signs in, invites, sees, draws, asks."""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_capabilities
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp
from av import VideoFrame

from annotate.shapes import Annotation, Box
from signaling import messages as m
from signaling.client import SignalingConnection, new_id
from signaling.state import State
from tests.server_process import ServerProcess

WAIT_S = 30.0


class SupportAgent:
    """Alice in one session: what she hears, and the picture that comes to her."""

    def __init__(
        self, connection: SignalingConnection, http: aiohttp.ClientSession, session: str, link: str, code: str
    ):
        self.connection = connection
        self.http = http
        self.session = session
        self.link = link
        self.code = code
        self.events: list[m.Event] = []
        self.connected: list[str] = []
        self.peers: list[RTCPeerConnection] = []
        self.answering = True
        self._frames: asyncio.Queue[VideoFrame] = asyncio.Queue(1)
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> State:
        """The session as she knows it."""
        return self.connection.state

    async def until(self, true: Callable[["SupportAgent"], object]) -> None:
        """Waits until the condition holds; looks again whenever she hears something."""
        async with asyncio.timeout(WAIT_S):
            while not true(self):
                self._changed.clear()
                await self._changed.wait()

    async def frame(self) -> VideoFrame:
        """A decoded picture of the customer's screen that comes in from now on."""
        while not self._frames.empty():
            self._frames.get_nowait()
        async with asyncio.timeout(WAIT_S):
            return await self._frames.get()

    async def say(self, text: str) -> None:
        """A line of chat."""
        await self.connection.send(m.Say(new_id(), text))

    async def draw_box(self) -> None:
        """A thick red box around the middle of what all look at."""
        surface = self.state.shown or (self.state.surface.id if self.state.surface else "")
        shape = Box((0.25, 0.25), (0.75, 0.75))
        await self.connection.send(m.Annotate(new_id(), Annotation(new_id(), surface, "#e5322d", 0.02, False, shape)))

    async def ask_snapshot(self) -> None:
        """Asks the customer's page for a picture in full resolution."""
        self.connection.pass_on(m.RequestSnapshot())

    async def picture(self, snapshot: str) -> bytes:
        """A stored snapshot."""
        async with self.http.get(f"/api/sessions/{self.session}/snapshots/{snapshot}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.read()

    def phrase(self) -> str:
        """The security phrase, out of the certificates that both sides have."""
        peer = self.peers[-1]
        found = [re.search(r"a=fingerprint:sha-256 (\S+)", each.sdp) for each in _descriptions(peer)]
        prints = sorted(match[1].upper() for match in found if match)
        assert len(prints) == 2
        digest = hashlib.sha256("\n".join(prints).encode()).digest()
        return " ".join(f"{int.from_bytes(digest[at : at + 4]) % 1000:03}" for at in (0, 4, 8, 12))

    async def reoffer_until_answered(self) -> None:
        """Asks for another connection, as a viewer does, until one is offered."""
        before = len(self.peers)
        customer = self.state.customer
        assert customer is not None
        while len(self.peers) == before:
            self.connection.pass_on(m.Reoffer(customer))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self.until(lambda agent: len(agent.peers) > before)

    async def listen(self) -> None:
        """Takes in whatever comes, until the connection is closed."""
        async for heard in self.connection:
            match heard:
                case m.Event():
                    self.events.append(heard)
                case m.Presence(connected):
                    self.connected = connected
                case m.Relay(sender, m.Offer() as offer) if self.answering:
                    await self._answer(sender, offer)
                case m.Relay(_, m.Candidate() as candidate) if self.peers:
                    await self._candidate(candidate)
                case _:
                    pass
            self._changed.set()

    async def _answer(self, sender: str, offer: m.Offer) -> None:
        servers = [RTCIceServer(server.urls) for server in self.connection.ice_servers]
        peer = RTCPeerConnection(RTCConfiguration(servers))
        self.peers.append(peer)

        @peer.on("track")
        def on_track(track: Any) -> None:
            if track.kind == "video":
                task = asyncio.create_task(self._watch(track))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

        # What aiortc can decode: whoever else uses it in this process may have taught it codecs that it only receives.
        decodable = [each for each in get_capabilities("video").codecs if each.mimeType in ("video/VP8", "video/rtx")]
        peer.addTransceiver("video", direction="recvonly").setCodecPreferences(decodable)
        try:
            await peer.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            await peer.setLocalDescription(await peer.createAnswer())
        except InvalidStateError:
            return  # the test ended meanwhile, and with it her connections
        self.connection.pass_on(m.Answer(sender, offer.connection, peer.localDescription.sdp))

    async def _candidate(self, message: m.Candidate) -> None:
        if not message.candidate:
            return
        candidate = candidate_from_sdp(message.candidate.removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = message.sdp_mid, message.sdp_m_line_index
        await self.peers[-1].addIceCandidate(candidate)

    async def _watch(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if self._frames.full():
                self._frames.get_nowait()
            self._frames.put_nowait(frame)

    async def close(self) -> None:
        """Drops her connections."""
        for peer in self.peers:
            await peer.close()
        await self.connection.close()


def _descriptions(peer: RTCPeerConnection) -> list[RTCSessionDescription]:
    return [peer.localDescription, peer.remoteDescription]


@asynccontextmanager
async def support_agent(server: ServerProcess, ask_recording: bool = False) -> AsyncIterator[SupportAgent]:
    """Alice with a ticket, a session of it, and an invitation for Dana."""
    async with await server.login("alice") as http:
        ticket = {
            "title": "The invoice does not print",
            "customer_name": "Dana",
            "customer_email": "",
            "priority": "normal",
            "problem": "",
        }
        async with http.post("/api/tickets", json=ticket) as answer:
            assert answer.status < 300, await answer.text()
            number = (await answer.json())["id"]
        async with http.post(f"/api/tickets/{number}/sessions", json={"ask_recording": ask_recording}) as answer:
            assert answer.status < 300, await answer.text()
            started = await answer.json()
        invitation = started["invitation"]
        async with _joined(server, http, started["session"]) as connection:
            agent = SupportAgent(connection, http, started["session"], invitation["link"], invitation["code"])
            listening = asyncio.create_task(agent.listen())
            try:
                yield agent
            finally:
                await agent.close()
                await listening


@asynccontextmanager
async def _joined(
    server: ServerProcess, http: aiohttp.ClientSession, session: str
) -> AsyncIterator[SignalingConnection]:
    async with http.post(f"/api/sessions/{session}/participants") as answer:
        assert answer.status < 300, await answer.text()
        place = await answer.json()
    server.confidential.add(place["token"])
    async with SignalingConnection(server.url, place["token"]) as connection:
        await connection.caught_up()
        yield connection
