"""A recorded segment as it is played: a virtual file that is read anywhere, decrypted chunk by chunk.

Of a finished segment it is a front with its duration and cues, and behind it the clusters as they were written. One
that still grows, or that nobody has looked after since a crash, is given as it stands. Blocking: for threads.
"""

import hashlib
import io
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import msgspec

from recorder.keyring import Keyring, read_key
from recorder.vault import CHUNK, Tail, VaultDamaged, VaultReader
from recorder.webm_index import Index, front

KEPT_CHUNKS = 8


def index_path(folder: Path, segment: str) -> Path:
    """Where a finished segment's index stands."""
    return folder / f"{segment}.index"


def read_index(folder: Path, segment: str) -> Index | None:
    """A finished segment's index; None when it has none, or none that can be read."""
    try:
        index = msgspec.json.decode(index_path(folder, segment).read_bytes(), type=Index)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    return index if index.header <= index.end <= index.bytes else None


class StoredSegment:
    """A segment's media, to be closed after use; `size` is in bytes.

    Raises FileNotFoundError when it is not there or was deleted, `KeyringError`, `VaultDamaged` and OSError.
    """

    def __init__(self, folder: Path, segment: str, keyring: Keyring) -> None:
        self._reader = VaultReader(folder, segment, read_key(folder, segment, keyring))
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        try:
            self._index = read_index(folder, segment)
            tail = self._reader.tail()  # before the chunks, which only become more
            if self._index is None:  # it may have been finished just now, and its tail removed
                chunks = self._reader.full
                self._index = read_index(folder, segment)
            if self._index is None:
                self._begins, self._front, self._chunks = 0, b"", chunks
                rest = tail.data if tail is not None and tail.start == chunks * CHUNK else b""
                self._rest = self._reader.final(chunks) or rest
                self._media = chunks * CHUNK + len(self._rest)
            else:
                self._open_finished(self._index, tail)
        except BaseException:
            self.close()
            raise
        self.size = len(self._front) + self._media

    def _open_finished(self, index: Index, tail: Tail | None) -> None:
        self._chunks, rest = divmod(index.bytes, CHUNK)
        self._rest = b""
        if not index.sealed and rest:
            if tail is None or tail.start != self._chunks * CHUNK or len(tail.data) < rest:
                raise VaultDamaged(self._reader.segment, self._chunks)
            self._rest = tail.data[:rest]
        header = self._raw(0, index.header)
        try:
            self._front = front(header, index)
        except (ValueError, OverflowError) as error:  # an index that was made up
            raise VaultDamaged(self._reader.segment, 0) from error
        self._begins, self._media = index.header, index.end - index.header

    def __enter__(self) -> "StoredSegment":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of its file."""
        self._reader.close()

    @property
    def index(self) -> Index | None:
        """Its index, when it is finished."""
        return self._index

    @property
    def tag(self) -> str | None:
        """What names this content and no other, for HTTP; None as long as it may grow."""
        if self._index is None:
            return None
        return hashlib.sha256(self._front + self._index.digest.encode()).hexdigest()[:32]

    def read(self, start: int, length: int) -> bytes:
        """So many bytes from `start` on, fewer at the end; raises `VaultDamaged` and OSError."""
        end = max(start, min(start + length, self.size))
        before = len(self._front)
        media = self._raw(max(0, start - before) + self._begins, max(0, end - max(start, before)))
        return self._front[start:end] + media

    def raw(self, start: int, length: int) -> bytes:
        """The same of what was written, which is what digests are made of."""
        whole = self._index.bytes if self._index is not None else self.size
        return self._raw(start, max(0, min(length, whole - start)))

    def file(self, written: int | None = None) -> io.BufferedReader:
        """A seekable file over it, which does not close it; or over the first `written` bytes that were written."""
        whole = _SegmentFile(self.read, self.size) if written is None else _SegmentFile(self.raw, written)
        return io.BufferedReader(whole, CHUNK)

    def _raw(self, start: int, length: int) -> bytes:
        pieces = list[bytes]()
        while length > 0:
            number, offset = divmod(start, CHUNK)
            piece = self._chunk(number)[offset : offset + length]
            if not piece:
                raise VaultDamaged(self._reader.segment, number)
            pieces.append(piece)
            start += len(piece)
            length -= len(piece)
        return b"".join(pieces)

    def _chunk(self, number: int) -> bytes:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        if number < self._chunks:
            data = self._reader.chunk(number)
        elif self._index is not None and self._index.sealed:
            data = self._reader.chunk(number, length=self._index.bytes % CHUNK, final=True)
        else:
            return self._rest
        self._kept[number] = data
        if len(self._kept) > KEPT_CHUNKS:
            self._kept.popitem(last=False)
        return data


class _SegmentFile(io.RawIOBase):
    """A segment as Python and PyAV want a file."""

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        self._read, self._size = read, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._read(self._at, max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at
