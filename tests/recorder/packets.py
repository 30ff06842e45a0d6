"""RTP for tests: invented VP8 frames in packets, and a path between two that loses what it is told to."""

import struct
from collections.abc import Iterable

from signaling.rtp import Packet

PAYLOAD_TYPE, SSRC = 96, 0x1234


def keyframe(size: int, width: int = 640, height: int = 360, fill: int = 7) -> bytes:
    """The bytes of a frame that says of itself that it is a keyframe."""
    head = b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height)
    return head + bytes([fill]) * (size - len(head))


def delta(size: int, fill: int = 7) -> bytes:
    """The bytes of a frame that needs the one before it."""
    return b"\x01" + bytes([fill]) * (size - 1)


def packets(
    frames: Iterable[bytes], first_sequence: int = 0, first_timestamp: int = 0, step: int = 3000, share: int = 100
) -> list[Packet]:
    """Each frame in payloads of at most `share` bytes, the last of them with the marker."""
    made: list[Packet] = []
    for place, frame in enumerate(frames):
        shares = [frame[at : at + share] for at in range(0, len(frame), share)]
        for number, data in enumerate(shares):
            made.append(
                Packet(
                    payload_type=PAYLOAD_TYPE,
                    marker=number == len(shares) - 1,
                    sequence=(first_sequence + len(made)) & 0xFFFF,
                    timestamp=(first_timestamp + place * step) & 0xFFFFFFFF,
                    ssrc=SSRC,
                    payload=(b"\x10" if number == 0 else b"\x00") + data,
                    send_time=None,
                )
            )
    return made


def wire(packet: Packet, *, payload_type: int | None = None, ssrc: int | None = None) -> bytes:
    """A packet as bytes."""
    kind = packet.payload_type if payload_type is None else payload_type
    second = (0x80 if packet.marker else 0) | kind
    head = (0x80, second, packet.sequence, packet.timestamp, packet.ssrc if ssrc is None else ssrc)
    return struct.pack("!BBHLL", *head) + packet.payload


def retransmission(packet: Packet, sequence: int) -> bytes:
    """A packet sent again in a stream of its own (RFC 4588), as bytes."""
    again = packet._replace(payload=struct.pack("!H", packet.sequence) + packet.payload, sequence=sequence)
    return wire(again, payload_type=97, ssrc=0x5678)
