"""The timeline's hash chain, and what the endpoint asks of whoever stores it.

Each event's hash covers its place, its time, its actor, its type, a commitment to its body, and the hash before it. The
commitment is SHA-256 over a random salt and the body, so that a body can be erased later without breaking the chain.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from signaling.messages import Event, EventBody

GENESIS = bytes(32)
"""The hash before the first event."""
SALT_BYTES = 16


class Sealed(msgspec.Struct, frozen=True):
    """An event as it is stored: `body` is its JSON, null with its salt when it was erased."""

    seq: int
    at: int
    actor: str
    type: str
    body: str | None
    salt: bytes | None
    commitment: bytes
    previous_hash: bytes
    hash: bytes


class Fault(msgspec.Struct, frozen=True):
    """The first event that is not as it was written, and what is wrong with it."""

    seq: int
    text: str


class Conflict(Exception):
    """Another event has that place already, or that message was stored before: read on and decide again."""


class Unavailable(Exception):
    """The timeline cannot be stored or read at the moment."""


class Timeline(Protocol):
    """Where events are kept."""

    async def append(self, session: str, after: int, events: Sequence[Event], message_id: str | None) -> None:
        """Store all of `events` behind seq `after`, or none; when it returns they are committed.

        `message_id` is that of the actor's message from which they come. Raises `Conflict` or `Unavailable`.
        """

    async def read(self, session: str, after: int = 0) -> list[Event]:
        """The events after seq `after`, in order. Raises `Unavailable`."""

    async def find(self, session: str, actor: str, message_id: str) -> int | None:
        """The seq that was acknowledged for a message, if it was. Raises `Unavailable`."""


def event_type(body: EventBody) -> str:
    """The name of an event's type on the wire."""
    return str(type(body).__struct_config__.tag)


def seal(session: str, event: Event, previous_hash: bytes, salt: bytes) -> Sealed:
    """The event as a link of the chain."""
    body = msgspec.json.encode(event.body)
    link = Sealed(
        seq=event.seq,
        at=event.at,
        actor=event.actor,
        type=event_type(event.body),
        body=body.decode(),
        salt=salt,
        commitment=_commitment(salt, body),
        previous_hash=previous_hash,
        hash=b"",
    )
    return msgspec.structs.replace(link, hash=_digest(session, link))


def verify(session: str, chain: Iterable[Sealed]) -> Fault | None:
    """The first bad event of a timeline that begins with its first event, or None when all is as it was written."""
    expected, previous = 1, GENESIS
    for link in chain:
        if link.seq != expected:
            return Fault(expected, f"event {expected} is missing")
        if link.previous_hash != previous:
            return Fault(link.seq, "it does not follow from the event before it")
        if link.hash != _digest(session, link):
            return Fault(link.seq, "its place, time, actor or type was changed")
        if link.body is not None and link.commitment != _commitment(link.salt or b"", link.body.encode()):
            return Fault(link.seq, "its body was changed")
        expected, previous = expected + 1, link.hash
    return None


def _commitment(salt: bytes, body: bytes) -> bytes:
    return hashlib.sha256(salt + body).digest()


def _digest(session: str, link: Sealed) -> bytes:
    commitment, previous = link.commitment.hex(), link.previous_hash.hex()
    fields = [session, link.seq, link.at, link.actor, link.type, commitment, previous]
    return hashlib.sha256(msgspec.json.encode(fields)).digest()
