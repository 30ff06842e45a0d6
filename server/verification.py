"""Whether a recording is still as it was recorded, as the player shows it: an export is made, and its verifier asked.

It is written nowhere. What is small stays in memory; media are read off the disk chunk by chunk, once for the signed
list and once by the verifier. No verdict is kept either: each question looks at what is on the disk by then.
"""

import asyncio
import io
import threading
from collections.abc import Collection
from typing import BinaryIO, Literal, NamedTuple

import msgspec
import structlog
from aiohttp import web

from recorder import verification
from recorder.archive import Archive
from recorder.digest import CHUNK
from recorder.stored import StoredSegment, read_index
from recorder.verification import Finding
from server import audit
from server.app import App
from server.database import now_ms
from server.export import Case, Export, case_of, said
from server.logins import User
from server.recordings import account
from server.retention import DAY_MS
from server.routes import route
from server.signing import Signer
from signaling.checkpoints import Checkpoint

# --- Records ---

VerdictState = Literal["verified", "interrupted", "altered"]
FlawKind = Literal["altered", "missing", "added", "cut", "rolled_back", "swapped", "untrusted"]
FlawPlace = Literal["event", "chunk", "front", "segment", "checkpoint", "picture", "proof"]


class Flaw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is not as it was recorded; `proof` is a key, a signed list or the record of a deletion.

    `number` counts events and checkpoints from 1 and a segment's chunks from 0; when only a range can be told, it
    reaches up to `until`. `at` is where that lies in the recording, ms since 1970, when that can be told.
    """

    kind: FlawKind
    place: FlawPlace
    segment: str | None
    number: int | None
    until: int | None
    at: int | None


class Interruption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A segment that no recorder finished, and the last that is known of it; `growing` when one is writing it now."""

    segment: str
    at: int | None
    growing: bool


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was checked and what came of it: `altered` when there are flaws, of which the first ten are told.

    `interrupted` is as it was recorded, but there are segments that no recorder finished. `sealed_at` and `key` are of
    the last checkpoint. Times are ms since 1970.
    """

    state: VerdictState
    checked_at: int
    events: int
    checkpoints: int
    sealed_at: int | None
    key: str | None
    segments: int
    chunks: int
    bytes: int
    pictures: int
    interruptions: list[Interruption]
    flaws: list[Flaw]
    more: int


# --- Operations ---

MAX_TOLD = 10

log = structlog.get_logger()


class GivenUp(Exception):
    """Nobody waits for the result any more."""


class _Media(io.BufferedReader):
    """A segment as a file that lets go of it when it is closed."""

    def __init__(self, stored: StoredSegment, written: int | None) -> None:
        self._stored = stored
        super().__init__(stored.file(written).detach(), CHUNK)

    def close(self) -> None:
        super().close()
        self._stored.close()


class UnwrittenExport:
    """An export for the verifier, as a folder that is not on the disk; blocking, for threads.

    Raises OSError, and `GivenUp` once `over` is set.
    """

    def __init__(self, case: Case, archive: Archive, signer: Signer, over: threading.Event) -> None:
        export = Export(case, archive, signer, now_ms())
        self._archive, self._over = archive, over
        self._small: dict[str, bytes] = {}
        for name, content in export.evidence():
            small = not name.startswith("snapshots/") and not name.endswith(".webm")
            pieces = list[bytes]()
            for piece in content:
                self._go_on()
                if small:
                    pieces.append(piece)
            if small:
                self._small[name] = b"".join(pieces)
        self.pictures = export.pictures
        self.media = {f"media/{entry['segment']}.webm": entry for entry in export.media}

    def _go_on(self) -> None:
        if self._over.is_set():
            raise GivenUp

    def names(self) -> Collection[str]:
        return [*self._small, *self.pictures, *self.media]

    def open(self, name: str) -> BinaryIO:
        self._go_on()
        if name in self._small:
            return io.BytesIO(self._small[name])
        if name in self.pictures:
            return self.pictures[name].open("rb")
        entry = self.media[name]
        # One that grows has no front, and is to be no longer than when it was listed.
        return _Media(self._archive.open(entry["segment"]), None if entry["front"] else entry["bytes"])


class _Times(NamedTuple):
    """When things happened, ms since 1970, as far as the timeline and the indexes of segments say it."""

    events: list[int]
    begins: dict[str, int]
    grew: dict[str, int]
    pictures: dict[str, int]
    archive: Archive

    def chunk(self, segment: str, number: int) -> int | None:
        """The time of what stands at the beginning of a chunk."""
        index, begin = read_index(self.archive.folder, segment), self.begins.get(segment)
        if index is None or begin is None:
            return begin
        before = [cluster.time_ms for cluster in index.clusters if cluster.at <= number * CHUNK]
        return begin + (before[-1] if before else 0)

    def stopped(self, segment: str) -> int | None:
        """The last that is known of a segment that nobody finished."""
        index, begin = read_index(self.archive.folder, segment), self.begins.get(segment)
        if index is not None and begin is not None:
            return begin + index.duration_ms
        return self.grew.get(segment, begin)


def _times(case: Case, archive: Archive) -> _Times:
    begins, grew, pictures = dict[str, int](), dict[str, int](), dict[str, int]()
    for link in case.links:
        body = said(link)
        match link.type, body:
            case "segment_started", {"segment": str(segment), "started_at": int(at)}:
                begins[segment] = at
            case "segment_grown", {"segment": str(segment)}:
                grew[segment] = link.at
            case "snapshot_taken", {"surface": {"id": str(picture)}}:
                pictures[picture] = link.at
    return _Times([link.at for link in case.links], begins, grew, pictures, archive)


def _flaw(finding: Finding, times: _Times) -> Flaw:
    """A finding with its time."""
    kind: FlawKind = msgspec.convert(finding.kind, FlawKind)
    match finding.where:
        case ("event", int(number)):
            at = times.events[min(number, len(times.events)) - 1] if times.events else None
            return Flaw(kind, "event", None, number, finding.until, at)
        case ("chunk", str(segment), int(number)):
            return Flaw(kind, "chunk", segment, number, finding.until, times.chunk(segment, number))
        case (("front" | "segment") as place, str(segment)):
            known: FlawPlace = "front" if place == "front" else "segment"
            return Flaw(kind, known, segment, None, None, times.begins.get(segment))
        case ("checkpoint", int(number)):
            return Flaw(kind, "checkpoint", None, number, None, None)
        case ("file", str(name)) if name.startswith("snapshots/"):
            picture = name.removeprefix("snapshots/").partition(".")[0]
            return Flaw(kind, "picture", None, None, None, times.pictures.get(picture))
    return Flaw(kind, "proof", None, None, None, None)


def look(case: Case, archive: Archive, signer: Signer, over: threading.Event) -> Verdict:
    """Check a session with all its media; blocking. Raises OSError, and `GivenUp` once `over` is set."""
    folder = UnwrittenExport(case, archive, signer, over)
    report, times = verification.verify(folder), _times(case, archive)
    sealed, key = None, None
    for held in case.checkpoints[-1:]:
        try:
            sealed, key = msgspec.json.decode(held.statement, type=Checkpoint).at, held.key_id
        except msgspec.MsgspecError:  # a finding says so
            continue
    sizes = [int(entry["bytes"]) for entry in folder.media.values()]
    return Verdict(
        state="altered" if report.findings else "interrupted" if report.interrupted else "verified",
        checked_at=now_ms(), events=len(case.links), checkpoints=len(case.checkpoints), sealed_at=sealed, key=key,
        segments=len(sizes), chunks=sum(-(-size // CHUNK) for size in sizes), bytes=sum(sizes),
        pictures=len(folder.pictures),
        interruptions=[
            Interruption(name, times.stopped(name), not archive.abandoned(name)) for name in report.interrupted
        ],
        flaws=[_flaw(finding, times) for finding in report.findings[:MAX_TOLD]],
        more=max(0, len(report.findings) - MAX_TOLD),
    )  # fmt: skip


async def verdict_of(app: App, session: str) -> Verdict:
    """Whether a session is as it was recorded; who asks while that is being looked at is told the same.

    Raises `Missing`, and OSError when it cannot be read.
    """
    task = app.verdicts.get(session)
    if task is None:
        task = app.verdicts[session] = asyncio.create_task(_find_out(app, session), name=f"verification {session}")
        task.add_done_callback(lambda _: app.verdicts.pop(session, None))
    found: Verdict = await asyncio.shield(task)
    return found


async def _find_out(app: App, session: str) -> Verdict:
    over = threading.Event()
    try:
        async with app.verifying:
            verdict = await _look(app, session, over)
            if verdict.flaws:  # it may have been deleted meanwhile, and then nobody altered it
                verdict = await _look(app, session, over)
            if verdict.flaws:
                log.error("recording_altered", session=session, flaws=msgspec.to_builtins(verdict.flaws))
            return verdict
    finally:
        over.set()


async def _look(app: App, session: str, over: threading.Event) -> Verdict:
    case = await case_of(app.database, app.settings, session)
    return await asyncio.to_thread(look, case, app.archive, app.signer, over)


# --- Routes ---


@route("GET", "/api/recordings/{session}/verification", "recording.read")
async def get_verification(request: web.Request, app: App, user: User) -> Verdict:
    """Whether the recording is as it was recorded: a look at it, which counts as one with that of its player.

    The first time in a day that somebody is told of flaws stands in the audit log.
    """
    session = request.match_info["session"]
    verdict = await verdict_of(app, session)
    await account(app, request, user, session)
    if verdict.flaws:
        await audit.record_once(app, request, user, "recording.altered", session, opening="", period_ms=DAY_MS)
    return verdict
