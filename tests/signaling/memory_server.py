"""The real WebSocket edge over a timeline in memory, for tests of participants that need no database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from signaling.bus import LocalBus
from signaling.endpoint import Endpoint, EndpointSettings
from signaling.messages import Event
from signaling.session import Participant
from signaling.timeline import Conflict


class MemoryTimeline:
    """Events in a list, with the promises of `signaling.timeline.Timeline`."""

    def __init__(self) -> None:
        self.events: dict[str, list[Event]] = {}
        self._messages: dict[tuple[str, str, str], int] = {}

    async def append(self, session: str, after: int, events: Sequence[Event], message_id: str | None) -> None:
        stored = self.events.setdefault(session, [])
        key = (session, events[0].actor, message_id or "")
        if len(stored) != after or (message_id and key in self._messages):
            raise Conflict
        stored.extend(events)
        if message_id:
            self._messages[key] = events[-1].seq

    async def read(self, session: str, after: int = 0) -> list[Event]:
        return self.events.get(session, [])[after:]

    async def find(self, session: str, actor: str, message_id: str) -> int | None:
        return self._messages.get((session, actor, message_id))


class MemoryServer:
    """A server on a free port; a token is a participant's id, after the session's and a slash when there are many."""

    def __init__(self, *cast: Participant) -> None:
        self.timeline = MemoryTimeline()
        self.cast = {participant.id: participant for participant in cast}
        self.url = ""
        self.endpoint = self._endpoint()
        self._runner: web.AppRunner | None = None
        self._port = 0

    def _endpoint(self) -> Endpoint:
        return Endpoint(self.timeline, LocalBus(), self._admit, EndpointSettings(grace_s=30))

    async def _admit(self, token: str) -> tuple[str, Participant] | None:
        session, _, name = token.rpartition("/")
        participant = self.cast.get(name)
        return (session or "session", participant) if participant else None

    async def _signal(self, request: web.Request) -> web.WebSocketResponse:
        return await self.endpoint.serve(request)

    async def start(self, *routes: web.RouteDef) -> None:
        """Listens; after `stop`, on the same port as before."""
        app = web.Application()
        app.router.add_get("/api/signal", self._signal)
        app.router.add_routes(routes)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Goes away as a server that restarts; the timeline stays."""
        if self._runner is not None:
            await self.endpoint.close()
            await self._runner.cleanup()
            self._runner = None
            self.endpoint = self._endpoint()


@asynccontextmanager
async def memory_server(*cast: Participant, routes: Sequence[web.RouteDef] = ()) -> AsyncIterator[MemoryServer]:
    """A server with this cast."""
    server = MemoryServer(*cast)
    await server.start(*routes)
    try:
        yield server
    finally:
        await server.stop()
