"""The digest of a segment's media, made while it grows: a digest of the digests of its chunks.

Whoever holds the chunks' digests can check that they make the whole, and then name the one chunk that was changed.
"""

import hashlib

CHUNK = 65536
"""Bytes of media in a chunk; the last one may be shorter."""


class MediaDigest:
    """SHA-256 over the concatenated SHA-256 of each chunk of what `update` was given."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._chunk = hashlib.sha256()
        self._in_chunk = 0
        self._chunks = 0

    def update(self, data: bytes | memoryview) -> None:
        """Takes the next bytes, in pieces of any length."""
        rest = memoryview(data)
        while rest:
            taken = rest[: CHUNK - self._in_chunk]
            self._chunk.update(taken)
            self._in_chunk += len(taken)
            rest = rest[len(taken) :]
            if self._in_chunk == CHUNK:
                self._whole.update(self._chunk.digest())
                self._chunk = hashlib.sha256()
                self._in_chunk = 0
                self._chunks += 1

    @property
    def complete(self) -> tuple[int, str]:
        """How many bytes stand in full chunks, and their digest in hex: what `final` would say of these alone."""
        return self._chunks * CHUNK, self._whole.hexdigest()

    def final(self) -> str:
        """The digest of all bytes so far, in hex; more may follow."""
        whole = self._whole.copy()
        if self._in_chunk:
            whole.update(self._chunk.digest())
        return whole.hexdigest()
