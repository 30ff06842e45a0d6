"""Checks an exported session: `python verify.py FOLDER`. Needs Python 3.11, `cryptography`, and nothing of the server.

The folder holds the timeline (a hash chain), checkpoints of it that the server signed while the session went on, the
media whose digests stand on the timeline, and a signed list of everything. All is checked against all, and the first
thing that is wrong is named first; what follows may only be its consequence.
"""

import argparse
import base64
import hashlib
import io
import json
import re
import struct
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CHUNK = 65536
MANIFEST, KEYS, TOMBSTONE = "manifest.json", "keys.json", "tombstone.json"
TIMELINE, CHECKPOINTS = "timeline.jsonl", "checkpoints.jsonl"
EVENT_FIELDS = ["seq", "at", "actor", "type", "body", "salt", "commitment", "previous_hash", "hash"]
TOKEN = re.compile(r"sightline-checkpoint\.([\w-]+)\.([\w-]+)\.([\w-]+)")
DIGEST, SALT = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{32}")
EBML, SEGMENT, INFO, TRACKS, CUES = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1C53BB6B
CLUSTER = b"\x1f\x43\xb6\x75"
UNCHAINED = "it does not follow from the event before it"
MEDIA_EVENTS = ("segment_started", "segment_grown", "segment_finished", "snapshot_taken")
Where = tuple[str | int, ...]


class Finding(NamedTuple):
    """Something wrong. `kind` is `altered`, `missing`, `added`, `cut`, `rolled_back`, `swapped` or `untrusted`.

    `where` is ("event", 7), ("chunk", segment, 3), ("front", segment), ("segment", id), ("checkpoint", 2), ("key", id)
    or ("file", name). When only a range can be told, it reaches up to `until`, and `where` is its beginning.
    """

    kind: str
    where: Where
    text: str
    until: int | None = None


class Report(NamedTuple):
    """`findings` is empty when nothing was altered; `interrupted` are segments that no recorder finished."""

    findings: list[Finding]
    checked: list[str]
    interrupted: list[str]


class Folder(Protocol):
    """The files of an export by name."""

    def names(self) -> Collection[str]:
        """Every file, such as `media/x.webm`."""

    def open(self, name: str) -> BinaryIO:
        """A file to read; raises OSError."""


class FolderOnDisk:
    """An export that was unpacked."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> Collection[str]:
        return [path.relative_to(self._path).as_posix() for path in self._path.rglob("*") if not path.is_dir()]

    def open(self, name: str) -> BinaryIO:
        return (self._path / name).open("rb")


def canonical(value: object) -> str:
    """JSON in the one form in which it is signed and hashed."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sha256(data: bytes) -> str:
    """The digest in hex."""
    return hashlib.sha256(data).hexdigest()


def key_id(public_key: bytes) -> str:
    """The id of a key is its fingerprint."""
    return sha256(public_key)[:32]


def event_hash(session: str, event: Mapping[str, Any]) -> str:
    """The hash of an event, made of its commitment to its body and of the hash before it."""
    fields = [session, *(event[name] for name in ("seq", "at", "actor", "type", "commitment", "previous_hash"))]
    return sha256(canonical(fields).encode())


def commitment(salt: str, body: str) -> str:
    """What an event's hash holds of its body."""
    return sha256(bytes.fromhex(salt) + body.encode())


