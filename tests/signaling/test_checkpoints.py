"""Checkpoints: signed by one key for one purpose, and what they say of a timeline that was made anew."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signaling.checkpoints import Checkpoint, Signed, from_token, genuine, key_id, read, sign, signed, token, verify
from signaling.messages import ChatSaid, Event
from signaling.timeline import Sealed, seal
from tests.signaling.test_timeline import chain

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
KEYS = {key_id(PUBLIC): PUBLIC}


def held(links: list[Sealed], *seqs: int, session: str = "session") -> list[Signed]:
    """Checkpoints at these events."""
    stated = [
        Checkpoint(session, number, seq, links[seq - 1].hash.hex(), 1, "minute") for number, seq in enumerate(seqs, 1)
    ]
    encoded = [msgspec.json.encode(checkpoint) for checkpoint in stated]
    return [signed(statement, sign(KEY, statement)) for statement in encoded]


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    (one,) = held(chain(), 4)
    assert genuine(one, KEYS)
    assert (read(one).seq, from_token(f" {token(one)}\n")) == (4, one)
    assert one.statement.startswith('{"purpose":"checkpoint"')


def test_neither_another_statement_nor_another_key_passes() -> None:
    (one,) = held(chain(), 4)
    assert not genuine(msgspec.structs.replace(one, statement=one.statement.replace(":4", ":5")), KEYS)
    assert not genuine(one, {})
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert not genuine(one, {one.key_id: other})
    assert not genuine(msgspec.structs.replace(one, signature="zz"), KEYS)


@pytest.mark.parametrize(
    "text", ["", "sightline-checkpoint", "sightline-checkpoint.a.b", "sightline-checkpoint.a.a.a", "x.YQ.YQ.YQ"]
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_token(text)


def test_a_timeline_is_good_when_it_went_through_every_checkpoint() -> None:
    links = chain()
    assert verify("session", links, held(links, 2, 4, 6), KEYS) is None


def test_a_chain_made_anew_is_bad_from_the_last_checkpoint_that_it_meets() -> None:
    links = chain()
    forged = links[:4]
    for seq in (5, 6):
        forged.append(seal("session", Event(seq, seq, "alice", ChatSaid("changed")), forged[-1].hash, bytes(16)))
    fault = verify("session", forged, held(links, 2, 4, 6), KEYS)
    assert fault is not None
    assert (fault.seq, "from 5 to 6" in fault.text) == (5, True)


def test_a_tail_that_was_cut_is_missed_by_the_chain_and_found_by_a_checkpoint() -> None:
    links = chain()
    fault = verify("session", links[:5], held(links, 2, 6), KEYS)
    assert fault is not None
    assert (fault.seq, "missing" in fault.text) == (6, True)


def test_checkpoints_that_are_not_this_timelines_are_named() -> None:
    links = chain()
    foreign = held(links, 4, session="another")
    dropped = held(links, 2, 4)[1:]
    for stated in (foreign, dropped, [Signed("{}", "", "")]):
        assert verify("session", links, stated, KEYS) is not None
