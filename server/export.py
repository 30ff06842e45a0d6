"""An exported session: a folder that holds all of it, can be looked at without a server, and checked without trust."""

import asyncio
import hashlib
import html
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiohttp import web
from sqlalchemy import select

from recorder import verification
from recorder.archive import Archive
from recorder.digest import CHUNK
from recorder.stored import StoredSegment
from recorder.vault import VaultDamaged
from server import audit, checkpoints, snapshots as pictures
from server.app import App
from server.database import Database, events, now_ms, sessions, snapshots, tombstones
from server.limits import address_of
from server.logins import User
from server.problems import Missing
from server.routes import Caller, route
from server.settings import Settings
from server.signing import Signer
from signaling.checkpoints import Signature, Signed, signed
from signaling.timeline import Sealed

_HERE = Path(__file__).parent
LANGUAGES = ("en", "ru", "el")
WAITING = 8
"""Pieces of an export, of 64 KiB at most, that wait for who downloads it."""
README = """This folder is a session of remote assistance, as it was recorded by Sightline.

index.html       look at it: open it in a browser, no server is needed
verify.py        check it: python verify.py  (Python 3.11 or newer, and `pip install cryptography`)

timeline.jsonl   every event with its hash; checkpoints.jsonl the server's signed checkpoints of it
keys.json        the public keys; compare the key's id with the one that the server's owner gives you
manifest.json    the signed list of all that is here
media/           what was recorded: .webm plays; .head and .rest are the recorded bytes that it leaves out,
                 .chunks the digests of each 64 KiB of the recorded bytes
snapshots/       the pictures that were taken

Whoever wants to be sure takes verify.py from Sightline itself (`sightline verify FOLDER`) and not from here.
"""

Contents = Iterator[tuple[str, Iterator[bytes]]]


class Case(NamedTuple):
    """What is exported, as the database has it; `pictures` are (id, type, file)."""

    session: str
    subject: str
    ended: bool
    links: list[Sealed]
    checkpoints: list[Signed]
    pictures: list[tuple[str, str, Path]]
    tombstone: Signed | None


class Writing:
    """A file that is being written: its content, hashed as it passes."""

    def __init__(self, content: Iterator[bytes]) -> None:
        self._content = content
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._content:
            self._hash.update(piece)
            yield piece

    @property
    def sha256(self) -> str:
        """The digest, once all of it has passed."""
        return self._hash.hexdigest()


async def gather(database: Database, signer: Signer, settings: Settings, session: str) -> Case:
    """Seal the session as it is now, and take what the database has of it; raises `Missing`."""
    await checkpoints.store(database, signer, session, "export", settings.checkpoint_webhook is not None)
    return await case_of(database, settings, session)


async def case_of(database: Database, settings: Settings, session: str) -> Case:
    """What the database has of a session; raises `Missing`."""
    columns = [events.c[name] for name in Sealed.__struct_fields__]
    async with database.read() as connection:
        row = (await connection.execute(select(sessions).where(sessions.c.id == session))).one_or_none()
        if row is None:
            raise Missing("session_not_found", "There is no such session. Look for it in the library.")
        chain = select(*columns).where(events.c.session_id == session).order_by(events.c.seq)
        links = [Sealed(*link) for link in await connection.execute(chain)]
        taken = select(snapshots).where(snapshots.c.session_id == session).order_by(snapshots.c.at)
        place = pictures.folder(settings.data)
        kept = [(shot.id, shot.mime, place / shot.id) for shot in await connection.execute(taken)]
        grave = (await connection.execute(select(tombstones).where(tombstones.c.session_id == session))).one_or_none()
        held = await checkpoints.checkpoints_of(connection, session)
    stone = signed(grave.statement.encode(), Signature(grave.key_id, grave.signature)) if grave else None
    return Case(session, row.subject, row.ended_at is not None, links, held, kept, stone)


def event_line(link: Sealed) -> str:
    """An event as a line of timeline.jsonl."""
    values = msgspec.structs.asdict(link)
    hexadecimal = {name: value.hex() if isinstance(value, bytes) else value for name, value in values.items()}
    if link.body is None:
        hexadecimal["salt"] = None
    return verification.canonical(hexadecimal)


