"""The recorder process from outside: told what to record, killed, terminated, cut off from its server."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import av
import msgspec
import pytest
from aiohttp import web

from customer_client.simulation.simulation import share
from recorder.archive import Archive, has_index
from recorder.orders import Order, Record, Release
from signaling import messages as m
from signaling.session import Assign, Open, Participant
from tests.recorder.recording import archive_in
from tests.signaling.memory_server import MemoryServer, memory_server

CAST = [
    Participant("alice", "agent", "Alice"),
    Participant("dana", "customer", "Dana"),
    Participant("tape-1", "recorder", "Recorder"),
    Participant("tape-2", "recorder", "Recorder"),
]
START = "import sys, pathlib; from recorder.process import record; from tests.recorder.recording import archive_in; "
START += "record(sys.argv[1], 'the-secret', archive_in(pathlib.Path(sys.argv[2])))"


class Redeemed(NamedTuple):
    token: str = "dana"
    session: str = "session"


class Control:
    """The server's side of `/api/recorder`: tells whoever connects what it is given."""

    def __init__(self) -> None:
        self.orders: asyncio.Queue[Order] = asyncio.Queue()
        self.connections = 0
        self.deaf = False
        """Whether who connects next gets no answer to its heartbeats."""
        self.socket: web.WebSocketResponse | None = None

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        assert request.headers["Authorization"] == "Bearer the-secret"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.socket = socket
        if self.deaf:
            self.deaf = False
            await until(lambda: self.connections == 2)
            return socket
        sending = asyncio.create_task(self._send(socket))
        async for _ in socket:
            pass
        sending.cancel()
        return socket

    async def _send(self, socket: web.WebSocketResponse) -> None:
        while True:
            await socket.send_bytes(msgspec.json.encode(await self.orders.get()))


class Scene:
    """A session in which the simulated customer shares and recording is on."""

    def __init__(self, server: MemoryServer, control: Control, archive: Archive) -> None:
        self.server, self.control, self.archive = server, control, archive

    async def start(self, before: str = "") -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            before + START,
            self.server.url,
            str(self.archive.folder),
            cwd=Path(__file__).parents[2],
        )

    def bodies(self, kind: type[Any]) -> list[Any]:
        return [event.body for event in self.server.timeline.events["session"] if isinstance(event.body, kind)]

    async def writing(self, place: int, frames: int = 12) -> str:
        """Waits until a segment holds so many frames."""
        await until(lambda: len(self.bodies(m.SegmentStarted)) > place)
        segment: str = self.bodies(m.SegmentStarted)[place].segment
        await until(lambda: self.frames_of(segment) >= frames)
        return segment

    def frames_of(self, segment: str) -> int:
        with self.archive.open(segment) as stored, av.open(stored.file(), "r") as container:
            return sum(1 for _ in container.decode(video=0))

    def finished(self, segment: str) -> bool:
        return has_index(self.archive.folder, segment)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.1)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    control = Control()
    async with memory_server(*CAST, routes=[web.get("/api/recorder", control.serve)]) as server:
        await server.endpoint.command("session", Open("Example", "Printer", True))
        await server.endpoint.command("session", Assign("alice", "Alice"))
        customer = asyncio.create_task(share(server.url, Redeemed()))
        yield Scene(server, control, archive_in(tmp_path))
        customer.cancel()
        await asyncio.gather(customer, return_exceptions=True)


async def test_killed_it_leaves_a_playable_file_which_its_successor_finishes(scene: Scene) -> None:
    first = await scene.start()
    scene.control.orders.put_nowait(Record("session", "tape-1"))
    segment = await scene.writing(0)
    held = scene.frames_of(segment)
    first.kill()
    await first.wait()
    assert scene.frames_of(segment) >= held

    second = await scene.start()
    scene.control.orders.put_nowait(Record("session", "tape-2"))
    await until(lambda: scene.bodies(m.SegmentFinished))
    finished = scene.bodies(m.SegmentFinished)[0]
    kept = scene.archive.recover(segment)
    assert (finished.segment, finished.bytes, finished.digest) == (segment, kept.bytes, kept.digest)
    assert scene.finished(segment)
    assert scene.frames_of(segment) >= held
    await scene.writing(1)
    second.kill()
    await second.wait()


async def test_terminated_it_finishes_what_it_writes(scene: Scene) -> None:
    process = await scene.start()
    scene.control.orders.put_nowait(Record("session", "tape-1"))
    segment = await scene.writing(0)
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    [finished] = scene.bodies(m.SegmentFinished)
    assert finished.bytes == scene.archive.recover(segment).bytes
    assert scene.archive.leftovers() == []


async def test_released_it_finishes_that_session_and_stays(scene: Scene) -> None:
    process = await scene.start()
    scene.control.orders.put_nowait(Record("session", "tape-1"))
    segment = await scene.writing(0)
    scene.control.orders.put_nowait(Release("session"))
    await until(lambda: scene.bodies(m.SegmentFinished))
    assert scene.finished(segment)
    assert process.returncode is None
    process.terminate()
    assert await process.wait() == 0


async def test_without_its_control_connection_it_goes_on_writing_and_comes_back(scene: Scene) -> None:
    process = await scene.start()
    scene.control.orders.put_nowait(Record("session", "tape-1"))
    segment = await scene.writing(0)
    held = scene.frames_of(segment)
    assert scene.control.socket is not None
    await scene.control.socket.close()
    await until(lambda: scene.control.connections == 2)
    await until(lambda: scene.frames_of(segment) > held + 10)
    assert len(scene.bodies(m.SegmentStarted)) == 1
    process.terminate()
    assert await process.wait() == 0


async def test_a_server_that_answers_no_heartbeat_is_connected_to_again(scene: Scene) -> None:
    scene.control.deaf = True
    process = await scene.start("import recorder.process; recorder.process.HEARTBEAT = 0.2; ")
    await until(lambda: scene.control.connections == 2)
    scene.control.orders.put_nowait(Record("session", "tape-1"))
    await scene.writing(0)
    process.terminate()
    assert await process.wait() == 0


async def test_told_that_its_server_is_gone_it_records_on_until_another_has_taken_over(scene: Scene) -> None:
    first = await scene.start()
    scene.control.orders.put_nowait(Record("session", "tape-1"))
    segment = await scene.writing(0)
    held = scene.frames_of(segment)
    first.send_signal(signal.SIGHUP)
    await until(lambda: scene.frames_of(segment) > held + 10)
    second = await scene.start()
    scene.control.orders.put_nowait(Record("session", "tape-2"))
    assert await asyncio.wait_for(first.wait(), 60) == 0
    await scene.writing(1)
    assert scene.finished(segment)
    second.terminate()
    assert await second.wait() == 0
