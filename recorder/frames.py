"""What a depacketiser makes out of RTP payloads: parts, and whole encoded frames."""

from typing import NamedTuple, Protocol


class Part(NamedTuple):
    """One payload's share of a frame; `begins` when a frame starts with it."""

    data: bytes
    begins: bool


class Frame(NamedTuple):
    """A complete encoded frame.

    `timestamp` counts in the codec's clock from the stream's first frame and never wraps; `size` is (width, height) in
    pixels of a keyframe and None otherwise.
    """

    data: bytes
    timestamp: int
    size: tuple[int, int] | None


class Codec(Protocol):
    """What the module of each codec offers."""

    CODEC: str
    """The name in SDP, in capitals."""
    MATROSKA: str
    """The codec id in WebM."""
    CLOCK_RATE: int

    def strip(self, payload: bytes) -> Part: ...

    def keyframe_size(self, frame: bytes) -> tuple[int, int] | None: ...