def chunks_of(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, 64 KiB at a time."""
    held = b""
    for piece in pieces:
        held += piece
        while len(held) >= CHUNK:
            yield held[:CHUNK]
            held = held[CHUNK:]
    if held:
        yield held


def tree(digests: Sequence[bytes]) -> str:
    """The digest of media out of the digests of its chunks."""
    return sha256(b"".join(digests))


def _parsed(text: bytes) -> Any:
    """JSON that is in its one form; None when it is not."""
    try:
        value = json.loads(text)
        return value if canonical(value).encode() == text else None
    except (ValueError, RecursionError):
        return None


class Signed(NamedTuple):
    """A statement and who signed it."""

    statement: dict[str, Any]
    key_id: str
    genuine: bool


class Export:
    """One folder and what is found in it; `trusted` are ids of keys, `kept` checkpoints that were kept elsewhere."""

    def __init__(self, folder: Folder, trusted: Collection[str], kept: Sequence[str]) -> None:
        self.folder, self.trusted, self.kept = folder, trusted, kept
        self.names = frozenset(folder.names())
        self.findings: list[Finding] = []
        self.checked: list[str] = []
        self.interrupted: list[str] = []
        self.expected: dict[str, str] = {}
        self.keys: dict[str, Ed25519PublicKey] = {}
        self.keys_wrong = False
        self.manifest: dict[str, Any] = {}
        self.later: list[Finding] = []
        """What is wrong with checkpoints, told after what is wrong with events."""
        self.events: list[dict[str, Any] | None] = []
        """Those that are as they were, and None for those that are not."""

    def find(self, kind: str, where: Where, text: str, until: int | None = None) -> None:
        self.findings.append(Finding(kind, where, text, until))

    def content(self, name: str) -> bytes:
        if name not in self.names:
            return b""
        with self.folder.open(name) as file:
            return file.read()

    def listed(self, name: str) -> str | None:
        """The digest that the signed list has of a file."""
        found = self.manifest.get("files", {}).get(name)
        return str(found) if found is not None else None

    def signed(self, text: bytes, purpose: str) -> Signed | None:
        """A signed statement for this purpose; None when it is none at all."""
        held = _parsed(text)
        if not isinstance(held, dict) or list(held) != ["statement", "key_id", "signature"]:
            return None
        try:
            statement = _parsed(held["statement"].encode())
            signature = bytes.fromhex(held["signature"])
        except (ValueError, TypeError, AttributeError):
            return None
        if (
            not isinstance(statement, dict)
            or statement.get("purpose") != purpose
            or signature.hex() != held["signature"]
        ):
            return None
        key = self.keys.get(held["key_id"]) if isinstance(held["key_id"], str) else None
        return Signed(statement, str(held["key_id"]), key is not None and _signs(key, held["statement"], signature))

    # --- Keys and the signed list ---

    def check_keys(self) -> None:
        listed = _parsed(self.content(KEYS))
        whole = isinstance(listed, dict) and bool(listed)
        for name, text in listed.items() if isinstance(listed, dict) else ():
            public_key = bytes.fromhex(text) if isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text) else b""
            if key_id(public_key) == name:
                self.keys[name] = Ed25519PublicKey.from_public_bytes(public_key)
            else:
                whole = False
        if not whole:
            self.wrong_keys("The public keys were changed: a key is not the one that its id says.")

    def wrong_keys(self, text: str) -> None:
        self.keys_wrong = True
        self.find("altered" if KEYS in self.names else "missing", ("file", KEYS), text)

    def check_manifest(self) -> None:
        text = self.content(MANIFEST)
        held = self.signed(text, "export")
        if held is None or not held.genuine:
            said = held.statement.get("files", {}) if held else {}
            keys = said.get(KEYS) if isinstance(said, dict) else None
            if held and held.key_id not in self.keys and keys != sha256(self.content(KEYS)) and not self.keys_wrong:
                self.wrong_keys(f"Key {held.key_id}, which signed this export, is not among the public keys.")
            elif not self.keys_wrong:
                kind = "altered" if text else "missing"
                self.find(kind, ("file", MANIFEST), "The signed list of what was exported is not what was signed.")
            return
        self.distrust(held.key_id, "this export")
        foreign = self.elsewhere(held.statement)
        if foreign is not None:
            which = "an older export" if foreign == "rolled_back" else "another session"
            self.find(foreign, ("file", MANIFEST), f"The signed list is that of {which}.")
            return
        self.manifest = held.statement
        if not self.keys_wrong and sha256(self.content(KEYS)) != self.listed(KEYS):
            self.wrong_keys("The public keys are not those that were exported.")
        self.checked.append(f"Signed by key {held.key_id}.")

    def elsewhere(self, manifest: Mapping[str, Any]) -> str | None:
        """Whether a genuine list is of another export: checkpoints and events then agree on what it does not know."""
        lines = self.content(TIMELINE).split(b"\n")
        for line in reversed(self.content(CHECKPOINTS).split(b"\n")):
            held = self.signed(line, "checkpoint")
            if held is None or not held.genuine or not 0 < held.statement["seq"] <= len(lines):
                continue
            event = _parsed(lines[held.statement["seq"] - 1])
            stands = isinstance(event, dict) and event.get("hash") == held.statement["hash"]
            if stands and held.statement["session"] != manifest["session"]:
                return "altered"
            if stands and held.statement["seq"] > len(manifest["events"]):
                return "rolled_back"
        return None

    def distrust(self, key: str, what: str) -> None:
        known = {finding.where for finding in self.findings}
        if self.trusted and key not in self.trusted and ("key", key) not in known:
            self.find("untrusted", ("key", key), f"Key {key}, which signed {what}, is none that you trust.")

    def check_files(self) -> None:
        """Names whatever is changed, missing or added and was not named already."""
        if not self.manifest:
            return
        media = {f"media/{entry['segment']}.webm" for entry in self.manifest["media"]}
        for name in sorted(self.manifest["files"]):
            named = name in {TIMELINE, CHECKPOINTS, KEYS} and bool(self.findings)
            if name.startswith("media/") and not name.endswith(".chunks"):
                named = any(finding.where[1] == name[6:].rpartition(".")[0] for finding in self.findings)
            if named or ("file", name) in {finding.where for finding in self.findings}:
                continue
            if name not in self.names:
                self.find("missing", ("file", name), f"The file {name} is missing.")
            elif sha256(self.content(name)) != self.manifest["files"][name]:
                self.find("altered", ("file", name), f"The file {name} was changed after the export.")
        for name in sorted(self.names - media - self.manifest["files"].keys() - {MANIFEST}):
            self.find("added", ("file", name), f"The file {name} was not part of the export.")
        if not self.findings:
            self.checked.append(f"{len(self.manifest['files']) + len(media)} files, as they were exported.")

    # --- The timeline and its checkpoints ---

    def check_timeline(self) -> None:
        text = self.content(TIMELINE)
        if TIMELINE not in self.names:
            self.find("missing", ("file", TIMELINE), "The timeline is missing.")
            return
        lines = text.split(b"\n")
        whole = lines.pop() == b""
        session, expected = self.session(), self.manifest.get("events")
        sealed = self.sealed_states(session)
        if not whole:
            lines.append(b"")  # the last line was cut
        hashes = list[str]()
        for place, line in enumerate(lines, start=1):
            event = _parsed(line)
            fault = _event_fault(session, place, event, self.manifest.get("erased"))
            hashes.append(str(event["hash"]) if isinstance(event, dict) and "hash" in event else "")
            if fault is None and expected is not None and place > len(expected):
                fault = "it was added after the export"
            elif fault is None and expected is not None and hashes[-1] != expected[place - 1]:
                fault = "it is not the event that was exported"
            elif fault is None:  # what was exported may have been changed before
                before = (hashes if expected is None else expected)[place - 2] if place > 1 else "0" * 64
                fault = None if event["previous_hash"] == before else UNCHAINED
            self.events.append(event if fault is None else None)
            if fault is not None and not any(finding.where[0] == "event" for finding in self.findings):
                cut = not whole and place == len(lines)
                kind = "cut" if cut else "added" if "added" in fault else "altered"
                if fault == UNCHAINED and place > 1:  # by itself each of the two is sound
                    said = f"Event {place - 1} or {place}: the second does not follow from the first."
                    self.find(kind, ("event", place - 1), said, place)
                else:
                    self.find(kind, ("event", place), f"Event {place}: {'it is cut off' if cut else fault}.")
        self.check_length(len(lines), sealed)
        self.check_states(hashes, sealed)
        self.findings += self.later
        if not self.findings:
            self.checked.append(f"{len(lines)} events, each following from the one before.")
            self.checked.append(f"{len(sealed)} signed checkpoints, each of them met.")
        if self.manifest and not self.manifest["ended"]:
            self.checked.append("The session was going on still when this was exported.")

    def check_length(self, length: int, sealed: list[tuple[int, str]]) -> None:
        """Whether events are missing at the end: cut off, or back in a state in which a checkpoint was made."""
        last = max([len(self.manifest.get("events", [])), *(seq for seq, _ in sealed)])
        if length >= last or any(finding.where[0] == "event" for finding in self.findings):
            return
        older = any(seq == length for seq, _ in sealed)
        text = f"Event {length + 1} and all after it, up to {last}, are missing: the timeline was "
        text += "put back to an older state." if older else "cut off."
        self.find("rolled_back" if older else "cut", ("event", length + 1), text)

    def check_states(self, hashes: list[str], sealed: list[tuple[int, str]]) -> None:
        """Whether the timeline went through every state that was signed."""
        met = 0
        for seq, state in sorted(sealed):
            if any(finding.where[0] == "event" for finding in self.findings) or seq > len(hashes):
                return
            if hashes[seq - 1] != state:
                text = f"An event from {met + 1} to {seq} is another than when it was sealed."
                self.find("altered", ("event", met + 1), text, seq)
            met = seq

    def sealed_states(self, session: str) -> list[tuple[int, str]]:
        """(seq, hash) of every checkpoint of this session that is genuine, here or kept elsewhere."""
        found = list[tuple[int, str]]()
        lines, listed = self.content(CHECKPOINTS).split(b"\n"), self.manifest.get("checkpoints")
        if lines.pop():
            lines.append(b"")  # the last line was cut
        for number, line in enumerate(lines, start=1):
            held = self.signed(line, "checkpoint")
            listed_so = listed is None or number > len(listed) or sha256(line) == listed[number - 1]
            stated = (held.statement["session"], held.statement["number"]) if held and held.genuine else None
            if held and stated == (session, number) and listed_so:
                found.append((held.statement["seq"], held.statement["hash"]))
                self.distrust(held.key_id, f"checkpoint {number}")
            elif not self.keys_wrong and not self.later:
                self.later.append(
                    Finding("altered", ("checkpoint", number), f"Checkpoint {number} is not the one that was signed.")
                )
        if listed and len(lines) < len(listed) and not self.later:
            where, text = ("checkpoint", len(lines) + 1), f"Checkpoint {len(lines) + 1} and all after it are missing."
            self.later.append(Finding("missing", where, text))
        for word in self.kept:
            statement, key = read_token(word)
            if statement["session"] != session:
                text = f"The checkpoint that you kept is of session {statement['session']}, and this is {session}."
                self.find("swapped", ("file", MANIFEST), text)
                continue
            found.append((statement["seq"], statement["hash"]))
            self.distrust(key, "the checkpoint that you kept")
            if key not in self.keys and not self.keys_wrong:
                self.find("untrusted", ("key", key), f"Key {key} of the checkpoint that you kept is not one of these.")
        return found

    def check_tombstone(self) -> None:
        """Events are erased and media deleted by a deletion of this session, which the server signed."""
        erased, absent = self.manifest.get("erased", []), self.manifest.get("absent", {})
        if not erased and "deleted" not in absent.values():
            return
        held = self.signed(self.content(TOMBSTONE), "tombstone")
        own = held is not None and held.genuine and held.statement["session"] == self.session()
        if held is None or not own or not set(erased) <= set(held.statement["erased"]):
            kind = "altered" if TOMBSTONE in self.names else "missing"
            if not self.keys_wrong and not any(finding.where[0] == "event" for finding in self.findings):
                what = "What events said was erased" if erased else "Media were deleted"
                self.find(kind, ("file", TOMBSTONE), f"{what}, and no signed deletion says so.")
            return
        self.distrust(held.key_id, "the deletion")
        self.checked.append(f"What {len(erased)} events said was erased, as the signed deletion says.")

    def session(self) -> str:
        """Whose timeline this is, as the first statement says that is there."""
        if self.manifest:
            return str(self.manifest["session"])
        for line in (*self.content(CHECKPOINTS).split(b"\n"), self.content(MANIFEST)):
            held = self.signed(line, "checkpoint") or self.signed(line, "export")
            if held is not None:
                return str(held.statement.get("session"))
        return ""

    # --- The media ---

    def check_media(self) -> None:
        told = [event for event in self.events if event is not None and event["body"] is not None]
        bodies = {kind: [json.loads(event["body"]) for event in told if event["type"] == kind] for kind in MEDIA_EVENTS}
        listed = {entry["segment"]: entry for entry in self.manifest.get("media", [])}
        finished = {body["segment"]: body for body in bodies["segment_finished"]}
        names = dict.fromkeys([*(body["segment"] for body in bodies["segment_started"]), *listed])
        self.expected = {
            name: (finished.get(name) or listed[name])["digest"] for name in names if name in finished | listed
        }
        for name in names:
            if (why := self.manifest.get("absent", {}).get(name)) is not None:
                self.absent(name, why)
                continue
            marks = [(body["bytes"], body["digest"]) for body in bodies["segment_grown"] if body["segment"] == name]
            self.check_segment(Segment(self, name, listed.get(name)), finished.get(name), sorted(marks))
        for body in bodies["snapshot_taken"]:
            self.check_snapshot(f"snapshots/{body['surface']['id']}", body.get("digest"))

    def absent(self, segment: str, why: str) -> None:
        """Tells of media that the server did not have when this was exported, and said so."""
        if why == "deleted":
            self.checked.append(f"Segment {segment} was deleted on the server; tombstone.json says when and why.")
        elif why == "missing":
            self.find("missing", ("segment", segment), f"Segment {segment} was not on the server any more.")
        else:
            where = ("chunk", segment, int(why.rpartition(" ")[2]))
            self.find("altered", where, f"Segment {segment} was {why} on the server already.")

    def check_snapshot(self, name: str, digest: str | None) -> None:
        files = [file for file in self.names if file.startswith(f"{name}.")]
        if not files and not any(file.startswith(f"{name}.") for file in self.manifest.get("files", ())):
            self.find("missing", ("file", name), f"The picture {name} is missing.")
        elif files and digest is not None and sha256(self.content(files[0])) != digest:
            self.find("altered", ("file", files[0]), f"The picture {files[0]} is not the one that was taken.")

    def check_segment(self, segment: "Segment", finished: dict[str, Any] | None, marks: list[tuple[int, str]]) -> None:
        name, listed = segment.name, segment.listed
        if segment.file not in self.names:
            self.find("missing", ("segment", name), f"The file of segment {name} is missing.")
            return
        if finished is not None and listed is not None and finished["digest"] != listed["digest"]:
            self.find("altered", ("segment", name), f"Segment {name} was exported as another than was recorded.")
            return
        last = marks[-1] if marks else (0, tree([]))
        if finished is None:
            self.interrupted.append(name)
            text = f"Segment {name} was interrupted: no recorder finished it."
            self.checked.append(f"{text} The timeline vouches for its first {last[0]} bytes, the export for all.")
        expected = finished or listed
        if expected is not None:
            sound = self.compare(segment, expected["bytes"], expected["digest"], marks)
        else:  # what was told while it grew is all there is
            sound = segment.state(last[0]) == last[1] or self.compare(segment, last[0], last[1], marks)
        fault = segment.front_fault(finished["duration_ms"] if finished else None) if sound else None
        if fault is not None:
            self.find("altered", ("front", name), f"What stands before the media of segment {name}: {fault}.")
        if sound:
            self.checked.append(f"Segment {name}: {segment.size} bytes of media in {len(segment.digests)} chunks.")

    def compare(self, segment: "Segment", size: int, digest: str, marks: list[tuple[int, str]]) -> bool:
        """Whether the media are those with this digest; names the first chunk that is wrong otherwise."""
        name, actual, listed = segment.name, segment.digests, segment.listed_chunks()
        if (segment.size, tree(actual)) == (size, digest):
            if listed != actual:
                text = f"The list of chunks of segment {name} was changed."
                self.find("altered", ("file", segment.chunks_file), text)
            good = [mark for mark in marks if segment.state(mark[0]) == mark[1]]
            if good != marks:
                first, last = len(good[-1:]) and good[-1][0] // CHUNK, marks[len(good)][0] // CHUNK
                text = f"Segment {name}: a chunk from {first} to {last} is not what stood there while it grew."
                self.find("altered", ("chunk", name, first), text, last)
            return good == marks
        for other, theirs in self.expected.items():
            if other != name and segment.holds(Segment(self, other, None), theirs):
                self.find("swapped", ("segment", name), f"The file of segment {name} holds segment {other}.")
                return False
        listed = listed[: -(-size // CHUNK)]
        if tree(listed) != digest:  # what was told while it grew is the next best
            self.find("altered", ("file", segment.chunks_file), f"The list of chunks of segment {name} was changed.")
            first = max((mark[0] for mark in marks if segment.state(mark[0]) == mark[1]), default=0) // CHUNK
            text = f"Segment {name}: chunk {first} or one after it is not what was recorded."
            self.find("altered", ("chunk", name, first), text, max(segment.size, size) // CHUNK)
            return False
        same = [mine == theirs for mine, theirs in zip(actual, listed, strict=False)]
        first = same.index(False) if False in same else len(same)
        kind, what = "altered", "is not what was recorded"
        if segment.size < size and first >= segment.size // CHUNK:
            kind, what = "cut", "and what follows are cut off"
            if segment.size in {mark[0] for mark in marks}:
                kind, what = "rolled_back", "and what follows are missing: the file was put back to an older state"
        elif segment.size > size and first >= size // CHUNK:
            kind, what = "added", f"has more than was recorded: {segment.size - size} bytes were added"
        self.find(kind, ("chunk", name, first), f"Segment {name}: chunk {first} {what}.")
        return False


class Segment:
    """A segment's files: what stood at the beginning of its media, the media behind a front, and a rest."""

    def __init__(self, export: Export, name: str, listed: dict[str, Any] | None) -> None:
        self.export, self.name, self.listed = export, name, listed
        self.file, self.chunks_file = f"media/{name}.webm", f"media/{name}.chunks"
        self.head, self.rest = export.content(f"media/{name}.head"), export.content(f"media/{name}.rest")
        self.front = self._front_length()
        self.digests, self.size = self._digests(self.head, self.rest, self.front)

    def _open(self) -> BinaryIO:
        return self.export.folder.open(self.file) if self.file in self.export.names else io.BytesIO()

    def _front_length(self) -> int:
        """Where the first cluster begins in the file that is played."""
        if self.listed is not None:
            return int(self.listed["front"])
        with self._open() as file:
            return max(0, file.read(1 << 20).find(CLUSTER)) if self.head else 0

    def _digests(self, head: bytes, rest: bytes, front: int) -> tuple[list[bytes], int]:
        def pieces() -> Iterator[bytes]:
            yield head
            with self._open() as file:
                file.seek(front)
                yield from iter(lambda: file.read(CHUNK), b"")
            yield rest

        found, size = list[bytes](), 0
        for chunk in chunks_of(pieces()):
            found.append(hashlib.sha256(chunk).digest())
            size += len(chunk)
        return found, size

    def state(self, size: int) -> str:
        """The digest that it had when it was `size` bytes long, in full chunks."""
        return tree(self.digests[: size // CHUNK]) if size <= self.size else ""

    def listed_chunks(self) -> list[bytes]:
        """The digests of the chunks, as the export lists them."""
        text = self.export.content(self.chunks_file).decode("ascii", "replace")
        lines = text.removesuffix("\n").split("\n") if text else []
        return [bytes.fromhex(line) if DIGEST.fullmatch(line) else b"" for line in lines]

    def holds(self, other: "Segment", digest: str) -> bool:
        """Whether this file holds the media of another segment, with its own head or with the other's."""
        if tree(self.digests) == digest:
            return True
        with self._open() as file:
            front = max(0, file.read(1 << 20).find(CLUSTER))
        ends = [(self.head, self.rest, front), (other.head, other.rest, front if other.head else 0)]
        return any(tree(self._digests(*files)[0]) == digest for files in ends)

    def front_fault(self, duration_ms: int | None) -> str | None:
        """What is wrong with the front, which follows from the media and their duration."""
        with self._open() as file:
            front = file.read(self.front)
            whole = file.seek(0, 2)
            if self.listed and sha256(front) != self.listed["front_sha256"]:
                return "it was changed after the export"
            return None if not self.head else _front_fault(front, self.head, whole, duration_ms, file)


def _signs(key: Ed25519PublicKey, statement: str, signature: bytes) -> bool:
    try:
        key.verify(signature, statement.encode())
    except InvalidSignature:
        return False
    return True


def _event_fault(session: str, place: int, event: Any, erased: Collection[int] | None) -> str | None:
    """What is wrong with a line of the timeline by itself, or None."""
    if not isinstance(event, dict) or list(event) != EVENT_FIELDS:
        return "it cannot be read"
    try:
        if event["seq"] != place:
            return f"event {event['seq']} stands in its place"
        if event["hash"] != event_hash(session, event):
            return "its place, time, actor, type or commitment was changed"
        if event["body"] is None:
            said = event["salt"] is None and (erased is None or place in erased)
            return None if said else "its body was taken out"
        salt = event["salt"]
        if not SALT.fullmatch(salt) or commitment(salt, event["body"]) != event["commitment"]:
            return "its body was changed"
    except (TypeError, ValueError, AttributeError):
        return "it cannot be read"
    return None


def _elements(data: bytes, at: int = 0) -> Iterator[tuple[int, int, int]]:
    """(id, where the content begins, where it ends) of EBML elements in a row (RFC 8794)."""
    while at < len(data):
        width = 9 - data[at].bit_length()
        kind = int.from_bytes(data[at : at + width], "big")
        long = 9 - data[at + width].bit_length() if at + width < len(data) else 9
        size = int.from_bytes(data[at + width : at + width + long], "big") & ((1 << 7 * long) - 1)
        begin = at + width + long
        at = begin if kind == SEGMENT else begin + size
        yield kind, begin, at


def _front_fault(front: bytes, head: bytes, whole: int, duration_ms: int | None, file: BinaryIO) -> str | None:
    """A front holds the tracks of the head, a true size and duration, and marks that meet clusters."""
    try:
        mine = {kind: (begin, end) for kind, begin, end in _elements(front)}
        theirs = {kind: head[begin:end] for kind, begin, end in _elements(head)}
        if set(mine) - {CUES} != {EBML, SEGMENT, INFO, TRACKS} or mine[max(mine, key=lambda k: mine[k][1])][1] != len(
            front
        ):
            return "it holds something else than it should"
        if any(front[slice(*mine[kind])] != theirs[kind] for kind in (EBML, TRACKS)):
            return "it describes other media"
        start = mine[SEGMENT][0]
        if int.from_bytes(front[start - 8 : start], "big") & ((1 << 56) - 1) != whole - start:
            return "it gives another length"
        info = front[slice(*mine[INFO])]
        said = {kind: info[begin:end] for kind, begin, end in _elements(info)}
        if duration_ms is not None and said[0x4489] != struct.pack(">d", duration_ms):
            return "it gives another duration"
        cues = front[slice(*mine[CUES])] if CUES in mine else b""
        for _, begin, end in _elements(cues):
            point = cues[begin:end]
            for kind, where, until in _elements(point):
                if kind == 0xB7:
                    position = {k: point[where + b : where + e] for k, b, e in _elements(point[where:until])}
                    file.seek(start + int.from_bytes(position[0xF1], "big"))
                    if file.read(4) != CLUSTER:
                        return "a mark meets no cluster"
    except (KeyError, IndexError, ValueError, OverflowError):
        return "it cannot be read"
    return None


def read_token(text: str) -> tuple[dict[str, Any], str]:
    """The statement and the key of a checkpoint that was kept as one word; raises ValueError."""
    found = TOKEN.search(text)
    try:
        parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in found.groups()] if found else []
        statement = json.loads(parts[0])
        if statement["purpose"] != "checkpoint":
            raise ValueError
        return statement, parts[1].hex()
    except (ValueError, IndexError, KeyError, TypeError):
        raise ValueError("That is no checkpoint: it begins with sightline-checkpoint.") from None


def verify(folder: Folder, trusted: Collection[str] = (), kept: Sequence[str] = ()) -> Report:
    """All that is wrong with an export, the cause first; raises OSError, and ValueError for what is no checkpoint."""
    export = Export(folder, trusted, kept)
    first: list[Callable[[], None]] = [export.check_keys, export.check_manifest, export.check_timeline]
    try:
        for step in (*first, export.check_tombstone, export.check_media, export.check_files):
            step()
    except (KeyError, TypeError, AttributeError, IndexError):  # what is signed is in good form, if the key is ours
        export.find("altered", ("file", MANIFEST), "What is signed is not in the form in which the server signs.")
    return Report(export.findings, export.checked, export.interrupted)


def told(report: Report) -> str:
    """The report in words, what is wrong first."""
    lines = list[str]()
    if report.findings:
        lines += ["SOMETHING IS WRONG", *(f"  {finding.text}" for finding in report.findings[:20])]
        lines += [] if len(report.findings) == 1 else ["  What comes first is the cause; the rest may follow from it."]
    elif report.interrupted:
        lines.append("INTERRUPTED, NOT TAMPERED: all that was recorded is as it was recorded.")
    else:
        lines.append("INTACT: all is as it was recorded.")
    return "\n".join([*lines, "", "Checked:", *(f"  {text}" for text in report.checked)])


def main(arguments: Sequence[str] | None = None) -> int:
    """`verify.py [FOLDER] [--key ID] [--checkpoint TEXT]`: 0 when all is well, 1 when not, 2 when it cannot be told."""
    parser = argparse.ArgumentParser(description="Check an exported Sightline session.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", action="append", default=[], help="id of a key that you trust; as often as there are")
    parser.add_argument("--checkpoint", action="append", default=[], help="a checkpoint from the ticket or the webhook")
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        print(f"There is no folder {given.folder}.", file=sys.stderr)
        return 2
    try:
        report = verify(FolderOnDisk(given.folder), given.key, given.checkpoint)
    except (OSError, ValueError) as error:
        print(f"Not checked: {error}", file=sys.stderr)
        return 2
    print(told(report))
    if not given.key:
        print("\nCompare the id of the key with the one that the server's owner gave you, or name it with --key.")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
