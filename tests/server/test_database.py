"""One writer that loses no update, and tables that are as the code says."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from server import migrations
from server.database import Database, events, jobs, metadata, new_id, open_database, ticket_notes, tickets, users


def url(folder: Path) -> str:
    """A database in a folder that need not exist."""
    return f"sqlite+aiosqlite:///{folder / 'data' / 'sightline.db'}"


def test_an_id_is_never_taken_for_an_option_of_a_command() -> None:
    ids = {new_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert not any(each.startswith("-") for each in ids)


async def test_the_revisions_make_the_tables_of_the_code(tmp_path: Path) -> None:
    database = await open_database(url(tmp_path))

    def compare(connection: Connection) -> Any:
        def ours(name: str | None, kind: str, _parents: Any) -> bool:
            return kind != "table" or not str(name).startswith("article_search")  # FTS5 keeps tables of its own

        context = MigrationContext.configure(connection, opts={"include_name": ours, "compare_type": True})
        return compare_metadata(context, metadata)

    async with database.read() as connection:
        assert await connection.run_sync(compare) == []
    await database.close()


async def test_an_update_keeps_what_older_revisions_stored(tmp_path: Path) -> None:
    database = Database(url(tmp_path))
    (tmp_path / "data").mkdir()
    values = "'t', 1, 'Printer', 'open', 'normal', 'Dana', '', NULL, 1, 1, '', ''"
    async with database.write() as connection:
        await connection.run_sync(migrations.upgrade, "0002")
        await connection.exec_driver_sql(f"INSERT INTO tickets VALUES ({values})")
        await connection.exec_driver_sql("INSERT INTO ticket_notes VALUES ('n', 't', NULL, 'Note', 1, NULL)")
        event = "'s', 1, 1, 'system', 'chat_said', '{}', x'00', x'00', x'00', x'00', NULL"
        await connection.exec_driver_sql(f"INSERT INTO events VALUES ({event})")
    await database.close()
    updated = await open_database(url(tmp_path))
    async with updated.read() as connection:
        assert (await connection.execute(select(tickets.c.title, tickets.c.class_id))).one() == ("Printer", None)
        assert (await connection.execute(select(ticket_notes.c.text))).scalar_one() == "Note"
        assert (await connection.execute(select(events.c.body, events.c.salt))).one() == ("{}", b"\0")
        assert (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all() == []
    await updated.close()


async def test_opening_again_keeps_what_is_stored(tmp_path: Path) -> None:
    first = await open_database(url(tmp_path))
    async with first.write() as connection:
        await connection.execute(jobs.insert().values(_job(0)))
    await first.close()
    second = await open_database(url(tmp_path))
    async with second.read() as connection:
        assert (await connection.execute(select(jobs.c.id))).scalar_one() == "job"
    await second.close()


async def test_no_update_is_lost_when_many_write_at_once(tmp_path: Path) -> None:
    database = await open_database(url(tmp_path))
    async with database.write() as connection:
        await connection.execute(jobs.insert().values(_job(0)))

    async def increment() -> None:
        async with database.write() as connection:
            attempts = (await connection.execute(select(jobs.c.attempts))).scalar_one()
            await connection.execute(update(jobs).values(attempts=attempts + 1))

    await asyncio.gather(*(increment() for _ in range(100)))
    async with database.read() as connection:
        assert (await connection.execute(select(jobs.c.attempts))).scalar_one() == 100
    await database.close()


async def test_a_block_that_raises_writes_nothing(tmp_path: Path) -> None:
    database = await open_database(url(tmp_path))
    with pytest.raises(RuntimeError):
        async with database.write() as connection:
            await connection.execute(jobs.insert().values(_job(0)))
            raise RuntimeError
    async with database.read() as connection:
        assert (await connection.execute(select(jobs))).all() == []
    await database.close()


async def test_readers_go_on_while_somebody_writes(tmp_path: Path) -> None:
    database = await open_database(url(tmp_path))
    async with database.write() as writing:
        await writing.execute(jobs.insert().values(_job(0)))
        async with database.read() as reading:
            assert (await reading.execute(select(jobs))).all() == []
    async with database.read() as reading:
        assert len((await reading.execute(select(jobs))).all()) == 1
    await database.close()


async def test_every_connection_flushes_before_it_acknowledges(tmp_path: Path) -> None:
    database = await open_database(url(tmp_path))
    async with database.write() as connection:
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar_one() == 2
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
        assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar_one() == 1
    await database.close()


def _job(attempts: int) -> dict[str, Any]:
    return {
        "id": "job", "kind": "clip", "arguments": "{}", "state": "queued", "progress": 0, "attempts": attempts,
        "created_at": 1,
    }  # fmt: skip


def test_times_and_emails_are_what_the_tables_say() -> None:
    assert users.c.email.unique
    assert str(users.c.created_at.type) == "BIGINT"


async def test_who_queues_behind_a_locked_database_hears_of_it_in_time(tmp_path: Path) -> None:
    database = await open_database(url(tmp_path), timeout_s=0.2)
    other = sqlite3.connect(tmp_path / "data" / "sightline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write(attempts: int) -> None:
        async with database.write() as connection:
            await connection.execute(jobs.insert().values(_job(attempts)))

    results = await asyncio.gather(*(write(n) for n in range(30)), return_exceptions=True)
    assert all(isinstance(result, OperationalError | TimeoutError) for result in results)
    assert any(isinstance(result, TimeoutError) for result in results)
    other.execute("ROLLBACK")
    other.close()
    await write(0)
    await database.close()


async def test_an_error_does_not_repeat_what_was_to_be_stored(tmp_path: Path) -> None:
    database = await open_database(url(tmp_path))
    secret = {"arguments": "a secret"}
    async with database.write() as connection:
        await connection.execute(jobs.insert().values(_job(0) | secret))
    with pytest.raises(IntegrityError) as refused:
        async with database.write() as connection:
            await connection.execute(jobs.insert().values(_job(0) | secret))
    assert "a secret" not in str(refused.value)
    await database.close()


async def test_rows_are_inserted_all_or_none(tmp_path: Path) -> None:
    database = await open_database(url(tmp_path))
    await database.insert(jobs, [_job(0) | {"id": f"job {n}"} for n in range(3)])
    with pytest.raises(IntegrityError):
        await database.insert(jobs, [_job(0) | {"id": "another"}, _job(0) | {"id": "job 1"}])
    async with database.read() as connection:
        assert len((await connection.execute(select(jobs.c.id))).all()) == 3
    await database.close()


async def test_a_write_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    database = await open_database(url(tmp_path))
    begun = asyncio.Event()

    async def endless() -> None:
        async with database.write() as connection:
            await connection.execute(jobs.insert().values(_job(0)))
            begun.set()
            await asyncio.Event().wait()

    writing = asyncio.create_task(endless())
    await begun.wait()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await database.insert(jobs, [_job(0) | {"id": "another"}])
    async with database.read() as connection:
        assert (await connection.execute(select(jobs.c.id))).scalars().all() == ["another"]
    await database.close()
