"""The digest of media: the same however the bytes come, and made of its chunks' digests."""

import hashlib

from hypothesis import given, settings, strategies as st

from recorder.digest import CHUNK, MediaDigest


def digest_of(media: bytes) -> str:
    """The digest of `media`, by its definition."""
    chunks = [media[at : at + CHUNK] for at in range(0, len(media), CHUNK)]
    return hashlib.sha256(b"".join(hashlib.sha256(chunk).digest() for chunk in chunks)).hexdigest()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3 * CHUNK // 2), st.integers(0, 255)), max_size=6))
def test_it_is_the_same_however_the_bytes_come(pieces: list[tuple[int, int]]) -> None:
    digest, media = MediaDigest(), b""
    for length, value in pieces:
        piece = bytes([value]) * length
        digest.update(piece)
        media += piece
        full = len(media) - len(media) % CHUNK
        assert digest.complete == (full, digest_of(media[:full]))
        assert digest.final() == digest_of(media)


def test_media_without_a_byte_has_a_digest() -> None:
    assert MediaDigest().final() == hashlib.sha256(b"").hexdigest()
