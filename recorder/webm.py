"""WebM written piece by piece, so that a file cut off anywhere plays up to its last whole cluster.

Matroska (RFC 9559), as much of it as a live file of one picture and one voice needs. The muxer of FFmpeg keeps a
cluster in memory until the next frame comes, which for a still screen may be never; here a cluster goes out whole
whenever its writer says so, and is complete in itself.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from recorder import ebml, opus
from recorder.frames import Codec

MAX_CLUSTER_MS = 15_000
"""A block's time lies within 16 bits of its cluster's, and blocks of two tracks do not come in order."""
_TRACK_TYPES = {"video": 1, "audio": 2}
_BLOCK_HEAD = struct.Struct("!BLBhB")


class Track(NamedTuple):
    """What the header says of a track; `size` is that of the first picture, (0, 0) for voice."""

    codec: Codec
    size: tuple[int, int]
    private: bytes


class Block(NamedTuple):
    """A frame at `time` ms from the file's beginning; the first track is 1."""

    time: int
    track: int
    keyframe: bool
    data: bytes


def header(tracks: Sequence[Track]) -> bytes:
    """The beginning of a file with these tracks, time in ms, without a known end."""
    top = b"".join(
        (
            ebml.unsigned(0x4286, 1),  # EBMLVersion
            ebml.unsigned(0x42F7, 1),  # EBMLReadVersion
            ebml.unsigned(0x42F2, 4),  # EBMLMaxIDLength
            ebml.unsigned(0x42F3, 8),  # EBMLMaxSizeLength
            ebml.text(0x4282, "webm"),  # DocType
            ebml.unsigned(0x4287, 4),  # DocTypeVersion
            ebml.unsigned(0x4285, 2),  # DocTypeReadVersion
        )
    )
    information = ebml.unsigned(0x2AD7B1, 1_000_000) + ebml.text(0x4D80, "sightline") + ebml.text(0x5741, "sightline")
    entries = b"".join(_entry(number, track) for number, track in enumerate(tracks, 1))
    segment = ebml.identifier(0x18538067) + ebml.UNKNOWN_SIZE
    return (
        ebml.element(0x1A45DFA3, top)
        + segment
        + ebml.element(0x1549A966, information)
        + ebml.element(0x1654AE6B, entries)
    )


def _entry(number: int, track: Track) -> bytes:
    codec = track.codec
    fields = [
        ebml.unsigned(0xD7, number),  # TrackNumber
        ebml.unsigned(0x73C5, number),  # TrackUID
        ebml.unsigned(0x9C, 0),  # FlagLacing
        ebml.unsigned(0x83, _TRACK_TYPES[codec.KIND]),  # TrackType
        ebml.text(0x86, codec.MATROSKA),  # CodecID
    ]
    if track.private:
        fields.append(ebml.element(0x63A2, track.private))  # CodecPrivate
    if codec.KIND == "video":
        width, height = track.size
        fields.append(ebml.element(0xE0, ebml.unsigned(0xB0, width) + ebml.unsigned(0xBA, height)))
    else:
        sound = ebml.element(0xB5, struct.pack("!d", codec.CLOCK_RATE)) + ebml.unsigned(0x9F, opus.CHANNELS)
        fields += [
            ebml.unsigned(0x56AA, opus.PRE_SKIP * 1_000_000_000 // opus.CLOCK_RATE),  # CodecDelay, in ns
            ebml.unsigned(0x56BB, opus.SEEK_PRE_ROLL_MS * 1_000_000),  # SeekPreRoll
            ebml.element(0xE1, sound),
        ]
    return ebml.element(0xAE, b"".join(fields))


def cluster(blocks: Sequence[Block]) -> bytes:
    """A complete cluster of blocks in their order, which may span 30 s at most."""
    start = blocks[0].time
    pieces = [ebml.unsigned(0xE7, start)]
    for time, track, keyframe, data in blocks:
        size = 0x10000000 | len(data) + 4  # in four bytes whatever it is, which costs less than to find out
        pieces += (_BLOCK_HEAD.pack(0xA3, size, 0x80 | track, time - start, 0x80 if keyframe else 0), data)
    return ebml.element(0x1F43B675, b"".join(pieces))
