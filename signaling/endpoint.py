"""The WebSocket edge: decode, decide, append, deliver.

A session's state is folded from its timeline and kept while somebody needs it. What another node appends shows itself
as a conflict or as a hint of the bus; then the timeline is read on and it is decided again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
import structlog
from aiohttp import WSMsgType, web

from signaling import bus as b, messages as m
from signaling.connection import MAX_MESSAGE, Allowance, Connection, encode
from signaling.ice import IceSettings, open_servers
from signaling.live import Live, now_ms
from signaling.session import Command, Depart, Join, Participant, Refusal, State, decide, may_see, relay
from signaling.timeline import Conflict, Timeline, Unavailable

READ_LIMIT = 2 * 1024 * 1024
"""A message above `MAX_MESSAGE` is refused in words; above this the socket is closed with 1009 (RFC 6455)."""
ATTEMPTS = 8
CHUNK = 100
RETRY_MS = 1_000
UNAVAILABLE = Refusal("unavailable", "The server cannot store this at the moment; nothing was changed. Send it again.")

log = structlog.get_logger()

_DECODER: msgspec.json.Decoder[m.ClientMessage] = msgspec.json.Decoder(m.ClientMessage)


class _Named(msgspec.Struct):
    id: str | None = None


_NAMED = msgspec.json.Decoder(_Named)

Authenticate = Callable[[str], Awaitable[tuple[str, Participant] | None]]
"""Token → the session and the participant for which it speaks."""
Observe = Callable[[str, list[m.Event]], None]
"""Called with a session's events once they are committed, in their order; must not block."""


