"""WebM written piece by piece, so that a file cut off anywhere plays up to its last whole cluster.

EBML (RFC 8794) and Matroska (RFC 9559), as much of them as a live file of one track needs. The muxer of FFmpeg keeps a
cluster in memory until the next frame comes, which for a still screen may be never; here a cluster goes out whole
whenever its writer says so, and is complete in itself.
"""

from recorder.frames import Frame

_UNKNOWN_SIZE = b"\x01" + b"\xff" * 7
MAX_CLUSTER_MS = 30_000
"""A block's time lies within 16 bits of its cluster's."""


def _size(value: int) -> bytes:
    length = next(n for n in range(1, 9) if value < (1 << 7 * n) - 1)
    return (value | 1 << 7 * length).to_bytes(length, "big")


def _element(identifier: int, content: bytes) -> bytes:
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big") + _size(len(content)) + content


def _number(identifier: int, value: int) -> bytes:
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _text(identifier: int, value: str) -> bytes:
    return _element(identifier, value.encode())


def header(matroska_codec: str, width: int, height: int) -> bytes:
    """The beginning of a file with one video track, time in ms, without a known end."""
    ebml = b"".join(
        (
            _number(0x4286, 1),  # EBMLVersion
            _number(0x42F7, 1),  # EBMLReadVersion
            _number(0x42F2, 4),  # EBMLMaxIDLength
            _number(0x42F3, 8),  # EBMLMaxSizeLength
            _text(0x4282, "webm"),  # DocType
            _number(0x4287, 4),  # DocTypeVersion
            _number(0x4285, 2),  # DocTypeReadVersion
        )
    )
    information = _number(0x2AD7B1, 1_000_000) + _text(0x4D80, "sightline") + _text(0x5741, "sightline")
    video = _number(0xB0, width) + _number(0xBA, height)
    track = b"".join(
        (
            _number(0xD7, 1),  # TrackNumber
            _number(0x73C5, 1),  # TrackUID
            _number(0x9C, 0),  # FlagLacing
            _number(0x83, 1),  # TrackType: video
            _text(0x86, matroska_codec),  # CodecID
            _element(0xE0, video),
        )
    )
    segment = 0x18538067.to_bytes(4, "big") + _UNKNOWN_SIZE
    return (
        _element(0x1A45DFA3, ebml)
        + segment
        + _element(0x1549A966, information)
        + _element(0x1654AE6B, _element(0xAE, track))
    )


def cluster(frames: list[tuple[int, Frame]]) -> bytes:
    """A complete cluster of (time in ms, frame), which may span 30 s at most."""
    start = frames[0][0]
    blocks = [_number(0xE7, start)]
    for time, frame in frames:
        flags = 0x80 if frame.size is not None else 0
        offset = (time - start).to_bytes(2, "big", signed=True)
        blocks.append(_element(0xA3, b"\x81" + offset + bytes((flags,)) + frame.data))
    return _element(0x1F43B675, b"".join(blocks))
