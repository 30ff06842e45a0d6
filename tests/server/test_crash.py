"""What is left when the server is killed, the disk is full, or a peer is hostile: real processes, nothing patched."""

import asyncio
import contextlib
import os
import resource
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from signaling import messages as m
from tests.conftest import MakeServer
from tests.server_process import ServerProcess, running
from tests.signaling.story import SCREEN
from tests.signaling.wire import Wire


@pytest.fixture(scope="module")
def server(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests that need none of their own."""
    with running(seeded, tmp_path_factory.mktemp("crash")) as process:
        yield process


async def meet(server: ServerProcess) -> tuple[str, str]:
    """Dana asks for help and Alice accepts; the tokens of both."""
    async with server.anonymous() as dana, await server.login("alice") as alice:
        request = {"name": "Dana", "problem": "Printer on fire", "language": "en"}
        async with dana.post("/api/help", json=request) as answer:
            participation: dict[str, Any] = await answer.json()
        session = participation["session"]
        async with alice.post(f"/api/waiting/{session}/accept") as answer:
            assert answer.status == 200, await answer.text()
        async with alice.post(f"/api/sessions/{session}/participants") as answer:
            hers: dict[str, Any] = await answer.json()
    server.confidential.update((participation["token"], hers["token"]))
    return participation["token"], hers["token"]


async def share(dana: Wire) -> None:
    """Dana agrees and shares."""
    await dana.until_event(m.ConsentAsked)
    assert isinstance(await dana.do(m.GiveConsent("yes", "view", True)), m.Ack)
    assert isinstance(await dana.do(m.StartSharing("start", SCREEN)), m.Ack)


def said(events: list[m.Event]) -> list[str]:
    """The lines of the chat."""
    return [event.body.text for event in events if isinstance(event.body, m.ChatSaid)]


async def test_a_kill_in_the_middle_of_a_session_loses_nothing_that_was_acknowledged(server: ServerProcess) -> None:
    danas, alices = await meet(server)
    acknowledged: dict[str, int] = {}
    async with Wire(server.url, danas) as dana, Wire(server.url, alices) as alice:
        await share(dana)
        for number in range(5):
            answer = await alice.do(m.Say(f"a{number}", f"alice {number}"))
            assert isinstance(answer, m.Ack)
            acknowledged[answer.id] = answer.seq
        await alice.say(m.Say("unanswered", "sent and never acknowledged"))
        await asyncio.to_thread(server.kill)
        while await dana.hear() is not None:
            pass
        last_seq = dana.last_seq
    await asyncio.to_thread(server.start)
    async with Wire(server.url, danas, last_seq) as dana, Wire(server.url, alices) as alice:
        welcome = await dana.until(m.Welcome)
        assert welcome.seq >= max(acknowledged.values())
        await alice.until(m.Presence)
        everything = alice.events()
        assert said(everything)[:5] == [f"alice {number}" for number in range(5)]
        assert not [event for event in everything if isinstance(event.body, m.SharingStopped | m.Left)]
        assert [event.seq for event in everything] == list(range(1, len(everything) + 1))
        for message_id, seq in acknowledged.items():
            again = await alice.do(m.Say(message_id, f"alice {message_id[1:]}"))
            assert again == m.Ack(message_id, seq)
        assert isinstance(await alice.do(m.Say("unanswered", "sent and never acknowledged")), m.Ack)
        assert isinstance(await dana.do(m.PauseSharing("pause")), m.Ack)
        await alice.until_event(m.SharingPaused)
        assert said(alice.events()).count("sent and never acknowledged") == 1


async def test_who_does_not_come_back_after_a_kill_has_left_after_the_grace(make_server: MakeServer) -> None:
    server = make_server(grace_s=0.5)
    danas, alices = await meet(server)
    async with Wire(server.url, danas) as dana, Wire(server.url, alices) as alice:
        await share(dana)
        await alice.until_event(m.SharingStarted)
        await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    async with Wire(server.url, alices) as alice:
        await alice.until_event(m.SharingStopped)


async def test_a_full_disk_is_said_and_nothing_acknowledged_is_lost(server: ServerProcess) -> None:
    danas, alices = await meet(server)
    async with Wire(server.url, danas) as dana, Wire(server.url, alices) as alice:
        await share(dana)
        before = await alice.do(m.Say("before", "before"))
        assert isinstance(before, m.Ack)
        # no file may grow: to SQLite that is a disk that is full
        before_limit = resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        refused = await alice.do(m.Say("during", "during"))
        assert isinstance(refused, m.Refused)
        assert refused.code == "unavailable"
        assert "again" in refused.text
        await dana.say(m.Offer(alice_id := (await participant_of(alice)), "connection", "v=0"))
        relayed = await alice.until(m.Relay)
        assert relayed.message == m.Offer(alice_id, "connection", "v=0")
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before_limit)
        assert isinstance(await alice.do(m.Say("during", "during")), m.Ack)
        again = await alice.do(m.Say("before", "before"))
        assert again == before
        await dana.until(m.Events, lambda heard: said(heard.events) == ["during"])


async def participant_of(wire: Wire) -> str:
    """Whom a connection speaks for."""
    return next(heard.participant for heard in wire.heard if isinstance(heard, m.Welcome))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil"])
async def test_a_foreign_page_can_neither_open_a_socket_nor_change_anything(server: ServerProcess, origin: str) -> None:
    async with await server.login("alice") as alice:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await alice.ws_connect("/api/signal", headers={"Origin": origin})
        assert refused.value.status == 403
        async with alice.post("/api/logout", headers={"Origin": origin}) as answer:
            assert answer.status == 403
        for site in ("cross-site", "same-site", "none"):
            async with alice.post("/api/logout", headers={"Sec-Fetch-Site": site}) as answer:
                assert answer.status == 403
        async with alice.get("/api/me") as answer:
            assert answer.status == 200
        headers = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
        async with alice.ws_connect("/api/signal", headers=headers):
            pass
        async with alice.post("/api/logout", headers=headers) as answer:
            assert answer.status == 204


async def test_an_interrupt_ends_everything_in_time_and_tells_when_to_come_back(make_server: MakeServer) -> None:
    server = make_server(children=True)
    danas, _ = await meet(server)
    async with Wire(server.url, danas) as dana:
        await dana.until(m.Presence)
        children = await asyncio.to_thread(children_of, server.pid)
        assert len(children) == 2
        ending = asyncio.create_task(asyncio.to_thread(server.terminate))
        assert await dana.until_closed() == m.Closing("restarting", 1000)
        await ending
    assert not [child for child in children if alive(child)]


async def test_a_child_that_hangs_ends_with_the_server_all_the_same(make_server: MakeServer) -> None:
    server = make_server(children=True)
    while server.log.read_text().count("child_started") < 2:
        await asyncio.sleep(0.02)
    children = children_of(server.pid)
    for child in children:
        os.kill(child, signal.SIGSTOP)
    await asyncio.to_thread(server.terminate)
    assert len(children) == 2
    assert not [child for child in children if alive(child)]


async def test_a_locked_database_does_not_keep_the_server_from_ending(make_server: MakeServer) -> None:
    server = make_server(children=True, database_timeout_s=60)
    danas, _ = await meet(server)
    children = await asyncio.to_thread(children_of, server.pid)
    async with Wire(server.url, danas) as dana:
        await dana.until(m.Presence)
        lock = sqlite3.connect(server.data / "sightline.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        await dana.say(m.Say("stuck", "This waits for the database"))
        await dana.say(m.Ping(1))
        await asyncio.to_thread(server.terminate)
        while (heard := await dana.hear()) is not None:
            assert not isinstance(heard, m.Ack)
        lock.close()
    assert not [child for child in children if alive(child)]
    await asyncio.to_thread(server.start)
    async with Wire(server.url, danas) as dana:
        assert isinstance(await dana.do(m.Say("stuck", "This waits for the database")), m.Ack)


async def test_children_end_with_a_server_that_was_killed_and_come_back_with_the_next(make_server: MakeServer) -> None:
    server = make_server(children=True)
    first = children_of(server.pid)
    await asyncio.to_thread(server.kill)
    async with asyncio.timeout(60):
        while any(alive(child) for child in first):
            await asyncio.sleep(0.05)
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(60):
        while len(second := children_of(server.pid)) < 2:
            await asyncio.sleep(0.05)
    assert not set(first) & set(second)


def children_of(pid: int) -> list[int]:
    """The processes that this one started."""
    with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123
        return [int(child) for child in file.read().split()]
    return []


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
