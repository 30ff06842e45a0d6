"""RTP headers read, and RTCP written: RFC 3550, 4585, 4588 and draft-alvestrand-rmcat-remb."""

import struct
from collections.abc import Iterable
from typing import NamedTuple

_HEADER = struct.Struct("!BBHLL")
_WORDS = struct.Struct("!HH")
HEAD = struct.Struct("!BBHLLHH")
"""Flags, marker and payload type, sequence number, timestamp, SSRC, profile and length of a header extension."""
_SENDER_REPORT = struct.Struct("!LQL")


class Packet(NamedTuple):
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    send_time: int | None
    """abs-send-time, 24 bits of seconds in 6.18 fixed point, of a packet with the marker, when it was asked for."""
    level: int | None = None
    """How far below the loudest a voice is, in dB (RFC 6464), when it was asked for."""


class SenderReport(NamedTuple):
    ssrc: int
    middle_ntp: int
    """The middle 32 bits of the NTP time, which a receiver report repeats (RFC 3550 section 6.4.1)."""
    ntp: float
    """The sender's clock in seconds, when the stream's clock showed `timestamp`."""
    timestamp: int


def parse(data: bytes, send_time_id: int | None = None, level_id: int | None = None) -> Packet:
    """An RTP packet; raises ValueError when it is none."""
    if len(data) < 12:
        raise ValueError("RTP packet is cut off")
    flags, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if flags >> 6 != 2:
        raise ValueError("not RTP version 2")
    start, end = 12 + 4 * (flags & 0x0F), len(data)
    send_time = level = None
    if flags & 0x10:
        if start + 4 > end:
            raise ValueError("RTP header extension is cut off")
        profile, words = _WORDS.unpack_from(data, start)
        first, start = start + 4, start + 4 + 4 * words
        if profile == 0xBEDE and second > 127 and send_time_id is not None and start <= end:
            send_time = _one_byte_extension(data, first, start, send_time_id, 3)
        if profile == 0xBEDE and level_id is not None and start <= end:
            level = _one_byte_extension(data, first, start, level_id, 1)
    if flags & 0x20:
        end -= data[-1]
        if not data[-1]:
            raise ValueError("RTP padding of no length")
    if start > end:
        raise ValueError("RTP packet is cut off")
    quiet = level and level & 0x7F
    return Packet(second & 0x7F, second > 127, sequence, timestamp, ssrc, data[start:end], send_time, quiet)


def _one_byte_extension(data: bytes, position: int, end: int, wanted: int, size: int) -> int | None:
    """The value of the wanted extension of `size` bytes (RFC 8285 section 4.2)."""
    while position < end:
        head = data[position]
        if head == 0:
            position += 1
            continue
        length = (head & 0x0F) + 1
        if head >> 4 == wanted and length == size and position + 1 + size <= end:
            return int.from_bytes(data[position + 1 : position + 1 + size], "big")
        position += 1 + length
    return None


def sender_reports(data: bytes) -> list[SenderReport]:
    """The sender reports in a compound RTCP packet; whatever else is in it is passed over."""
    found = []
    while len(data) >= 4:
        size = 4 * (int.from_bytes(data[2:4], "big") + 1)
        if data[1] == 200 and len(data) >= 28 and size >= 28:
            ssrc, ntp, timestamp = _SENDER_REPORT.unpack_from(data, 4)
            found.append(SenderReport(ssrc, ntp >> 16 & 0xFFFFFFFF, ntp / (1 << 32), timestamp))
        data = data[size:]
    return found


def _rtcp(count: int, kind: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def nack(sender: int, media: int, missing: Iterable[int]) -> bytes:
    """A generic NACK of sequence numbers in their order (RFC 4585 section 6.2.1)."""
    pairs: list[list[int]] = []
    for sequence in missing:
        distance = (sequence - pairs[-1][0] - 1) & 0xFFFF if pairs else 16
        if distance < 16:
            pairs[-1][1] |= 1 << distance
        else:
            pairs.append([sequence, 0])
    body = b"".join(_WORDS.pack(sequence, following) for sequence, following in pairs)
    return _rtcp(1, 205, struct.pack("!LL", sender, media) + body)


def picture_loss(sender: int, media: int) -> bytes:
    """A picture loss indication (RFC 4585 section 6.3.1): please send a keyframe."""
    return _rtcp(1, 206, struct.pack("!LL", sender, media))


def maximum_bitrate(sender: int, media: int, bits_per_second: int) -> bytes:
    """A REMB: the sender is not to exceed this bitrate."""
    exponent = max(0, bits_per_second.bit_length() - 18)
    value = exponent << 18 | bits_per_second >> exponent
    head = struct.pack("!LL4sB", sender, 0, b"REMB", 1)
    return _rtcp(15, 206, head + value.to_bytes(3, "big") + struct.pack("!L", media))


class Report(NamedTuple):
    """The block of a receiver report: `fraction_lost` in 1/256, `jitter` in the codec's clock, `delay` in 1/65536 s."""

    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int


def receiver_report(sender: int, media: int, report: Report) -> bytes:
    """A receiver report with one block (RFC 3550 section 6.4.2)."""
    lost = max(-0x800000, min(report.lost, 0x7FFFFF)).to_bytes(3, "big", signed=True)
    tail = (report.highest & 0xFFFFFFFF, report.jitter & 0xFFFFFFFF, report.last_report, report.delay & 0xFFFFFFFF)
    return _rtcp(1, 201, struct.pack("!LLB", sender, media, report.fraction_lost) + lost + struct.pack("!LLLL", *tail))
