"""The customer's picture handed on to the agents: who gets a connection, and when one may go.

A connection is offered to every agent while the session is relayed (`State.relayed`). It is taken away again only when
the agent says that its picture comes another way, or cannot any longer: make before break, in both directions.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Protocol

import structlog

from recorder.frames import Frame
from recorder.incoming import Incoming
from recorder.keyframes import begins_keyframe
from recorder.outgoing import Ears, Outgoing
from recorder.reception import Reception
from recorder.voices import Listening
from signaling import messages as m
from signaling.passing import History, best_bitrate
from signaling.rtp import Packet
from signaling.session import State

log = structlog.get_logger()

TICK = 0.1
BUSY_TICK = 0.01
SETTLE_EVERY = 0.5
REST = 5.0
"""Seconds after which an agent whose connection did not hold is offered another."""
MAX_PENDING = 4
"""Connections that are made at once: each handshake takes a few ms of the loop that serves all sessions."""
RENEW_AT_MOST_EVERY = 2.0
RETIRE_AFTER = 8.0
CLOSE_WITHIN = 1.0
SILENT_AFTER = 3.0
"""Seconds after which a customer of whom nothing is heard is taken for cut off."""
LET_GO_WITHIN = 8.0
"""Seconds that agents have to find the direct way again when the session is no longer relayed."""


class Link(Protocol):
    """What the relay needs of the participant's link to the session."""

    @property
    def state(self) -> State: ...

    @property
    def ice_servers(self) -> list[m.IceServer]: ...

    def pass_on(self, message: m.Relayed) -> None: ...


class Viewer:
    """An agent to whom the picture is offered, or handed on."""

    def __init__(self) -> None:
        self.current: Outgoing | None = None
        self.retiring: list[Outgoing] = []
        self.offered_at = float("-inf")
        self.carries = False
        self.rest_until = float("-inf")

    def connections(self) -> list[Outgoing]:
        return [*self.retiring, *([self.current] if self.current else [])]


