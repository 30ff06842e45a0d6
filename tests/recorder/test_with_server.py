"""The whole way on a real server with a real recorder process: asked for help, accepted, recorded, played, cut."""

import asyncio
import io
import os
import signal
from typing import Any, NamedTuple

import aiohttp
import av
import pytest

from customer_client.simulation.desktop import HEIGHT, WIDTH
from customer_client.simulation.simulation import share
from signaling import messages as m
from signaling.client import SignalingConnection, new_id
from tests.conftest import MakeServer
from tests.server_process import ServerProcess


class Place(NamedTuple):
    token: str
    session: str


class Scene:
    """Dana shares with Alice, and it is recorded."""

    def __init__(self, server: ServerProcess, alice: aiohttp.ClientSession, dana: Place, agent: Place) -> None:
        self.server, self.alice, self.dana, self.agent = server, alice, dana, agent
        self.customer = asyncio.create_task(share(server.url, dana))

    @classmethod
    async def open(cls, server: ServerProcess, alice: aiohttp.ClientSession) -> "Scene":
        asked = {"name": "Dana", "problem": "The printer prints blank pages.", "language": "en"}
        async with server.anonymous() as anybody:
            dana = await cls._place(anybody, "/api/help", asked)
        async with alice.post(f"/api/waiting/{dana.session}/accept") as answer:
            assert answer.status == 200, await answer.text()
        agent = await cls._place(alice, f"/api/sessions/{dana.session}/participants", None)
        server.confidential |= {dana.token, agent.token}
        return cls(server, alice, dana, agent)

    @staticmethod
    async def _place(who: aiohttp.ClientSession, path: str, body: object) -> Place:
        async with who.post(path, json=body) as answer:
            assert answer.status == 200, await answer.text()
            given = await answer.json()
        return Place(given["token"], given["session"])

    async def recording(self) -> dict[str, Any]:
        async with self.alice.get(f"/api/recordings/{self.dana.session}") as answer:
            return dict(await answer.json()) if answer.status == 200 else {"segments": []}

    async def frames(self, segment: dict[str, Any]) -> list[Any]:
        async with self.alice.get(segment["url"]) as answer:
            assert answer.status == 200
            with av.open(io.BytesIO(await answer.read()), "r") as container:
                return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    async def segments(self, count: int, *, finished: bool) -> list[dict[str, Any]]:
        """The segments, once so many are there and hold a few frames."""
        async with asyncio.timeout(60):
            while True:
                segments = (await self.recording())["segments"]
                ready = [s for s in segments if s["finished"] == finished or not finished]
                if len(ready) >= count and len(await self.frames(ready[-1])) > 5:
                    return ready
                await asyncio.sleep(0.2)


@pytest.mark.timeout(180)
async def test_what_a_customer_shares_is_recorded_survives_a_killed_server_and_can_be_played(
    make_server: MakeServer,
) -> None:
    server = make_server(children=True)
    async with await server.login("alice") as alice:
        scene = await Scene.open(server, alice)
        async with SignalingConnection(server.url, scene.agent.token) as agent:
            await scene.segments(1, finished=False)
            server.kill()
            server.start()
            await scene.segments(2, finished=False)
            await agent.send(m.End(id=new_id(), outcome="solved"))
        await asyncio.wait_for(scene.customer, 20)
        segments = await scene.segments(2, finished=True)
        for segment in segments:
            frames = await scene.frames(segment)
            assert frames[-1].shape == (HEIGHT, WIDTH, 3)
            assert frames[-1].std() > 20


@pytest.mark.timeout(180)
async def test_a_recorder_that_dies_is_told_followed_by_another_and_disturbs_nobody(make_server: MakeServer) -> None:
    server = make_server(children=True)
    async with await server.login("alice") as alice:
        scene = await Scene.open(server, alice)
        async with SignalingConnection(server.url, scene.agent.token) as agent:
            await scene.segments(1, finished=False)
            first = server.children()["recorder"]
            os.kill(first, signal.SIGKILL)
            told: list[m.EventBody] = []
            async with asyncio.timeout(60):
                async for heard in agent:
                    told += [heard.body] if isinstance(heard, m.Event) else []
                    if sum(isinstance(body, m.SegmentStarted) for body in told) == 2:
                        break
            assert m.RecordingFailed("lost") in told
            assert not [body for body in told if isinstance(body, m.SharingStopped | m.RecordingStopped)]
            assert not [body for body in told if isinstance(body, m.Left) and body.participant != recorder_in(told)]
            assert server.children()["recorder"] != first
            await scene.segments(2, finished=False)
            await agent.send(m.Say(id=new_id(), text="Still here?"))
            assert (agent.state.phase, agent.state.recording) == ("sharing", "on")
            await agent.send(m.End(id=new_id(), outcome="solved"))
        await asyncio.wait_for(scene.customer, 20)
        for segment in await scene.segments(2, finished=True):
            frames = await scene.frames(segment)
            assert len(frames) > 5
            assert frames[-1].std() > 20


def recorder_in(told: list[m.EventBody]) -> str:
    """The participant that was the first recorder."""
    return next(body.participant for body in told if isinstance(body, m.Joined) and body.role == "recorder")
