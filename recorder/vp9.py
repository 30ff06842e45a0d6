"""VP9 as it comes in RTP: RFC 9628. Enough to put frames together, never to decode them."""

from recorder.bits import Bits
from recorder.frames import Kind, Part

CODEC = "VP9"
KIND: Kind = "video"
MATROSKA = "V_VP9"
ONE_HEADER = False
CLOCK_RATE = 90_000
_SYNC_CODE = 0x498342
_RGB = 7


def strip(payload: bytes) -> Part:
    """A payload without its descriptor (RFC 9628 section 4.2). A picture's layers make one frame."""
    size = len(payload)
    if size < 2:
        raise ValueError("VP9 payload is cut off")
    first, position, base = payload[0], 1, True
    if first & 0x80:  # I: picture id
        position += 2 if payload[1] & 0x80 else 1
    if first & 0x20:  # L: layer indices
        if position >= size:
            raise ValueError("VP9 payload is cut off")
        base = payload[position] & 0x0E == 0
        position += 1 if first & 0x10 else 2  # outside of flexible mode TL0PICIDX follows
    if first & 0x50 == 0x50:  # P and F: up to three references
        for _ in range(3):
            position += 1
            if position > size or not payload[position - 1] & 1:
                break
    if first & 0x02:  # V: scalability structure
        position = _after_structure(payload, position)
    if position >= size:
        raise ValueError("VP9 payload is cut off")
    return payload[position:], bool(first & 0x08) and base


def _after_structure(payload: bytes, position: int) -> int:
    """Where the scalability structure that begins at `position` ends (RFC 9628 section 4.2.1)."""
    try:
        head = payload[position]
        position += 1
        if head & 0x10:
            position += 4 * ((head >> 5) + 1)
        if head & 0x08:
            pictures = payload[position]
            position += 1
            for _ in range(pictures):
                position += 1 + (payload[position] >> 2 & 3)
    except IndexError:
        raise ValueError("VP9 payload is cut off") from None
    return position


def join(parts: list[bytes]) -> bytes:
    """The frame of these parts."""
    return b"".join(parts)


def keyframe_size(frame: bytes) -> tuple[int, int] | None:
    """Width and height out of the uncompressed header (VP9 bitstream specification, section 6.2)."""
    first = frame[0] if frame else 0
    if first & 0xC0 != 0x80 or (first & 0x30 != 0x30 and first & 0x0C):
        return None
    bits = Bits(frame[:16])
    try:
        bits.read(2)
        profile = bits.read(1) | bits.read(1) << 1
        if profile == 3:
            bits.read(1)
        if bits.flag() or bits.flag():  # show_existing_frame, or a frame that is no keyframe
            return None
        bits.read(2)
        if bits.read(24) != _SYNC_CODE:
            return None
        if profile >= 2:
            bits.read(1)
        if bits.read(3) != _RGB:
            bits.read(1)
            if profile & 1:
                bits.read(3)
        elif profile & 1:
            bits.read(1)
        return bits.read(16) + 1, bits.read(16) + 1
    except ValueError:
        return None


def private(frame: bytes) -> bytes:
    """Nothing: VP9 describes itself."""
    return b""
