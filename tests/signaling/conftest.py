"""Endpoints in this process over a real database, so that a test can hold both ends."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from server.database import Database, open_database
from server.timeline import Timeline
from signaling import messages as m
from signaling.bus import LocalBus
from signaling.endpoint import Endpoint, EndpointSettings
from signaling.ice import IceSettings
from signaling.messages import Event
from signaling.session import Assign, Open, Participant
from tests.signaling.story import ALICE, BOB, DANA, RECORDER, SCREEN
from tests.signaling.wire import Wire

SESSION = "session"
DORA = Participant("dora", "customer", "Dora")
TOKENS = {f"token of {who.id}": who for who in (ALICE, BOB, DANA, DORA, RECORDER)}
ALICES, BOBS, DANAS, DORAS, RECORDERS = TOKENS


class Node:
    """A server with nothing but the endpoint; `token of alice` is Alice's token."""

    def __init__(self, timeline: Timeline, bus: LocalBus, **settings: object) -> None:
        self.timeline = timeline
        self.observed: list[Event] = []
        self.disabled: set[str] = set()
        ice = IceSettings(["stun:stun.example.org"], ["turn:turn.example.org"], "turn secret", 600)
        self.endpoint = Endpoint(
            timeline,
            bus,
            self._authenticate,
            EndpointSettings(**({"ice": ice} | settings)),  # type: ignore[arg-type]
            lambda _session, events: self.observed.extend(events),
        )
        self.url = ""

    async def _authenticate(self, token: str) -> tuple[str, Participant] | None:
        who = TOKENS.get(token)
        return (SESSION, who) if who and who.id not in self.disabled else None

    async def start(self) -> None:
        """Listen on a free port."""
        site = web.Application()
        site.router.add_get("/api/signal", self.endpoint.serve)
        self._runner = web.AppRunner(site, shutdown_timeout=0.1)
        await self._runner.setup()
        listener = web.TCPSite(self._runner, "127.0.0.1", 0)
        await listener.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """End it as a server ends."""
        await self.endpoint.close()
        await self._runner.cleanup()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every table and no row, made once."""
    path = tmp_path_factory.mktemp("empty") / "sightline.db"

    async def make() -> None:
        await (await open_database(f"sqlite+aiosqlite:///{path}")).close()

    asyncio.run(make())
    return path


@pytest.fixture
async def database(tmp_path: Path, empty: Path) -> AsyncIterator[Database]:
    """A database in a file."""
    path = Path(shutil.copy(empty, tmp_path / "sightline.db"))
    opened = Database(f"sqlite+aiosqlite:///{path}", timeout_s=0.3)
    yield opened
    await opened.close()


@pytest.fixture
async def timeline(database: Database) -> AsyncIterator[Timeline]:
    """The timeline in it, being written."""
    made = Timeline(database)
    made.start()
    yield made
    await made.close()


class Nodes:
    """Starts nodes that share a timeline and a bus."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._bus = LocalBus()
        self.started: list[Node] = []

    async def start(self, **settings: object) -> Node:
        """Another node; settings are those of `EndpointSettings`."""
        node = Node(self._timeline, self._bus, **settings)
        self.started.append(node)
        await node.start()
        return node


@pytest.fixture
async def nodes(timeline: Timeline) -> AsyncIterator[Nodes]:
    """Nodes, and a session that Alice has taken."""
    made = Nodes(timeline)
    yield made
    await asyncio.gather(*(node.stop() for node in made.started))


@pytest.fixture
async def node(nodes: Nodes) -> Node:
    """One node with a session that Alice has taken."""
    started = await nodes.start()
    await open_session(started)
    return started


async def open_session(node: Node) -> None:
    """The session of every test."""
    await node.endpoint.command(SESSION, Open("ACME Support", "Printer on fire", False))
    await node.endpoint.command(SESSION, Assign("alice", "Alice"))


async def share(dana: Wire) -> None:
    """Dana agrees to be seen and shares her screen."""
    assert isinstance(await dana.do(m.GiveConsent("yes", "view", True)), m.Ack)
    assert isinstance(await dana.do(m.StartSharing("start", SCREEN)), m.Ack)
