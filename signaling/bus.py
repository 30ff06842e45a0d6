"""The bus between nodes: it says how far a timeline is, and carries what is never stored. It may lose all of it."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from signaling.messages import Relayed


class Advanced(msgspec.Struct, frozen=True, tag="advanced"):
    """The session's timeline is at `seq` now."""

    session: str
    seq: int


class Carried(msgspec.Struct, frozen=True, tag="carried"):
    """An ephemeral message of `sender` for `recipients`."""

    session: str
    sender: str
    recipients: tuple[str, ...]
    message: Relayed


class Arrived(msgspec.Struct, frozen=True, tag="arrived"):
    """The participant has a connection to the node that says so; others wait for it no longer."""

    session: str
    participant: str


class Dismissed(msgspec.Struct, frozen=True, tag="dismissed"):
    """These participants may not stay: their connections are closed with `code`."""

    session: str
    participants: tuple[str, ...]
    code: str


Notice = Advanced | Carried | Arrived | Dismissed
Handler = Callable[[Notice], None]


class Bus(Protocol):
    """What an endpoint asks of a bus."""

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Have `handler` called with the notices of all others; the answer ends that. Handlers never block."""

    def publish(self, notice: Notice, origin: Handler) -> None:
        """Tell every handler but `origin`."""


class LocalBus:
    """The bus of a server that is one process."""

    def __init__(self) -> None:
        self._handlers: list[Handler] = []

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Have `handler` called with the notices of all others; the answer ends that."""
        self._handlers.append(handler)
        return lambda: self._handlers.remove(handler)

    def publish(self, notice: Notice, origin: Handler) -> None:
        """Tell every handler but `origin`."""
        for handler in self._handlers:
            if handler != origin:
                handler(notice)
