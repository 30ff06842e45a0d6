"""Decisions: what is told to a session is decided upon, appended to its timeline, and delivered to all who take part.

A session's state is folded from its timeline and kept while somebody needs it. What another node appends shows itself
as a conflict or as a hint of the bus; then the timeline is read on and it is decided again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import structlog

from signaling import bus as b, messages as m
from signaling.ice import IceSettings
from signaling.live import Live, now_ms
from signaling.session import Command, Participant, Refusal, decide, relay
from signaling.timeline import Conflict, Timeline, Unavailable

ATTEMPTS = 8
UNAVAILABLE = Refusal("unavailable", "The server cannot store this at the moment; nothing was changed. Send it again.")

log = structlog.get_logger()

Observe = Callable[[str, list[m.Event]], None]
"""Told a session's events once they are committed, in their order; must not block."""


class CommandRefused(Exception):
    """A command of the server itself did nothing."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.code, self.text = refusal


class Done(msgspec.Struct, frozen=True):
    """A command was taken: `seq` is what is acknowledged, `events` is what it added."""

    seq: int
    events: tuple[m.Event, ...]


class Decisions:
    """The sessions that somebody on this node needs, and the one way to change them."""

    def __init__(self, timeline: Timeline, bus: b.Bus, ice: IceSettings, observe: Observe | None = None) -> None:
        self._timeline = timeline
        self._bus = bus
        self._ice = ice
        self._observe = observe
        self._held: dict[str, Live] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsubscribe = bus.subscribe(self._hear)

    @property
    def held(self) -> list[Live]:
        """Every session that is in memory."""
        return list(self._held.values())

    def find(self, session: str) -> Live | None:
        """A session, if it is in memory."""
        return self._held.get(session)

    @asynccontextmanager
    async def using(self, session: str) -> AsyncIterator[Live]:
        """A session for as long as the block lasts."""
        live = self._held.setdefault(session, Live(session, self._ice))
        live.users += 1
        try:
            yield live
        finally:
            live.users -= 1
            if live.idle:
                self._held.pop(session, None)

    async def make(
        self,
        live: Live,
        sender: Participant | None,
        command: Command,
        message_id: str | None = None,
        unless: Callable[[], bool] = lambda: False,
    ) -> Done | Refusal:
        """Decide upon a command and commit what it makes true; nothing is done when `unless()` holds by then."""
        actor = sender.id if sender else "system"
        try:
            async with live.lock:
                for _ in range(ATTEMPTS):
                    if live.stale:
                        await live.catch_up(self._timeline)
                    if unless():
                        return Done(live.state.seq, ())
                    decided = decide(live.state, sender, command, now_ms())
                    if isinstance(decided, Refusal) or not decided:
                        if message_id and (seq := await self._timeline.find(live.session, actor, message_id)):
                            return Done(seq, ())
                        return decided if isinstance(decided, Refusal) else Done(live.state.seq, ())
                    at = max(now_ms(), live.last_at)
                    first = live.state.seq + 1
                    events = [m.Event(first + i, at, actor, body) for i, body in enumerate(decided)]
                    live.stale = True  # until we know how the commit went
                    try:
                        await self._timeline.append(live.session, live.state.seq, events, message_id)
                    except Conflict:
                        if message_id and (seq := await self._timeline.find(live.session, actor, message_id)):
                            return Done(seq, ())
                        continue
                    live.stale = False
                    live.advance(events)
                    self._committed(live, events)
                    return Done(live.state.seq, tuple(events))
        except Unavailable as error:
            log.error("timeline_unavailable", cause=str(error))
            return UNAVAILABLE
        log.error("timeline_contended", attempts=ATTEMPTS)
        return UNAVAILABLE

    async def relay(self, live: Live, sender: Participant, message: m.Relayed) -> Refusal | None:
        """Pass an ephemeral message on to those who may have it, on every node."""
        if live.stale and not live.lock.locked():  # a commit failed, or seemed to: consent may have ended with it
            await self.catch_up(live)
        passed = relay(live.state, sender, message)
        if isinstance(passed, Refusal):
            return passed
        if isinstance(message, m.Reoffer):
            live.hand_out_ice([sender.id, *passed])
        live.carry(sender.id, passed, message)
        self._bus.publish(b.Carried(live.session, sender.id, passed, message), self._hear)
        return None

    async def catch_up(self, live: Live) -> None:
        """Read on what others appended, as far as the timeline can be read."""
        async with live.lock:
            try:
                await live.catch_up(self._timeline)
            except Unavailable:
                live.stale = True

    def dismiss(self, session: str, participants: Iterable[str], code: str) -> None:
        """Close the connections of these participants on every node."""
        notice = b.Dismissed(session, tuple(participants), code)
        self._hear(notice)
        self._bus.publish(notice, self._hear)

    def announce(self, live: Live, participant: str) -> None:
        """Tell other nodes that the participant has come to this one."""
        self._bus.publish(b.Arrived(live.session, participant), self._hear)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done beside all else, until `close`."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def part(self) -> None:
        """Hear of other nodes no longer."""
        with contextlib.suppress(ValueError):
            self._unsubscribe()

    async def close(self) -> None:
        """End what was begun."""
        self.part()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _committed(self, live: Live, events: list[m.Event]) -> None:
        if self._observe:
            self._observe(live.session, events)
        self._bus.publish(b.Advanced(live.session, live.state.seq), self._hear)

    def _hear(self, notice: b.Notice) -> None:
        live = self._held.get(notice.session)
        if live is None:
            return
        match notice:
            case b.Advanced(seq=seq) if seq > live.state.seq:
                self.begin(self._read_on(notice.session))
            case b.Carried(sender=sender, recipients=recipients, message=message):
                live.carry(sender, recipients, message)
            case b.Arrived(participant=participant):
                live.stay(participant)
                if elsewhere := live.connections.pop(participant, None):
                    elsewhere.close("replaced", None)
            case b.Dismissed(participants=participants, code=code):
                for participant in participants:
                    if connection := live.connections.get(participant):
                        connection.close(code, None)

    async def _read_on(self, session: str) -> None:
        async with self.using(session) as live:
            await self.catch_up(live)