class CommandRefused(Exception):
    """A command of the server itself did nothing."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.code, self.text = refusal


class Done(msgspec.Struct, frozen=True):
    """A command was taken: `seq` is what is acknowledged, `events` is what it added."""

    seq: int
    events: tuple[m.Event, ...]


@dataclass(frozen=True)
class EndpointSettings:
    """Times are in seconds."""

    grace_s: float = 15.0
    hello_s: float = 10.0
    ping_s: float = 15.0
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
        self._bus = bus
        self._authenticate = authenticate
        self._settings = settings
        self._observe = observe
        self._live: dict[str, Live] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._unsubscribe = bus.subscribe(self._hear)

    # --- For the server ---

    async def command(self, session: str, command: Command, sender: Participant | None = None) -> tuple[m.Event, ...]:
        """Have the server itself, or `sender` by way of HTTP, do something; the answer is the events it added.

        Raises `CommandRefused`, or `Unavailable` when it cannot be stored.
        """
        async with self._using(session) as live:
            done = await self._decide(live, sender, command, None)
        if isinstance(done, Refusal):
            raise Unavailable(done.text) if done == UNAVAILABLE else CommandRefused(done)
        return done.events

    async def state(self, session: str) -> State:
        """The session as it stands after its last event. Raises `Unavailable`."""
        async with self._using(session) as live, live.lock:
            await live.catch_up(self._timeline)
            return live.state

    def connected(self, session: str) -> frozenset[str]:
        """Ids of the participants who have a connection to this node."""
        live = self._live.get(session)
        return frozenset(live.connections) if live else frozenset()

    def dismiss(self, session: str, participants: Iterable[str], code: str) -> None:
        """Close the connections of these participants on every node; they may not come back with them."""
        notice = b.Dismissed(session, tuple(participants), code)
        self._hear(notice)
        self._bus.publish(notice, self._hear)

    async def resume(self, sessions: Iterable[str]) -> None:
        """After a start: whoever is present in these sessions has the grace to come back."""
        for session in sessions:
            async with self._using(session) as live:
                async with live.lock:
                    await live.catch_up(self._timeline)
                for participant in live.state.present:
                    if participant not in live.connections and live.state.phase != "ended":
                        self._expect_departure(live, participant)

    async def close(self, timeout_s: float = 1.0) -> None:
        """Tell every connection when to come back, and close it; nobody is taken for gone."""
        if self._closing:
            return
        self._closing = True
        self._unsubscribe()
        closing = [connection for live in self._live.values() for connection in live.connections.values()]
        for live in self._live.values():
            live.forget_departures()
        for connection in closing:
            connection.close("restarting", RETRY_MS)
        await asyncio.gather(*(connection.finished(timeout_s) for connection in closing))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with a participant until either side goes. Who asks was checked for its Origin before."""
        socket = web.WebSocketResponse(
            heartbeat=self._settings.ping_s, max_msg_size=READ_LIMIT, compress=False, decode_text=False, timeout=2.0
        )
        await socket.prepare(request)
        if self._closing:
            return await _turn_away(socket, m.Closing("restarting", RETRY_MS))
        hello = await self._hello(socket)
        if isinstance(hello, m.Closing | m.Refused):
            return await _turn_away(socket, hello)
        try:
            admitted = await self._authenticate(hello.token)
        except Exception as error:
            log.error("authenticate_failed", cause=type(error).__name__)
            return await _turn_away(socket, m.Closing("unavailable", RETRY_MS))
        if admitted is None:
            return await _turn_away(socket, m.Closing("token_unusable", None))
        session, participant = admitted
        async with self._using(session) as live:
            connection = Connection(socket, request.transport, participant)
            try:
                if await self._enter(live, connection, hello.last_seq):
                    await self._listen(live, connection, socket)
            finally:
                self._leave(live, connection)
                if connection.closed:
                    await connection.finished(2.0)
                else:
                    connection.cut()
        return socket

    # --- A connection's life ---

    async def _hello(self, socket: web.WebSocketResponse) -> m.Hello | m.Refused | m.Closing:
        try:
            message = await socket.receive(timeout=self._settings.hello_s)
        except TimeoutError:
            return m.Closing("hello_missing", None)
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

    async def _enter(self, live: Live, connection: Connection, last_seq: int) -> bool:
        """Join, send what was missed, and attach; False when the participant does not stay."""
        participant = connection.participant
        live.expect_arrival(participant.id)
        joined = await self._decide(live, None, Join(participant), None)
        ended = isinstance(joined, Refusal) and joined.code == "ended"
        if isinstance(joined, Refusal) and not ended:
            live.arrived(participant.id)
            if joined.code == UNAVAILABLE.code:
                connection.close("unavailable", RETRY_MS)
            else:
                connection.send(encode(m.Refused(None, *joined)))
                connection.close(joined.code, None)
            return False
        async with live.lock:
            welcome = self._welcome(live, participant)
            events = await self._events(live, participant, min(last_seq, live.state.seq))
            sent = live.state.seq
            small = len(events) <= CHUNK
            connection.send(encode(welcome))
            if small:
                self._attach(live, connection, events)
        if not small:  # more than a queue may hold: as fast as the peer reads, and what came meanwhile afterwards
            for start in range(0, len(events), CHUNK):
                connection.send(encode(m.Events(events[start : start + CHUNK])))
                await connection.drained()
            async with live.lock:
                self._attach(live, connection, await self._events(live, participant, sent))
        live.tell_presence()
        if ended and participant.role != "recorder":
            connection.close("ended", None)
            return False
        return True

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

    async def _events(self, live: Live, participant: Participant, after: int) -> list[m.Event]:
        if after >= live.state.seq:
            return []
        events = await self._timeline.read(live.session, after)
        return [e for e in events if e.seq <= live.state.seq and may_see(participant.role, e.body)]

    def _attach(self, live: Live, connection: Connection, events: list[m.Event]) -> None:
        if events:
            connection.send(encode(m.Events(events)))
        participant = connection.participant.id
        if older := live.connections.get(participant):
            older.close("replaced", None)
        live.connections[participant] = connection
        for kept in live.arrived(participant):
            connection.send(kept)
        live.stay(participant)
        live.hand_out_ice([participant])

    def _leave(self, live: Live, connection: Connection) -> None:
        participant = connection.participant.id
        if live.connections.get(participant) is not connection:
            return
        del live.connections[participant]
        live.tell_presence()
        if participant in live.state.present and live.state.phase != "ended" and not self._closing:
            self._expect_departure(live, participant)

    def _expect_departure(self, live: Live, participant: str) -> None:
        def depart() -> None:
            task = asyncio.get_running_loop().create_task(self._depart(live.session, participant))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        live.expect_departure(participant, self._settings.grace_s, depart)

    async def _depart(self, session: str, participant: str) -> None:
        async with self._using(session) as live:
            while participant not in live.connections:
                done = await self._decide(live, None, Depart(participant, "lost"), None)
                if not isinstance(done, Refusal) or done.code != UNAVAILABLE.code:
                    return
                await asyncio.sleep(RETRY_MS / 1000)

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
                done = await self._decide(live, participant, message, message_id)
                return m.Refused(message_id, *done) if isinstance(done, Refusal) else m.Ack(message_id, done.seq)
            case _:
                passed = relay(live.state, participant, message)
                if isinstance(passed, Refusal):
                    return m.Refused(None, *passed)
                if isinstance(message, m.Reoffer):
                    live.hand_out_ice([participant.id, *passed])
                live.carry(participant.id, passed, message)
                self._bus.publish(b.Carried(live.session, participant.id, passed, message), self._hear)
                return None

    # --- Deciding ---

    async def _decide(
        self, live: Live, sender: Participant | None, command: Command, message_id: str | None
    ) -> Done | Refusal:
        actor = sender.id if sender else "system"
        try:
            async with live.lock:
                for _ in range(ATTEMPTS):
                    if live.stale:
                        await live.catch_up(self._timeline)
                    decided = decide(live.state, sender, command, now_ms())
                    if isinstance(decided, Refusal) or not decided:
                        if message_id and (seq := await self._timeline.find(live.session, actor, message_id)):
                            return Done(seq, ())
                        return decided if isinstance(decided, Refusal) else Done(live.state.seq, ())
                    at = max(now_ms(), live.last_at)
                    first = live.state.seq + 1
                    events = [m.Event(first + i, at, actor, body) for i, body in enumerate(decided)]
                    live.stale = True  # until we know how the commit went
                    try:
                        await self._timeline.append(live.session, live.state.seq, events, message_id)
                    except Conflict:
                        if message_id and (seq := await self._timeline.find(live.session, actor, message_id)):
                            return Done(seq, ())
                        continue
                    live.stale = False
                    live.advance(events)
                    self._committed(live, events)
                    return Done(live.state.seq, tuple(events))
        except Unavailable as error:
            log.error("timeline_unavailable", cause=str(error))
            return UNAVAILABLE
        log.error("timeline_contended", attempts=ATTEMPTS)
        return UNAVAILABLE

    def _committed(self, live: Live, events: list[m.Event]) -> None:
        if self._observe:
            self._observe(live.session, events)
        self._bus.publish(b.Advanced(live.session, live.state.seq), self._hear)

    @asynccontextmanager
    async def _using(self, session: str) -> AsyncIterator[Live]:
        live = self._live.setdefault(session, Live(session, self._settings.ice))
        live.users += 1
        try:
            yield live
        finally:
            live.users -= 1
            if live.idle:
                self._live.pop(session, None)

    # --- Other nodes ---

    def _hear(self, notice: b.Notice) -> None:
        live = self._live.get(notice.session)
        if live is None:
            return
        match notice:
            case b.Advanced(seq=seq) if seq > live.state.seq:
                task = asyncio.get_running_loop().create_task(self._read_on(notice.session))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case b.Carried(sender=sender, recipients=recipients, message=message):
                live.carry(sender, recipients, message)
            case b.Dismissed(participants=participants, code=code):
                for participant in participants:
                    if connection := live.connections.get(participant):
                        connection.close(code, None)

    async def _read_on(self, session: str) -> None:
        async with self._using(session) as live, live.lock:
            try:
                await live.catch_up(self._timeline)
            except Unavailable:
                live.stale = True


async def _turn_away(socket: web.WebSocketResponse, message: m.Refused | m.Closing) -> web.WebSocketResponse:
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
