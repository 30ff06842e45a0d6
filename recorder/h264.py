"""H.264 as it comes in RTP: RFC 6184, non-interleaved mode. Enough to put frames together, never to decode them.

Frames are stored as MP4 and Matroska want them, each NAL unit after its length (ISO/IEC 14496-15). Parameter sets stay
in the keyframes too, for they change with the size of the picture.
"""

import struct
from collections.abc import Iterator

from recorder.bits import Bits
from recorder.frames import Kind, Part

CODEC = "H264"
KIND: Kind = "video"
MATROSKA = "V_MPEG4/ISO/AVC"
ONE_HEADER = True
CLOCK_RATE = 90_000
_SLICE, _KEY_SLICE, _SEQUENCE, _PICTURE, _DELIMITER = 1, 5, 7, 8, 9
_STAP_A, _FU_A = 24, 28
_MAX_UNITS = 1024
_MAX_SET_BYTES = 0xFFFF
_LENGTH = struct.Struct("!L")
_WITH_CHROMA = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


def strip(payload: bytes) -> Part:
    """The payload as it is; a frame can start with its parameter sets or the first slice of a picture."""
    if len(payload) < 2:
        raise ValueError("H.264 payload is cut off")
    kind, first_byte, begins = payload[0] & 0x1F, payload[1], True
    if kind == _FU_A:
        begins = bool(payload[1] & 0x80)
        kind, first_byte = payload[1] & 0x1F, payload[2] if len(payload) > 2 else 0
    elif kind == _STAP_A:
        if len(payload) < 5:
            raise ValueError("H.264 payload is cut off")
        kind, first_byte = payload[3] & 0x1F, payload[4]
    elif not 1 <= kind <= 23:
        raise ValueError("H.264 packetization that was not agreed on")
    if kind in (_SLICE, _KEY_SLICE):
        begins = begins and first_byte > 127  # first_mb_in_slice is 0, one bit in Exp-Golomb
    return payload, begins and kind <= _DELIMITER


def join(parts: list[bytes]) -> bytes:
    """The NAL units in these payloads, each after its length (RFC 6184 sections 5.6 to 5.8)."""
    joined = list[bytes]()
    fragments = list[bytes]()
    for payload in parts:
        if len(joined) > 2 * _MAX_UNITS:
            raise ValueError("H.264 picture in too many pieces")
        kind = payload[0] & 0x1F
        if kind == _FU_A:
            head = payload[1]
            if bool(head & 0x80) == bool(fragments):
                raise ValueError("H.264 fragments out of order")
            if head & 0x80:
                fragments.append(bytes((payload[0] & 0xE0 | head & 0x1F,)))
            fragments.append(payload[2:])
            if head & 0x40:
                joined += (_LENGTH.pack(sum(map(len, fragments))), *fragments)
                fragments.clear()
            continue
        if fragments:
            raise ValueError("H.264 fragments without an end")
        if kind == _STAP_A:
            position, size = 1, len(payload)
            while position < size:
                length = int.from_bytes(payload[position : position + 2], "big")
                unit = payload[position + 2 : position + 2 + length]
                if not length or len(unit) < length:
                    raise ValueError("H.264 aggregate is cut off")
                joined += (_LENGTH.pack(length), unit)
                position += 2 + length
        elif kind != _DELIMITER:
            joined += (_LENGTH.pack(len(payload)), payload)
    if fragments:
        raise ValueError("H.264 fragments without an end")
    return b"".join(joined)


def _units(frame: bytes) -> Iterator[bytes]:
    """The NAL units that stand before the picture, and the beginning of its first slice."""
    position = 0
    for _ in range(_MAX_UNITS):
        if position + 5 > len(frame):
            return
        (length,) = _LENGTH.unpack_from(frame, position)
        picture = frame[position + 4] & 0x1F <= _KEY_SLICE
        if not length or (length > _MAX_SET_BYTES and not picture):
            return
        yield frame[position + 4 : position + 4 + (min(length, 2) if picture else length)]
        if picture:
            return
        position += 4 + length


