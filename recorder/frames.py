"""What a depacketiser makes out of RTP payloads: parts, and whole encoded frames."""

from typing import Literal, NamedTuple, Protocol

Kind = Literal["video", "audio"]


Part = tuple[bytes, bool]
"""One payload's share of a frame, and whether a frame can start with it."""


class Codec(Protocol):
    """What the module of each codec offers; ValueError is all that it raises, whatever bytes it is given."""

    CODEC: str
    """The name in SDP, in capitals."""
    KIND: Kind
    MATROSKA: str
    """The codec id in WebM."""
    ONE_HEADER: bool
    """Whether Chromium shows a whole file as its header says, so that another header needs another file."""
    CLOCK_RATE: int

    def strip(self, payload: bytes) -> Part:
        """A payload without what its frame does not need."""

    def join(self, parts: list[bytes]) -> bytes:
        """The frame of these parts, in order and complete, as a file stores it."""

    def keyframe_size(self, frame: bytes) -> tuple[int, int] | None:
        """Width and height of a frame from which decoding can begin; None of any other, and of voice."""

    def private(self, frame: bytes) -> bytes:
        """What a file's header says about a stream that begins with this frame (CodecPrivate); empty for nothing."""


class Frame(NamedTuple):
    """A complete encoded frame, as a file stores it.

    `time` is when it was captured, in seconds of our own clock: the same for all streams of one sender; `size` is
    (width, height) in pixels of a keyframe and None otherwise.
    """

    data: bytes
    time: float
    size: tuple[int, int] | None
    codec: Codec
