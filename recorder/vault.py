"""Bytes that grow on disk and are encrypted there: fixed chunks, so that any part can be read by itself.

`<segment>.vault` is a header and then chunks of 64 KiB, each encrypted with AES-256-GCM under the segment's own random
key. The nonce is the chunk's number and a flag that only the last chunk bears, as in the STREAM construction (Hoang,
Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015), and the
header is associated data. It holds a hash of the segment's name, so that no segment passes for another.

What does not fill a chunk yet stands in `<segment>.tail`: records under a key derived from the segment's, each with a
random nonce and its place in the segment as associated data. When the chunk is full it is encrypted once, into the
vault, and the tail begins anew, over the records of before: by their places they do not follow. So what `append`
returned from is on disk however little it was, and no chunk is ever encrypted twice under one nonce: a vault that a
crash left behind is read as it is, chunks and tail, and never written again.

Everything here blocks: it is for threads.
"""

import fcntl
import hashlib
import os
import secrets
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from recorder import steps
from recorder.durability import sync_folder, write_all
from recorder.keyring import shred_key

CHUNK = 65536
"""Bytes of plaintext in a chunk; the last one may be shorter, and empty."""
TAG = 16
_STORED = CHUNK + TAG
_MAGIC = b"SLVAULT1"
_HEADER = struct.Struct(f">{len(_MAGIC)}sI32s")
_RECORD = struct.Struct(">12sQI")
"""Nonce, place in the plaintext, and length of the plaintext that follows, encrypted."""


class VaultDamaged(ValueError):
    """A chunk is not what was written; nothing of it is given out."""

    def __init__(self, segment: str, chunk: int) -> None:
        super().__init__(f"chunk {chunk} of segment {segment} is damaged")
        self.segment = segment
        self.chunk = chunk


def vault_path(folder: Path, segment: str) -> Path:
    """Where the chunks stand."""
    return folder / f"{segment}.vault"


def tail_path(folder: Path, segment: str) -> Path:
    """Where that stands which fills no chunk."""
    return folder / f"{segment}.tail"


def _header(segment: str) -> bytes:
    return _HEADER.pack(_MAGIC, CHUNK, hashlib.sha256(segment.encode()).digest())


def _nonce(chunk: int, final: bool) -> bytes:
    return chunk.to_bytes(11, "big") + bytes((final,))


class _Ciphers:
    """A segment's two ciphers, and what both take as associated data."""

    def __init__(self, segment: str, key: bytes) -> None:
        self.header = _header(segment)
        self.chunks = AESGCM(key)
        self.tail = AESGCM(HKDF(SHA256(), 32, None, b"sightline tail").derive(key))

    def seal_record(self, place: int, data: bytes) -> bytes:
        head = _RECORD.pack(secrets.token_bytes(12), place, len(data))
        return head + self.tail.encrypt(head[:12], data, self.header + head)

    def open_records(self, data: bytes) -> "Tail | None":
        """The tail's records as far as they are whole; None when there is none."""
        start, pieces, at = -1, bytearray(), 0
        while at + _RECORD.size <= len(data):
            head = data[at : at + _RECORD.size]
            nonce, place, length = _RECORD.unpack(head)
            body = data[at + _RECORD.size : at + _RECORD.size + length + TAG]
            start = place if start < 0 else start
            if place != start + len(pieces) or length > CHUNK:
                break
            try:
                pieces += self.tail.decrypt(nonce, body, self.header + head)
            except InvalidTag:  # cut off while it was written, or just being written
                break
            at += _RECORD.size + length + TAG
        return Tail(start, bytes(pieces)) if pieces else None


class Tail(NamedTuple):
    """What fills no chunk, and its place in the plaintext."""

    start: int
    data: bytes


