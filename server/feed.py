"""The feed: Server-Sent Events that tell the staff's pages what changed, so that they ask again."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from aiohttp import web

KEEP_ALIVE_S = 15.0


class Feed:
    """Hints such as `waiting` or `ticket:<id>`; a listener that is slow gets each pending hint once."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.Event, tuple[str, deque[str]]] = {}
        self._closed = False

    def hint(self, topic: str) -> None:
        """Tell all listeners that `topic` changed."""
        for wake, (_, pending) in self._listeners.items():
            if topic not in pending:
                pending.append(topic)
            wake.set()

    def close(self, user_id: str | None = None) -> None:
        """End the streams of one user, or all of them for good."""
        self._closed = self._closed or user_id is None
        for wake, (listener, pending) in self._listeners.items():
            if user_id in (None, listener):
                pending.append("")
                wake.set()

    async def stream(
        self, request: web.Request, user_id: str, signed_in: Callable[[], Awaitable[bool]]
    ) -> web.StreamResponse:
        """Answer a request with hints until either side goes, or the login is good no longer."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        wake, pending = asyncio.Event(), deque[str]()
        self._listeners[wake] = (user_id, pending)
        try:
            await response.write(b"retry: 1000\n\n")
            while not self._closed and await signed_in():
                if not await self._hints(response, wake, pending):
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            del self._listeners[wake]
        return response

    async def _hints(self, response: web.StreamResponse, wake: asyncio.Event, pending: deque[str]) -> bool:
        """Send hints as they come for as long as a keep-alive lasts; False when the stream is to end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + KEEP_ALIVE_S
        while (left := until - loop.time()) > 0:
            try:
                await asyncio.wait_for(wake.wait(), left)
            except TimeoutError:
                break
            wake.clear()
            topics = [pending.popleft() for _ in range(len(pending))]
            await response.write("".join(f"data: {topic}\n\n" for topic in topics if topic).encode())
            if "" in topics:
                return False
        await response.write(b": \n\n")
        return True
