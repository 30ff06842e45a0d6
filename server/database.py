"""The database: every table, and one way to write and one to read.

On SQLite all writes go through one connection that begins with `BEGIN IMMEDIATE`: with the driver's own deferred
transactions updates are lost without a word, and SQLite before 3.51.3 has the WAL-reset bug with two writers.
"""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server import migrations

MAX_INSERTED = 1000
"""Rows in one statement; SQLite takes 32,766 values."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[str]:
    return Column("id", String(64), primary_key=True)


def _ref(name: str, target: str, nullable: bool = False) -> Column[str]:
    return Column(name, String(64), ForeignKey(target), nullable=nullable)


def _text(name: str, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _time(name: str, nullable: bool = False) -> Column[int]:
    """Milliseconds since 1970."""
    return Column(name, BigInteger, nullable=nullable)


def _number(name: str, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=nullable)


users = Table(
    "users", metadata, _id(), Column("email", String(254), nullable=False, unique=True), _text("name"),
    Column("role", String(20), nullable=False), _text("password_hash"), _time("created_at"),
    Column("disabled", Boolean, nullable=False),
)  # fmt: skip
logins = Table(
    "logins", metadata, Column("token_hash", LargeBinary(32), primary_key=True), _ref("user_id", "users.id"),
    _time("created_at"), _time("expires_at"), Index(None, "user_id"),
)  # fmt: skip
tickets = Table(
    "tickets", metadata, _id(), Column("number", Integer, nullable=False, unique=True), _text("title"),
    Column("status", String(20), nullable=False), Column("priority", String(20), nullable=False),
    _text("customer_name"), _text("customer_email"), _ref("owner_id", "users.id", nullable=True),
    _time("created_at"), _time("updated_at"), _text("problem"), _text("search_text"),
    _ref("class_id", "ticket_classes.id", nullable=True), Index(None, "status", "updated_at"),
)  # fmt: skip
ticket_classes = Table(
    "ticket_classes", metadata, _id(), Column("name", String(60), nullable=False, unique=True),
    _number("days", nullable=True), Column("standard", Boolean, nullable=False), _time("created_at"),
)  # fmt: skip
ticket_notes = Table(
    "ticket_notes", metadata, _id(), _ref("ticket_id", "tickets.id"), _ref("author_id", "users.id", nullable=True),
    _text("text"), _time("at"), Column("session_id", String(64), nullable=True, unique=True), Index(None, "ticket_id"),
)  # fmt: skip
sessions = Table(
    "sessions", metadata, _id(), _ref("ticket_id", "tickets.id", nullable=True),
    _ref("owner_id", "users.id", nullable=True), _text("subject"), _text("customer_name"),
    Column("language", String(10), nullable=False), Column("ask_recording", Boolean, nullable=False),
    _time("created_at"), _time("ended_at", nullable=True), _number("feedback", nullable=True), _text("problem"),
    _text("search_text"), Index(None, "ticket_id"), Index(None, "ended_at", "created_at"),
)  # fmt: skip
participants = Table(
    "participants", metadata, _id(), _ref("session_id", "sessions.id"), Column("role", String(20), nullable=False),
    _text("name"), _ref("user_id", "users.id", nullable=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True), _time("created_at"), Index(None, "session_id"),
)  # fmt: skip
colleagues = Table(
    "colleagues", metadata, Column("session_id", String(64), ForeignKey("sessions.id"), primary_key=True),
    Column("user_id", String(64), ForeignKey("users.id"), primary_key=True), _ref("added_by", "users.id"),
    _time("added_at"), Index(None, "user_id"),
)  # fmt: skip
invitations = Table(
    "invitations", metadata, _id(), _ref("session_id", "sessions.id"),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("code_hash", LargeBinary(32), nullable=False), _ref("created_by", "users.id", nullable=True),
    _time("created_at"), _time("expires_at"), _time("code_expires_at"), _time("redeemed_at", nullable=True),
    _time("revoked_at", nullable=True), Index(None, "session_id"), Index(None, "code_hash"),
)  # fmt: skip
events = Table(
    "events", metadata, Column("session_id", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False), _time("at"),
    Column("actor", String(64), nullable=False), Column("type", String(40), nullable=False), _text("body", True),
    Column("salt", LargeBinary(16), nullable=True), Column("commitment", LargeBinary(32), nullable=False),
    Column("previous_hash", LargeBinary(32), nullable=False), Column("hash", LargeBinary(32), nullable=False),
    Column("message_id", String(64), nullable=True), UniqueConstraint("session_id", "actor", "message_id"),
)  # fmt: skip
checkpoints = Table(
    "checkpoints", metadata, Column("session_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False), Column("seq", BigInteger, nullable=False),
    _time("at"), _text("statement"), Column("key_id", String(64), nullable=False),
    Column("signature", LargeBinary(64), nullable=False), Column("to_note", Boolean, nullable=False),
    Column("to_send", Boolean, nullable=False), Index(None, "to_note"), Index(None, "to_send"),
)  # fmt: skip
snapshots = Table(
    "snapshots", metadata, _id(), _ref("session_id", "sessions.id"), _number("width"), _number("height"),
    Column("mime", String(40), nullable=False), Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False), Column("created_by", String(64), nullable=False), _time("at"),
    Index(None, "session_id"),
)  # fmt: skip
jobs = Table(
    "jobs", metadata, _id(), Column("kind", String(40), nullable=False), _text("arguments"),
    Column("state", String(20), nullable=False), Column("progress", Integer, nullable=False), _text("result", True),
    _text("error", True), _number("attempts"), _time("lease_until", nullable=True),
    _ref("created_by", "users.id", nullable=True), _time("created_at"), Index(None, "state", "created_at"),
)  # fmt: skip
articles = Table(
    "articles", metadata, _id(), Column("slug", String(120), nullable=False, unique=True), _text("title"),
    _text("text"), Column("state", String(20), nullable=False), _ref("session_id", "sessions.id", nullable=True),
    _ref("clip_id", "clips.id", nullable=True), _text("search_text"), _time("created_at"), _time("updated_at"),
    _ref("author_id", "users.id", nullable=True), _number("views"), _number("solved"), _number("unsolved"),
    _ref("job_id", "jobs.id", nullable=True), Index(None, "state", "updated_at"),
)  # fmt: skip
clips = Table(
    "clips", metadata, _id(), _ref("session_id", "sessions.id"), _time("in_ms"), _time("out_ms"), _text("title"),
    Column("media_file", String(80), nullable=True), Column("poster_file", String(80), nullable=True),
    _text("chapters"), _number("duration_ms", nullable=True), _number("width", nullable=True),
    _number("height", nullable=True), Index(None, "session_id"),
)  # fmt: skip
holds = Table(
    "holds", metadata, _id(), _ref("session_id", "sessions.id", nullable=True),
    _ref("ticket_id", "tickets.id", nullable=True), _text("reason"), _ref("placed_by", "users.id"),
    _time("placed_at"), _ref("released_by", "users.id", nullable=True), _time("released_at", nullable=True),
    _text("release_reason", nullable=True), Index(None, "session_id"), Index(None, "ticket_id"),
)  # fmt: skip
tombstones = Table(
    "tombstones", metadata, Column("session_id", String(64), ForeignKey("sessions.id"), primary_key=True),
    _text("statement"), Column("key_id", String(64), nullable=False),
    Column("signature", LargeBinary(64), nullable=False), _time("at"), _text("remains", nullable=True),
    _time("shredded_at", nullable=True), Index(None, "at"),
)  # fmt: skip
audit = Table(
    "audit", metadata, _id(), _time("at"), Column("user_id", String(64), nullable=True),
    Column("action", String(60), nullable=False), Column("object", String(200), nullable=False),
    Column("address", String(60), nullable=False), Index(None, "at"),
)  # fmt: skip


def new_id() -> str:
    """A random id of 96 bits, safe in addresses, in file names, and as a word of a command, which no dash may begin."""
    while (made := secrets.token_urlsafe(12)).startswith("-"):
        pass
    return made


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Database:
    """One database with one writing transaction at a time on SQLite; readers stand apart and see what is committed."""

    def __init__(self, url: str, timeout_s: float = 5.0) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self._lock = asyncio.Lock()
        self._patience_s = 2 * timeout_s
        # What is stored is nobody's business who reads the log: errors show no parameters.
        options: dict[str, Any] = {"hide_parameters": True}
        options |= {"connect_args": {"timeout": timeout_s}} if self.sqlite else {}
        alone: dict[str, Any] = {"pool_size": 1, "pool_reset_on_return": None} if self.sqlite else {}
        self._writer: AsyncEngine = create_async_engine(url, **options, **alone)
        self._reader: AsyncEngine = create_async_engine(url, **options) if self.sqlite else self._writer
        if self.sqlite:
            _prepare(self._writer, "BEGIN IMMEDIATE")
            event.listen(self._writer.sync_engine, "reset", _undo)
            _prepare(self._reader, "BEGIN")

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed when the block ends, and rolled back when it raises.

        Raises `TimeoutError` when those before it, each waiting for a locked database, take too long.
        """
        if not self.sqlite:
            async with self._writer.begin() as connection:
                yield connection
            return
        async with self._turn(), self._writer.begin() as connection:
            yield connection

    async def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert all of `rows` or none; committed when it returns. Raises as `write` does, and `IntegrityError`.

        On SQLite it is one statement, which commits by itself: a transaction goes to SQLite's thread and back for each
        of its steps, and on busy cores every such journey takes milliseconds.
        """
        if not self.sqlite or len(rows) > MAX_INSERTED:
            async with self.write() as connection:
                await connection.execute(table.insert(), list(rows))
            return
        columns = list(rows[0])
        places = ", ".join([f"({', '.join('?' * len(columns))})"] * len(rows))
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {places}"  # noqa: S608 # names are ours
        async with self._turn(), self._writer.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            try:
                await driver.execute(statement, [row[column] for row in rows for column in columns])
            except sqlite3.IntegrityError as error:
                raise IntegrityError(statement, None, error, hide_parameters=True) from error
            except sqlite3.Error as error:
                raise DBAPIError(statement, None, error, hide_parameters=True) from error

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with asyncio.timeout(self._patience_s):
            await self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; nothing that it does is kept."""
        async with self._reader.connect() as connection:
            yield connection

    async def forget(self) -> None:
        """Have SQLite take what was overwritten out of its journal as well, as far as no reader needs it."""
        if not self.sqlite:
            return
        async with self._lock, self._writer.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()


def _prepare(engine: AsyncEngine, begin: str) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we emit BEGIN ourselves
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _undo(connection: Any, _record: object, _state: object) -> None:
    """What a cancelled transaction left open, and only that: to ask SQLite's thread costs a journey."""
    if connection.driver_connection.in_transaction:
        connection.rollback()


async def open_database(url: str, timeout_s: float = 5.0) -> Database:
    """The database at `url`, its tables brought to the newest revision."""
    if url.startswith("sqlite") and (path := url.partition(":///")[2]):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    database = Database(url, timeout_s)
    async with database.write() as connection:
        await connection.run_sync(migrations.upgrade)
    return database
