"""The hash chain: whatever is done to a closed timeline, the first bad event is named."""

import random
from typing import Any

import msgspec
import pytest

from signaling.messages import ChatSaid, Event, Joined, SessionOpened
from signaling.timeline import GENESIS, Sealed, event_type, seal, verify


def chain(length: int = 6) -> list[Sealed]:
    """A timeline of chat."""
    events = [
        Event(1, 1000, "system", SessionOpened("ACME", "Printer", True)),
        Event(2, 2000, "system", Joined("alice", "agent", "Alice")),
        *(Event(seq, seq * 1000, "alice", ChatSaid(f"line {seq}")) for seq in range(3, length + 1)),
    ]
    sealed: list[Sealed] = []
    for event in events:
        sealed.append(seal("session", event, sealed[-1].hash if sealed else GENESIS, bytes([event.seq]) * 16))
    return sealed


def test_an_untouched_timeline_is_good() -> None:
    assert verify("session", chain()) is None
    assert verify("session", []) is None


def test_the_names_of_types_are_those_on_the_wire() -> None:
    assert event_type(ChatSaid("x")) == "chat_said"


def test_a_body_can_be_erased_without_breaking_the_chain() -> None:
    links = chain()
    links[3] = msgspec.structs.replace(links[3], body=None)
    assert verify("session", links) is None


def test_a_timeline_of_another_session_is_bad_from_its_first_event() -> None:
    fault = verify("another", chain())
    assert fault is not None
    assert fault.seq == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", 1),
        ("actor", "mallory"),
        ("type", "note_added"),
        ("body", '{"type":"chat_said","text":"changed"}'),
        ("salt", b"0" * 16),
        ("commitment", b"0" * 32),
        ("previous_hash", b"0" * 32),
        ("hash", b"0" * 32),
        ("seq", 9),
    ],
)
def test_a_changed_field_is_found_where_it_is(field: str, value: Any) -> None:
    links = chain()
    links[3] = msgspec.structs.replace(links[3], **{field: value})
    fault = verify("session", links)
    assert fault is not None
    assert fault.seq == 4
    assert fault.text


def test_dropped_swapped_and_doubled_events_are_found() -> None:
    dropped = chain()
    del dropped[2]
    swapped = chain()
    swapped[2], swapped[3] = swapped[3], swapped[2]
    doubled = chain()
    doubled.insert(3, doubled[2])
    for links, seq in ((dropped, 3), (swapped, 3), (doubled, 4)):
        fault = verify("session", links)
        assert fault is not None
        assert fault.seq == seq


def test_a_change_by_somebody_who_recomputes_one_hash_is_found_at_the_next() -> None:
    links = chain()
    forged = Event(4, 4000, "alice", ChatSaid("forged"))
    links[3] = seal("session", forged, links[2].hash, b"x" * 16)
    fault = verify("session", links)
    assert fault is not None
    assert fault.seq == 5


def test_any_flipped_bit_is_found() -> None:
    chance = random.Random(1)
    for _ in range(300):
        links = chain()
        place = chance.randrange(len(links))
        field = chance.choice(["salt", "commitment", "previous_hash", "hash"])
        value = bytearray(getattr(links[place], field))
        value[chance.randrange(len(value))] ^= 1 << chance.randrange(8)
        links[place] = msgspec.structs.replace(links[place], **{field: bytes(value)})
        fault = verify("session", links)
        assert fault is not None
        assert fault.seq == place + 1
