"""A clip for publishing: a part of a recording with its ink burnt in, as an H.264 MP4 with chapters and a poster.

This is the one place where recorded pictures are decoded. It runs in the worker process and blocks. Frames are written
when something changes: a frame of the recording, a state of the ink, another surface. Still pictures cost nothing.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from av.container import InputContainer, OutputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream
from PIL import Image

from annotate.board import Board
from recorder.burning import Box, InkCache, Plane, planes_of
from recorder.codecs import CODECS
from recorder.scenes import Chapter, Part, Source, Story, chapters_of, parts_of
from signaling import messages as m

MS = Fraction(1, 1000)
REPEAT_AFTER_MS = 2_000
"""A still picture is written again after so long, so that players find frames to seek to."""
LAST_FRAME_MS = 40
POSTER_AFTER_MS = 400
CRF = "23"
KEYFRAME_EVERY = "150"
BT601 = 6
LIMITED = 1


class Clip(NamedTuple):
    """What was made: its size in pixels, its length and its chapters."""

    width: int
    height: int
    duration_ms: int
    chapters: list[Chapter]


class NothingRecorded(ValueError):
    """There is no readable picture between the two moments."""


def publish(
    sources: Sequence[Source],
    events: Sequence[m.Event],
    *,
    snapshots: Mapping[str, Path],
    in_ms: int,
    out_ms: int,
    target: Path,
    poster: Path,
    progress: Callable[[float], None],
    title: str = "",
) -> Clip:
    """Makes a clip of what was recorded between `in_ms` and `out_ms` (ms since 1970).

    `events` is the whole timeline, `snapshots` maps a snapshot's id to its picture file. Writes an MP4 to `target` and
    a JPEG to `poster`, to which the caller gives their names when they are whole; calls `progress` with 0..1 from time
    to time. The MP4 bears `title`. Raises NothingRecorded, and OSError.
    """
    parts = parts_of(sources, in_ms, out_ms)
    sizes = [size for part in parts for size in _sizes(part)]
    if not sizes:
        raise NothingRecorded("nothing was recorded between these two moments")
    width, height = _even(max(w for w, _ in sizes)), _even(max(h for _, h in sizes))
    chapters = chapters_of(events, parts)
    duration = parts[-1].at_ms + parts[-1].end - parts[-1].begin
    writer = _Writer(target, poster, (width, height), _Names(title, chapters), duration)
    try:
        told = 0
        composer = _Composer(Story(events), snapshots, width, height)
        for part in parts:
            for moment, planes in composer.pictures(part):
                at_ms = part.at_ms + moment - part.begin
                writer.write(at_ms, planes)
                if at_ms - told >= duration / 100:
                    told = at_ms
                    progress(min(1.0, at_ms / duration))
        writer.finish()
    except BaseException:
        writer.abandon()
        raise
    progress(1.0)
    return Clip(width, height, duration, chapters)


def _even(length: int) -> int:
    return max(2, length + (length & 1))


def _open_at(part: Part) -> tuple[InputContainer, VideoStream]:
    """The part's file, to be read from the last keyframe before its beginning on."""
    container = av.open(part.source.media.file(), "r")
    stream = container.streams.video[0]
    offset = part.begin - part.source.started_at
    if offset > 0:
        try:
            container.seek(int(offset * MS / (stream.time_base or MS)), stream=stream)
        except av.FFmpegError:  # a file without an index: read from its beginning
            container.close()
            container = av.open(part.source.media.file(), "r")
            stream = container.streams.video[0]
    return container, stream


def _sizes(part: Part) -> list[tuple[int, int]]:
    """The sizes that a part's pictures have; reads packets only."""
    found: list[tuple[int, int]] = []
    container, stream = _open_at(part)
    codec = CODECS.get(stream.codec_context.codec.canonical_name.upper())
    with container:
        for packet in container.demux(stream):
            if packet.pts is None or not packet.size:
                continue
            if part.source.started_at + int(packet.pts * packet.time_base / MS) >= part.end:
                break
            if packet.is_keyframe:
                size = codec.keyframe_size(bytes(packet)) if codec else None
                found.append(size or (stream.width, stream.height))
    return found


