"""AV1 as it comes in RTP (AOM's "RTP Payload Format For AV1"). Enough to put frames together, never to decode them.

Frames are stored as Matroska wants them: the OBUs of a temporal unit, each with its size, without temporal delimiters.
"""

from typing import NamedTuple

from recorder.bits import Bits
from recorder.frames import Kind, Part

CODEC = "AV1"
KIND: Kind = "video"
MATROSKA = "V_AV1"
ONE_HEADER = False
CLOCK_RATE = 90_000
_SEQUENCE, _DELIMITER, _FRAME_HEADER, _FRAME, _TILE_LIST, _PADDING = 1, 2, 3, 6, 8, 15
_MAX_UNITS = 1024
_NOT_STORED = (_DELIMITER, _TILE_LIST, _PADDING)


def strip(payload: bytes) -> Part:
    """The payload as it is; a frame can start with it unless it goes on with an OBU of the one before (Z)."""
    if len(payload) < 2:
        raise ValueError("AV1 payload is cut off")
    return payload, payload[0] < 128


def join(parts: list[bytes]) -> bytes:
    """The OBUs in these payloads (section 4.4: aggregation header), each with its size."""
    joined = list[bytes]()
    fragments = list[bytes]()
    for payload in parts:
        if len(joined) > 4 * _MAX_UNITS:
            raise ValueError("AV1 temporal unit in too many pieces")
        head = payload[0]
        if bool(head & 0x80) != bool(fragments):
            raise ValueError("AV1 fragments out of order")
        elements = _elements(payload, head >> 4 & 3)
        for number, element in enumerate(elements):
            fragments.append(element)
            if number < len(elements) - 1 or not head & 0x40:
                joined += _stored(fragments[0] if len(fragments) == 1 else b"".join(fragments))
                fragments.clear()
    if fragments:
        raise ValueError("AV1 fragments without an end")
    return b"".join(joined)


def _elements(payload: bytes, count: int) -> list[bytes]:
    """The OBU elements of a payload; `count` is W, in which 0 says that each has its length."""
    if count == 1:
        return [payload[1:]]
    elements, position, size = list[bytes](), 1, len(payload)
    while position < size:
        if len(elements) == _MAX_UNITS:
            raise ValueError("AV1 payload in too many pieces")
        if len(elements) + 1 == count:
            elements.append(payload[position:])
            break
        length, position = _leb128(payload, position)
        if position + length > size:
            raise ValueError("AV1 payload is cut off")
        elements.append(payload[position : position + length])
        position += length
    if count and len(elements) != count:
        raise ValueError("AV1 payload is cut off")
    return elements


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    """A number and where it ends (AV1 section 4.10.5)."""
    value = 0
    for place in range(8):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << 7 * place
        if byte < 128:
            return value, position
    raise ValueError("AV1 number without an end")


