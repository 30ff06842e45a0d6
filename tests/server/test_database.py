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

from server.database import jobs, metadata, open_database, users


def url(folder: Path) -> str:
    """A database in a folder that need not exist."""
    return f"sqlite+aiosqlite:///{folder / 'data' / 'sightline.db'}"


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
