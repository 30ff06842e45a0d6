"""Sessions as they are exported, made by the parts that make them in the server, for what `tamper` does to them."""

import hashlib
import io
import json
import random
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder import vp8, webm
from recorder.archive import Archive, Finished
from recorder.keyring import Keyring
from server.export import Case, Export
from server.signing import Signer
from signaling import messages as m
from signaling.checkpoints import Checkpoint, Reason, Signed
from signaling.timeline import GENESIS, Sealed, seal

Files = dict[str, bytes]
T = 1_700_000_000_000
TIMELINE, CHECKPOINTS, KEYS, MANIFEST = "timeline.jsonl", "checkpoints.jsonl", "keys.json", "manifest.json"


class MemoryFolder:
    """The files of an export in memory."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def names(self) -> Collection[str]:
        return self._files

    def open(self, name: str) -> BinaryIO:
        return io.BytesIO(self._files[name])


def signer(seed: int) -> Signer:
    """A signer with a key of its own."""
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


class Scene(NamedTuple):
    """A session while it goes on: its timeline, its checkpoints, and where its media are."""

    session: str
    archive: Archive
    signer: Signer
    links: list[Sealed]
    checkpoints: list[Signed]
    pictures: list[tuple[str, str, Path]]

    def tell(self, *bodies: m.EventBody, actor: str = "system") -> None:
        """Put events on the timeline."""
        for body in bodies:
            seq, before = len(self.links) + 1, self.links[-1].hash if self.links else GENESIS
            event = m.Event(seq, T + seq * 1000, actor, body)
            self.links.append(seal(self.session, event, before, random.Random(seq).randbytes(16)))

    def checkpoint(self, reason: Reason) -> None:
        """Sign the timeline as it is."""
        last, number = self.links[-1], len(self.checkpoints) + 1
        stated = Checkpoint(self.session, number, last.seq, last.hash.hex(), last.at, reason)
        self.checkpoints.append(self.signer.signed(msgspec.json.encode(stated)))

    def record(self, segment: str, clusters: int, *, ends: bool) -> None:
        """A segment of several chunks that grows on the timeline, and is finished or not."""
        chance = random.Random(segment)
        file = self.archive.create(segment)
        self.tell(m.SegmentStarted(segment, "dana", "VP8", T), actor="tape")
        file.append(webm.header([webm.Track(vp8, (640, 360), b"")]))
        for number in range(clusters):
            blocks = [webm.Block(number * 1000 + at, 1, not at, chance.randbytes(4000)) for at in range(0, 1000, 125)]
            file.append(webm.cluster(blocks))
            if number % 5 == 4 and file.grown[0]:
                self.tell(m.SegmentGrown(segment, *file.grown), actor="tape")
                self.checkpoint("minute")
        if ends:
            finished: Finished = file.finish(clusters * 1000)
            self.tell(m.SegmentFinished(segment, *finished), actor="tape")
        else:
            file.close()

    def erase(self, kind: str) -> Signed:
        """What the first event of a kind said; the tombstone."""
        link = next(link for link in self.links if link.type == kind)
        self.links[link.seq - 1] = msgspec.structs.replace(link, body=None, salt=None)
        stated = {"purpose": "tombstone", "session": self.session, "erased": [link.seq]}
        return self.signer.signed(msgspec.json.encode(stated))

    def export(self, now: int, tombstone: Signed | None = None) -> Files:
        """What is exported at this moment."""
        if msgspec.json.decode(self.checkpoints[-1].statement, type=Checkpoint).seq < len(self.links):
            self.checkpoint("export")
        ended = any(link.type == "session_ended" for link in self.links)
        case = Case(self.session, "Printer", ended, list(self.links), list(self.checkpoints), self.pictures, tombstone)
        contents = Export(case, self.archive, self.signer, now).contents()
        return {name: b"".join(content) for name, content in contents}


class Evidence(NamedTuple):
    """One session's export, an older one of the same session, that of another session, and who signed them."""

    files: Files
    older: Files
    other: Files
    links: list[Sealed]
    checkpoints: list[Signed]
    session: str
    signer: Signer
    fronts: dict[str, int]


def _begin(folder: Path, session: str, key: Signer) -> Scene:
    folder.mkdir(parents=True)
    keyring = Keyring({"k": bytes(32)})
    scene = Scene(session, Archive(folder, keyring), key, [], [], [])
    scene.tell(
        m.SessionOpened("ACME", "Printer", True),
        m.Joined("alice", "agent", "Alice"),
        m.Joined("dana", "customer", "Dana Ελένη"),
        m.Joined("tape", "recorder", "Recorder"),
        m.RecordingStarted(),
    )
    return scene


def _say(scene: Scene, lines: Iterable[str]) -> None:
    for line in lines:
        scene.tell(m.ChatSaid(line), actor="dana")


def prepare(folder: Path) -> Evidence:
    """All of it, on disk in `folder` and in memory."""
    key = signer(1)
    scene = _begin(folder / "one", "session-one", key)
    _say(scene, [f"line {number} ✓" for number in range(8)])
    scene.record("first", 9, ends=True)
    older = scene.export(T + 60_000)
    for name in ("photo", "still"):
        path = folder / name
        picture = random.Random(name).randbytes(900)
        path.write_bytes(picture)
        surface = m.Surface(name, "picture", name, 8, 8)
        scene.pictures.append((name, "image/png", path))
        scene.tell(m.SnapshotTaken(surface, None, hashlib.sha256(picture).hexdigest()), actor="dana")
    scene.record("second", 12, ends=True)
    _say(scene, ("and again", 'the printer "works" \\ now', "<b>thanks</b>\u2028\x7f"))
    scene.record("third", 7, ends=False)
    scene.tell(m.RecordingStopped(), m.SessionEnded("solved"))
    scene.checkpoint("end")
    files = scene.export(T + 120_000, scene.erase("chat_said"))
    another = _begin(folder / "two", "session-two", key)
    _say(another, [f"other {number}" for number in range(30)])
    another.record("elsewhere", 5, ends=True)
    another.tell(m.SessionEnded(None))
    another.checkpoint("end")
    stated: dict[str, Any] = msgspec.json.decode(msgspec.json.decode(files["manifest.json"])["statement"])
    fronts = {entry["segment"]: entry["front"] for entry in stated["media"]}
    other = another.export(T + 120_000)
    return Evidence(files, older, other, scene.links, scene.checkpoints, scene.session, key, fronts)


def changed(evidence: Evidence, name: str, content: bytes) -> Files:
    """The export with another content of one file."""
    return evidence.files | {name: content}


def lines_of(content: bytes) -> list[bytes]:
    """The lines of a file, each with its end."""
    return content.splitlines(keepends=True)


def statement(line: bytes) -> dict[str, Any]:
    """What a signed line states."""
    stated: dict[str, Any] = json.loads(json.loads(line)["statement"])
    return stated