def said(link: Sealed) -> dict[str, Any]:
    """What an event says; nothing when it was erased, or changed into what cannot be read."""
    try:
        body = json.loads(link.body or "{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def signed_line(held: Signed) -> str:
    """A signed statement as a line of JSON."""
    return verification.canonical(msgspec.structs.asdict(held))


class Export:
    """Makes the files of one case, one after the other; blocking, for threads.

    `media` is what the signed list says of segments, and `pictures` where those lie that were there, by their names.
    """

    def __init__(self, case: Case, archive: Archive, signer: Signer, now: int) -> None:
        self._case, self._archive, self._signer, self._now = case, archive, signer, now
        self._files: dict[str, str] = {}
        self.media: list[dict[str, Any]] = []
        self.pictures: dict[str, Path] = {}
        self._absent: dict[str, str] = {}

    def contents(self) -> Contents:
        """(name, content) of every file; each content must be taken whole before the next. Raises OSError."""
        yield from self._listed(self._all())

    def evidence(self) -> Contents:
        """The same without what is there to be read by people."""
        yield from self._listed(self._evidence())

    def _listed(self, contents: Contents) -> Contents:
        for name, content in contents:
            if name.endswith(".webm"):
                yield name, content
                continue
            writing = Writing(content)
            yield name, iter(writing)
            self._files[name] = writing.sha256
        yield verification.MANIFEST, _text(signed_line(self._signer.signed(self._manifest().encode())))

    def _all(self) -> Contents:
        yield "README.txt", _text(README)
        yield "verify.py", _text(Path(verification.__file__).read_text("utf-8"))
        yield from self._evidence()
        yield "index.html", _text(self._page())

    def _evidence(self) -> Contents:
        case = self._case
        keys = {key_id: key.hex() for key_id, key in self._signer.public_keys.items()}
        yield verification.KEYS, _text(verification.canonical(keys))
        yield verification.TIMELINE, _text("".join(f"{event_line(link)}\n" for link in case.links))
        yield verification.CHECKPOINTS, _text("".join(f"{signed_line(held)}\n" for held in case.checkpoints))
        if case.tombstone is not None:
            yield "tombstone.json", _text(signed_line(case.tombstone))
        for link in case.links:
            if link.type == "segment_started" and isinstance(segment := said(link).get("segment"), str):
                yield from self._segment(segment)
        for picture, mime, path in case.pictures:
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                self._absent[f"snapshots/{picture}"] = "missing"
                continue
            name = f"snapshots/{picture}.{mime.rpartition('/')[2]}"
            self.pictures[name] = path
            yield name, iter([content])

    def _segment(self, name: str) -> Contents:
        try:
            stored = self._archive.open(name)
        except FileNotFoundError:
            self._absent[name] = "deleted" if self._case.tombstone is not None else "missing"
            return
        except VaultDamaged as damage:
            self._absent[name] = f"damaged at chunk {damage.chunk}"
            return
        with closing(stored):
            media = _Media(stored)
            yield f"media/{name}.webm", media.played()
            if media.damaged is not None:
                self._absent[name] = f"damaged at chunk {media.damaged}"
            if media.head:
                yield f"media/{name}.head", iter([media.head])
            if media.rest:
                yield f"media/{name}.rest", iter([media.rest])
            yield f"media/{name}.chunks", _text("".join(f"{digest.hex()}\n" for digest in media.chunks))
            front = hashlib.sha256(media.front).hexdigest()
            size, digest = media.size, verification.tree(media.chunks)
            entry = {"segment": name, "front": len(media.front), "front_sha256": front, "bytes": size, "digest": digest}
            self.media.append(entry)

    def _manifest(self) -> str:
        links = self._case.links
        lines = [signed_line(held).encode() for held in self._case.checkpoints]
        return verification.canonical(
            {
                "purpose": "export",
                "session": self._case.session,
                "at": self._now,
                "ended": self._case.ended,
                "events": [link.hash.hex() for link in links],
                "erased": [link.seq for link in links if link.body is None],
                "checkpoints": [hashlib.sha256(line).hexdigest() for line in lines],
                "media": self.media,
                "absent": self._absent,
                "files": self._files,
            }
        )

    def _page(self) -> str:
        case = self._case
        told = [
            {"seq": link.seq, "at": link.at, "actor": link.actor, "type": link.type, "body": body}
            for link in case.links
            if (body := said(link))
        ]
        words = {
            language: json.loads((_HERE / "languages" / f"{language}.json").read_text("utf-8"))
            for language in LANGUAGES
        }
        shown = {
            "session": case.session,
            "subject": case.subject,
            "exported_at": self._now,
            "key": self._signer.key_id,
            "absent": self._absent,
            "deleted": case.tombstone is not None,
            "events": told,
            "media": [entry["segment"] for entry in self.media],
            "pictures": {name: f"snapshots/{name}.{mime.rpartition('/')[2]}" for name, mime, _ in case.pictures},
            "words": {
                language: {key[7:]: text for key, text in texts.items() if key.startswith("export.")}
                for language, texts in words.items()
            },
        }
        page = (_HERE / "templates" / "export.html").read_text("utf-8")
        data = json.dumps(shown, ensure_ascii=False).replace("<", "\\u003c")
        values = {"subject": html.escape(case.subject), "data": data}
        return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], page)


