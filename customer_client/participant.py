"""What every customer in Python does alike: the simulated one of the demo, and the native client.

`CustomerParticipant` keeps the link to the session, knows to whom its picture goes, and keeps one peer connection to
each of them: offered, answered, and replaced before it is given up. What is sent, and what a person is asked, is left
to who builds upon it.
"""

import abc
import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import NamedTuple, Protocol

import aiohttp
import structlog
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidStateError
from aiortc.sdp import candidate_from_sdp

from customer_client.sending.live_snapshots import LiveSnapshots, Look
from signaling import messages as m
from signaling.aiortc_internals import close
from signaling.client import ClosedError, RefusedError, SignalingConnection, new_id
from signaling.session import MAX_DIRECT_VIEWERS
from signaling.verification import local_fingerprint, only_fingerprint, phrase_of

log = structlog.get_logger()

ANSWER_WITHIN_S = 5.0
RECOVER_WITHIN_S = 3.0
RENEW_AT_MOST_EVERY_S = 2.0
OFFER_AGAIN_AFTER_S = 3.0


class Participation(Protocol):
    """What redeeming an invitation gave."""

    @property
    def token(self) -> str: ...

    @property
    def session(self) -> str: ...


class Still(NamedTuple):
    """A picture as it is uploaded: its file, what kind of file that is, and the surface that it shows."""

    data: bytes
    media_type: str
    kind: m.SurfaceKind
    label: str


class Outgoing:
    """The peer connection to one viewer, from its offer to its end; who makes it adds what is sent.

    `changed` is called on the event loop when `state` has changed.
    """

    def __init__(self, peer: RTCPeerConnection) -> None:
        self.connection = new_id()
        self.peer = peer
        self.offered_at = time.monotonic()
        self.answered = False
        self.changed: Callable[[], None] = lambda: None
        self._in_turn = asyncio.Lock()
        peer.on("connectionstatechange", self._tell)

    @property
    def state(self) -> str:
        """As RTCPeerConnectionState."""
        return self.peer.connectionState

    @property
    def verification(self) -> str | None:
        """The phrase that stands on both screens; None before the connection stands, or when it proves nothing."""
        if self.state != "connected" or not self.answered:
            return None
        local = local_fingerprint(self.peer.localDescription.sdp)
        remote = only_fingerprint(self.peer.remoteDescription.sdp)
        return phrase_of(local, remote) if local and remote else None

    def _tell(self) -> None:
        self.changed()

    async def offer(self) -> str:
        """The offer, with every candidate in it: aiortc gathers them all first."""
        await self.peer.setLocalDescription()
        return self.peer.localDescription.sdp

    async def accept(self, sdp: str) -> None:
        """Takes the viewer's answer; one that makes no sense is as if it had never come."""
        async with self._in_turn:
            with contextlib.suppress(Exception):  # aiortc's parsers raise whatever they like on hostile input
                await self.peer.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
                self.answered = True

    async def add(self, message: m.Candidate) -> None:
        """Takes one of the viewer's candidates."""
        async with self._in_turn:
            with contextlib.suppress(ValueError, AssertionError, IndexError, OSError, InvalidStateError):
                if not message.candidate:
                    await self.peer.addIceCandidate(None)
                    return
                candidate = candidate_from_sdp(message.candidate.removeprefix("candidate:"))
                candidate.sdpMid, candidate.sdpMLineIndex = message.sdp_mid, message.sdp_m_line_index
                await self.peer.addIceCandidate(candidate)

    async def close(self) -> None:
        """Ends it; nothing is sent from here on."""
        await close(self.peer)


