"""Recordings made for tests: VP8 frames from a real encoder, written by the recorder's own writer."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from recorder import vp8, webm
from recorder.frames import Frame

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
            yield time, Frame(data, time * 90, vp8.keyframe_size(data))


def write(path: Path, pictures: Iterable[tuple[int, Picture]]) -> Path:
    """A segment as the recorder writes it."""
    frames = list(encoded(pictures))
    width, height = frames[0][1].size or (0, 0)
    clusters = [webm.cluster(frames[place : place + 5]) for place in range(0, len(frames), 5)]
    path.write_bytes(webm.header(vp8.MATROSKA, width, height) + b"".join(clusters))
    return path
