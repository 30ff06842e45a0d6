"""What a receiver says of the media that we send it: RTCP read for one stream, whatever else is in it passed over."""

from typing import NamedTuple

_SENDER_REPORT, _RECEIVER_REPORT, _TRANSPORT_FEEDBACK, _PAYLOAD_FEEDBACK = 200, 201, 205, 206


class Block(NamedTuple):
    """A report block (RFC 3550 section 6.4.1); `last_report` and `delay` in 1/65536 s."""

    lost: int
    highest: int
    last_report: int
    delay: int


class Feedback(NamedTuple):
    """Of one compound packet: sequence numbers asked for again, whether a keyframe is wanted, the bitrate granted."""

    missing: list[int]
    keyframe: bool
    bitrate: int | None
    report: Block | None


def read(data: bytes, ssrc: int) -> Feedback:
    """What a compound RTCP packet says of our stream `ssrc`; never raises."""
    missing: list[int] = []
    keyframe, bitrate, report = False, None, None
    while len(data) >= 8:
        size = 4 * (int.from_bytes(data[2:4], "big") + 1)
        body, count, kind, data = data[4:size], data[0] & 0x1F, data[1], data[size:]
        if kind in (_SENDER_REPORT, _RECEIVER_REPORT):
            report = _block(body[24 if kind == _SENDER_REPORT else 4 :], count, ssrc) or report
            continue
        about = int.from_bytes(body[4:8], "big")
        if kind == _TRANSPORT_FEEDBACK and count == 1 and about == ssrc:
            missing += _negatives(body[8:])
        elif kind == _PAYLOAD_FEEDBACK and count == 1:  # PLI
            keyframe |= about == ssrc
        elif kind == _PAYLOAD_FEEDBACK and count == 4:  # FIR, RFC 5104 section 4.3.1
            keyframe |= any(_number(body, at) == ssrc for at in range(8, len(body), 8))
        elif (
            kind == _PAYLOAD_FEEDBACK
            and count == 15
            and body[8:12] == b"REMB"
            and any(_number(body, at) == ssrc for at in range(16, len(body), 4))
        ):
            bitrate = (_number(body, 12) & 0x3FFFF) << (body[13] >> 2)
    return Feedback(missing, keyframe, bitrate, report)


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _block(blocks: bytes, count: int, ssrc: int) -> Block | None:
    for at in range(0, min(24 * count, len(blocks) - 23), 24):
        if _number(blocks, at) == ssrc:
            lost = int.from_bytes(blocks[at + 5 : at + 8], "big", signed=True)
            return Block(lost, _number(blocks, at + 8), _number(blocks, at + 16), _number(blocks, at + 20))
    return None


def _negatives(pairs: bytes) -> list[int]:
    """The sequence numbers of a generic NACK (RFC 4585 section 6.2.1)."""
    found = []
    for at in range(0, len(pairs) - 3, 4):
        first, following = int.from_bytes(pairs[at : at + 2], "big"), int.from_bytes(pairs[at + 2 : at + 4], "big")
        found.append(first)
        found += [(first + 1 + bit) & 0xFFFF for bit in range(16) if following >> bit & 1]
    return found
