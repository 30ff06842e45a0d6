"""The timeline in the database: in order, all or nothing, once."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, select, update

from server.database import Database, events, open_database
from server.timeline import Timeline
from signaling.messages import ChatSaid, Event
from signaling.timeline import Conflict, Unavailable


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A fresh database that waits a moment for a lock."""
    opened = await open_database(f"sqlite+aiosqlite:///{tmp_path / 'sightline.db'}", timeout_s=0.2)
    yield opened
    await opened.close()


@pytest.fixture
async def timeline(database: Database) -> AsyncIterator[Timeline]:
    """Its timeline, being written."""
    made = Timeline(database)
    made.start()
    yield made
    await made.close()


def lines(first: int, count: int = 1, actor: str = "alice") -> list[Event]:
    """Lines of chat from seq `first` on."""
    return [Event(seq, 1000 + seq, actor, ChatSaid(f"line {seq}")) for seq in range(first, first + count)]


async def test_what_was_appended_is_read_back_in_order(timeline: Timeline) -> None:
    await timeline.append("s", 0, lines(1, 3), None)
    await timeline.append("s", 3, lines(4), None)
    assert await timeline.read("s") == lines(1, 4)
    assert await timeline.read("s", 2) == lines(3, 2)
    assert await timeline.read("another") == []


async def test_one_place_is_taken_once(timeline: Timeline) -> None:
    results = await asyncio.gather(
        *(timeline.append("s", 0, lines(1, actor=f"a{n}"), None) for n in range(10)), return_exceptions=True
    )
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 9
    assert len(await timeline.read("s")) == 1


async def test_two_writers_of_one_database_take_turns(timeline: Timeline, database: Database) -> None:
    other = Timeline(database)
    other.start()
    await timeline.append("s", 0, lines(1), None)
    await other.append("s", 1, lines(2), None)
    with pytest.raises(Conflict):
        await timeline.append("s", 1, lines(2), None)
    await timeline.append("s", 2, lines(3), None)
    assert await timeline.verify("s") is None
    await other.close()


async def test_a_message_is_stored_once_and_found_by_its_id(timeline: Timeline) -> None:
    await timeline.append("s", 0, lines(1, 2), "message")
    assert await timeline.find("s", "alice", "message") == 2
    assert await timeline.find("s", "bob", "message") is None
    assert await timeline.find("another", "alice", "message") is None
    with pytest.raises(Conflict):
        await timeline.append("s", 2, lines(3), "message")
    await timeline.append("s", 2, lines(3, actor="bob"), "message")
    assert len(await timeline.read("s")) == 3


async def test_a_conflict_hurts_nobody_else_in_the_same_commit(timeline: Timeline) -> None:
    await timeline.append("s0", 0, lines(1), "taken")
    results = await asyncio.gather(
        timeline.append("s0", 1, lines(2), "taken"),
        *(timeline.append(f"s{n}", 0, lines(1), None) for n in range(1, 20)),
        return_exceptions=True,
    )
    assert isinstance(results[0], Conflict)
    assert results[1:] == [None] * 19


async def test_many_sessions_share_commits(
    timeline: Timeline, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    inserted: list[int] = []
    insert = database.insert

    async def counted(table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        await insert(table, rows)
        inserted.append(len(rows))

    monkeypatch.setattr(database, "insert", counted)
    await asyncio.gather(*(timeline.append(f"s{n}", 0, lines(1), None) for n in range(200)))
    assert sum(inserted) == 200
    assert len(inserted) < 20


async def test_a_stored_timeline_verifies_and_a_changed_one_names_the_event(
    timeline: Timeline, database: Database
) -> None:
    await timeline.append("s", 0, lines(1, 5), None)
    assert await timeline.verify("s") is None
    async with database.write() as connection:
        await connection.execute(update(events).where(events.c.seq == 3).values(actor="mallory"))
    fault = await timeline.verify("s")
    assert fault is not None
    assert fault.seq == 3


async def test_a_locked_database_is_unavailable_and_works_again_afterwards(timeline: Timeline, tmp_path: Path) -> None:
    await timeline.append("s", 0, lines(1), None)
    other = sqlite3.connect(tmp_path / "sightline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        await timeline.append("s", 1, lines(2), "again")
    other.execute("ROLLBACK")
    other.close()
    await timeline.append("s", 1, lines(2), "again")
    assert await timeline.read("s") == lines(1, 2)


async def test_a_closed_timeline_takes_nothing(timeline: Timeline, database: Database) -> None:
    await timeline.append("s", 0, lines(1), None)
    await timeline.close()
    assert not timeline.writing
    with pytest.raises(Unavailable):
        await timeline.append("s", 1, lines(2), None)
    async with database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(events))).scalar_one() == 1
