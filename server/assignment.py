"""Which recorder process records which session; all of it can be made anew from the timelines."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any

import msgspec
import structlog

from server.database import Database
from server.participants import admit
from signaling.endpoint import CommandRefused, Endpoint
from signaling.session import LoseRecorder
from signaling.timeline import Unavailable

RECORDER_NAME = "Recorder"
PATIENCE_S = 5.0
"""How long a recorder may take to come, after a start or a crash, before the session hears that there is none."""

log = structlog.get_logger()


class Record(msgspec.Struct, frozen=True, tag_field="type", tag="record"):
    """Join this session with this token, and write what is shared."""

    session: str
    token: str


class Release(msgspec.Struct, frozen=True, tag_field="type", tag="release"):
    """Finish what is written of this session and leave it."""

    session: str


class Recorder:
    """A connected recorder process: what it shall be told, and the sessions it has, each with its participant's id."""

    def __init__(self) -> None:
        self.sessions: dict[str, str] = {}
        self._orders: deque[Record | Release] = deque()
        self._wake = asyncio.Event()

    def order(self, order: Record | Release) -> None:
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
    """Gives each session that is to be recorded to the recorder with the fewest."""

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
        """The session is to be recorded from now on."""
        async with self._lock:
            self._wanted.add(session)
            await self._assign(session)

    async def unwant(self, session: str) -> None:
        """The session is not to be recorded any longer."""
        async with self._lock:
            self._wanted.discard(session)
            for recorder in self._recorders:
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

    async def _assign(self, session: str) -> None:
        if any(session in recorder.sessions for recorder in self._recorders):
            return
        if not self._recorders:
            asyncio.get_running_loop().call_later(PATIENCE_S, self._lose_patience, session)
            return
        recorder = min(self._recorders, key=lambda known: len(known.sessions))
        async with self._database.write() as connection:
            admitted, token = await admit(connection, session, "recorder", RECORDER_NAME)
        recorder.sessions[session] = admitted.id
        recorder.order(Record(session, token))

    def _lose_patience(self, session: str) -> None:
        if self._recorders or self._closed or session not in self._wanted:
            return
        self._begin(self._fail(session, "no_recorder"))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fail(self, session: str, reason: str) -> None:
        try:
            await self._endpoint.command(session, LoseRecorder(reason))
        except (CommandRefused, Unavailable) as error:
            log.warning("recorder_loss_not_stored", reason=reason, cause=type(error).__name__)
