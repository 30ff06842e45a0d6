"""The frames of one sender, a picture and a voice or one of them, as the bytes of a WebM file."""

from collections.abc import Iterable, Sequence

from recorder import opus, webm
from recorder.frames import Codec, Frame
from recorder.soundtrack import Soundtrack
from recorder.webm import Block, Track

VOICE_LATE = 1.0
"""Seconds that a voice may come behind: what is missing then is silence, for a player waits for both tracks."""
LONG_SILENCE = 5.0
"""Seconds that are filled before a picture that comes after them, so that the file stays in order."""


class Multiplexer:
    """Clusters out of frames; all times are in seconds of the frames' clock. A picture begins with a keyframe."""

    def __init__(self, codecs: Sequence[Codec]) -> None:
        self.last_ms = -1
        """When the last block begins, from the beginning of the file."""
        self._codecs = codecs
        self._numbers = {codec.CODEC: number for number, codec in enumerate(codecs, 1)}
        self._voice = next((number for number, codec in enumerate(codecs, 1) if codec.KIND == "audio"), None)
        self._soundtrack = Soundtrack()
        self._tracks: list[Track] = []
        self._origin: float | None = None
        self._picture_ms = -1
        self._blocks: list[Block] = []
        self._pieces: list[bytes] = []

    def suits(self, keyframe: Frame) -> bool:
        """Whether a keyframe, and what follows it, can be shown out of this file."""
        codec = keyframe.codec
        if not codec.ONE_HEADER or self._origin is None:
            return codec in self._codecs
        return any(track.codec is codec and track.private == codec.private(keyframe.data) for track in self._tracks)

    def add(self, frame: Frame) -> bool:
        """Takes a frame; False when it can't be in this file, or not before its first picture."""
        number = self._numbers.get(frame.codec.CODEC)
        if number is None or (self._origin is None and not self._begin(frame)):
            return False
        assert self._origin is not None
        time = frame.time - self._origin
        if number == self._voice:
            self._hear(self._soundtrack.place(frame.data, time))
            return True
        if self._voice is not None and time - self._soundtrack.end > LONG_SILENCE:
            self._hear(self._soundtrack.fill(time - VOICE_LATE))
        self._picture_ms = max(self._picture_ms + 1, round(time * 1000))
        if frame.size is not None:
            self._cut()  # so that a player who seeks finds a keyframe at the beginning of a cluster
        self._put(Block(self._picture_ms, number, frame.size is not None, frame.data))
        return True

    def take(self, now: float, late: float = VOICE_LATE) -> list[bytes]:
        """All that can be written by `now`, in whole clusters; a voice may still come `late` seconds behind."""
        if self._voice is not None and self._origin is not None:
            self._hear(self._soundtrack.fill(now - self._origin - late))
        self._cut()
        pieces, self._pieces = self._pieces, []
        return pieces

    def _begin(self, frame: Frame) -> bool:
        if frame.size is None and any(codec.KIND == "video" for codec in self._codecs):
            return False
        self._tracks = [Track(codec, frame.size or (0, 0), codec.private(frame.data)) for codec in self._codecs]
        self._pieces.append(webm.header(self._tracks))
        self._origin = frame.time
        return True

    def _hear(self, packets: Iterable[tuple[int, bytes]]) -> None:
        assert self._voice is not None
        for time, packet in packets:
            self._put(Block(time + opus.DELAY_MS, self._voice, True, packet))

    def _put(self, block: Block) -> None:
        if self._blocks and abs(block.time - self._blocks[0].time) > webm.MAX_CLUSTER_MS:
            self._cut()
        self._blocks.append(block)
        self.last_ms = max(self.last_ms, block.time)

    def _cut(self) -> None:
        if self._blocks:
            if self._voice is not None:
                self._blocks.sort()
            self._pieces.append(webm.cluster(self._blocks))
            self._blocks = []
