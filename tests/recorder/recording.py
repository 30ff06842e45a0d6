"""Recordings made for tests: VP8 frames from a real encoder, written by the recorder's own writer."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from recorder import vp8
from recorder.archive import Archive
from recorder.frames import Frame
from recorder.keyring import KEY_BYTES, Keyring
from recorder.multiplexer import Multiplexer
from recorder.stored import StoredSegment

Picture = NDArray[np.uint8]


def plain(width: int, height: int, color: tuple[int, int, int]) -> Picture:
    """A picture of one color."""
    return np.full((height, width, 3), color, np.uint8)


def encoded(pictures: Iterable[tuple[int, Picture]]) -> Iterator[tuple[int, Frame]]:
    """(time in ms, VP8 frame) for (time in ms, picture); every change of size begins with a keyframe."""
    context: av.VideoCodecContext | None = None
    for time, picture in pictures:
        height, width = picture.shape[:2]
        if context is None or (context.width, context.height) != (width, height):
            context = av.CodecContext.create("libvpx", "w")
            assert isinstance(context, av.VideoCodecContext)
            context.width, context.height, context.pix_fmt = width, height, "yuv420p"
            context.time_base = Fraction(1, 1000)
            context.bit_rate = 2_000_000
            context.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "3000"}
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = time, Fraction(1, 1000)
        for packet in context.encode(frame):
            data = bytes(packet)
            yield time, Frame(data, time / 1000, vp8.keyframe_size(data), vp8)


def media(pictures: Iterable[tuple[int, Picture]]) -> bytes:
    """What the recorder writes of these pictures, five to a cluster."""
    multiplexer, pieces = Multiplexer((vp8,)), list[bytes]()
    for number, (_, frame) in enumerate(encoded(pictures), 1):
        multiplexer.add(frame)
        if number % 5 == 0:
            pieces += multiplexer.take(frame.time)
    return b"".join([*pieces, *multiplexer.take(0.0)])


def archive_in(folder: Path) -> Archive:
    """An archive with a key of its own, whoever opens it."""
    return Archive(folder, Keyring({"first": bytes(range(KEY_BYTES))}))


def store(archive: Archive, segment: str, pictures: Iterable[tuple[int, Picture]], duration_ms: int) -> StoredSegment:
    """A finished segment, to be read."""
    file = archive.create(segment)
    file.append(media(pictures))
    file.finish(duration_ms)
    return archive.open(segment)


def shown(segment: StoredSegment) -> list[tuple[int, int, int]]:
    """(ms, width, height) of every frame that a player shows."""
    if not segment.size:
        return []
    with av.open(segment.file(), "r") as container:
        return [(round((f.time or 0) * 1000), f.width, f.height) for f in container.decode(video=0)]