class _Media:
    """One segment on its way into an export: what is played passes, and everything recorded is hashed meanwhile."""

    def __init__(self, stored: StoredSegment) -> None:
        index = stored.index
        self._stored = stored
        self.size = index.bytes if index is not None else stored.size
        self._begin, self._end = (index.header, index.end) if index is not None else (0, self.size)
        self.front = stored.read(0, stored.size - (self._end - self._begin))
        self.head, self.rest = b"", b""
        self.chunks: list[bytes] = []
        self.damaged: int | None = None

    def played(self) -> Iterator[bytes]:
        """The file that is played."""
        yield self.front
        for at in range(0, self.size, CHUNK):
            try:
                chunk = self._stored.raw(at, CHUNK)
            except VaultDamaged as damage:
                self.damaged, self.size = damage.chunk, at
                return
            self.chunks.append(hashlib.sha256(chunk).digest())
            begin, end = max(0, self._begin - at), max(0, self._end - at)
            self.head += chunk[:begin]
            self.rest += chunk[max(begin, end) :]
            yield chunk[begin:end]


def _text(text: str) -> Iterator[bytes]:
    return iter([text.encode()])


def write_folder(contents: Contents, folder: Path) -> None:
    """Put an export into a new folder, which gets its name when it is whole; raises OSError."""
    made = folder.with_name(f"{folder.name}.part")
    made.mkdir(parents=True)
    for name, content in contents:
        path = made / name
        path.parent.mkdir(exist_ok=True)
        with path.open("xb") as file:
            for piece in content:
                file.write(piece)
    made.rename(folder)


class _Pipe:
    """The write end of a file for another thread: it holds a few pieces at most, and can't be gone back in."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put

    def close(self) -> None:
        pass

    def write(self, data: bytes, /) -> int:
        self._put(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass


def write_zip(contents: Contents, put: Callable[[bytes], None], folder: str) -> None:
    """Give `put` an export as the bytes of a ZIP file, as they come."""
    with zipfile.ZipFile(_Pipe(put), "w", zipfile.ZIP_STORED) as archive:
        for name, content in contents:
            with archive.open(f"{folder}/{name}", "w", force_zip64=True) as file:
                for piece in content:
                    file.write(piece)


class _Unread(Exception):
    """Nobody reads any more."""


async def stream_zip(response: web.StreamResponse, contents: Contents, folder: str) -> None:
    """Write the ZIP file into a response; made in a thread of its own, so that a slow reader holds up nobody else."""
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue[bytes | Exception | None](WAITING)
    over, ended = threading.Event(), asyncio.Event()

    def put(piece: bytes | Exception | None) -> None:
        if over.is_set():
            raise _Unread
        asyncio.run_coroutine_threadsafe(pieces.put(piece), loop).result()

    def make() -> None:
        try:
            write_zip(contents, put, folder)
            put(None)
        except _Unread:
            pass
        except Exception as error:
            put(error)
        finally:
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=make, name="export", daemon=True).start()
    try:
        while (piece := await pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            await response.write(piece)
    finally:
        over.set()
        while not pieces.empty():
            pieces.get_nowait()
        await ended.wait()


@route("GET", "/api/recordings/{session}/export", ("process", "recording.read"))
async def get_export(request: web.Request, app: App, caller: Caller) -> web.StreamResponse:
    """The whole session as a ZIP file that can be looked at, and checked, without this server."""
    session = request.match_info["session"]
    case = await gather(app.database, app.signer, app.settings, session)
    async with app.database.write() as connection:
        address = address_of(request, app.settings.trusted_proxies)
        user_id = caller.id if isinstance(caller, User) else None
        await audit.record(connection, user_id, "recording.exported", session, address)
    name = f"sightline-{session}"
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"', "Cache-Control": "private, no-store"}
    response = web.StreamResponse(headers=headers)
    response.content_type = "application/zip"
    await response.prepare(request)
    await stream_zip(response, Export(case, app.archive, app.signer, now_ms()).contents(), name)
    await response.write_eof()
    return response
