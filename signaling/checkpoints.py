"""Signed checkpoints: statements that a timeline had come so far, which nobody can make without the server's key.

The hash chain alone can be made anew by whoever may write into the database. A checkpoint names the hash of one event,
and with it all events up to there and the digests of the media that they hold, and is signed with Ed25519 (RFC 8032).
It proves something once it is where the one who changes the database cannot reach it.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from signaling.timeline import Fault, Sealed, verify as verify_chain

Reason = Literal["minute", "count", "end", "export"]
_WORD = "sightline-checkpoint"


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="purpose", tag="checkpoint"):
    """At `at` (ms since 1970) the timeline's last event was `seq` with `hash`, in hex; `number` counts from 1."""

    session: str
    number: int
    seq: int
    hash: str
    at: int
    reason: Reason


class Signature(NamedTuple):
    """An Ed25519 signature, and the id of the key that it is checked with."""

    key_id: str
    signature: bytes


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement as it is kept and handed on: the very text that was signed, and the signature in hex."""

    statement: str
    key_id: str
    signature: str


def key_id(public_key: bytes) -> str:
    """The id of a key is its fingerprint, so that a key cannot be put in the place of another."""
    return hashlib.sha256(public_key).hexdigest()[:32]


def sign(private_key: Ed25519PrivateKey, statement: bytes) -> Signature:
    """The signature of a statement; its first field says what it is for, so that it stands for nothing else."""
    return Signature(key_id(private_key.public_key().public_bytes_raw()), private_key.sign(statement))


def signed(statement: bytes, signature: Signature) -> Signed:
    """The statement with its signature, to be kept."""
    return Signed(statement.decode(), signature.key_id, signature.signature.hex())


def genuine(held: Signed, public_keys: Mapping[str, bytes]) -> bool:
    """Whether one of these keys (id → 32 bytes) signed it."""
    public_key = public_keys.get(held.key_id)
    if public_key is None or key_id(public_key) != held.key_id:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(bytes.fromhex(held.signature), held.statement.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def read(held: Signed) -> Checkpoint:
    """What is stated; raises ValueError when it is no checkpoint."""
    return msgspec.json.decode(held.statement, type=Checkpoint)


def token(held: Signed) -> str:
    """The checkpoint as one word, to be kept in a note, an e-mail or a log."""
    parts = (held.statement.encode(), bytes.fromhex(held.key_id), bytes.fromhex(held.signature))
    return ".".join((_WORD, *(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)))


def from_token(text: str) -> Signed:
    """The checkpoint that a word holds; raises ValueError."""
    name, *parts = text.strip().split(".")
    if name != _WORD or len(parts) != 3:
        raise ValueError("this is no checkpoint")
    try:
        statement, key, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts)
    except binascii.Error as error:
        raise ValueError("this is no checkpoint") from error
    return Signed(statement.decode(), key.hex(), signature.hex())


def verify(
    session: str, chain: Iterable[Sealed], checkpoints: Sequence[Signed], public_keys: Mapping[str, bytes]
) -> Fault | None:
    """The first event that is wrong by the chain or by a checkpoint, or None.

    A chain that was made anew is bad between the last checkpoint that it meets and the first that it doesn't; the
    fault then names the first event after the former.
    """
    links = list(chain)
    if fault := verify_chain(session, links):
        return fault
    met = 0
    for number, held in enumerate(checkpoints, start=1):
        try:
            checkpoint = read(held)
        except ValueError:
            return Fault(met + 1, f"checkpoint {number} cannot be read")
        if not genuine(held, public_keys):
            return Fault(checkpoint.seq, f"checkpoint {number} was not signed by this server")
        if (checkpoint.session, checkpoint.number) != (session, number) or checkpoint.seq < met:
            return Fault(met + 1, f"checkpoint {number} is not the one that stood here")
        if checkpoint.seq > len(links):
            return Fault(len(links) + 1, f"event {len(links) + 1} and all up to {checkpoint.seq} at least are missing")
        if links[checkpoint.seq - 1].hash.hex() != checkpoint.hash:
            return Fault(met + 1, f"an event from {met + 1} to {checkpoint.seq} was changed, and the chain made anew")
        met = checkpoint.seq
    return None
