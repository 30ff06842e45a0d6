"""One participant's bare WebSocket, for tests that look at what goes over the wire."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

import aiohttp
import msgspec

from signaling import messages as m

T = TypeVar("T", bound=m.Message)
WAIT_S = 20.0
_DECODER: msgspec.json.Decoder[m.ServerMessage] = msgspec.json.Decoder(m.ServerMessage)


class Wire:
    """Connects, says hello, and keeps everything that it hears."""

    def __init__(self, url: str, token: str, last_seq: int = 0, origin: str | None = None) -> None:
        self.url = url.replace("http", "ws", 1) + "/api/signal"
        self.token = token
        self.last_seq = last_seq
        self.heard: list[m.ServerMessage] = []
        self.close_code: int | None = None
        self._headers = {"Origin": origin} if origin else {}
        self._read = 0

    async def __aenter__(self) -> "Wire":
        await self.connect()
        await self.say(m.Hello(m.PROTOCOL_VERSION, self.token, self.last_seq))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Open the socket without a word."""
        self._http = aiohttp.ClientSession()
        try:
            self.socket = await self._http.ws_connect(self.url, headers=self._headers, max_msg_size=0)
        except BaseException:
            await self._http.close()
            raise

    async def close(self) -> None:
        """Drop the socket."""
        await self.socket.close()
        await self._http.close()

    async def say(self, message: m.ClientMessage) -> None:
        """Send a message."""
        await self.socket.send_str(msgspec.json.encode(message).decode())

    async def say_raw(self, text: str) -> None:
        """Send anything."""
        await self.socket.send_str(text)

    async def hear(self) -> m.ServerMessage | None:
        """The next message that nobody asked for yet; None when the socket is closed."""
        if self._read < len(self.heard):
            self._read += 1
            return self.heard[self._read - 1]
        received = await self.socket.receive(WAIT_S)
        if received.type is not aiohttp.WSMsgType.TEXT:
            self.close_code = self.socket.close_code
            return None
        message = _DECODER.decode(received.data)
        self.heard.append(message)
        self._read += 1
        if isinstance(message, m.Events):
            self.last_seq = max([self.last_seq, *(event.seq for event in message.events)])
        return message

    async def until(self, kind: type[T], where: Callable[[T], bool] = lambda _: True) -> T:
        """The next message of this type, passing over others."""
        async with asyncio.timeout(WAIT_S):
            while (message := await self.hear()) is not None:
                if isinstance(message, kind) and where(message):
                    return message
        raise AssertionError(f"closed before {kind.__name__} came; heard {self.heard[-5:]}")

    async def until_event(self, kind: type[msgspec.Struct]) -> m.Event:
        """The next event of this type."""
        found = await self.until(m.Events, lambda heard: any(isinstance(e.body, kind) for e in heard.events))
        return next(e for e in found.events if isinstance(e.body, kind))

    async def until_closed(self) -> m.Closing:
        """The word with which the server closes; the socket is closed afterwards."""
        closing = await self.until(m.Closing)
        assert await self.hear() is None
        return closing

    async def do(self, message: m.DurableMessage) -> m.Ack | m.Refused:
        """Send a durable message and wait for its answer."""
        await self.say(message)
        async with asyncio.timeout(WAIT_S):
            while (heard := await self.hear()) is not None:
                if isinstance(heard, m.Ack | m.Refused) and heard.id == message.id:
                    return heard
        raise AssertionError(f"closed before {message.id} was answered; heard {self.heard[-5:]}")

    def events(self) -> list[m.Event]:
        """All events heard so far, in the order of hearing."""
        return [event for message in self.heard if isinstance(message, m.Events) for event in message.events]