class CustomerParticipant(abc.ABC):
    """One session's customer, without its screen and without its person."""

    def __init__(self, server_url: str, participation: Participation) -> None:
        self.link = SignalingConnection(server_url, participation.token)
        self.snapshots = LiveSnapshots(self.link, self.look)
        self.connected: frozenset[str] = frozenset()
        """Who has a link to the server now."""
        self._server_url = server_url.rstrip("/")
        self._participation = participation
        self._viewers: dict[str, Outgoing] = {}
        self._retiring: dict[str, Outgoing] = {}
        """Those before, which carry the picture until their successors do."""
        self._offering: dict[str, asyncio.Task[None]] = {}
        self._asked: set[str] = set()
        """Who wants a connection of its own, whatever else it has."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()

    # --- For who builds upon it ---

    @abc.abstractmethod
    def open_outgoing(self, viewer: str, servers: list[m.IceServer]) -> Outgoing:
        """A new connection to a viewer, with what is to be sent in it."""

    @abc.abstractmethod
    async def still(self) -> Still | None:
        """What is shared at this moment in full resolution; None when nothing may be shown."""

    @abc.abstractmethod
    async def look(self) -> Look | None:
        """The same for live snapshots, asked several times a second and again before each part is sent."""

    @property
    def sends(self) -> bool:
        """Whether there is a picture to send, as far as this computer is concerned."""
        return True

    @abc.abstractmethod
    def hear(self, heard: m.Event | m.Relay | m.Presence) -> None:
        """Told of everything that comes over the link, after it was followed here; must not block."""

    def changed(self) -> None:
        """Told when anything about the connections has changed."""
        log.debug("connections", fed=sorted(self.fed))

    # --- What is so ---

    @property
    def viewers(self) -> list[str]:
        """Those to whom there is a connection, or is being made."""
        return list(self._viewers)

    @property
    def fed(self) -> set[str]:
        """Those to whom a connection stands."""
        standing = {**self._retiring, **self._viewers}
        return {viewer for viewer, outgoing in standing.items() if outgoing.state == "connected"}

    def verification(self) -> tuple[str, str] | None:
        """The phrase to compare, and the name of the agent with whom; None while no connection to one stands."""
        state = self.link.state
        for agent in state.those_present("agent"):
            if (outgoing := self._viewers.get(agent)) and (phrase := outgoing.verification):
                return phrase, state.participants[agent].name
        return None

    def audience(self) -> set[str]:
        """The recorder while it hands the picture on; agents who have it directly, or ask for that."""
        state = self.link.state
        agents = state.those_present("agent")
        handed = {agent for agent in agents if state.paths.get(agent) == "recorder"}
        direct = [
            each
            for each in agents
            if each in self._asked or (each not in handed and (not state.relayed or each in self._viewers))
        ]
        recorders = state.those_present("recorder") if state.recording == "on" or state.relayed or handed else ()
        return {*direct[:MAX_DIRECT_VIEWERS], *recorders}

    # --- Taking part ---

    async def run(self) -> None:
        """Takes part until the session ends; raises `ClosedError` when the server will not have it any more."""
        try:
            async with self.link:
                await self.link.caught_up()
                async for heard in self.link:
                    self._follow(heard)
                    self.hear(heard)
                    self.settle()
                    if self.link.state.phase == "ended":
                        break
        finally:
            self.hang_up()
            await self._finish()

    def settle(self) -> None:
        """Opens, offers and ends connections, so that those see the picture who are to see it."""
        state = self.link.state
        live = state.seen and state.surface is not None and state.surface.kind != "picture"
        wanted = self.audience() if live and self.sends else set()
        for viewer in {*self._viewers, *self._offering} - wanted:
            self._drop(viewer)
        for viewer in (wanted & self.connected) - set(self._viewers):  # else the offer would be lost
            self._open(viewer)

    def replace(self, viewer: str) -> None:
        """Replaces the connection to a viewer; the old one goes when the new one stands."""
        old = self._viewers.get(viewer)
        if old is None:
            return
        early = RENEW_AT_MOST_EVERY_S - (time.monotonic() - old.offered_at)
        if early > 0:
            if old.state == "connected":  # else it is being made, and what is asked for may be this one
                asyncio.get_running_loop().call_later(early, self._replace_this, viewer, old)
            return
        del self._viewers[viewer]
        if offering := self._offering.pop(viewer, None):
            offering.cancel()
        if old.state == "connected" and viewer not in self._retiring:
            self._retiring[viewer] = old
        else:
            self._end(old)
        self.settle()

    def _replace_this(self, viewer: str, outgoing: Outgoing) -> None:
        if self._viewers.get(viewer) is outgoing:
            self.replace(viewer)

    def hang_up(self) -> None:
        """Ends every connection."""
        for viewer in {*self._viewers, *self._retiring, *self._offering}:
            self._drop(viewer)

    def send(self, message: m.DurableMessage, once: str | None = None) -> None:
        """Sends a durable message without waiting; of those with the same `once` only one is under way."""
        if once is None or all(task.get_name() != once for task in self._tasks):
            self.spawn(self._deliver(message), once)

    async def upload(self, still: Still, requested_by: str | None) -> str | None:
        """Stores a picture; the id of its surface on the timeline, or None when that was not possible."""
        address = f"{self._server_url}/api/sessions/{self._participation.session}/snapshots"
        query = {"surface_kind": still.kind, "label": still.label}
        query |= {"requested_by": requested_by} if requested_by else {}
        headers = {"Authorization": f"Bearer {self._participation.token}", "Content-Type": still.media_type}
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.post(address, params=query, headers=headers, data=still.data) as response,
            ):
                if response.status < 400:
                    return str((await response.json())["surface"]["id"])
                log.warning("snapshot not taken", status=response.status)
        except aiohttp.ClientError as error:
            log.warning("snapshot not sent", cause=type(error).__name__)
        return None

    def spawn(self, work: Coroutine[None, None, None], name: str | None = None) -> asyncio.Task[None]:
        """Has `work` done beside all else; it is cancelled when this participant ends."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- Details ---

    def _follow(self, heard: m.Event | m.Relay | m.Presence) -> None:
        match heard:
            case m.Event(body=m.SharingStopped()):
                self._asked.clear()
                self.hang_up()
            case m.Event(body=m.Left(participant=participant)):
                self._asked.discard(participant)
                self._drop(participant)
                self.snapshots.forget(participant)
            case m.Event(body=m.PathChanged(participant=participant, path="recorder")):
                self._asked.discard(participant)
            case m.Relay(sender=sender, message=message):
                self._take(sender, message)
            case m.Presence(connected=connected):
                came = set(connected) - self.connected
                self.connected = frozenset(connected)
                self.snapshots.interrupt()  # said to who comes back as well
                for viewer in came & set(self._viewers):
                    if time.monotonic() - self._viewers[viewer].offered_at > OFFER_AGAIN_AFTER_S:
                        self.replace(viewer)

    def _take(self, sender: str, message: m.Relayed) -> None:
        outgoing = self._viewers.get(sender)
        retiring = self._retiring.get(sender)
        match message:
            case m.Reoffer():
                self._asked.add(sender)
                self.replace(sender)
            case m.Answer(connection=connection, sdp=sdp) if outgoing and connection == outgoing.connection:
                self.spawn(outgoing.accept(sdp))
            case m.Candidate(connection=connection):
                for each in (outgoing, retiring):
                    if each and each.connection == connection:
                        self.spawn(each.add(message))
            case m.AskTiles(shown=shown):
                self.snapshots.ask(sender, shown)
            case m.RequestSnapshot():
                self.spawn(self._answer_snapshot(sender))

    async def _answer_snapshot(self, requested_by: str) -> None:
        if still := await self.still():
            await self.upload(still, requested_by)

    def _open(self, viewer: str) -> None:
        if viewer not in self._offering:
            self._offering[viewer] = self.spawn(self._offer(viewer))

    async def _offer(self, viewer: str) -> None:
        try:
            servers = await self.link.offer_terms()
            outgoing = self._viewers[viewer] = self.open_outgoing(viewer, servers)
            outgoing.changed = lambda: self._watch(viewer, outgoing)
            sdp = await outgoing.offer()
        finally:
            if self._offering.get(viewer) is asyncio.current_task():
                del self._offering[viewer]
        outgoing.offered_at = time.monotonic()
        self.link.pass_on(m.Offer(to=viewer, connection=outgoing.connection, sdp=sdp))
        end = m.Candidate(to=viewer, connection=outgoing.connection, candidate="", sdp_mid=None, sdp_m_line_index=0)
        self.link.pass_on(end)
        asyncio.get_running_loop().call_later(ANSWER_WITHIN_S, self._expect_answer, viewer, outgoing)

    def _expect_answer(self, viewer: str, outgoing: Outgoing) -> None:
        if self._viewers.get(viewer) is outgoing and not outgoing.answered:
            self.replace(viewer)

    def _watch(self, viewer: str, outgoing: Outgoing) -> None:
        """Follows the state of a connection, as long as it is the viewer's present one."""
        if self._viewers.get(viewer) is not outgoing:
            return
        if outgoing.state == "connected":
            self._retire(viewer)
        elif outgoing.state in {"disconnected", "failed", "closed"}:
            wait = RECOVER_WITHIN_S if outgoing.state == "disconnected" else RENEW_AT_MOST_EVERY_S
            asyncio.get_running_loop().call_later(wait, self._recover, viewer, outgoing)
        self.changed()

    def _recover(self, viewer: str, outgoing: Outgoing) -> None:
        if self._viewers.get(viewer) is outgoing and outgoing.state != "connected":
            self.replace(viewer)

    def _retire(self, viewer: str) -> None:
        if retiring := self._retiring.pop(viewer, None):
            self._end(retiring)

    def _drop(self, viewer: str) -> None:
        if offering := self._offering.pop(viewer, None):
            offering.cancel()
        self._retire(viewer)
        if outgoing := self._viewers.pop(viewer, None):
            self._end(outgoing)
            self.changed()

    def _end(self, outgoing: Outgoing) -> None:
        outgoing.changed = lambda: None
        task = asyncio.get_running_loop().create_task(outgoing.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _deliver(self, message: m.DurableMessage) -> None:
        try:
            await self.link.send(message)
        except RefusedError as refusal:
            self.refused(message, refusal)
        except ClosedError:
            return

    def refused(self, message: m.DurableMessage, refusal: RefusedError) -> None:
        """Told when the server said no to what was sent."""
        log.info("refused", message=type(message).__name__, code=refusal.code)

    async def _finish(self) -> None:
        """Drops what is under way, and waits for the connections to end."""
        self.snapshots.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._closing, return_exceptions=True)
