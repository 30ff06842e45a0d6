"""Where a keyframe begins in a stream of RTP packets, told from one payload: enough to let a viewer in at one."""

from collections.abc import Callable, Mapping


def _vp8(payload: bytes) -> bool:
    """RFC 7741 sections 4.2 and 4.3: the first partition's start, and the key frame flag after the descriptor."""
    if payload[0] & 0x17 != 0x10:
        return False
    position = 1
    if payload[0] & 0x80:
        extensions, position = payload[1], 2
        if extensions & 0x80:
            position += 2 if payload[2] & 0x80 else 1
        position += bool(extensions & 0x40) + bool(extensions & 0x30)
    return not payload[position] & 1


def _vp9(payload: bytes) -> bool:
    """RFC 9628 section 4.2: a frame's start that is not predicted from another frame, in the lowest spatial layer."""
    first = payload[0]
    if first & 0x48 != 0x08:
        return False
    if not first & 0x20:
        return True
    position = (3 if payload[1] & 0x80 else 2) if first & 0x80 else 1
    return not payload[position] & 0x0E


def _av1(payload: bytes) -> bool:
    """AV1's RTP specification section 4.4: N, the first packet of a coded video sequence."""
    return bool(payload[0] & 0x08)


def _h264(payload: bytes) -> bool:
    """RFC 6184 section 5.2: a sequence parameter set or the start of an IDR slice, alone, aggregated or fragmented."""
    kind = payload[0] & 0x1F
    if kind == 28:
        return bool(payload[1] & 0x80) and payload[1] & 0x1F in (5, 7)
    position = 1
    while kind == 24 and position + 3 <= len(payload):
        if payload[position + 2] & 0x1F in (5, 7):
            return True
        position += 2 + int.from_bytes(payload[position : position + 2], "big")
    return kind in (5, 7)


_BEGINNINGS: Mapping[str, Callable[[bytes], bool]] = {"VP8": _vp8, "VP9": _vp9, "AV1": _av1, "H264": _h264}


def begins_keyframe(codec: str, payload: bytes) -> bool:
    """Whether a keyframe begins with this payload of a codec, named as in SDP and in capitals; False when cut off."""
    try:
        return codec in _BEGINNINGS and _BEGINNINGS[codec](payload)
    except IndexError:
        return False
