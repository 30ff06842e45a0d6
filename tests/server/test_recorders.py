"""Which recorder process records what, and what happens when one dies."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from server.database import new_id
from signaling import messages as m
from signaling.session import State
from tests.server.desk import Desk, open_desk


class Process:
    """The control connection of a recorder process."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._orders: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        """Read all the time, as a recorder does, so that pings are answered."""
        async for message in self.socket:
            self._orders.put_nowait(msgspec.json.decode(message.data))

    async def order(self) -> dict[str, Any]:
        """The next order."""
        async with asyncio.timeout(30):
            return await self._orders.get()


@asynccontextmanager
async def recorder(desk: Desk) -> AsyncIterator[Process]:
    """A recorder process that connects."""
    headers = {"Authorization": f"Bearer {desk.app.process_secret}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.ws_connect(f"{desk.base}/api/recorder") as socket:
        process = Process(socket)
        yield process
        await socket.close()
        await process.reading


async def until(desk: Desk, session: str, wanted: Callable[[State], bool]) -> State:
    """Wait for the session to be so."""
    async with asyncio.timeout(20):
        while not wanted(state := await desk.app.endpoint.state(session)):
            await asyncio.sleep(0.01)
    return state


async def failures(desk: Desk, session: str) -> list[str]:
    """Why recording failed so far."""
    return [e.body.reason for e in await desk.app.timeline.read(session) if isinstance(e.body, m.RecordingFailed)]


async def test_a_session_with_consent_is_given_to_a_recorder_and_taken_back(desk: Desk) -> None:
    async with recorder(desk) as process:
        dana, _ = await desk.sharing()
        order = await process.order()
        assert order.keys() == {"type", "session", "token"}
        assert (order["type"], order["session"]) == ("record", dana["session"])
        me = (await desk.holder(order).get("/api/participation")).body
        assert (me["role"], me["session"]) == ("recorder", dana["session"])
        await desk.say(dana, m.GiveConsent(new_id(), "record", False))
        assert await process.order() == {"type": "release", "session": dana["session"]}


async def test_without_consent_nobody_is_told_to_record(desk: Desk) -> None:
    async with recorder(desk) as process:
        session, invitation = await desk.session()
        body = {"token": None, "code": invitation["code"], "language": "en"}
        dana = (await desk.stranger.post("/api/invitations/redeem", body)).body
        alice = (await desk.alice.post(f"/api/sessions/{session}/participants")).body
        await desk.enter(dana)
        await desk.enter(alice)
        surface = m.Surface(new_id(), "window", "Mail", 640, 480)
        yes, no = m.GiveConsent(new_id(), "view", True), m.GiveConsent(new_id(), "record", False)
        await desk.say(dana, yes, no, m.StartSharing(new_id(), surface))
        other, _ = await desk.sharing()
        assert (await process.order())["session"] == other["session"]


async def test_a_second_viewer_brings_a_recorder_which_stays_until_the_first_has_another_way(desk: Desk) -> None:
    async with recorder(desk) as process:
        dana, alice = await desk.sharing()
        assert (await process.order())["type"] == "record"
        await desk.say(dana, m.GiveConsent(new_id(), "record", False))
        assert (await process.order())["type"] == "release"
        second = (await desk.alice.post(f"/api/sessions/{dana['session']}/participants")).body
        await desk.enter(second)
        order = await process.order()
        assert order["type"] == "record"
        await desk.enter({"token": order["token"]})
        assert (await until(desk, dana["session"], lambda state: state.relayed)).recording == "off"

        await desk.say(alice, m.ReportPath(new_id(), "recorder"))
        await desk.say(second, m.Leave(new_id()))
        assert not (await until(desk, dana["session"], lambda state: not state.relayed)).wants_recorder
        other, _ = await desk.sharing()
        assert (await process.order())["session"] == other["session"]
        await desk.say(alice, m.ReportPath(new_id(), "direct"))
        assert (await process.order())["type"] == "release"


async def test_a_viewer_who_finds_no_other_way_keeps_no_recorder_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.recorders.LINGER_S", 0.05)
    async with recorder(desk) as process:
        dana, alice = await desk.sharing()
        await desk.enter({"token": (await process.order())["token"]})
        await desk.say(alice, m.ReportPath(new_id(), "recorder"))
        await desk.say(dana, m.GiveConsent(new_id(), "record", False))
        assert (await process.order())["type"] == "release"


async def test_sessions_go_to_the_recorder_with_the_fewest(desk: Desk) -> None:
    async with recorder(desk) as first, recorder(desk) as second:
        async with asyncio.timeout(20):
            while desk.app.assignment.recorders < 2:
                await asyncio.sleep(0.01)
        a, _ = await desk.sharing()
        b, _ = await desk.sharing()
        orders = [(await process.order())["session"] for process in (first, second)]
        assert sorted(orders) == sorted([a["session"], b["session"]])


async def test_a_recorder_that_dies_is_told_to_the_session_and_another_takes_over(desk: Desk) -> None:
    async with recorder(desk) as survivor_to_be:
        dana, _ = await desk.sharing()
        first = await survivor_to_be.order()
        async with recorder(desk) as second:
            async with asyncio.timeout(20):
                while desk.app.assignment.recorders < 2:
                    await asyncio.sleep(0.01)
            await survivor_to_be.socket.close()
            again = await second.order()
            assert again["session"] == first["session"]
            assert again["token"] != first["token"]
            assert await failures(desk, dana["session"]) == ["lost"]
            state = await desk.app.endpoint.state(dana["session"])
            assert state.recording == "on"


async def test_a_session_waits_for_a_recorder_that_comes_late(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    await until(desk, dana["session"], lambda state: state.recording == "on")
    async with recorder(desk) as process:
        assert (await process.order())["session"] == dana["session"]
    assert "no_recorder" not in await failures(desk, dana["session"])


async def test_when_no_recorder_comes_the_session_hears_of_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.assignment.PATIENCE_S", 0.05)
    dana, _ = await desk.sharing()
    async with asyncio.timeout(20):
        while await failures(desk, dana["session"]) != ["no_recorder"]:
            await asyncio.sleep(0.01)


async def test_the_end_of_a_session_releases_its_recorder(desk: Desk) -> None:
    async with recorder(desk) as process:
        _, alice = await desk.sharing()
        await process.order()
        await desk.say(alice, m.End(new_id(), "solved"))
        assert (await process.order())["type"] == "release"


async def test_who_does_not_show_the_secret_of_the_processes_is_no_recorder(desk: Desk) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{desk.base}/api/recorder", headers={"Authorization": "Bearer guess"})
        assert refused.value.status == 401


async def present(desk: Desk, count: int) -> None:
    """Waits until so many recorder processes are known."""
    async with asyncio.timeout(20):
        while desk.app.assignment.recorders != count:
            await asyncio.sleep(0.01)


async def test_a_recorder_that_cannot_be_admitted_now_is_admitted_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.assignment.PATIENCE_S", 0.3)
    async with open_desk(tmp_path / "data", database_timeout_s=0.2) as desk:
        dana, _ = await desk.sharing()
        await until(desk, dana["session"], lambda state: state.recording == "on")
        lock = sqlite3.connect(desk.app.data / "sightline.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        async with recorder(desk) as process:
            await present(desk, 1)
            async with desk.app.assignment._lock:  # the attempt is over
                lock.execute("ROLLBACK")
                lock.close()
            assert (await process.order())["session"] == dana["session"]


async def test_a_session_that_is_recorded_no_more_is_not_handed_on_by_a_recorder_that_goes(desk: Desk) -> None:
    async with recorder(desk) as first:
        dana, _ = await desk.sharing()
        await first.order()
        async with recorder(desk) as second:
            await present(desk, 2)
            async with desk.app.assignment._lock:
                stopping = asyncio.create_task(desk.app.assignment.unwant(dana["session"]))
                await first.socket.close()
                await present(desk, 1)
            await stopping
            other, _ = await desk.sharing()
            assert (await second.order())["session"] == other["session"]
