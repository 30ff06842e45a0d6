"""Which recorder process takes part in which session; all of it can be made anew from the timelines."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from recorder.orders import Order, Record, Release
from server.database import Database
from server.participants import admit
from signaling.decisions import CommandRefused
from signaling.endpoint import Endpoint
from signaling.session import LoseRecorder
from signaling.timeline import Unavailable

RECORDER_NAME = "Recorder"
PATIENCE_S = 5.0
"""How long a recorder may take to come, after a start or a crash, before the session hears that there is none; and
after how long it is tried again to give it one."""

log = structlog.get_logger()


class Recorder:
    """A connected recorder process: what it shall be told, and the sessions it has, each with its participant's id."""

    def __init__(self) -> None:
        self.sessions: dict[str, str] = {}
        self._orders: deque[Order] = deque()
        self._wake = asyncio.Event()

    def order(self, order: Order) -> None:
        """Queue an order."""
        self._orders.append(order)
        self._wake.set()

    async def next_order(self) -> bytes:
        """The next order as it goes over the wire."""
        while not self._orders:
            self._wake.clear()
            await self._wake.wait()
        return msgspec.json.encode(self._orders.popleft())


class Assignment:
    """Gives each session that wants a recorder to the one with the fewest."""

    def __init__(self, database: Database, endpoint: Endpoint) -> None:
        self._database = database
        self._endpoint = endpoint
        self._recorders: list[Recorder] = []
        self._wanted: set[str] = set()
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def close(self) -> None:
        """The server ends: recorders that go now go with it."""
        self._closed = True

    @property
    def recorders(self) -> int:
        """How many recorder processes are connected."""
        return len(self._recorders)

    async def want(self, session: str) -> None:
        """The session needs a recorder from now on."""
        async with self._lock:
            self._wanted.add(session)
            await self._assign(session)

    async def unwant(self, session: str, *, linger_s: float = 0.0) -> None:
        """The session needs no recorder any longer; the one that it has may stay for `linger_s`."""
        async with self._lock:
            self._wanted.discard(session)
            if linger_s:
                asyncio.get_running_loop().call_later(linger_s, lambda: self._begin(self._release(session)))
        if not linger_s:
            await self._release(session)

    async def _release(self, session: str) -> None:
        async with self._lock:
            for recorder in self._recorders if session not in self._wanted else ():
                if recorder.sessions.pop(session, None):
                    recorder.order(Release(session))

    async def enter(self, recorder: Recorder) -> None:
        """A recorder process connected; it gets every session that waits for one."""
        async with self._lock:
            self._recorders.append(recorder)
            for session in sorted(self._wanted):
                await self._assign(session)

    def leave(self, recorder: Recorder) -> None:
        """A recorder process is gone: its sessions hear of it, and another takes them over.

        Returns at once, for who notices it is itself about to be cancelled.
        """
        if recorder in self._recorders:
            self._recorders.remove(recorder)
        if not self._closed:
            self._begin(self._reassign(recorder))

    async def _reassign(self, recorder: Recorder) -> None:
        async with self._lock:
            for session in list(recorder.sessions):
                await self._fail(session, "lost")
                await self._assign(session)

    async def lose(self, session: str, participant: str) -> None:
        """A recorder's participant was lost while its process is still there: it is told to come again."""
        async with self._lock:
            for recorder in self._recorders:
                if recorder.sessions.get(session) == participant:
                    del recorder.sessions[session]
                    recorder.order(Release(session))
                    await self._fail(session, "lost")
                    await self._assign(session)
                    return

    async def _assign(self, session: str) -> None:
        """Give the session to a recorder, or see to it later; `_lock` is held."""
        if not self._waits(session):
            return
        reason = "no_recorder"
        if self._recorders:
            try:
                async with self._database.write() as connection:
                    admitted, token = await admit(connection, session, "recorder", RECORDER_NAME)
            except (SQLAlchemyError, OSError) as error:
                log.error("recorder_not_admitted", cause=type(error).__name__)
                reason = "unavailable"
            else:
                if self._recorders:  # the last one may have gone meanwhile
                    recorder = min(self._recorders, key=lambda known: len(known.sessions))
                    recorder.sessions[session] = admitted.id
                    recorder.order(Record(session, token))
                    return
        asyncio.get_running_loop().call_later(PATIENCE_S, self._lose_patience, session, reason)

    def _waits(self, session: str) -> bool:
        return session in self._wanted and not any(session in recorder.sessions for recorder in self._recorders)

    def _lose_patience(self, session: str, reason: str) -> None:
        if not self._closed and self._waits(session):
            self._begin(self._try_again(session, reason))

    async def _try_again(self, session: str, reason: str) -> None:
        async with self._lock:
            if self._waits(session):
                await self._fail(session, reason)
                if self._recorders:
                    await self._assign(session)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fail(self, session: str, reason: str) -> None:
        try:
            await self._endpoint.command(session, LoseRecorder(reason))
        except (CommandRefused, Unavailable) as error:
            log.warning("recorder_loss_not_stored", reason=reason, cause=type(error).__name__)