def keyframe_size(frame: bytes) -> tuple[int, int] | None:
    """Width and height of an IDR picture that brings its parameter sets, as every one over WebRTC has to."""
    if len(frame) < 5 or frame[4] & 0x1F == _SLICE:
        return None
    size, has_picture_set = None, False
    for unit in _units(frame):
        kind = unit[0] & 0x1F
        if kind == _SEQUENCE:
            try:
                size = _size(unit)
            except ValueError:
                return None
        elif kind == _PICTURE:
            has_picture_set = True
        elif kind <= _KEY_SLICE:
            return size if kind == _KEY_SLICE and has_picture_set and unit[1:] > b"\x7f" else None
    return None


def private(frame: bytes) -> bytes:
    """The decoder configuration record with a keyframe's parameter sets (ISO/IEC 14496-15 section 5.3.3.1)."""
    units = list(_units(frame))
    sequences = [unit for unit in units if unit[0] & 0x1F == _SEQUENCE][:31]
    pictures = [unit for unit in units if unit[0] & 0x1F == _PICTURE][:255]
    if not sequences or not pictures or len(sequences[0]) < 4:
        raise ValueError("H.264 frame without parameter sets")
    record = [b"\x01" + sequences[0][1:4] + b"\xff" + bytes((0xE0 | len(sequences),))]
    record += [struct.pack("!H", len(unit)) + unit for unit in sequences]
    record.append(bytes((len(pictures),)))
    record += [struct.pack("!H", len(unit)) + unit for unit in pictures]
    if sequences[0][1] in (100, 110, 122, 144):
        chroma, luma_depth, chroma_depth = _chroma(sequences[0])
        record.append(bytes((0xFC | chroma, 0xF8 | luma_depth, 0xF8 | chroma_depth, 0)))
    return b"".join(record)


def _unescaped(unit: bytes) -> bytes:
    """What a NAL unit says, without the bytes that keep start codes out of it (H.264 section 7.4.1)."""
    return unit[1:].replace(b"\x00\x00\x03", b"\x00\x00")


def _chroma(sequence: bytes) -> tuple[int, int, int]:
    bits = Bits(_unescaped(sequence[:128]))
    bits.read(24)
    bits.exponential()
    chroma = bits.exponential() & 3
    if chroma == 3:
        bits.read(1)
    return chroma, bits.exponential() & 7, bits.exponential() & 7


def _size(sequence: bytes) -> tuple[int, int]:
    """The picture's size in a sequence parameter set (H.264 section 7.3.2.1.1)."""
    bits = Bits(_unescaped(sequence[:512]))
    profile = bits.read(24) >> 16
    bits.exponential()
    chroma = 1
    if profile in _WITH_CHROMA:
        chroma = bits.exponential()
        if chroma == 3 and bits.flag():
            chroma = 0  # planes that are coded apart
        bits.exponential()
        bits.exponential()
        bits.read(1)
        if bits.flag():
            for number in range(12 if chroma == 3 else 8):
                if bits.flag():
                    _pass_scaling_list(bits, 16 if number < 6 else 64)
    bits.exponential()
    order = bits.exponential()
    if order == 0:
        bits.exponential()
    elif order == 1:
        bits.read(1)
        bits.exponential()
        bits.exponential()
        for _ in range(min(bits.exponential(), 255)):
            bits.exponential()
    bits.exponential()
    bits.read(1)
    width, height = 16 * (bits.exponential() + 1), 16 * (bits.exponential() + 1)
    frames_only = bits.flag()
    if not frames_only:
        height *= 2
        bits.read(1)
    bits.read(1)
    if bits.flag():
        across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1) * (1 if frames_only else 2)
        width -= across * (bits.exponential() + bits.exponential())
        height -= down * (bits.exponential() + bits.exponential())
    if not (0 < width <= 16384 and 0 < height <= 16384):
        raise ValueError("H.264 picture of no size")
    return width, height


def _pass_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_exponential()) & 0xFF
        last = following or last
