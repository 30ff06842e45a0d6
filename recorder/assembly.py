"""Whole frames out of RTP packets that come late, twice, out of order, or never.

A picture is let go as soon as its packet with the marker bit is there, so that a still screen does not withhold its
last one. After a gap that retransmission did not mend, none is let go until the next keyframe: what is written can
always be decoded. Of a voice each packet is a frame, which waits a moment only for those before it. Time comes in as an
argument, in seconds.
"""

from recorder.frames import Codec, Frame
from recorder.synchronization import StreamClock
from signaling.rtp import Packet

ASK_AGAIN_AFTER = 0.03
GIVE_UP_AFTER = 0.6
VOICE_GIVE_UP_AFTER = 0.1
MAX_WAITING = 2048
MAX_JUMP = 1000
"""A sequence number further ahead than this is a stream that began anew, not a loss."""
MAX_FRAME_BYTES = 8 << 20
_MAX_PART_BYTES = 1 << 16
_PART_BYTES = 64
"""What a part costs in memory, however little is in it."""


class Assembly:
    """The frames of one stream. `needs_keyframe` says that nothing can be let go before a keyframe comes."""

    def __init__(self, codec: Codec, clock: StreamClock) -> None:
        self.needs_keyframe = codec.KIND == "video"
        self.lost_frames = 0
        self.highest: int | None = None
        """The highest sequence number seen, unwrapped."""
        self._codec = codec
        self._clock = clock
        self._whole = codec.KIND == "audio"
        self._give_up_after = VOICE_GIVE_UP_AFTER if self._whole else GIVE_UP_AFTER
        self._next = 0
        self._waiting: dict[int, Packet] = {}
        self._missing: dict[int, list[float]] = {}
        self._parts: list[bytes] = []
        self._bytes = 0
        self._part_timestamp = 0
        self._begun_at = 0.0

    def add(self, packet: Packet, now: float) -> list[Frame]:
        """The frames that are complete with this packet, in order."""
        frames: list[Frame] = []
        following = self._next
        if packet.sequence == following & 0xFFFF and self.highest == following - 1:
            self.highest, self._next = following, following + 1
            self._take(packet, now, frames)
            return frames
        sequence = self._place(packet.sequence, now)
        if sequence is None:
            return []
        self._missing.pop(sequence, None)
        if sequence != self._next:
            self._waiting[sequence] = packet
            return self._give_up(now) if len(self._waiting) > MAX_WAITING else []
        self._next += 1
        self._take(packet, now, frames)
        if self._waiting:
            self._drain(now, frames)
        return frames

    def goes_on(self, sequence: int, timestamp: int, payload: bytes) -> bool:
        """Takes a packet without a marker that is the next one of a frame; any other is for `add` to see to."""
        following = self._next
        if sequence != following & 0xFFFF or timestamp != self._part_timestamp or self.highest != following - 1:
            return False
        if not self._parts or self.needs_keyframe or self._bytes > MAX_FRAME_BYTES - _MAX_PART_BYTES:
            return False
        try:
            data, _ = self._codec.strip(payload)
        except ValueError:
            return False
        self.highest, self._next = following, following + 1
        self._parts.append(data)
        self._bytes += len(data) + _PART_BYTES
        return True

    def missing(self, now: float) -> list[int]:
        """Sequence numbers to ask for now: each at once, and again every 30 ms."""
        due = [sequence for sequence, asked in self._missing.items() if now - asked[1] >= ASK_AGAIN_AFTER]
        for sequence in due:
            self._missing[sequence][1] = now
        return [sequence & 0xFFFF for sequence in due]

    @property
    def incomplete(self) -> bool:
        """Whether packets are missing, so that `missing` and `expire` want to be called soon."""
        return bool(self._missing)

    def expire(self, now: float) -> list[Frame]:
        """Gives up what has been missing for too long; the frames that become complete by it."""
        oldest = next(iter(self._missing.values()), None)
        return self._give_up(now) if oldest is not None and now - oldest[0] >= self._give_up_after else []

    def _place(self, sequence: int, now: float) -> int | None:
        """The unwrapped sequence number; None for what came before or too late."""
        if self.highest is None:
            self.highest, self._next = sequence, sequence
            return sequence
        unwrapped = self.highest + ((sequence - self.highest + 0x8000) & 0xFFFF) - 0x8000
        if unwrapped < self._next or unwrapped in self._waiting:
            return None
        if unwrapped - self.highest > MAX_JUMP:
            self._lose()
            self._missing.clear()
            self._waiting.clear()
            self._next = unwrapped
        for gap in range(max(self.highest + 1, self._next), unwrapped):
            self._missing[gap] = [now, now - ASK_AGAIN_AFTER]
        self.highest = max(self.highest, unwrapped)
        return unwrapped

    def _drain(self, now: float, frames: list[Frame]) -> None:
        while (packet := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            self._take(packet, now, frames)

    def _give_up(self, now: float) -> list[Frame]:
        """Skips the missing packets that are too old, and whatever was waiting for them."""
        frames: list[Frame] = []
        for sequence, asked in list(self._missing.items()):
            if now - asked[0] < self._give_up_after and len(self._waiting) <= MAX_WAITING:
                break
            del self._missing[sequence]
            if sequence >= self._next:
                self._lose()
                for skipped in range(self._next, sequence):
                    self._waiting.pop(skipped, None)
                self._next = sequence + 1
                self._drain(now, frames)
        return frames

    def _lose(self) -> None:
        self._parts.clear()
        self._bytes = 0
        self.needs_keyframe = not self._whole

    def _take(self, packet: Packet, now: float, frames: list[Frame]) -> None:
        if not packet.payload:
            return  # padding, with which a sender probes the path
        try:
            data, begins = self._codec.strip(packet.payload)
        except ValueError:
            self._lose()
            return
        if self._parts and packet.timestamp != self._part_timestamp:
            self._finish(frames)
        if not self._parts:
            if not begins:
                self._lose()
                return
            self._part_timestamp, self._begun_at = packet.timestamp, now
        self._parts.append(data)
        self._bytes += len(data) + _PART_BYTES
        if self._bytes > MAX_FRAME_BYTES:
            self._lose()
        elif packet.marker or self._whole:
            self._finish(frames)

    def _finish(self, frames: list[Frame]) -> None:
        parts, self._parts, self._bytes = self._parts, [], 0
        try:
            data = self._codec.join(parts)
        except ValueError:
            self._lose()
            return
        size = self._codec.keyframe_size(data)
        if size is None and self.needs_keyframe:
            self.lost_frames += 1
            return
        self.needs_keyframe = False
        if data:
            frames.append(Frame(data, self._clock.time(self._part_timestamp, self._begun_at), size, self._codec))