class _Composer:
    """Pictures as they were seen: the recording or a snapshot, letterboxed, with the ink that lay on it."""

    def __init__(self, story: Story, snapshots: Mapping[str, Path], width: int, height: int) -> None:
        self._story = story
        self._snapshots = snapshots
        self._width = width
        self._height = height
        self._ink = InkCache(width, height)
        self._shown: dict[str, tuple[Plane, Box]] = {}

    def pictures(self, part: Part) -> Iterator[tuple[int, Plane]]:
        """(moment in ms since 1970, picture) wherever something changes, and at least every two seconds."""
        live: tuple[Plane, Box] | None = None
        since = part.begin
        for moment, frame in self._frames(part):
            begins = max(moment, part.begin)
            if live is not None:
                yield from self._between(live, since, begins)
            live, since = self._place(frame), begins
        if live is not None:
            yield from self._between(live, since, part.end)
            yield max(since, part.end - LAST_FRAME_MS), self._compose(live, part.end - 1)

    def _frames(self, part: Part) -> Iterator[tuple[int, av.VideoFrame]]:
        """The frames of a part, beginning with the one that is seen at its beginning."""
        container, stream = _open_at(part)
        with container:
            before: tuple[int, av.VideoFrame] | None = None
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.FFmpegError:  # what can't be decoded was not seen by anyone either
                    continue
                for frame in frames:
                    moment = part.source.started_at + round((frame.time or 0) * 1000)
                    if moment >= part.end:
                        if before is not None:
                            yield before
                        return
                    if moment > part.begin and before is not None:
                        yield before
                        before = None
                    if moment <= part.begin:
                        before = moment, frame
                    else:
                        yield moment, frame
            if before is not None:
                yield before

    def _between(self, live: tuple[Plane, Box], since: int, until: int) -> Iterator[tuple[int, Plane]]:
        """The picture from `since` on, and again whenever ink or surface changes before `until`."""
        last = since
        if since < until:
            yield since, self._compose(live, since)
        for moment in (*self._story.changes(since, until), until):
            while moment - last > REPEAT_AFTER_MS:
                last += REPEAT_AFTER_MS
                yield last, self._compose(live, last)
            if moment < until:
                last = moment
                yield moment, self._compose(live, moment)

    def _compose(self, live: tuple[Plane, Box], moment: int) -> Plane:
        state = self._story.at(moment)
        surface = state.shown or (state.surface.id if state.surface else "")
        planes, box = (self._snapshot(state.shown) if state.shown else None) or live
        ink = self._ink.find(state.board if surface else Board(), surface, moment, box)
        if ink is None:
            return planes
        burnt = planes.copy()
        ink.burn(burnt)
        return burnt

    def _snapshot(self, surface: str) -> tuple[Plane, Box] | None:
        if surface not in self._shown:
            path = self._snapshots.get(surface)
            if path is None or not path.exists():
                return None
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
            self._shown = {surface: self._place(av.VideoFrame.from_ndarray(pixels, format="rgb24"))}
        return self._shown[surface]

    def _place(self, frame: av.VideoFrame) -> tuple[Plane, Box]:
        """A picture in the middle of a black frame, as large as it fits without being cut or stretched."""
        if frame.width == self._width and frame.height == self._height and frame.format.name == "yuv420p":
            return np.asarray(frame.to_ndarray(), np.uint8), Box(0, 0, self._width, self._height)
        scale = min(self._width / frame.width, self._height / frame.height, 1.0)
        width = min(self._width, _even(int(frame.width * scale)))
        height = min(self._height, _even(int(frame.height * scale)))
        left, top = (self._width - width) // 2 & ~1, (self._height - height) // 2 & ~1
        scaled = frame.reformat(width=width, height=height, format="yuv420p", dst_colorspace="ITU601").to_ndarray()
        planes = np.full((self._height * 3 // 2, self._width), 16, np.uint8)
        planes[self._height :] = 128
        whole, small = planes_of(planes, self._height), planes_of(np.asarray(scaled, np.uint8), height)
        for half, target, source in zip((1, 2, 2), whole, small, strict=True):
            down, across = top // half, left // half
            target[down : down + source.shape[0], across : across + source.shape[1]] = source
        return planes, Box(left, top, width, height)


class _Names(NamedTuple):
    """What a clip's file says about itself."""

    title: str
    chapters: list[Chapter]


class _Writer:
    """An MP4 that grows, and its poster."""

    def __init__(self, target: Path, poster: Path, size: tuple[int, int], names: _Names, duration: int) -> None:
        chapters = names.chapters
        self._target = target
        self._poster = poster
        self._poster_at = min(chapters[0].at_ms + POSTER_AFTER_MS if chapters else duration // 3, duration - 1)
        self._last: Plane | None = None
        self._last_at = -1
        self._marks = [chapter.at_ms for chapter in chapters]
        self._container: OutputContainer = av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"})
        self._container.metadata["title"] = names.title
        self._container.set_chapters(_for_mp4(names.title, chapters, duration))
        options = {"preset": "veryfast", "crf": CRF, "g": KEYFRAME_EVERY}
        self._stream = self._container.add_stream("libx264", rate=30, options=options)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = MS
        self._stream.codec_context.thread_count = 2
        context = self._stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = BT601
        context.color_range = LIMITED

    def write(self, at_ms: int, planes: Plane) -> None:
        """Adds a picture (YUV 4:2:0, not to be changed afterwards) at a time; one at or before the last is dropped."""
        if at_ms <= self._last_at:
            return
        if self._last is None or at_ms <= self._poster_at:
            self._last = planes
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = at_ms, MS
        if any(self._last_at < mark <= at_ms for mark in self._marks):
            frame.pict_type = PictureType.I
        self._last_at = at_ms
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Completes both files."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        if self._last is not None:
            picture = cv2.cvtColor(self._last, cv2.COLOR_YUV2RGB_I420)
            Image.fromarray(np.asarray(picture, np.uint8)).save(self._poster, "JPEG", quality=85)

    def abandon(self) -> None:
        """Drops what was begun."""
        with contextlib.suppress(av.FFmpegError):
            self._container.close()
        self._target.unlink(missing_ok=True)


def _for_mp4(title: str, chapters: list[Chapter], duration: int) -> "list[av.container.core.Chapter]":
    """Chapters without gaps, as MP4 wants them: what comes before the first one has the clip's title."""
    if not chapters:
        return []
    marks = chapters if chapters[0].at_ms == 0 else [Chapter(0, title), *chapters]
    ends = [mark.at_ms for mark in marks[1:]] + [duration]
    return [
        {
            "id": place + 1,
            "start": mark.at_ms,
            "end": max(end, mark.at_ms + 1),
            "time_base": MS,
            "metadata": {"title": mark.title},
        }
        for place, (mark, end) in enumerate(zip(marks, ends, strict=True))
    ]
