"""VP8 as it comes in RTP: RFC 7741. Enough to put frames together, never to decode them."""

from recorder.frames import Kind, Part

CODEC = "VP8"
KIND: Kind = "video"
MATROSKA = "V_VP8"
ONE_HEADER = False
CLOCK_RATE = 90_000
_AFTER_EXTENSIONS = [2 + bool(said & 0b1000) + bool(said & 0b0100) + bool(said & 0b0011) for said in range(16)]
"""Where a descriptor ends that says I, L, and T or K, with a picture id of one byte."""


def strip(payload: bytes) -> Part:
    """A payload without its descriptor (RFC 7741 section 4.2)."""
    try:
        first, position = payload[0], 1
        if first & 0x80:
            extensions = payload[1]
            position = _AFTER_EXTENSIONS[extensions >> 4]
            if extensions & 0x80 and payload[2] & 0x80:
                position += 1
    except IndexError:
        raise ValueError("VP8 payload is cut off") from None
    if position >= len(payload):
        raise ValueError("VP8 payload is cut off")
    return payload[position:], first & 0x17 == 0x10


def join(parts: list[bytes]) -> bytes:
    """The frame of these parts."""
    return b"".join(parts)


def keyframe_size(frame: bytes) -> tuple[int, int] | None:
    """Width and height of a keyframe, None when the frame is no keyframe (RFC 6386 section 9.1)."""
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        return None
    width = int.from_bytes(frame[6:8], "little") & 0x3FFF
    height = int.from_bytes(frame[8:10], "little") & 0x3FFF
    return (width, height) if width and height else None


def private(frame: bytes) -> bytes:
    """Nothing: VP8 describes itself."""
    return b""