def _as_leb128(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _stored(unit: bytes) -> tuple[bytes, ...]:
    """An OBU with its size; nothing of one that files do without."""
    if not unit:
        return ()
    head = unit[0]
    if head & 0x80:
        raise ValueError("not an OBU")
    if head >> 3 & 15 in _NOT_STORED:
        return ()
    start = 2 if head & 4 else 1
    if len(unit) < start:
        raise ValueError("OBU is cut off")
    if head & 2:
        length, body = _leb128(unit, start)
        if body + length != len(unit):
            raise ValueError("OBU of another size")
        return (unit,)
    return bytes((head | 2,)), unit[1:start], _as_leb128(len(unit) - start), unit[start:]


class _Sequence(NamedTuple):
    """What a sequence header says (AV1 section 5.5); `configuration` is the middle of the av1C record."""

    width: int
    height: int
    still: bool
    configuration: bytes


def _unit(frame: bytes, position: int) -> tuple[int, bytes, int]:
    """Kind and body of the stored OBU at `position`, and where it ends."""
    if position + 2 > len(frame):
        raise ValueError("OBU is cut off")
    head = frame[position]
    length, body = _leb128(frame, position + (2 if head & 4 else 1))
    return head >> 3 & 15, frame[body : body + min(length, 256)], body + length


def keyframe_size(frame: bytes) -> tuple[int, int] | None:
    """Width and height of a keyframe that brings its sequence header."""
    if not frame or frame[0] >> 3 & 15 != _SEQUENCE:
        return None
    try:
        _, body, position = _unit(frame, 0)
        sequence = _sequence(body)
        kind = _SEQUENCE
        for _ in range(_MAX_UNITS):
            if kind in (_FRAME, _FRAME_HEADER):
                break
            kind, body, position = _unit(frame, position)
        else:
            return None
    except ValueError:
        return None
    is_keyframe = sequence.still or (body != b"" and body[0] & 0xE0 == 0)  # show_existing_frame and frame_type
    return (sequence.width, sequence.height) if is_keyframe else None


def private(frame: bytes) -> bytes:
    """The av1C record of a keyframe's sequence header ("AV1 Codec ISO Media File Format Binding", section 2.3.3)."""
    kind, body, end = _unit(frame, 0)
    if kind != _SEQUENCE:
        raise ValueError("AV1 frame without a sequence header")
    return b"\x81" + _sequence(body).configuration + b"\x00" + frame[:end]


def _sequence(body: bytes) -> _Sequence:
    bits = Bits(body)
    profile = bits.read(3)
    still, reduced = bits.flag(), bits.flag()
    tier = level = 0
    if reduced:
        level = bits.read(5)
    else:
        level, tier = _operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    if not reduced and bits.flag():
        bits.read(7)
    bits.read(3)
    if not reduced:
        bits.read(4)
        order_hint = bits.flag()
        if order_hint:
            bits.read(2)
        choose = bits.flag()
        if (choose or bits.flag()) and not bits.flag():
            bits.read(1)
        if order_hint:
            bits.read(3)
    bits.read(3)
    color = _color(bits, profile)
    return _Sequence(width, height, still, bytes((profile << 5 | level, tier << 7 | color)))


def _operating_points(bits: Bits) -> tuple[int, int]:
    """Level and tier of the first operating point."""
    level = tier = delay_bits = 0
    decoder_model = False
    if bits.flag():
        bits.read(32)
        bits.read(32)
        if bits.flag():
            bits.exponential()
        decoder_model = bits.flag()
        if decoder_model:
            delay_bits = bits.read(5) + 1
            bits.read(32)
            bits.read(10)
    initial_delay = bits.flag()
    for number in range(bits.read(5) + 1):
        bits.read(12)
        level_here = bits.read(5)
        tier_here = bits.read(1) if level_here > 7 else 0
        if number == 0:
            level, tier = level_here, tier_here
        if decoder_model and bits.flag():
            bits.read(2 * delay_bits + 1)
        if initial_delay and bits.flag():
            bits.read(4)
    return level, tier


def _color(bits: Bits, profile: int) -> int:
    """Depth, monochrome and subsampling, as they stand in av1C (AV1 section 5.5.2)."""
    deep = bits.flag()
    deeper = profile == 2 and deep and bits.flag()
    gray = profile != 1 and bits.flag()
    primaries = transfer = matrix = 2
    if bits.flag():
        primaries, transfer, matrix = bits.read(8), bits.read(8), bits.read(8)
    across = down = position = 0
    if gray:
        across = down = 1
    elif (primaries, transfer, matrix) != (1, 13, 0):
        bits.read(1)
        if profile == 0:
            across = down = 1
        elif profile == 2:
            across = bits.read(1) if deeper else 1
            down = bits.read(1) if across and deeper else 0
        if across and down:
            position = bits.read(2)
    return deep << 6 | deeper << 5 | gray << 4 | across << 3 | down << 2 | position
