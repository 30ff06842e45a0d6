"""A participant in Python: what the recorder, the simulated customer and the tests use to take part in a session.

`SignalingConnection` keeps one WebSocket to `/api/signal` and brings it back, with what was missed, until the session
is over. Durable messages are sent again until they are acknowledged; ephemeral ones are lost while there is no link.
"""

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import AsyncIterator
from types import TracebackType

import aiohttp
import msgspec

from signaling import messages as m
from signaling.session import INITIAL, State, apply

PING_EVERY = 5.0
SILENT_AFTER = 12.0
FIRST_RETRY = 0.25
LAST_RETRY = 5.0
MAX_UNREAD = 4096
MAX_WAITING = 2
"""So many messages may wait for the network before one that is not urgent; a ping must not wait behind more."""

Heard = m.Event | m.Relay | m.Presence
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[m.ServerMessage] = msgspec.json.Decoder(m.ServerMessage)


def new_id() -> str:
    """A fresh identifier for a message, a surface, a peer connection or a segment."""
    return secrets.token_urlsafe(12)


class RefusedError(Exception):
    """The server said no to a durable message; `code` is stable, the text says what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class ClosedError(Exception):
    """The server closed the participation for good; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SignalingConnection:
    """A participant's link to its session. Iterating over it gives events, relayed messages and presence, in order.

    The iteration ends when the server closed the participation for good, or `close` was called; `closed` then holds the
    code. `state` is the fold of the events seen so far. After `session_ended` the link stays for what is still to be
    reported, until either side closes it.
    """

    def __init__(self, server_url: str, token: str) -> None:
        self.state: State = INITIAL
        self.welcome: m.Welcome | None = None
        self.closed: str | None = None
        self.ice_servers: list[m.IceServer] = []
        self._url = server_url.rstrip("/").replace("http", "ws", 1) + "/api/signal"
        self._token = token
        self._last_seq = 0
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._pending: dict[str, tuple[m.DurableMessage, asyncio.Future[int]]] = {}
        self._heard: asyncio.Queue[Heard | None] = asyncio.Queue(MAX_UNREAD)
        self._outgoing: asyncio.Queue[m.ClientMessage] = asyncio.Queue(MAX_UNREAD)
        self._task: asyncio.Task[None] | None = None
        self._heard_at = 0.0
        self._clock_offset = 0
        self._welcomed = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._ice_given = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    async def __aenter__(self) -> "SignalingConnection":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def participant(self) -> str:
        """The id under which this participant acts; empty before the first welcome."""
        return self.welcome.participant if self.welcome else ""

    @property
    def connected(self) -> bool:
        """Whether there is a live, welcomed link at this moment."""
        return self._socket is not None

    def server_time(self) -> int:
        """The server's clock, ms since 1970, as the last welcome gave it."""
        return int(time.time() * 1000) + self._clock_offset

    async def ready(self) -> m.Welcome:
        """Waits for the first welcome; raises ClosedError when there will be none."""
        await self._welcomed.wait()
        if self.welcome is None:
            raise ClosedError(self.closed or "closed")
        return self.welcome

    async def caught_up(self) -> State:
        """Waits until all events are here that there were at the first welcome; raises ClosedError if never."""
        await self._caught_up.wait()
        if self.welcome is None:
            raise ClosedError(self.closed or "closed")
        return self.state

    async def offer_terms(self) -> list[m.IceServer]:
        """Waits for the ICE servers that a sender needs before it offers."""
        await self._ice_given.wait()
        return self.ice_servers

    async def send(self, message: m.DurableMessage) -> int:
        """Sends a durable message as often as it takes; its seq once it is committed, RefusedError or ClosedError."""
        if self.closed is not None:
            raise ClosedError(self.closed)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending[message.id] = (message, answer)
        self._put(message)
        try:
            return await answer
        finally:
            self._pending.pop(message.id, None)

    def pass_on(self, message: m.Relayed) -> None:
        """Sends an ephemeral message, which may be lost."""
        self._put(message)

    async def drained(self) -> None:
        """Waits until the network has taken nearly all that was sent, or is gone."""
        await self._drained.wait()

    async def __aiter__(self) -> AsyncIterator[Heard]:
        while (heard := await self._heard.get()) is not None:
            yield heard

    async def close(self) -> None:
        """Drops the link without saying goodbye; the iteration ends."""
        self._end("left")
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _put(self, message: m.ClientMessage) -> None:
        if self._socket is not None:
            with contextlib.suppress(asyncio.QueueFull):
                self._outgoing.put_nowait(message)
            if self._outgoing.qsize() > MAX_WAITING:
                self._drained.clear()

    def _end(self, code: str) -> None:
        if self.closed is None:
            self.closed = code
        self._welcomed.set()
        self._caught_up.set()
        self._ice_given.set()
        for _, answer in self._pending.values():
            if not answer.done():
                answer.set_exception(ClosedError(self.closed))
        with contextlib.suppress(asyncio.QueueFull):
            self._heard.put_nowait(None)

    async def _run(self) -> None:
        wait = FIRST_RETRY
        try:
            async with aiohttp.ClientSession() as http:
                while self.closed is None:
                    retry_ms: int | None = None
                    with contextlib.suppress(aiohttp.ClientError, ConnectionError, TimeoutError, OSError):
                        retry_ms = await self._connect(http)
                        wait = FIRST_RETRY
                    if self.closed is None:
                        await asyncio.sleep(max(wait, (retry_ms or 0) / 1000) * random.uniform(0.8, 1.2))  # noqa: S311
                        wait = min(wait * 2, LAST_RETRY)
        finally:
            self._end("lost")

    async def _connect(self, http: aiohttp.ClientSession) -> int | None:
        """One connection from hello to its end; after how many ms the server wants it back, if it said so."""
        async with http.ws_connect(self._url, max_msg_size=0, timeout=aiohttp.ClientWSTimeout(ws_close=2)) as socket:
            hello = m.Hello(version=m.PROTOCOL_VERSION, token=self._token, last_seq=self._last_seq)
            await socket.send_str(_text(hello))
            self._heard_at = time.monotonic()
            tasks = [asyncio.create_task(self._write(socket)), asyncio.create_task(self._watch(socket))]
            try:
                async for raw in socket:
                    if raw.type is not aiohttp.WSMsgType.TEXT and raw.type is not aiohttp.WSMsgType.BINARY:
                        break
                    self._heard_at = time.monotonic()
                    try:
                        message = _decoder.decode(raw.data)
                    except msgspec.DecodeError:
                        continue
                    if isinstance(message, m.Closing):
                        if message.retry_ms is None:
                            self._end(message.code)
                        return message.retry_ms
                    await self._take(message, socket)
            finally:
                self._socket = None
                self._drained.set()
                for task in tasks:
                    task.cancel()
        return None

    async def _take(self, message: m.ServerMessage, socket: aiohttp.ClientWebSocketResponse) -> None:
        match message:
            case m.Welcome():
                self.welcome = message
                self._clock_offset = message.now - int(time.time() * 1000)
                self._socket = socket
                if not message.turn:
                    self.ice_servers = message.ice_servers
                    self._ice_given.set()
                while not self._outgoing.empty():
                    self._outgoing.get_nowait()
                self._drained.set()
                for pending, _ in self._pending.values():
                    self._put(pending)
                self._welcomed.set()
            case m.Events(events=events):
                for event in events:
                    if event.seq <= self._last_seq:
                        continue
                    # What this role may not see leaves a gap in seq, which `apply` would take for a loss.
                    self.state = apply(msgspec.structs.replace(self.state, seq=event.seq - 1), event)
                    self._last_seq = event.seq
                    await self._heard.put(event)
            case m.Ack(id=id, seq=seq):
                self._answer(id, seq)
            case m.Refused(id=id, code=code, text=text):
                if id is not None:
                    self._answer(id, RefusedError(code, text))
            case m.IceServers(ice_servers=servers):
                self.ice_servers = servers
                self._ice_given.set()
            case m.Presence():  # the first thing after what was missed
                self._caught_up.set()
                await self._heard.put(message)
            case m.Relay():
                await self._heard.put(message)
            case _:
                pass

    def _answer(self, message_id: str, outcome: int | RefusedError) -> None:
        _, answer = self._pending.get(message_id, (None, None))
        if answer is None or answer.done():
            return
        if isinstance(outcome, int):
            answer.set_result(outcome)
        else:
            answer.set_exception(outcome)

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            while True:
                await socket.send_str(_text(await self._outgoing.get()))
                if self._outgoing.qsize() <= MAX_WAITING:
                    self._drained.set()

    async def _watch(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Pings, and drops a link on which nothing is heard any more."""
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            for number in range(1 << 31):
                await asyncio.sleep(PING_EVERY)
                if time.monotonic() - self._heard_at > SILENT_AFTER:
                    await socket.close()
                    return
                await socket.send_str(_text(m.Ping(number=number)))


def _text(message: m.ClientMessage) -> str:
    return _encoder.encode(message).decode()
