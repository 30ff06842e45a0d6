"""Where the clusters of a WebM file stand, found while it is written, and what a player is given before them.

A segment is written with no end and no index, so that it can be cut off anywhere. Once it is finished a player gets a
front of ours (sizes, duration, cues; RFC 9559) and behind it the clusters as they are: nothing is copied.
"""

import struct
from collections.abc import Iterator
from typing import Annotated

import msgspec

from recorder import ebml

EBML, SEGMENT, INFO, TRACKS, CLUSTER, CUES = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B
_TIMESTAMP, _SIMPLE_BLOCK = 0xE7, 0xA3
_TRACK_NUMBER, _TRACK_TYPE, _VIDEO = 0xD7, 0x83, 1
_TIMESTAMP_SCALE, _DURATION, _MUXING_APP, _WRITING_APP = 0x2AD7B1, 0x4489, 0x4D80, 0x5741
_CUE_POINT, _CUE_TIME, _CUE_POSITIONS, _CUE_TRACK, _CUE_CLUSTER = 0xBB, 0xB3, 0xB7, 0xF7, 0xF1
_LOOKED_AT = {TRACKS: 1 << 16, _TIMESTAMP: 8, _SIMPLE_BLOCK: 4}
"""How much of an element's content is needed at most; of a block its track (below 128), time and flags."""
CUE_EVERY_MS = 1000
MAX_HEADER = 1 << 16


Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class Cluster(msgspec.Struct, frozen=True, array_like=True):
    """A whole cluster: where it begins, its time in ms, and the time of the first keyframe in it, if there is one."""

    at: Count
    time_ms: Count
    keyframe_ms: Count | None


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands beside a finished segment; all lengths are in bytes of plaintext.

    Whole clusters run from `header` to `end` of its `bytes`. `sealed` is false when a crash ended the segment: what
    fills no chunk is then still in its tail.
    """

    bytes: Count
    duration_ms: Count
    digest: str
    sealed: bool
    header: Annotated[int, msgspec.Meta(ge=0, le=MAX_HEADER)]
    end: Count
    clusters: list[Cluster]


class ClusterScanner:
    """Finds the whole clusters of a file that comes in pieces of any length.

    The keyframes that count are those of the video, or of the first track when there is none. A file that is not as
    ours are is scanned up to there.
    """

    def __init__(self) -> None:
        self.header = 0
        """Where the first cluster begins."""
        self.end = 0
        """Where the last whole cluster ends."""
        self.last_ms = 0
        """The time of the last block in a whole cluster."""
        self.clusters: list[Cluster] = []
        self._buffer = bytearray()
        self._at = 0
        self._skip = 0
        self._broken = False
        self._track = 1
        self._open: tuple[int, int] | None = None
        self._time = 0
        self._last = 0
        self._keyframe: int | None = None

    def feed(self, data: bytes) -> None:
        """Takes the next bytes."""
        if not self._broken:
            self._buffer += data
            try:
                done = self._scan()
            except ValueError:
                self._broken, done = True, len(self._buffer)
            del self._buffer[:done]
            self._at += done

    def _scan(self) -> int:
        """Goes over the buffer as far as it can be understood; how many of its bytes are done with."""
        at = 0
        while True:
            passed = min(self._skip, len(self._buffer) - at)
            self._skip -= passed
            at += passed
            if self._skip:
                return at
            if self._open is not None and self._at + at >= self._open[1]:
                self._close(*self._open)
            found = ebml.head(self._buffer, at)
            if found is None:
                return at
            kind, size, content = found
            if size is None and kind != SEGMENT:
                raise ValueError("an element without a size")
            wanted = min(size or 0, _LOOKED_AT.get(kind, 0))
            if content + wanted > len(self._buffer):
                return at
            if kind == CLUSTER:
                self._open = self._at + at, self._at + content + (size or 0)
                self._keyframe = None
            elif kind != SEGMENT:
                self._look(kind, bytes(self._buffer[content : content + wanted]))
                self._skip = size or 0
            at = content

    def _look(self, kind: int, content: bytes) -> None:
        if kind == TRACKS:
            self._track = _sought_track(content)
        elif kind == _TIMESTAMP:
            self._time = int.from_bytes(content, "big")
        elif kind == _SIMPLE_BLOCK and len(content) == _LOOKED_AT[_SIMPLE_BLOCK]:
            track, offset, flags = struct.unpack(">BhB", content)
            self._last = self._time + offset
            if flags & 0x80 and track & 0x7F == self._track and self._keyframe is None:
                self._keyframe = self._last

    def _close(self, begin: int, end: int) -> None:
        self.clusters.append(Cluster(begin, self._time, self._keyframe))
        self.header = self.header or begin
        self.end, self.last_ms, self._open = end, max(self.last_ms, self._last), None


def _elements(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(id, where it begins, where its content does, where it ends) of the elements that stand one after another.

    Of one without an end the content is gone over. Raises ValueError.
    """
    at = 0
    while (found := ebml.head(data, at)) is not None:
        kind, size, content = found
        end = content if size is None else content + size
        yield kind, at, content, end
        at = end


