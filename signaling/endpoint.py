"""The WebSocket edge: a participant's connection from its hello to its end. It decodes, refuses, and hands on."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import msgspec
import structlog
from aiohttp import WSMsgType, web

from signaling import bus as b, messages as m
from signaling.connection import MAX_MESSAGE, Allowance, Connection, encode
from signaling.decisions import UNAVAILABLE, CommandRefused, Decisions, Observe
from signaling.ice import IceSettings, open_servers
from signaling.live import Live, now_ms
from signaling.session import Command, Depart, Join, Participant, Refusal, State, may_see
from signaling.timeline import Timeline, Unavailable

READ_LIMIT = 2 * 1024 * 1024
"""A message above `MAX_MESSAGE` is refused in words; above this the socket is closed with 1009 (RFC 6455)."""
BATCH = 100
BATCH_BYTES = 512 * 1024
"""What was missed is sent in messages of so many events and, save for a single event, so many bytes."""
RETRY_MS = 1_000
_HUNG_UP = {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}

log = structlog.get_logger()

_DECODER: msgspec.json.Decoder[m.ClientMessage] = msgspec.json.Decoder(m.ClientMessage)


class _Named(msgspec.Struct):
    id: str | None = None


_NAMED = msgspec.json.Decoder(_Named)

Authenticate = Callable[[str], Awaitable[tuple[str, Participant] | None]]
"""Token → the session and the participant for which it speaks."""


@dataclass(frozen=True)
class EndpointSettings:
    """Times are in seconds: `read_s` is what a peer may take to read one message of what it missed."""

    grace_s: float = 15.0
    hello_s: float = 10.0
    ping_s: float = 15.0
    read_s: float = 30.0
    ice: IceSettings = field(default_factory=IceSettings)


class Endpoint:
    """All sessions that this node serves."""

    def __init__(
        self,
        timeline: Timeline,
        bus: b.Bus,
        authenticate: Authenticate,
        settings: EndpointSettings,
        observe: Observe | None = None,
    ) -> None:
        self._timeline = timeline
        self._authenticate = authenticate
        self._settings = settings
        self._decisions = Decisions(timeline, bus, settings.ice, observe)
        self._closing = False

    # --- For the server ---

    async def command(self, session: str, command: Command, sender: Participant | None = None) -> tuple[m.Event, ...]:
        """Have the server itself, or `sender` by way of HTTP, do something; the answer is the events it added.

        Raises `CommandRefused`, or `Unavailable` when it cannot be stored.
        """
        async with self._decisions.using(session) as live:
            done = await self._decisions.make(live, sender, command)
        if isinstance(done, Refusal):
            raise Unavailable(done.text) if done == UNAVAILABLE else CommandRefused(done)
        return done.events

    async def state(self, session: str) -> State:
        """The session as it stands after its last event. Raises `Unavailable`."""
        async with self._decisions.using(session) as live, live.lock:
            await live.catch_up(self._timeline)
            return live.state

    def connected(self, session: str) -> frozenset[str]:
        """Ids of the participants who have a connection to this node."""
        live = self._decisions.find(session)
        return frozenset(live.connections) if live else frozenset()

    def dismiss(self, session: str, participants: Iterable[str], code: str) -> None:
        """Close the connections of these participants on every node; their tokens are worthless already."""
        self._decisions.dismiss(session, participants, code)

    async def resume(self, sessions: Iterable[str]) -> None:
        """After a start: whoever is present in these sessions has the grace to come back."""
        for session in sessions:
            async with self._decisions.using(session) as live:
                async with live.lock:
                    await live.catch_up(self._timeline)
                for participant in live.state.present:
                    if not live.awaits(participant) and live.state.phase != "ended":
                        self._expect_departure(live, participant)

    async def retire(self, timeout_s: float = 1.0) -> None:
        """Take nobody new, and tell all but recorders when to come back; nobody is taken for gone.

        Recorders may still report what they have written, until `close`.
        """
        if self._closing:
            return
        self._closing = True
        self._decisions.part()
        for live in self._decisions.held:
            live.forget_departures()
        await self._send_away(lambda connection: connection.participant.role != "recorder", timeout_s)

    async def close(self, timeout_s: float = 1.0) -> None:
        """Tell every connection when to come back, and close it."""
        await self.retire(timeout_s)
        await self._send_away(lambda _: True, timeout_s)
        await self._decisions.close()

    async def _send_away(self, which: Callable[[Connection], bool], timeout_s: float) -> None:
        leaving = [c for live in self._decisions.held for c in live.connections.values() if which(c)]
        for connection in leaving:
            connection.close("restarting", RETRY_MS)
        await asyncio.gather(*(connection.finished(timeout_s) for connection in leaving))

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with a participant until either side goes. Who asks was checked for its Origin before."""
        socket = web.WebSocketResponse(
            heartbeat=self._settings.ping_s, max_msg_size=READ_LIMIT, compress=False, decode_text=False, timeout=2.0
        )
        await socket.prepare(request)
        if self._closing:
            return await _turn_away(socket, m.Closing("restarting", RETRY_MS))
        hello = await self._hello(socket)
        if not isinstance(hello, m.Hello):
            return await _turn_away(socket, hello)
        try:
            admitted = await self._authenticate(hello.token)
        except Exception as error:
            log.error("authenticate_failed", cause=type(error).__name__)
            return await _turn_away(socket, m.Closing("unavailable", RETRY_MS))
        if admitted is None:
            return await _turn_away(socket, m.Closing("token_unusable", None))
        session, participant = admitted
        async with self._decisions.using(session) as live:
            connection = Connection(socket, request.transport, participant)
            try:
                if await self._enter(live, connection, hello):
                    await self._listen(live, connection, socket)
            except Unavailable as error:
                log.error("timeline_unavailable", cause=str(error))
                connection.close("unavailable", RETRY_MS)
            except Exception:  # an answer over HTTP would go into the open WebSocket
                log.exception("connection_failed")
                connection.close("internal", RETRY_MS)
            finally:
                self._leave(live, connection)
                if connection.closed:
                    await connection.finished(2.0)
                else:
                    connection.cut()
        return socket

    # --- A connection's life ---

    async def _hello(self, socket: web.WebSocketResponse) -> m.Hello | m.Refused | m.Closing | None:
        """The first message, or with what to answer instead; None when nobody is there any more."""
        try:
            message = await socket.receive(timeout=self._settings.hello_s)
        except TimeoutError:
            return m.Closing("hello_missing", None)
        if message.type in _HUNG_UP:
            return None
        if message.type is not WSMsgType.TEXT or len(message.data) > MAX_MESSAGE:
            return m.Refused(None, "hello_missing", "The first message must be hello.")
        try:
            hello = _DECODER.decode(message.data)
        except msgspec.MsgspecError as error:
            return m.Refused(None, "invalid_message", f"The message is not understood: {error}.")
        if not isinstance(hello, m.Hello):
            return m.Refused(None, "hello_missing", "The first message must be hello.")
        if hello.version != m.PROTOCOL_VERSION:
            return m.Refused(None, "version", f"The protocol's version is {m.PROTOCOL_VERSION}; load the page again.")
        return hello

    async def _enter(self, live: Live, connection: Connection, hello: m.Hello) -> bool:
        """Join, send what was missed, and attach; False when the participant does not stay."""
        participant = connection.participant
        kept = live.expect_arrival(participant.id)
        try:
            joined = await self._decisions.make(live, None, Join(participant))
            ended = isinstance(joined, Refusal) and joined.code == "ended"
            if isinstance(joined, Refusal) and not ended:
                if joined.code == UNAVAILABLE.code:
                    connection.close("unavailable", RETRY_MS)
                else:
                    connection.send(encode(m.Refused(None, *joined)))
                    connection.close(joined.code, None)
                return False
            if not await self._bring_up_to_date(live, connection, hello.last_seq, kept):
                return False
        finally:
            live.forget_arrival(participant.id, kept)
        live.tell_presence()
        if ended and participant.role != "recorder":
            connection.close("ended", None)
            return False
        # An account that was disabled while this went on is found out here: from now on `dismiss` finds the connection.
        if participant.role == "agent" and await self._authenticate(hello.token) is None:
            connection.close("token_unusable", None)
            return False
        return True

    async def _bring_up_to_date(self, live: Live, connection: Connection, last_seq: int, kept: list[bytes]) -> bool:
        """Send the welcome and what was missed, as fast as the peer reads; attached as soon as nothing is missing."""
        participant, welcomed = connection.participant, False
        while not connection.closed:
            async with live.lock:
                missed = await self._missed(live, participant, min(last_seq, live.state.seq))
                last_seq, batches = live.state.seq, list(_batches(missed))
                if not welcomed:
                    connection.send(encode(self._welcome(live, participant)))
                    welcomed = True
                if len(batches) <= 1:
                    self._attach(live, connection, batches, kept)
                    return True
            try:
                for batch in batches:
                    connection.send(encode(batch))
                    async with asyncio.timeout(self._settings.read_s):
                        await connection.drained()
            except TimeoutError:
                connection.cut()
        return False

    def _welcome(self, live: Live, participant: Participant) -> m.Welcome:
        return m.Welcome(
            version=m.PROTOCOL_VERSION,
            session=live.session,
            participant=participant.id,
            role=participant.role,
            seq=live.state.seq,
            now=now_ms(),
            ice_servers=open_servers(self._settings.ice),
            turn=self._settings.ice.turn,
        )

    async def _missed(self, live: Live, participant: Participant, after: int) -> list[m.Event]:
        if after >= live.state.seq:
            return []
        events = await self._timeline.read(live.session, after)
        return [e for e in events if e.seq <= live.state.seq and may_see(participant.role, e.body)]

    def _attach(self, live: Live, connection: Connection, batches: list[m.Events], kept: list[bytes]) -> None:
        for batch in batches:
            connection.send(encode(batch))
        participant = connection.participant.id
        if older := live.connections.get(participant):
            older.close("replaced", None)
        live.connections[participant] = connection
        live.forget_arrival(participant, kept)
        for message in kept:
            connection.send(message)
        live.stay(participant)
        self._decisions.announce(live, participant)
        live.hand_out_ice([participant])

    def _leave(self, live: Live, connection: Connection) -> None:
        participant = connection.participant.id
        if live.connections.get(participant) is connection:
            del live.connections[participant]
            live.tell_presence()
        if live.awaits(participant) or connection.code == "replaced" or self._closing:
            return
        if participant in live.state.present and live.state.phase != "ended":
            self._expect_departure(live, participant)

    def _expect_departure(self, live: Live, participant: str) -> None:
        def depart() -> None:
            self._decisions.begin(self._depart(live.session, participant))

        live.expect_departure(participant, self._settings.grace_s, depart)

    async def _depart(self, session: str, participant: str) -> None:
        async with self._decisions.using(session) as live:
            departed, back = Depart(participant, "lost"), lambda: live.awaits(participant)
            for pause in repeat(RETRY_MS / 1000):
                if await self._decisions.make(live, None, departed, unless=back) != UNAVAILABLE:
                    return
                await asyncio.sleep(pause)

    async def _listen(self, live: Live, connection: Connection, socket: web.WebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        allowance = Allowance(loop.time())
        async for message in socket:
            if connection.closed:
                return
            if message.type is not WSMsgType.TEXT:
                connection.send(encode(m.Refused(None, "invalid_message", "Messages are JSON in text frames.")))
                continue
            size = len(message.data)
            if not allowance.take(loop.time(), max(1, size // MAX_MESSAGE)):
                connection.send(encode(m.Refused(None, "flooding", "Too many messages; send fewer.")))
                connection.close("flooding", None)
                return
            if size > MAX_MESSAGE:
                text = f"A message holds {MAX_MESSAGE // 1024} KiB at most; send it in parts."
                connection.send(encode(m.Refused(None, "too_large", text)))
                continue
            try:
                decoded = _DECODER.decode(message.data)
            except msgspec.MsgspecError as error:
                text = f"The message is not understood: {error}."
                connection.send(encode(m.Refused(_id_of(message.data), "invalid_message", text)))
                continue
            await self._take(live, connection, decoded)

    async def _take(self, live: Live, connection: Connection, message: m.ClientMessage) -> None:
        """What a message does; whatever goes wrong inside is logged, and the sender told no more than that."""
        message_id = message.id if isinstance(message, m.Durable) else None
        try:
            answer = await self._answer(live, connection.participant, message)
        except Exception:
            log.exception("message_failed", type=type(message).__name__)
            answer = m.Refused(message_id, "internal", "Something went wrong on our side. Try again.")
        if answer is not None:
            connection.send(encode(answer))

    async def _answer(
        self, live: Live, participant: Participant, message: m.ClientMessage
    ) -> m.Pong | m.Ack | m.Refused | None:
        match message:
            case m.Ping(number=number):
                return m.Pong(number)
            case m.Hello():
                return m.Refused(None, "unexpected", "Hello was said already.")
            case m.Durable(id=message_id):
                done = await self._decisions.make(live, participant, message, message_id)
                return m.Refused(message_id, *done) if isinstance(done, Refusal) else m.Ack(message_id, done.seq)
            case _:
                refusal = await self._decisions.relay(live, participant, message)
                return m.Refused(None, *refusal) if refusal else None


def _batches(events: Sequence[m.Event]) -> Iterator[m.Events]:
    """Events in messages of which a connection's queue holds several."""
    batch: list[m.Event] = []
    size = 0
    for event in events:
        length = len(msgspec.json.encode(event))
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield m.Events(batch)
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield m.Events(batch)


async def _turn_away(socket: web.WebSocketResponse, message: m.Refused | m.Closing | None) -> web.WebSocketResponse:
    with contextlib.suppress(ConnectionError):  # who is gone meanwhile needs no answer
        if message is not None:
            await socket.send_frame(encode(message), WSMsgType.TEXT)
        if isinstance(message, m.Refused):
            await socket.send_frame(encode(m.Closing(message.code, None)), WSMsgType.TEXT)
        await socket.close()
    return socket


def _id_of(message: bytes) -> str | None:
    """The id of a message that is otherwise not understood, so that its sender learns which one."""
    try:
        return (_NAMED.decode(message).id or "")[:64] or None
    except msgspec.MsgspecError:
        return None
