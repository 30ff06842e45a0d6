"""Edits to an exported session by somebody who makes its hashes anew, and signatures with a key of one's own."""

import json
import random
from typing import Any

import msgspec

from recorder import verification
from server.export import event_line
from signaling.messages import ChatSaid, Event, EventBody
from signaling.timeline import GENESIS, Sealed, seal
from tests.chaos.edits import Edited
from tests.chaos.evidence import CHECKPOINTS, KEYS, MANIFEST, TIMELINE, Evidence, changed, lines_of, signer, statement

_BODY: msgspec.json.Decoder[EventBody] = msgspec.json.Decoder(EventBody)


def _signed_line(evidence: Evidence, stated: dict[str, Any], key: int) -> bytes:
    held = signer(key).signed(verification.canonical(stated).encode())
    return verification.canonical(msgspec.structs.asdict(held)).encode()


def forged(evidence: Evidence, chance: random.Random) -> tuple[list[Sealed], int]:
    """The timeline with another text in one event, and the chain made anew from there; and that event's seq."""
    number = chance.randrange(len(evidence.links))
    links = list(evidence.links[:number])
    for link in evidence.links[number:]:
        before, salt = (links[-1].hash if links else GENESIS), link.salt or bytes(16)
        if link.body is None:
            body: EventBody = ChatSaid("erased")
        else:
            body = _BODY.decode(link.body)
        if link.seq == number + 1:
            body = ChatSaid("I agree to everything")
        links.append(seal(evidence.session, Event(link.seq, link.at, link.actor, body), before, salt))
    return links, number + 1


def rewrite(evidence: Evidence, chance: random.Random) -> Edited:
    """An event, and the whole chain made anew behind it, as whoever may write into the database could."""
    links, seq = forged(evidence, chance)
    content = "".join(f"{event_line(link)}\n" for link in links).encode()
    return Edited(changed(evidence, TIMELINE, content), {("event", seq)})


def change_statement(evidence: Evidence, chance: random.Random) -> Edited:
    """What a checkpoint or the signed list says, without the key to sign it."""
    if chance.random() < 0.5:
        lines = lines_of(evidence.files[CHECKPOINTS])
        number = chance.randrange(len(lines))
        held = json.loads(lines[number])
        stated = json.loads(held["statement"])
        name = chance.choice(["session", "number", "seq", "hash", "at", "reason"])
        stated[name] = stated[name] + 1 if isinstance(stated[name], int) else "0" * 64
        held["statement"] = verification.canonical(stated)
        lines[number] = verification.canonical(held).encode() + b"\n"
        return Edited(changed(evidence, CHECKPOINTS, b"".join(lines)), {("checkpoint", number + 1)})
    held = json.loads(evidence.files[MANIFEST])
    stated = json.loads(held["statement"])
    name = chance.choice(sorted(stated.keys() - {"purpose"}))
    match stated[name]:
        case bool(value):
            stated[name] = not value
        case int(value):
            stated[name] = value + 1
        case str():
            stated[name] = "other"
        case list() as values:
            stated[name] = values[:-1]
        case dict() as values:
            values["other"] = "0" * 64
    held["statement"] = verification.canonical(stated)
    return Edited(changed(evidence, MANIFEST, verification.canonical(held).encode()), {("file", MANIFEST)})


def change_keys(evidence: Evidence, chance: random.Random) -> Edited:
    """The public keys: one more, another, or none."""
    mallory = signer(7)
    key, keys = mallory.public_keys[mallory.key_id].hex(), json.loads(evidence.files[KEYS])
    match chance.randrange(4):
        case 0:
            keys[mallory.key_id] = key
        case 1:
            keys = {mallory.key_id: key}
        case 2:
            keys = dict.fromkeys(keys, key)
        case _:
            keys = {}
    return Edited(changed(evidence, KEYS, verification.canonical(keys).encode()), {("file", KEYS)})


def sign_anew(evidence: Evidence, chance: random.Random) -> Edited:
    """Everything, altered and signed anew with a key of one's own, which stands among the public keys."""
    mallory = signer(7)
    links, _ = forged(evidence, chance)
    files = dict(evidence.files)
    files[KEYS] = verification.canonical({mallory.key_id: mallory.public_keys[mallory.key_id].hex()}).encode()
    files[TIMELINE] = "".join(f"{event_line(link)}\n" for link in links).encode()
    lines = [statement(line) for line in lines_of(files[CHECKPOINTS])]
    resealed = [_signed_line(evidence, line | {"hash": links[line["seq"] - 1].hash.hex()}, 7) for line in lines]
    files[CHECKPOINTS] = b"".join(line + b"\n" for line in resealed)
    stated = statement(files[MANIFEST])
    stated["events"] = [link.hash.hex() for link in links]
    stated["erased"] = []
    stated["checkpoints"] = [verification.sha256(line) for line in resealed]
    for name in (KEYS, TIMELINE, CHECKPOINTS):
        stated["files"][name] = verification.sha256(files[name])
    files[MANIFEST] = _signed_line(evidence, stated, 7)
    return Edited(files, {("key", mallory.key_id)}, {"untrusted"})


def sign_one_checkpoint(evidence: Evidence, chance: random.Random) -> Edited:
    """A checkpoint, signed with a key of one's own."""
    lines = lines_of(evidence.files[CHECKPOINTS])
    number = chance.randrange(len(lines))
    lines[number] = _signed_line(evidence, statement(lines[number]) | {"at": 1}, 7) + b"\n"
    return Edited(changed(evidence, CHECKPOINTS, b"".join(lines)), {("checkpoint", number + 1)})