def _sought_track(tracks: bytes) -> int:
    """The number of the track whose keyframes are sought."""
    numbers: dict[int, int] = {}
    for _, _, content, end in _elements(tracks):
        entry = tracks[content:end]
        fields = {kind: int.from_bytes(entry[begin:over], "big") for kind, _, begin, over in _elements(entry)}
        numbers[fields.get(_TRACK_NUMBER, 1)] = fields.get(_TRACK_TYPE, 0)
    return next((number for number, kind in numbers.items() if kind == _VIDEO), next(iter(numbers), 1))


def front(header: bytes, index: Index) -> bytes:
    """What stands before the whole clusters of a finished segment whose file begins with `header`; raises ValueError.

    The integers of the cues have a fixed length, so that what is written there does not move what it points at.
    """
    kept = {kind: header[begin:end] for kind, begin, _, end in _elements(header)}
    if EBML not in kept or TRACKS not in kept:
        raise ValueError("no header of a segment")
    info = ebml.element(
        INFO,
        ebml.unsigned(_TIMESTAMP_SCALE, 1_000_000)
        + ebml.element(_DURATION, struct.pack(">d", index.duration_ms))
        + ebml.text(_MUXING_APP, "sightline")
        + ebml.text(_WRITING_APP, "sightline"),
    )
    before = info + kept[TRACKS]
    marks, last = list[tuple[int, int]](), -CUE_EVERY_MS
    for cluster in index.clusters:
        if cluster.keyframe_ms is not None and cluster.keyframe_ms - last >= CUE_EVERY_MS:
            last = cluster.keyframe_ms
            marks.append((last, cluster.at - index.header))
    track = _sought_track(_content(kept[TRACKS]))
    length = len(before) + len(_cues(marks, track, 0))
    before += _cues(marks, track, length)
    media = index.end - index.header
    return kept[EBML] + ebml.identifier(SEGMENT) + ebml.size(len(before) + media, 8) + before


def _content(element: bytes) -> bytes:
    return next(element[content:end] for _, _, content, end in _elements(element))


def _cues(marks: list[tuple[int, int]], track: int, base: int) -> bytes:
    """Cues for (time in ms, distance of the cluster from the first) when the first stands `base` into the segment."""
    points = b"".join(
        ebml.element(
            _CUE_POINT,
            ebml.unsigned(_CUE_TIME, time, 8)
            + ebml.element(
                _CUE_POSITIONS, ebml.unsigned(_CUE_TRACK, track, 1) + ebml.unsigned(_CUE_CLUSTER, base + distance, 8)
            ),
        )
        for time, distance in marks
    )
    return ebml.element(CUES, points) if marks else b""
