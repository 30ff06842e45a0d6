"""The segments of a folder: made, found, read, finished after a crash, and shredded. Blocking: for threads."""

import secrets
from pathlib import Path
from typing import NamedTuple

import msgspec

from recorder import steps
from recorder.digest import MediaDigest
from recorder.durability import replace
from recorder.keyring import KEY_BYTES, Keyring, has_key, read_key, store_key
from recorder.stored import StoredSegment, index_path, read_index
from recorder.vault import CHUNK, VaultReader, VaultWriter, abandoned, shred, survey, vault_path
from recorder.webm_index import ClusterScanner, Index


class Finished(NamedTuple):
    """A complete segment: its length in bytes and ms, and the digest of its media in hex."""

    bytes: int
    duration_ms: int
    digest: str


class SegmentFile:
    """A segment that grows by whole pieces, each on disk before `append` returns, and gets its index at the end.

    Raises OSError, after which it has failed and only `close` is left.
    """

    def __init__(self, folder: Path, segment: str, keyring: Keyring) -> None:
        self._folder = folder
        self._segment = segment
        self._digest = MediaDigest()
        self._scanner = ClusterScanner()
        self.grown = self._digest.complete
        """The bytes on disk that stand in full chunks, and their digest in hex; read by other threads too."""
        key = secrets.token_bytes(KEY_BYTES)
        self._vault = VaultWriter(folder, segment, key)
        try:
            store_key(folder, segment, key, keyring)
            steps.reached("key_stored")
        except BaseException:
            self._vault.close()
            shred(folder, segment)
            raise

    @property
    def size(self) -> int:
        """Bytes that are on disk."""
        return self._vault.size

    def append(self, data: bytes) -> None:
        """Stores all of `data`, which ends with a whole cluster."""
        self._vault.append(data)
        self._digest.update(data)
        self.grown = self._digest.complete
        self._scanner.feed(data)

    def finish(self, duration_ms: int) -> Finished:
        """Stores that nothing follows, and closes it."""
        self._vault.seal()
        finished = Finished(self.size, duration_ms, self._digest.final())
        _write_index(self._folder, self._segment, finished, self._scanner, sealed=True)
        steps.reached("index_stored")
        self._vault.close(keep_tail=False)
        return finished

    def close(self) -> None:
        """Leaves it as it is."""
        self._vault.close()


def _write_index(folder: Path, segment: str, finished: Finished, found: ClusterScanner, *, sealed: bool) -> None:
    index = Index(*finished, sealed, found.header, found.end, found.clusters)
    replace(index_path(folder, segment), msgspec.json.encode(index), made=secrets.token_hex(4))


def holds(folder: Path, segment: str) -> bool:
    """Whether a segment is there and was not shredded."""
    return vault_path(folder, segment).exists() and has_key(folder, segment)


def has_index(folder: Path, segment: str) -> bool:
    """Whether a segment is finished."""
    return index_path(folder, segment).exists()


class Archive:
    """The segments of one folder, and the keys to read them."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self.folder = folder
        self.keyring = keyring

    def create(self, segment: str) -> SegmentFile:
        """A new segment; raises OSError."""
        return SegmentFile(self.folder, segment, self.keyring)

    def open(self, segment: str) -> StoredSegment:
        """A segment to read; raises as `StoredSegment` does."""
        return StoredSegment(self.folder, segment, self.keyring)

    def abandoned(self, segment: str) -> bool:
        """Whether a segment is there, and nobody writes it now."""
        return abandoned(self.folder, segment)

    def leftovers(self) -> list[str]:
        """Segments that a crash left behind: readable, not finished, and written by nobody now."""
        names = [path.stem for path in sorted(self.folder.glob("*.vault"))]
        held = [name for name in names if holds(self.folder, name) and not has_index(self.folder, name)]
        return [name for name in held if self.abandoned(name)]

    def recover(self, segment: str) -> Finished:
        """Finishes a segment that a crash left behind; what it holds.

        Raises OSError, and ValueError when no whole cluster is in it or its chunks are not what was written.
        """
        if (index := read_index(self.folder, segment)) is not None:
            return Finished(index.bytes, index.duration_ms, index.digest)
        digest, scanner = MediaDigest(), ClusterScanner()
        reader = VaultReader(self.folder, segment, read_key(self.folder, segment, self.keyring))
        try:

            def take(data: bytes) -> None:
                digest.update(data)
                scanner.feed(data)

            size, sealed = survey(reader, take)
        finally:
            reader.close()
        if not scanner.clusters:
            raise ValueError(f"segment {segment} holds no frame")
        finished = Finished(size, scanner.last_ms + 1, digest.final())
        _write_index(self.folder, segment, finished, scanner, sealed=sealed)
        return finished

    def probe(self) -> None:
        """Stores something and removes it again; raises OSError when recording is not possible."""
        segment = f"probe-{secrets.token_hex(8)}"
        file = self.create(segment)
        try:
            file.append(bytes(CHUNK))
        finally:
            file.close()
            self.shred(segment)

    def shred(self, segment: str) -> None:
        """Removes a segment for good; may be repeated."""
        shred(self.folder, segment)
