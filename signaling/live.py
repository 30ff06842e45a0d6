"""A session on this node: its folded state, and the connections that speak for its participants."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

from signaling.connection import Connection, encode
from signaling.ice import IceSettings, ice_servers
from signaling.messages import Event, Events, IceServers, Left, Presence, Relay, Relayed, Role, SharingStarted
from signaling.session import INITIAL, State, apply, may_see
from signaling.timeline import Timeline

MAX_KEPT = 64
"""So many ephemeral messages are kept for a participant between its joining and its connection's first message."""


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Live:
    """What this node holds of a session; all of it can be made anew from the timeline.

    `lock` is held while the state is decided upon; `stale` says that the timeline may be further than the state.
    """

    def __init__(self, session: str, ice: IceSettings) -> None:
        self.session = session
        self._ice = ice
        self.lock = asyncio.Lock()
        self.state: State = INITIAL
        self.last_at = 0
        self.stale = True
        self.users = 0
        self.connections: dict[str, Connection] = {}
        self._arriving: dict[str, list[bytes]] = {}
        self._departures: dict[str, asyncio.TimerHandle] = {}

    @property
    def idle(self) -> bool:
        """Whether nobody would miss it."""
        return not (self.users or self.connections or self._departures)

    async def catch_up(self, timeline: Timeline) -> list[Event]:
        """Fold and deliver what others appended; `lock` is held. Raises `Unavailable`."""
        missed = await timeline.read(self.session, self.state.seq)
        self.advance(missed)
        self.stale = False
        return missed

    def advance(self, events: Sequence[Event]) -> None:
        """Fold committed events and send them to all who may see them."""
        for event in events:
            self.state = apply(self.state, event)
            self.last_at = max(self.last_at, event.at)
        self.deliver(events)
        for event in events:
            match event.body:
                case Left(participant, "replaced") if self.state.participants[participant].role == "customer":
                    if connection := self.connections.get(participant):
                        connection.close("replaced", None)  # it hears no more of what is another's session now
        if any(isinstance(event.body, SharingStarted) for event in events):
            self.hand_out_ice(list(self.connections))

    def deliver(self, events: Sequence[Event]) -> None:
        """Send events to every connection, as far as its role may see them; each role's message is encoded once."""
        encoded: dict[Role, bytes | None] = {}
        for connection in list(self.connections.values()):
            role = connection.participant.role
            if role not in encoded:
                visible = [event for event in events if may_see(role, event.body)]
                encoded[role] = encode(Events(visible)) if visible else None
            if message := encoded[role]:
                connection.send(message)

    def carry(self, sender: str, recipients: Iterable[str], message: Relayed) -> None:
        """Pass an ephemeral message on to those of the recipients who are connected here."""
        encoded: bytes | None = None
        for recipient in recipients:
            connection, kept = self.connections.get(recipient), self._arriving.get(recipient)
            if connection is None and kept is None:
                continue
            encoded = encoded or encode(Relay(sender, message))
            if kept is not None and len(kept) < MAX_KEPT:
                kept.append(encoded)
            if connection is not None:
                connection.send(encoded)

    def expect_arrival(self, participant: str) -> list[bytes]:
        """From now on keep what is passed to the participant: others hear of it before its connection is here."""
        kept: list[bytes] = []
        self._arriving[participant] = kept
        return kept

    def forget_arrival(self, participant: str, kept: list[bytes]) -> None:
        """The participant is attached now, or will not be; another connection of its own may be on its way."""
        if self._arriving.get(participant) is kept:
            del self._arriving[participant]

    def awaits(self, participant: str) -> bool:
        """Whether the participant is connected here, or just coming."""
        return participant in self.connections or participant in self._arriving

    def hand_out_ice(self, participants: Iterable[str]) -> None:
        """Send fresh TURN credentials, when there are such servers and there is sharing."""
        if not (self._ice.turn and self.state.seen):
            return
        for participant in participants:
            if connection := self.connections.get(participant):
                connection.send(encode(IceServers(ice_servers(self._ice, participant, now_ms()))))

    def tell_presence(self) -> None:
        """Send everyone who has a connection."""
        message = encode(Presence(sorted(self.connections)))
        for connection in list(self.connections.values()):
            connection.send(message)

    def expect_departure(self, participant: str, after_s: float, depart: Callable[[], None]) -> None:
        """Run `depart` after the grace, unless the participant comes back before."""
        self.stay(participant)

        def leave() -> None:
            self._departures.pop(participant, None)
            depart()

        self._departures[participant] = asyncio.get_running_loop().call_later(after_s, leave)

    def stay(self, participant: str) -> None:
        """The participant is back, or gone for good: nothing is to be waited for."""
        if handle := self._departures.pop(participant, None):
            handle.cancel()

    def forget_departures(self) -> None:
        """The server itself goes; who is still wanted comes back to the next one."""
        for participant in list(self._departures):
            self.stay(participant)
