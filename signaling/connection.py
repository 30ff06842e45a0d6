"""One participant's WebSocket on the server: a bounded queue outwards, a bounded rate inwards."""

import asyncio
from collections import deque

import msgspec
from aiohttp import WSMsgType, web

from signaling.messages import Closing, ServerMessage
from signaling.session import Participant

MAX_MESSAGE = 64 * 1024
MAX_QUEUED_MESSAGES = 256
MAX_QUEUED_BYTES = 4 * 1024 * 1024
MESSAGES_PER_SECOND = 50
BURST = 100


class Allowance:
    """A token bucket: `BURST` messages at once, `MESSAGES_PER_SECOND` in the long run. Times are in seconds."""

    def __init__(self, now: float) -> None:
        self._left = float(BURST)
        self._at = now

    def take(self, now: float, cost: float = 1.0) -> bool:
        """Whether another message may come now; if so it is counted."""
        self._left = min(BURST, self._left + (now - self._at) * MESSAGES_PER_SECOND)
        self._at = now
        if self._left < cost:
            return False
        self._left -= cost
        return True


def encode(message: ServerMessage) -> bytes:
    """A message as it goes over the wire."""
    return msgspec.json.encode(message)


class Connection:
    """A socket that speaks for a participant. Sending never waits: who does not read is cut off."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, who: Participant) -> None:
        self.participant = who
        self.closed = False
        self.code: str | None = None
        """Why the server closed it."""
        self._socket = socket
        self._transport = transport
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._task = asyncio.create_task(self._write())

    def send(self, message: bytes) -> None:
        """Queue an encoded message; a peer whose queue is full is cut off."""
        if self.closed:
            return
        if len(self._queue) >= MAX_QUEUED_MESSAGES or self._queued_bytes + len(message) > MAX_QUEUED_BYTES:
            self.cut()
            return
        self._queue.append(message)
        self._queued_bytes += len(message)
        self._drained.clear()
        self._wake.set()

    def close(self, code: str, retry_ms: int | None) -> None:
        """Send what is queued, say why, and close."""
        self.send(encode(Closing(code, retry_ms)))
        self.closed, self.code = True, self.code or code
        self._wake.set()

    def cut(self) -> None:
        """End the connection without another word; its reader sees it closed."""
        self.closed = True
        self._queue.clear()
        self._wake.set()
        if self._transport is not None:
            self._transport.abort()

    async def drained(self) -> None:
        """Wait until the peer took all that is queued, or is gone."""
        await self._drained.wait()

    async def finished(self, timeout_s: float) -> None:
        """Wait until all is sent, or give up after `timeout_s`."""
        done, _ = await asyncio.wait({self._task}, timeout=timeout_s)
        if not done:
            self.cut()
            self._task.cancel()

    async def _write(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    message = self._queue[0]
                    await self._socket.send_frame(message, WSMsgType.TEXT)
                    if self._queue:
                        self._queue.popleft()
                        self._queued_bytes -= len(message)
                self._drained.set()
                if self.closed:
                    await self._socket.close()
                    return
        except (ConnectionError, RuntimeError):
            self.closed = True
        finally:
            self._drained.set()
