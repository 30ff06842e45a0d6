"""Checkpoints: made when they must be, told to the ticket and to the webhook, however often that is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from server import checkpoints
from server.checkpoints import EVERY_EVENTS, SETTLED_S, TOLD_FOR_MS, checkpoints_of, seal_all, send, tell_tickets
from server.database import checkpoints as rows, now_ms, sessions
from server.sessions import tell
from signaling import messages as m
from signaling.checkpoints import Checkpoint, from_token, genuine, read
from signaling.commands import Join
from signaling.session import Participant
from tests.server.desk import Desk, open_desk

TAPE = Participant("tape", "recorder", "Recorder")


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.02)


async def made(desk: Desk, session: str) -> list[Checkpoint]:
    """The session's checkpoints, each of them genuine."""
    async with desk.app.database.read() as connection:
        held = await checkpoints_of(connection, session)
    assert all(genuine(one, desk.app.signer.public_keys) for one in held)
    return [read(one) for one in held]


async def sealed(desk: Desk, session: str) -> bool:
    """Whether a checkpoint covers the whole timeline."""
    found, events = await made(desk, session), await desk.app.timeline.read(session)
    return bool(found) and found[-1].seq == len(events)


async def record(desk: Desk, session: str) -> None:
    """A recorder comes and begins a segment of dana's."""
    await tell(desk.app, session, Join(TAPE))
    dana = next(e.body.participant for e in await desk.app.timeline.read(session) if isinstance(e.body, m.Joined))
    await tell(desk.app, session, m.ReportSegmentStarted("one", "segment", dana, "VP8", now_ms()), TAPE)


async def test_a_session_is_sealed_at_its_end_and_again_when_its_recorder_has_finished(desk: Desk) -> None:
    dana, alice = await desk.sharing()
    session = dana["session"]
    await record(desk, session)
    await desk.say(alice, m.End("end", "solved"))
    await until(lambda: sealed(desk, session))
    await tell(desk.app, session, m.ReportSegmentFinished("two", "segment", 9, 9, "0" * 64), TAPE)
    await until(lambda: sealed(desk, session))
    first, second = await made(desk, session)
    assert (first.number, second.number, first.reason, second.reason) == (1, 2, "end", "end")
    assert second.seq == first.seq + 1
    assert await desk.app.timeline.verify(session) is None


async def test_what_is_recorded_is_sealed_from_time_to_time_and_only_when_something_happened(desk: Desk) -> None:
    dana, alice = await desk.sharing()
    session = dana["session"]
    await seal_all(desk.app, "minute")
    assert await made(desk, session) == []  # nothing is recorded yet
    await record(desk, session)
    await seal_all(desk.app, "minute")
    await seal_all(desk.app, "minute")
    (one,) = await made(desk, session)
    await desk.say(alice, m.Say("hello", "hello"))
    await seal_all(desk.app, "minute")
    assert [checkpoint.seq for checkpoint in await made(desk, session)] == [one.seq, one.seq + 1]


async def test_every_thousandth_event_is_sealed(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    session = dana["session"]
    events = [m.Event(EVERY_EVENTS - 1 + number, 1, "system", m.SharingPaused()) for number in range(3)]
    await checkpoints.watch(desk.app, session, events[:1])
    assert await made(desk, session) == []
    await checkpoints.watch(desk.app, session, events)
    assert [checkpoint.reason for checkpoint in await made(desk, session)] == ["count"]


async def test_a_session_whose_end_a_crash_left_unsealed_is_sealed_at_the_next_start(tmp_path: Path) -> None:
    async with open_desk(tmp_path / "data") as desk:
        dana, alice = await desk.sharing()
        session = dana["session"]
        await desk.say(alice, m.End("end", None))
        await until(lambda: sealed(desk, session))
        async with desk.app.database.write() as connection:
            await connection.execute(rows.delete())
        async with desk.app.database.write() as connection:
            await connection.execute(sessions.update().values(ended_at=now_ms() - TOLD_FOR_MS))
    async with open_desk(tmp_path / "data", cast=False) as desk:
        await until(lambda: sealed(desk, session))
        async with desk.app.database.read() as connection:
            assert (await connection.execute(select(rows.c.to_note))).scalars().all() == [False]  # it ended long ago


async def test_one_note_in_the_ticket_holds_the_last_checkpoint(desk: Desk) -> None:
    dana, alice = await desk.sharing()
    session = dana["session"]
    await desk.say(alice, m.End("end", "solved"))
    await until(lambda: sealed(desk, session))
    for later in (0, SETTLED_S * 1000 + 1000, SETTLED_S * 1000 + 2000):
        await tell_tickets(desk.app, now_ms() + later)
    ticket = (await desk.quinn.get(f"/api/sessions/{session}")).body["ticket"]
    notes = [note["text"] for note in (await desk.quinn.get(f"/api/tickets/{ticket}")).body["notes"]]
    (note,) = [note for note in notes if "sealed at event" in note]
    held = from_token(note.splitlines()[-1])
    assert genuine(held, desk.app.signer.public_keys)
    assert [read(held)] == await made(desk, session)


@pytest.fixture
async def archive() -> AsyncIterator[tuple[str, list[Any], list[int]]]:
    """A webhook, what it was sent, and the statuses that it answers with before it is well."""
    heard: list[Any] = []
    ill: list[int] = []

    async def take(request: web.Request) -> web.Response:
        notice = await request.json()
        if ill:
            return web.Response(status=ill.pop())
        heard.append(notice)
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/checkpoints", take)
    async with TestServer(application) as server:
        yield str(server.make_url("/checkpoints")), heard, ill


async def test_the_webhook_is_sent_every_checkpoint_in_order_also_after_it_was_away(
    tmp_path: Path, archive: tuple[str, list[Any], list[int]]
) -> None:
    url, heard, ill = archive
    ill += [500, 302]
    async with open_desk(tmp_path / "data", checkpoint_webhook=url) as desk, aiohttp.ClientSession() as http:
        dana, alice = await desk.sharing()
        session = dana["session"]
        await record(desk, session)
        await seal_all(desk.app, "minute")
        await desk.say(alice, m.End("end", None))
        await until(lambda: sealed(desk, session))

        async def delivered() -> bool:
            try:
                await send(desk.app, http, url)
            except aiohttp.ClientError:
                return False
            return True

        await until(delivered)
        known = {key["id"]: key["key"] for key in (await desk.stranger.get("/api/signing-keys")).body}
        for notice in heard:
            assert known[notice["key_id"]] == notice["public_key"]
            held = from_token(notice["token"])
            assert genuine(held, desk.app.signer.public_keys)
            assert msgspec.to_builtins(read(held)) == notice["checkpoint"]
        numbers = [notice["checkpoint"]["number"] for notice in heard]
        assert list(dict.fromkeys(numbers)) == [checkpoint.number for checkpoint in await made(desk, session)]