class VaultWriter:
    """A vault that grows by whole pieces, each on disk before `append` returns.

    Its lock tells others that it is being written; the system takes the lock back when the process dies.
    """

    def __init__(self, folder: Path, segment: str, key: bytes) -> None:
        self._vault_path = vault_path(folder, segment)
        self._tail_path = tail_path(folder, segment)
        self._ciphers = _Ciphers(segment, key)
        self._rest = b""
        self._chunks = 0
        self._sound = True
        self.size = 0
        self._vault = self._tail = -1
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        try:
            self._vault = os.open(vault_path(folder, segment), flags | os.O_APPEND, 0o640)
            fcntl.flock(self._vault, fcntl.LOCK_EX | fcntl.LOCK_NB)
            steps.reached("vault_made")
            self._tail = os.open(self._tail_path, flags, 0o640)
            write_all(self._vault, self._ciphers.header)
            os.fdatasync(self._vault)
            sync_folder(folder)
            steps.reached("header_stored")
        except OSError:
            if self._vault >= 0:
                vault_path(folder, segment).unlink(missing_ok=True)
                self._tail_path.unlink(missing_ok=True)
            self.close()
            raise

    def append(self, data: bytes) -> None:
        """Stores all of `data`; raises OSError, after which the vault has failed."""
        self._begin()
        if self._vault_path.stat().st_ino != os.fstat(self._vault).st_ino:
            raise FileNotFoundError(f"{self._vault_path} is not there any more")  # what was written would be lost
        whole = self._rest + data
        full = len(whole) - len(whole) % CHUNK
        if full:
            view = memoryview(whole)
            chunks = [self._next_chunk(view[at : at + CHUNK]) for at in range(0, full, CHUNK)]
            write_all(self._vault, b"".join(chunks))
            steps.reached("chunks_written")
            os.fdatasync(self._vault)
            steps.reached("chunks_stored")
            os.lseek(self._tail, 0, os.SEEK_SET)  # not truncated: what keeps its length is synced without a journal
            self._rest = whole[full:]
            fresh = self._rest
        else:
            self._rest, fresh = whole, data
        if fresh:
            place = self.size + len(data) - len(fresh)
            write_all(self._tail, self._ciphers.seal_record(place, fresh))
            steps.reached("record_written")
            os.fdatasync(self._tail)
            steps.reached("record_stored")
        self.size += len(data)
        self._sound = True

    def seal(self) -> None:
        """Stores the last chunk, which says that nothing follows; raises OSError. The tail stays until `close`."""
        self._begin()
        write_all(self._vault, self._next_chunk(self._rest, final=True))
        steps.reached("end_written")
        os.fdatasync(self._vault)
        steps.reached("end_stored")

    def close(self, *, keep_tail: bool = True) -> None:
        """Gives up the lock; without a tail that is not needed any more."""
        for descriptor in (self._tail, self._vault):
            if descriptor >= 0:
                os.close(descriptor)
        self._tail = self._vault = -1
        if not keep_tail:
            self._tail_path.unlink(missing_ok=True)
            steps.reached("tail_removed")

    def _begin(self) -> None:
        """What did not succeed, or was sealed, is never written again: its numbers may have been used."""
        if not self._sound:
            raise OSError("this vault has failed or is sealed")
        self._sound = False

    def _next_chunk(self, data: bytes | memoryview, *, final: bool = False) -> bytes:
        number, self._chunks = self._chunks, self._chunks + 1
        return self._ciphers.chunks.encrypt(_nonce(number, final), data, self._ciphers.header)


class VaultReader:
    """The chunks and the tail of a vault, whoever writes it meanwhile.

    Raises OSError when it is not there, and `VaultDamaged` when it is another segment's.
    """

    def __init__(self, folder: Path, segment: str, key: bytes) -> None:
        self.segment = segment
        self._tail_path = tail_path(folder, segment)
        self._ciphers = _Ciphers(segment, key)
        self._descriptor = os.open(vault_path(folder, segment), os.O_RDONLY)
        if os.pread(self._descriptor, _HEADER.size, 0) != self._ciphers.header:
            self.close()
            raise VaultDamaged(segment, 0)

    def close(self) -> None:
        """Lets go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def stored(self) -> int:
        """Bytes behind the header."""
        return max(0, os.fstat(self._descriptor).st_size - _HEADER.size)

    @property
    def full(self) -> int:
        """How many chunks stand there in their full length."""
        return self.stored // _STORED

    def chunk(self, number: int, *, length: int = CHUNK, final: bool = False) -> bytes:
        """A chunk's plaintext of this length; raises `VaultDamaged`, and OSError."""
        data = os.pread(self._descriptor, length + TAG, _HEADER.size + number * _STORED)
        try:
            if len(data) != length + TAG:
                raise InvalidTag
            return self._ciphers.chunks.decrypt(_nonce(number, final), data, self._ciphers.header)
        except InvalidTag:
            raise VaultDamaged(self.segment, number) from None

    def final(self, number: int) -> bytes | None:
        """The plaintext of the last chunk, when it has this number and says that nothing follows."""
        length = self.stored - number * _STORED - TAG
        return _sound(self, number, length, final=True) if 0 <= length < CHUNK else None

    def tail(self) -> Tail | None:
        """What the tail holds now."""
        try:
            return self._ciphers.open_records(self._tail_path.read_bytes())
        except FileNotFoundError:
            return None


class Survey(NamedTuple):
    """How much plaintext a vault that nobody writes holds, and whether its last chunk says that it is whole."""

    bytes: int
    sealed: bool


def survey(reader: VaultReader, take: Callable[[bytes], None]) -> Survey:
    """Gives `take` all that a vault which nobody writes holds, in order; it is read whole.

    What the last append left half written is passed over. Raises `VaultDamaged` when something sound stands behind a
    chunk that is not what was written: that was no crash.
    """
    chunks, tail = reader.full, reader.tail()
    for number in range(chunks):
        data = _sound(reader, number)
        if data is None:
            later = any(_sound(reader, after) is not None for after in range(number + 1, chunks))
            if later or reader.final(chunks) is not None or (tail is not None and tail.start > number * CHUNK):
                raise VaultDamaged(reader.segment, number)
            chunks = number
            break
        take(data)
    last = reader.final(chunks)
    rest = tail.data if tail is not None and tail.start == chunks * CHUNK else b""
    take(rest if last is None else last)
    return Survey(chunks * CHUNK + len(rest if last is None else last), last is not None)


def _sound(reader: VaultReader, number: int, length: int = CHUNK, *, final: bool = False) -> bytes | None:
    try:
        return reader.chunk(number, length=length, final=final)
    except VaultDamaged:
        return None


def abandoned(folder: Path, segment: str) -> bool:
    """Whether a vault is there, and nobody writes it now."""
    try:
        with vault_path(folder, segment).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True


def shred(folder: Path, segment: str) -> None:
    """Removes a segment for good, its key first: what is left of it anywhere can't be read. May be repeated."""
    shred_key(folder, segment)
    for path in folder.glob(f"{segment}.*"):
        path.unlink(missing_ok=True)
    sync_folder(folder)