class Relay:
    """One session's relay; it lives as long as the recorder's participation."""

    def __init__(self, link: Link, hear: Callable[[str, Frame, float], None]) -> None:
        self._link = link
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self._viewers: dict[str, Viewer] = {}
        self._incoming: Incoming | None = None
        self._listening: Listening | None = None
        """What the customer hears."""
        self._history: History | None = None
        self._stream: tuple[int, int] | None = None
        self._unwanted_since: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer = self._loop.create_task(self._watch())

    @property
    def carries(self) -> bool:
        """Whether an agent depends on what is handed on, or is about to."""
        return self._link.state.relayed or any(viewer.carries for viewer in self._viewers.values())

    def feed(self, incoming: Incoming) -> None:
        """From now on what comes over this connection is handed on, and the agents' voices go back over it."""
        attachment = incoming.attachment
        if attachment is None or attachment.video is None:
            return
        self._cut()
        self._incoming, self._history, self._stream = incoming, None, None
        attachment.video.on_stream = self._settle
        self._attend()
        if attachment.voice is not None:
            attachment.voice.on_packet = partial(self._voice, incoming.sender)
        self._listening = attachment.listening()

    def follow(self, event: m.Event) -> None:
        """Does what the session as it stands after `event` asks for."""
        match event.body:
            case m.PathChanged(participant=participant, path=path) if participant in self._viewers:
                viewer = self._viewers[participant]
                if viewer.carries and path != "recorder":
                    self._drop(participant, rest=REST)
                else:
                    viewer.carries = path == "recorder"
            case m.Left(participant=participant):
                self._forget(participant)
            case m.SharingStopped() | m.SessionEnded():
                for participant in list(self._viewers):
                    self._forget(participant)
        self._settle(self._loop.time())

    async def take(self, sender: str, message: m.Answer | m.Candidate | m.Reoffer) -> None:
        """A message of an agent about a connection that was offered to it."""
        viewer = self._viewers.get(sender)
        if viewer is None:
            return
        now = self._loop.time()
        if isinstance(message, m.Reoffer):
            if now - viewer.offered_at >= RENEW_AT_MOST_EVERY:
                self._renew(sender, viewer, now)
            return
        outgoing = next((each for each in viewer.connections() if each.connection == message.connection), None)
        if outgoing is None:
            return
        if isinstance(message, m.Candidate):
            await outgoing.add_candidate(message)
            return
        try:
            await outgoing.accept(message.sdp)
        except Exception as error:  # aiortc's parsers raise whatever they like on hostile input
            log.warning("answer not understood", error=type(error).__name__)
            self._drop(sender, rest=REST)

    async def close(self) -> None:
        """Closes every connection."""
        self._timer.cancel()
        self._hear = lambda *_: None
        self._cut()
        for participant in list(self._viewers):
            self._forget(participant)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_WITHIN)

    @property
    def _reception(self) -> Reception | None:
        return self._incoming.reception if self._incoming is not None else None

    def _cut(self) -> None:
        """What comes over the customer's connection is handed on no more."""
        attachment = self._incoming.attachment if self._incoming is not None else None
        for reception in (attachment.video, attachment.voice) if attachment is not None else ():
            if reception is not None:
                reception.on_packet = reception.on_stream = None
        self._incoming = self._listening = None

    def _voice(self, speaker: str, packet: Packet, now: float) -> None:
        """Somebody's voice, for everybody else; nobody's without the customer's consent."""
        if self._link.state.consents.get("voice") != "given":
            return
        for participant, viewer in self._viewers.items():
            for outgoing in viewer.connections() if participant != speaker else ():
                outgoing.voice(speaker, packet, now)
        if self._listening is not None and self._incoming is not None and speaker != self._incoming.sender:
            self._listening.packet(speaker, packet, now)

    def _attend(self) -> None:
        """Packets are asked for only while somebody is to see them, since each costs."""
        if self._reception is not None:
            self._reception.on_packet = self._packet if self._viewers else None
        if not self._viewers and self._history is not None:
            self._history.forget()

    def _packet(self, packet: Packet, now: float) -> None:
        try:
            self._pass_on(packet, now)
        except Exception:  # what is recorded of this packet is none of the viewers' business
            log.exception("packet not handed on")

    def _pass_on(self, packet: Packet, now: float) -> None:
        reception = self._reception
        if reception is None or reception.codec is None:
            return
        stream = packet.ssrc, packet.payload_type
        if self._history is None or stream != self._stream:
            codec = reception.codec.CODEC
            self._history, self._stream = History(lambda payload: begins_keyframe(codec, payload)), stream
        index = self._history.add(packet)
        if index is None:
            return
        for viewer in self._viewers.values():
            for outgoing in viewer.connections():
                outgoing.packet(self._history, index, packet, now)

    def _settle(self, now: float) -> None:
        """Offers to whom a connection is due, and lets go whom it is not."""
        state, codec = self._link.state, self._codec()
        self._unwanted_since = None if state.relayed else self._unwanted_since or now
        wanted = state.those_present("agent") if state.relayed and codec is not None else ()
        for participant in wanted:
            viewer = self._viewers.setdefault(participant, Viewer())
            self._attend()
            current = viewer.current
            if current is None:
                if now >= viewer.rest_until and self._pending() < MAX_PENDING:
                    self._renew(participant, viewer, now)
            elif current.stage == "broken" or (
                current.stage == "offered" and now - viewer.offered_at > current.patience
            ):
                self._drop(participant, rest=0.0 if viewer.carries else REST)
            elif current.codec != codec:
                self._renew(participant, viewer, now)
        if self._unwanted_since is None:
            return
        for participant, viewer in list(self._viewers.items()):
            if not viewer.carries or now - self._unwanted_since > LET_GO_WITHIN:
                self._forget(participant)

    def _pending(self) -> int:
        """How many connections are being made."""
        return sum(each.current is not None and each.current.stage == "offered" for each in self._viewers.values())

    def _codec(self) -> str | None:
        codec = self._reception.codec if self._reception else None
        return codec.CODEC if codec else None

    def _renew(self, participant: str, viewer: Viewer, now: float) -> None:
        """A new connection; what there is goes on until the new one had time to show a picture."""
        codec = self._codec()
        if codec is None:
            return
        before, viewer.offered_at = viewer.current, now
        ears = Ears(partial(self._voice, participant), lambda frame, now: self._hear(participant, frame, now))
        viewer.current = Outgoing(participant, codec, self._link.ice_servers, self._want_keyframe, ears)
        if before is not None:
            viewer.retiring.append(before)
            self._loop.call_later(RETIRE_AFTER, self._retire, viewer, before)
        self._begin(self._offer(viewer, viewer.current))

    async def _offer(self, viewer: Viewer, outgoing: Outgoing) -> None:
        try:
            messages = await outgoing.offer()
        except Exception as error:  # closed meanwhile, or without a network
            log.warning("not offered", error=type(error).__name__)
            return
        viewer.offered_at = self._loop.time()
        for message in messages:
            self._link.pass_on(message)

    def _retire(self, viewer: Viewer, outgoing: Outgoing) -> None:
        if outgoing in viewer.retiring:
            viewer.retiring.remove(outgoing)
            self._begin(outgoing.close())

    def _drop(self, participant: str, rest: float) -> None:
        """Closes an agent's connections; it is offered another after `rest` seconds."""
        viewer = self._viewers[participant]
        for outgoing in viewer.connections():
            self._begin(outgoing.close())
        viewer.current, viewer.carries = None, False
        viewer.retiring.clear()
        viewer.rest_until = self._loop.time() + rest

    def _forget(self, participant: str) -> None:
        if participant in self._viewers:
            self._drop(participant, rest=0.0)
            del self._viewers[participant]
            self._attend()

    def _want_keyframe(self, now: float) -> None:
        if self._reception is not None:
            self._reception.refresh(now)

    async def _watch(self) -> None:
        settled_at = 0.0
        while True:
            now = self._loop.time()
            connections = [each for viewer in self._viewers.values() for each in viewer.connections()]
            # Without our reports the agents look for the customer elsewhere.
            busy = not self._is_cut_off(now) and sum(outgoing.tick(now) for outgoing in connections) > 0
            if self._reception is not None:
                open_ones = [each.passing for each in connections if each.passing and each.stage == "connected"]
                self._reception.limit = best_bitrate(open_ones)
            if now - settled_at >= SETTLE_EVERY:
                settled_at = now
                self._settle(now)
            await asyncio.sleep(BUSY_TICK if busy else TICK if self._viewers else SETTLE_EVERY)

    def _is_cut_off(self, now: float) -> bool:
        """Whether nothing comes of what should."""
        heard_at = self._reception.heard_at if self._reception is not None else None
        return self._link.state.phase == "sharing" and (heard_at is None or now - heard_at > SILENT_AFTER)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
