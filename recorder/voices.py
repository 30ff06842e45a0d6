"""Voices passed on as they come: each listener has one stream, in which one other is heard at a time.

Mixing would mean decoding. Who speaks keeps the floor until a short silence; then the next who speaks has it. Pure:
time comes in as an argument, in seconds.
"""

import struct
from collections.abc import Callable

from signaling.rtp import Packet

CLOCK_RATE = 48_000
KEEPS_THE_FLOOR = 0.4
QUIET_DB = 55
"""So far below the loudest there is only a room's noise (RFC 6464 counts from 0, the loudest, to 127)."""
GONE_AFTER = 1.0


def speaks(packet: Packet) -> bool:
    """Whether somebody speaks in a packet; without its level, whether there is more in it than silence needs."""
    return packet.level < QUIET_DB if packet.level is not None else len(packet.payload) > 40


class Listening:
    """What one listener hears."""

    def __init__(self, payload_type: int, ssrc: int, send_rtp: Callable[[bytes], None]) -> None:
        self.speaker: str | None = None
        self._payload_type = payload_type
        self._ssrc = ssrc
        self._send_rtp = send_rtp
        self._spoke_at = self._heard_at = float("-inf")
        self._sequence_offset = self._timestamp_offset = 0
        self._next = self._timestamp = 0
        self._stream: tuple[str, int] | None = None

    def packet(self, speaker: str, packet: Packet, now: float) -> None:
        """A packet of somebody's voice: heard, unless somebody else has the floor."""
        talks = speaks(packet)
        if speaker != self.speaker:
            free = now - self._spoke_at > KEEPS_THE_FLOOR if talks else now - self._heard_at > GONE_AFTER
            if not free:
                return
            self.speaker = speaker
        if talks:
            self._spoke_at = now
        begins = self._stream != (speaker, packet.ssrc)
        if begins:
            passed = max(0.02, min(now - self._heard_at, 60.0))
            self._stream = speaker, packet.ssrc
            self._sequence_offset = self._next - packet.sequence
            self._timestamp_offset = self._timestamp + int(passed * CLOCK_RATE) - packet.timestamp
        self._heard_at = now
        sequence = packet.sequence + self._sequence_offset & 0xFFFF
        if (sequence - self._next) & 0xFFFF < 0x8000:
            self._next = sequence + 1
            self._timestamp = packet.timestamp + self._timestamp_offset
        timestamp = packet.timestamp + self._timestamp_offset & 0xFFFFFFFF
        second = (begins or packet.marker) << 7 | self._payload_type
        self._send_rtp(struct.pack("!BBHLL", 0x80, second, sequence, timestamp, self._ssrc) + packet.payload)
