"""Edits to an exported session that need no thought of its hashes and signatures, and where each is to be found."""

import json
import random
from typing import NamedTuple

from recorder import verification
from recorder.digest import CHUNK
from recorder.verification import Where
from signaling import checkpoints as signed_checkpoints
from signaling.checkpoints import Signed
from tests.chaos.evidence import CHECKPOINTS, MANIFEST, TIMELINE, Evidence, Files, changed, lines_of, statement

LINES = {TIMELINE: "event", CHECKPOINTS: "checkpoint"}
SEGMENTS = ("first", "second", "third")


class Edited(NamedTuple):
    """A folder after an edit: where that may be found, and as what; `kept` are checkpoints that stand elsewhere."""

    files: Files
    where: set[Where]
    kinds: set[str] | None = None
    kept: tuple[str, ...] = ()


def place(evidence: Evidence, name: str, offset: int) -> Where:
    """What stands at an offset of a file, by the name that it must be given."""
    content = evidence.files[name]
    if name in LINES:
        return (LINES[name], content[:offset].count(b"\n") + 1)
    if name.startswith("media/") and not name.endswith(".chunks"):
        segment, _, kind = name.removeprefix("media/").rpartition(".")
        if kind == "head":
            return ("chunk", segment, 0)
        if offset < evidence.fronts[segment]:
            return ("front", segment)
        head = len(evidence.files.get(f"media/{segment}.head", b""))
        return ("chunk", segment, (head + offset - evidence.fronts[segment]) // CHUNK)
    return ("file", name)


# --- Edits to an exported folder ---


def flip(evidence: Evidence, chance: random.Random) -> Edited:
    """One bit of any file."""
    name = chance.choice(sorted(evidence.files))
    offset = chance.randrange(len(evidence.files[name]))
    content = bytearray(evidence.files[name])
    content[offset] ^= 1 << chance.randrange(8)
    return Edited(changed(evidence, name, bytes(content)), {place(evidence, name, offset)})


def overwrite(evidence: Evidence, chance: random.Random) -> Edited:
    """A stretch of any file."""
    name = chance.choice(sorted(evidence.files))
    content = evidence.files[name]
    offset = chance.randrange(len(content))
    length = min(len(content) - offset, chance.randrange(1, 3 * CHUNK // 2))
    written = chance.randbytes(length)
    first = next((at for at in range(length) if written[at] != content[offset + at]), None)
    if first is None:
        return flip(evidence, chance)
    result = content[:offset] + written + content[offset + length :]
    return Edited(changed(evidence, name, result), {place(evidence, name, offset + first)})


def cut(evidence: Evidence, chance: random.Random) -> Edited:
    """The tail of any file."""
    name = chance.choice(sorted(evidence.files))
    offset = chance.randrange(len(evidence.files[name]))
    where = {place(evidence, name, offset)}
    if name.endswith(".webm"):
        segment = name[6:-5]
        where.add(("chunk", segment, 0)) if offset <= evidence.fronts[segment] else None
        if offset in {evidence.fronts[segment] + mark for mark in _marks(evidence, segment)}:
            return Edited(changed(evidence, name, evidence.files[name][:offset]), where, {"rolled_back"})
    kinds = {"cut", "rolled_back"} if name == TIMELINE else {"cut"} if name.endswith(".webm") else None
    return Edited(changed(evidence, name, evidence.files[name][:offset]), where, kinds)


def append(evidence: Evidence, chance: random.Random) -> Edited:
    """Something behind any file."""
    name = chance.choice(sorted(evidence.files))
    content = evidence.files[name]
    added = chance.randbytes(chance.randrange(1, 2 * CHUNK)) if chance.random() < 0.5 else b"\n"
    return Edited(changed(evidence, name, content + added), {place(evidence, name, len(content))})


def remove(evidence: Evidence, chance: random.Random) -> Edited:
    """A whole file."""
    name = chance.choice(sorted(evidence.files))
    where: set[Where] = {("file", name)}
    if name.endswith(".webm"):
        where = {("segment", name[6:-5])}
    elif name.endswith(".head"):
        where = {("chunk", name[6:-5], 0)}
    elif name == CHECKPOINTS:
        where.add(("checkpoint", 1))
    return Edited({key: content for key, content in evidence.files.items() if key != name}, where)


def smuggle(evidence: Evidence, chance: random.Random) -> Edited:
    """A file that was not exported."""
    name = f"{chance.choice(['', 'media/', 'snapshots/'])}{chance.randrange(1 << 30)}.webm"
    return Edited(changed(evidence, name, chance.randbytes(20)), {("file", name)}, {"added"})


def drop_line(evidence: Evidence, chance: random.Random) -> Edited:
    """An event or a checkpoint."""
    name = chance.choice(sorted(LINES))
    lines = lines_of(evidence.files[name])
    number = chance.randrange(len(lines))
    last = number == len(lines) - 1
    kinds = {"cut", "rolled_back"} if name == TIMELINE and last else None
    return Edited(
        changed(evidence, name, b"".join(lines[:number] + lines[number + 1 :])), {(LINES[name], number + 1)}, kinds
    )


def repeat_line(evidence: Evidence, chance: random.Random) -> Edited:
    """An event or a checkpoint, told twice, the second time anywhere after the first."""
    name = chance.choice(sorted(LINES))
    lines = lines_of(evidence.files[name])
    number = chance.randrange(len(lines))
    at = chance.randrange(number + 1, len(lines) + 1)
    repeated = [*lines[:at], lines[number], *lines[at:]]
    return Edited(changed(evidence, name, b"".join(repeated)), {(LINES[name], at + 1)})


def swap_lines(evidence: Evidence, chance: random.Random) -> Edited:
    """Two events or checkpoints."""
    name = chance.choice(sorted(LINES))
    lines = lines_of(evidence.files[name])
    one, two = sorted(chance.sample(range(len(lines)), 2))
    lines[one], lines[two] = lines[two], lines[one]
    return Edited(changed(evidence, name, b"".join(lines)), {(LINES[name], one + 1)})


def foreign_line(evidence: Evidence, chance: random.Random) -> Edited:
    """An event or a checkpoint of another session, in the place of one or between two."""
    name = chance.choice(sorted(LINES))
    lines, theirs = lines_of(evidence.files[name]), lines_of(evidence.other[name])
    number = chance.randrange(min(len(lines), len(theirs)))
    mixed = [*lines[:number], theirs[number], *lines[number + chance.randrange(2) :]]
    return Edited(changed(evidence, name, b"".join(mixed)), {(LINES[name], number + 1)})


def change_event(evidence: Evidence, chance: random.Random) -> Edited:
    """One field of an event, in good form."""
    lines = lines_of(evidence.files[TIMELINE])
    number = chance.randrange(len(lines))
    event = json.loads(lines[number])
    name = chance.choice(["at", "actor", "type", "body", "salt", "commitment", "previous_hash", "hash"])
    before = event[name]
    match name:
        case "at":
            event["at"] += chance.choice([-1, 1, 1000])
        case "actor" | "type":
            event[name] = chance.choice(["alice", "system", "chat_said", "note_added", "mallory"])
        case "body":
            event["body"] = '{"type":"chat_said","text":"I agree"}'
        case _:
            event[name] = chance.randbytes(32 if name != "salt" else 16).hex()
    if event[name] == before:
        return change_event(evidence, chance)
    lines[number] = verification.canonical(event).encode() + b"\n"
    return Edited(changed(evidence, TIMELINE, b"".join(lines)), {("event", number + 1)})


def erase(evidence: Evidence, chance: random.Random) -> Edited:
    """What an event said, as if it had been erased."""
    lines = lines_of(evidence.files[TIMELINE])
    number = chance.choice([i for i, line in enumerate(lines) if json.loads(line)["body"] is not None])
    event = json.loads(lines[number]) | {"body": None, "salt": None}
    lines[number] = verification.canonical(event).encode() + b"\n"
    return Edited(changed(evidence, TIMELINE, b"".join(lines)), {("event", number + 1)})


def roll_back_timeline(evidence: Evidence, chance: random.Random) -> Edited:
    """The timeline as it was at a checkpoint, with or without the checkpoints since."""
    lines, stated = lines_of(evidence.files[TIMELINE]), lines_of(evidence.files[CHECKPOINTS])
    seqs = [statement(line)["seq"] for line in stated]
    number = chance.choice([i for i, seq in enumerate(seqs) if seq < len(lines)])
    files = changed(evidence, TIMELINE, b"".join(lines[: seqs[number]]))
    if chance.random() < 0.5:
        files[CHECKPOINTS] = b"".join(stated[: number + 1])
    return Edited(files, {("event", seqs[number] + 1)}, {"rolled_back"})


def roll_back_everything(evidence: Evidence, chance: random.Random) -> Edited:
    """A whole older export, where a later checkpoint was kept in a ticket."""
    later = chance.choice(
        [held for held in evidence.checkpoints if _seq(held) > len(lines_of(evidence.older[TIMELINE]))]
    )
    where: set[Where] = {("event", len(lines_of(evidence.older[TIMELINE])) + 1)}
    return Edited(dict(evidence.older), where, {"rolled_back"}, (signed_checkpoints.token(later),))


def _seq(held: Signed) -> int:
    return signed_checkpoints.read(held).seq


def old_manifest(evidence: Evidence, chance: random.Random) -> Edited:
    """The signed list of an older export, or of another session."""
    source, kinds = chance.choice([(evidence.older, {"rolled_back"}), (evidence.other, None)])
    return Edited(changed(evidence, MANIFEST, source[MANIFEST]), {("file", MANIFEST)}, kinds)


def _marks(evidence: Evidence, segment: str) -> list[int]:
    head = len(evidence.files.get(f"media/{segment}.head", b""))
    bodies = [json.loads(link.body) for link in evidence.links if link.type == "segment_grown" and link.body]
    return [body["bytes"] - head for body in bodies if body["segment"] == segment]


def roll_back_segment(evidence: Evidence, chance: random.Random) -> Edited:
    """A segment's file as it was when its growth was told."""
    segment = chance.choice([name for name in SEGMENTS if _marks(evidence, name)])
    name, mark = f"media/{segment}.webm", chance.choice(_marks(evidence, segment))
    head = len(evidence.files.get(f"media/{segment}.head", b""))
    content = evidence.files[name][: evidence.fronts[segment] + mark]
    where: set[Where] = {("chunk", segment, (mark + head) // CHUNK)}
    return Edited(changed(evidence, name, content), where, {"rolled_back"})


def swap_segments(evidence: Evidence, chance: random.Random) -> Edited:
    """The files of two segments: what plays, or all that belongs to them."""
    one, two = chance.sample(SEGMENTS, 2)
    files = dict(evidence.files)
    for kind in ("webm",) if chance.random() < 0.5 else ("webm", "head", "chunks"):
        names = f"media/{one}.{kind}", f"media/{two}.{kind}"
        found = [files.pop(name, None) for name in names]
        files |= {name: content for name, content in zip(names, reversed(found), strict=True) if content is not None}
    return Edited(files, {("segment", one), ("segment", two)}, {"swapped"})


def swap_chunks(evidence: Evidence, chance: random.Random) -> Edited:
    """Two chunks of a segment, or one of another segment in the place of its own."""
    segment, other = chance.sample(SEGMENTS, 2)
    name, front = f"media/{segment}.webm", evidence.fronts[segment]
    skipped = CHUNK - len(evidence.files.get(f"media/{segment}.head", b""))
    content = bytearray(evidence.files[name])
    begin = front + skipped
    full = (len(content) - begin) // CHUNK
    one, two = (chance.choice(range(full)), chance.choice(range(full)))
    mine = slice(begin + one * CHUNK, begin + (one + 1) * CHUNK)
    if one == two:
        content[mine] = evidence.files[f"media/{other}.webm"][-CHUNK:]
        return Edited(changed(evidence, name, bytes(content)), {("chunk", segment, one + 1)}, {"altered"})
    theirs = slice(begin + two * CHUNK, begin + (two + 1) * CHUNK)
    content[mine], content[theirs] = content[theirs], content[mine]
    return Edited(changed(evidence, name, bytes(content)), {("chunk", segment, min(one, two) + 1)}, {"altered"})


def replace_segment(evidence: Evidence, chance: random.Random) -> Edited:
    """The media of another session in the place of a segment's, with the list of its chunks or without."""
    segment = chance.choice(SEGMENTS)
    files = dict(evidence.files)
    where: set[Where] = {("chunk", segment, 0)}
    kinds = ["webm", "head"]
    if chance.random() < 0.5:
        kinds.append("chunks")
        where.add(("file", f"media/{segment}.chunks"))
    for kind in kinds:
        files[f"media/{segment}.{kind}"] = evidence.other[f"media/elsewhere.{kind}"]
    return Edited(files, where)


def swap_pictures(evidence: Evidence, chance: random.Random) -> Edited:
    """Two pictures."""
    one, two = "snapshots/photo.png", "snapshots/still.png"
    files = evidence.files | {one: evidence.files[two], two: evidence.files[one]}
    return Edited(files, {("file", one), ("file", two)})
