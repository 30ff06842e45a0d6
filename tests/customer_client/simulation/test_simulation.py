"""The demo's customer against the real WebSocket edge and the real recorder."""

import asyncio
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from aiohttp import web
from PIL import Image

from customer_client.simulation.desktop import HEIGHT, WIDTH, draw_desktop
from customer_client.simulation.simulation import share
from recorder.participant import SessionRecorder
from signaling import messages as m
from signaling.client import SignalingConnection, new_id
from signaling.session import Assign, Open, Participant
from tests.recorder.recording import archive_in
from tests.signaling.memory_server import MemoryServer, memory_server

ALICE = Participant("alice", "agent", "Alice")
DANA = Participant("dana", "customer", "Dana")
TAPE = Participant("tape", "recorder", "Recorder")


class Redeemed(NamedTuple):
    token: str = "dana"
    session: str = "session"


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.05)


def bodies(server: MemoryServer, kind: type[Any]) -> list[Any]:
    return [event.body for event in server.timeline.events["session"] if isinstance(event.body, kind)]


def test_the_desktop_is_the_same_for_the_same_moment_and_moves_between_moments() -> None:
    assert np.array_equal(draw_desktop(1e9), draw_desktop(1e9))
    assert not np.array_equal(draw_desktop(1e9), draw_desktop(1e9 + 1))


async def test_it_agrees_shares_answers_sends_a_picture_and_goes_when_the_session_ends(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    posted: asyncio.Queue[tuple[str, str | None, bytes]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        await posted.put((request.headers["Authorization"], request.query["requested_by"], await request.read()))
        return web.json_response({"surface": {"id": "picture"}})

    routes = [web.post("/api/sessions/session/snapshots", take)]
    with ThreadPoolExecutor(2) as threads:
        async with memory_server(ALICE, DANA, TAPE, routes=routes) as server:
            await server.endpoint.command("session", Open("Example", "Printer", True))
            await server.endpoint.command("session", Assign("alice", "Alice"))
            recorder = SessionRecorder(server.url, "tape", archive, threads)
            recording = asyncio.create_task(recorder.run())
            customer = asyncio.create_task(share(server.url, Redeemed()))
            async with SignalingConnection(server.url, "alice") as alice:
                await until(lambda: bodies(server, m.SegmentStarted))
                segment = bodies(server, m.SegmentStarted)[0].segment
                await alice.send(m.Say(id=new_id(), text="Hello, can you hear me?"))
                await until(lambda: len(bodies(server, m.ChatSaid)) == 2)
                alice.pass_on(m.RequestSnapshot())
                authorization, requested_by, picture = await asyncio.wait_for(posted.get(), 20)
                await until(lambda: archive.open(segment).size > 20_000)
                await alice.send(m.End(id=new_id(), outcome="solved"))
                await asyncio.wait_for(customer, 20)
            await asyncio.wait_for(recording, 20)
    assert (authorization, requested_by) == ("Bearer dana", "alice")
    assert Image.open(io.BytesIO(picture)).size == (WIDTH, HEIGHT)
    assert bodies(server, m.SegmentFinished)
    with archive.open(segment) as stored, av.open(stored.file(), "r") as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert frames[0].shape == (HEIGHT, WIDTH, 3)
    assert frames[0].std() > 20
    assert any(not np.array_equal(frames[0], frame) for frame in frames[1:])
