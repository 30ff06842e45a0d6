"""The timeline in the database: appended in groups, so that many events share one commit and one flush of the disk."""

import asyncio
import contextlib
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from server.database import Database, events, sessions
from signaling.messages import BodyErased, Event, EventBody, SessionEnded
from signaling.timeline import GENESIS, SALT_BYTES, Conflict, Fault, Sealed, Unavailable, seal, verify

MAX_GROUP = 256
KNOWN_TAILS = 10_000
CLOSE_S = 1.0

_BODY: msgspec.json.Decoder[EventBody] = msgspec.json.Decoder(EventBody)


class Append(NamedTuple):
    """What waits for the next commit."""

    session: str
    after: int
    events: Sequence[Event]
    message_id: str | None
    done: asyncio.Future[None]


class Timeline:
    """Every session's events. One task writes; what queues up while it waits for the disk goes into its next commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: asyncio.Queue[Append] = asyncio.Queue()
        self._tails: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def writing(self) -> bool:
        """Whether the task that writes is alive."""
        return not self._closing and self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin to write; needs a running event loop."""
        self._task = asyncio.create_task(self._write(), name="timeline")

    async def close(self) -> None:
        """Write what is queued and stop; what a locked database does not take soon is not acknowledged."""
        self._closing = True
        if self._task is not None:
            if not self._task.done():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._queue.join(), CLOSE_S)
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=CLOSE_S)
            self._task = None
            while not self._queue.empty():
                _settle(self._queue.get_nowait(), Unavailable("the timeline is closed"))

    async def append(self, session: str, after: int, events: Sequence[Event], message_id: str | None) -> None:
        """Store `events` behind seq `after`; committed when it returns. Raises `Conflict` or `Unavailable`."""
        if not self.writing:
            raise Unavailable("the timeline is closed")
        done = asyncio.get_running_loop().create_future()
        await self._queue.put(Append(session, after, events, message_id, done))
        await done

    async def read(self, session: str, after: int = 0) -> list[Event]:
        """The events after seq `after`, in order. Raises `Unavailable`."""
        columns = (events.c.seq, events.c.at, events.c.actor, events.c.type, events.c.body)
        query = select(*columns).where(events.c.session_id == session, events.c.seq > after).order_by(events.c.seq)
        return [
            Event(seq, at, actor, BodyErased(kind) if body is None else _BODY.decode(body))
            for seq, at, actor, kind, body in await self._select(query)
        ]

    async def find(self, session: str, actor: str, message_id: str) -> int | None:
        """The seq that was acknowledged for a message, if it was. Raises `Unavailable`."""
        query = select(events.c.seq).where(
            events.c.session_id == session, events.c.actor == actor, events.c.message_id == message_id
        )
        rows = await self._select(query)
        return rows[0][0] if rows else None

    async def verify(self, session: str) -> Fault | None:
        """The first event that is not as it was written, or None."""
        columns = [events.c[name] for name in Sealed.__struct_fields__]
        query = select(*columns).where(events.c.session_id == session).order_by(events.c.seq)
        return verify(session, (Sealed(*row) for row in await self._select(query)))

    async def _select(self, query: Any) -> Sequence[Any]:
        try:
            async with self._database.read() as connection:
                return (await connection.execute(query)).all()
        except (SQLAlchemyError, OSError) as error:
            raise Unavailable(str(getattr(error, "orig", None) or error)) from error

    async def _write(self) -> None:
        while True:
            group = [await self._queue.get()]
            while len(group) < MAX_GROUP and not self._queue.empty():
                group.append(self._queue.get_nowait())
            try:
                await self._commit(group)
            except Exception as error:  # whatever it is, those who wait must hear of it and the writer go on
                for item in group:
                    _settle(item, Unavailable(type(error).__name__))
            finally:
                for item in group:
                    _settle(item, Unavailable("the timeline is closed"))  # cancelled in the middle of it
                for _ in group:
                    self._queue.task_done()

    async def _commit(self, group: list[Append]) -> None:
        try:
            await self._store(group)
        except IntegrityError as error:
            for item in group:
                self._tails.pop(item.session, None)
            if len(group) == 1:
                _settle(group[0], Conflict(str(error.orig)))
                return
            for item in group:
                await self._commit([item])
        except Conflict as conflict:
            if len(group) == 1:
                _settle(group[0], conflict)
                return
            for item in group:
                await self._commit([item])
        except (SQLAlchemyError, OSError) as error:
            for item in group:
                self._tails.pop(item.session, None)
                _settle(item, Unavailable(str(getattr(error, "orig", None) or error)))
        else:
            for item in group:
                _settle(item, None)

    async def _store(self, group: list[Append]) -> None:
        tails: dict[str, tuple[int, bytes]] = {}
        rows: list[dict[str, Any]] = []
        ended: list[tuple[str, int]] = []
        for item in group:
            seq, tail = tails.get(item.session) or await self._tail(item.session)
            if seq != item.after:
                raise Conflict(f"the timeline is at {seq}, not at {item.after}")
            last = item.events[-1].seq
            for event in item.events:
                sealed = seal(item.session, event, tail, secrets.token_bytes(SALT_BYTES))
                seq, tail = sealed.seq, sealed.hash
                message_id = item.message_id if event.seq == last else None
                rows.append(msgspec.structs.asdict(sealed) | {"session_id": item.session, "message_id": message_id})
                if isinstance(event.body, SessionEnded):
                    ended.append((item.session, event.at))
            tails[item.session] = (seq, tail)
        if not ended:
            await self._database.insert(events, rows)
        else:
            async with self._database.write() as connection:
                await connection.execute(events.insert(), rows)
                for session, at in ended:
                    await connection.execute(update(sessions).where(sessions.c.id == session).values(ended_at=at))
        for session, known in tails.items():
            self._tails[session] = known
            self._tails.move_to_end(session)
        while len(self._tails) > KNOWN_TAILS:
            self._tails.popitem(last=False)

    async def _tail(self, session: str) -> tuple[int, bytes]:
        """The last event's seq and hash; whoever appends at the same moment takes its place first or not at all."""
        if known := self._tails.get(session):
            return known
        query = select(events.c.seq, events.c.hash).where(events.c.session_id == session)
        async with self._database.read() as connection:
            row = (await connection.execute(query.order_by(events.c.seq.desc()).limit(1))).one_or_none()
        return (row.seq, row.hash) if row else (0, GENESIS)


def _settle(item: Append, error: Exception | None) -> None:
    if item.done.done():
        return
    if error is None:
        item.done.set_result(None)
    else:
        item.done.set_exception(error)
