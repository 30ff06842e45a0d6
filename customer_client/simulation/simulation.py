"""The demo's simulated customer: agrees, shares a moving desktop, answers in the chat, sends pictures when asked.

It is a participant like any other: same token, same messages, same peer connections.
"""

import asyncio
import contextlib
import time
from fractions import Fraction

import av
import cv2
import numpy as np
from aiortc import MediaStreamTrack, RTCIceServer, RTCPeerConnection
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpsender import RTCRtpSender

from customer_client.participant import CustomerParticipant, Outgoing, Participation, Still
from customer_client.sending.live_snapshots import Look
from customer_client.simulation.desktop import HEIGHT, WIDTH, Picture, draw_desktop
from signaling import messages as m
from signaling.aiortc_internals import peer_connection
from signaling.client import ClosedError, new_id

FRAMES_PER_SECOND = 10
CLOCK_RATE = 90_000
ANSWERS = (
    "Thank you for helping me! Yes, I can see what you draw.",
    "I see. Where do I have to click?",
    "That makes sense. I'll try it.",
    "It works now, that's wonderful. Thank you!",
)


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

    async def latest(self) -> tuple[int, Picture]:
        """What was drawn last, as BGR, with its number; the next one is drawn now."""
        await self.next(0)
        assert self._picture is not None
        return self._number, self._picture[:, :, ::-1]

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


class SimulatedOutgoing(Outgoing):
    """The desktop as VP8 over a connection to one viewer."""

    def __init__(self, peer: RTCPeerConnection, track: ScreenTrack) -> None:
        super().__init__(peer)
        self._track = track
        video = peer.addTransceiver(track, direction="sendonly")
        codecs = RTCRtpSender.getCapabilities("video").codecs
        video.setCodecPreferences([c for c in codecs if c.mimeType in ("video/VP8", "video/rtx")])
        peer.addTransceiver("audio", direction="inactive")

    async def close(self) -> None:
        self._track.stop()
        await super().close()


class SimulatedCustomer(CustomerParticipant):
    """One session's customer."""

    def __init__(self, server_url: str, participation: Participation) -> None:
        super().__init__(server_url, participation)
        self._screen = Screen()
        self._answered = 0

    async def agree(self, scope: m.Scope) -> None:
        """Gives a consent that the simulated customer would not give by itself."""
        await self.link.send(m.GiveConsent(id=new_id(), scope=scope, granted=True))

    async def run(self) -> None:
        """Takes part until the session ends."""
        try:
            await super().run()
        finally:
            await self._screen.close()

    def open_outgoing(self, viewer: str, servers: list[m.IceServer]) -> Outgoing:
        peer = peer_connection([RTCIceServer(s.urls, s.username, s.credential) for s in servers])
        return SimulatedOutgoing(peer, ScreenTrack(self._screen))

    async def look(self) -> Look | None:
        state = self.link.state
        if state.phase != "sharing" or state.surface is None:
            return None
        return Look(state.surface.id, *await self._screen.latest())

    async def still(self) -> Still:
        return Still(await self._screen.png(), "image/png", "picture", "Desktop")

    def hear(self, heard: m.Event | m.Relay | m.Presence) -> None:
        state = self.link.state
        match heard:
            case m.Event(actor=actor, body=m.ChatSaid()) if actor != self.link.participant and heard.seq >= state.seq:
                self.send(m.Say(id=new_id(), text=ANSWERS[self._answered % len(ANSWERS)]))
                self._answered += 1
        for scope, answer in state.consents.items():
            if answer == "asked":
                self.send(m.GiveConsent(id=new_id(), scope=scope, granted=scope in ("view", "record")), scope)
        settled = state.consents.get("view") == "given" and state.consents.get("record") != "asked"
        if state.phase == "consent_asked" and settled:
            surface = m.Surface(id=new_id(), kind="monitor", label="Desktop", width=WIDTH, height=HEIGHT)
            self.send(m.StartSharing(id=new_id(), surface=surface), "start")


async def share(server_url: str, participation: Participation) -> None:
    """Plays the customer of a session until it ends; comes back by itself when the server was away."""
    with contextlib.suppress(ClosedError):
        await SimulatedCustomer(server_url, participation).run()
