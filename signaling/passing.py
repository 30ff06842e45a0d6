"""A video stream passed on as it comes: the packets of one sender, in their order and time, to many viewers.

`History` keeps the sender's last packets once for all. A `Passing` is one viewer's stream of them: its own SSRC,
payload type, sequence numbers and timestamps without a break. A viewer is let in at a keyframe and is sent again what
it misses. One that cannot keep up gets whole frames at its own pace, and skips to another keyframe when they come too
late; nothing waits for it. All of it is pure: time comes in as an argument, in seconds.
"""

import struct
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from signaling import feedback
from signaling.aiortc_internals import Negotiated
from signaling.pace import CEILING, Pace
from signaling.rtp import Packet

CLOCK_RATE = 90_000
REMEMBERED = 1024
"""Packets, a power of two: at 4 Mbit/s the last 2.5 s, after which a picture loss is told instead."""
AGAIN_AT_MOST_EVERY = 0.02
SLOWLY_AGAIN_AFTER = 0.2
KEYFRAME_AGAIN_AFTER = 0.5
SLOW_KEYFRAME_AFTER = 3.0
"""A slow viewer's wish for a keyframe costs everyone bytes, so it has to wait."""
LATE = 0.5
"""Seconds of packets that may wait for a viewer when a frame begins; with more, it and those after it are skipped."""
MAX_WAITING = 1024
MAX_BACKLOG = 128_000
"""Bytes that the socket may owe when a frame begins, for instance on TCP to a TURN server."""
REPORT_EVERY = 1.0


class Terms(NamedTuple):
    """What was agreed with a viewer: payload types and SSRCs, and ids of header extensions; None for what it has not.

    With `playout_delay`, which goes along with abs-send-time, each picture is to be shown as soon as it is there.
    """

    payload_type: int
    ssrc: int
    retransmission: int | None
    retransmission_ssrc: int
    abs_send_time: int | None
    playout_delay: int | None = None


def terms_of(agreed: Negotiated, codec: str) -> Terms:
    """What was agreed for a stream of this codec; raises ValueError when the other side does not take it."""
    payload_type = next((kind for kind, name in agreed.codecs.items() if name == codec), None)
    if payload_type is None:
        raise ValueError(f"no {codec} in the answer")
    retransmission = next((again for again, kind in agreed.retransmissions.items() if kind == payload_type), None)
    return Terms(
        payload_type, agreed.local_ssrc, retransmission, agreed.local_retransmission_ssrc, agreed.abs_send_time
    )


class History:
    """The last packets of one sender's stream, by their unwrapped sequence number."""

    def __init__(self, begins_keyframe: Callable[[bytes], bool]) -> None:
        self.begins_keyframe = begins_keyframe
        self._packets: list[tuple[int, Packet] | None] = [None] * REMEMBERED
        self._highest: int | None = None

    def add(self, packet: Packet) -> int | None:
        """The packet's place in the stream; None when it was here already, or comes too late."""
        if self._highest is None:
            self._highest = packet.sequence + 0x10000
        index = self._highest + ((packet.sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000
        if index > self._highest:
            self._highest = index
        elif self._highest - index >= REMEMBERED or self.find(index) is not None:
            return None
        self._packets[index % REMEMBERED] = index, packet
        return index

    def forget(self) -> None:
        """Nobody sees the stream: what comes next stands for itself."""
        if self._highest is not None:
            self._highest, self._packets = None, [None] * REMEMBERED

    def find(self, index: int) -> Packet | None:
        """The packet in that place, if it came and is not forgotten."""
        kept = self._packets[index % REMEMBERED]
        return kept[1] if kept is not None and kept[0] == index else None


class Stretch(NamedTuple):
    """A run of packets passed on without a break: from which, what is added to their numbers, and whose they are."""

    first: int
    offset: int
    timestamp: int
    history: History


class Passing:
    """One viewer's stream; `send_rtp` and `send_rtcp` take packets that are yet to be encrypted.

    `backlog` says how many bytes the socket has not yet taken.
    """

    def __init__(
        self,
        terms: Terms,
        send_rtp: Callable[[bytes], None],
        send_rtcp: Callable[[bytes], None],
        want_keyframe: Callable[[float], None],
        backlog: Callable[[], int] = lambda: 0,
        slow_keyframe_after: float = SLOW_KEYFRAME_AFTER,
    ) -> None:
        self.pace = Pace()
        self._terms = terms
        self._send_rtp = send_rtp
        self._send_rtcp = send_rtcp
        self._want_keyframe = want_keyframe
        self._backlog = backlog
        self._slow_keyframe_after = slow_keyframe_after
        delay = terms.playout_delay
        self._delay = b"" if delay is None else bytes((delay << 4 | 2, 0, 0, 0))
        """From 0 to 0 ms, as a header extension."""
        self._stretches: deque[Stretch] = deque(maxlen=4)
        self._open = False
        self._next = 0x10000
        self._timestamp = 0
        self._frame = 0
        self._passed_at: float | None = None
        self._asked_at = float("-inf")
        self._again: dict[int, float] = {}
        self._retransmitted = 0
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._reported_at = float("-inf")
        self._packets = self._octets = 0

    @property
    def busy(self) -> bool:
        """Whether packets wait, so that `tick` wants to be called within 10 ms."""
        return bool(self._waiting)

    @property
    def waiting(self) -> int:
        """Bytes that wait for a viewer that cannot keep up."""
        return self._waiting_bytes

    def packet(self, history: History, index: int, packet: Packet, now: float) -> None:
        """A packet of the sender, put into `history` at `index`."""
        stretch = self._stretches[-1] if self._stretches else None
        if stretch is not None and stretch.history is not history:
            self._open = False  # another stream began, which has nothing to do with the frames before it
            stretch = None
        if self._open and 0 < (packet.timestamp - self._frame) & 0xFFFFFFFF < 0x80000000:
            self._frame = packet.timestamp
            self._open = not self._late()
        if not self._open or stretch is None:
            if self._late():
                return
            if not packet.payload or not history.begins_keyframe(packet.payload):
                self._ask(now)
                return
            stretch = self._begin(history, index, packet, now)
        if index < stretch.first:
            return
        sequence = index + stretch.offset
        self._next = max(self._next, sequence + 1)
        self._timestamp = (packet.timestamp + stretch.timestamp) & 0xFFFFFFFF
        self._passed_at = now
        self._deliver(self._packed(packet, stretch, sequence, now), now)

    def rtcp(self, data: bytes, now: float) -> None:
        """A decrypted compound RTCP packet of the viewer."""
        said = feedback.read(data, self._terms.ssrc)
        if said.report is not None:
            self.pace.report(said.report, now)
        if said.bitrate is not None:
            self.pace.granted(said.bitrate)
        for sequence in said.missing[:REMEMBERED]:
            self._repeat(sequence, now)
        if said.keyframe:
            self._ask(now)

    def tick(self, now: float) -> None:
        """Does what is due: to be called every 0.1 s, and every 10 ms while `busy`."""
        self._drain(now)
        if not self._open and not self._waiting:
            self._ask(now)
        if self._passed_at is not None and now - self._reported_at >= REPORT_EVERY:
            self._reported_at = now
            self._send_rtcp(self._report(now))

    def _begin(self, history: History, index: int, packet: Packet, now: float) -> Stretch:
        """The viewer is let in at this packet; its sequence numbers go on where they stopped, its time by the clock."""
        shift = next((known.timestamp for known in self._stretches if known.history is history), None)
        if shift is None:
            passed = int((now - self._passed_at) * CLOCK_RATE) if self._passed_at is not None else 0
            shift = self._timestamp + max(1, passed) - packet.timestamp
        stretch = Stretch(index, self._next - index, shift, history)
        self._stretches.append(stretch)
        self._open = True
        self._frame = packet.timestamp
        return stretch

    def _late(self) -> bool:
        return 8 * self._waiting_bytes > LATE * self.pace.bitrate or self._backlog() > MAX_BACKLOG

    def _ask(self, now: float) -> None:
        after = self._slow_keyframe_after if self.pace.strained else KEYFRAME_AGAIN_AFTER
        if now - self._asked_at >= after:
            self._asked_at = now
            self._want_keyframe(now)

    def _repeat(self, sequence: int, now: float) -> None:
        """Sends a packet again, in a stream of its own when the viewer knows such (RFC 4588)."""
        unwrapped = self._next + ((sequence - self._next + 0x8000) & 0xFFFF) - 0x8000
        stretch = next((s for s in reversed(self._stretches) if unwrapped >= s.first + s.offset), None)
        packet = stretch.history.find(unwrapped - stretch.offset) if stretch else None
        if stretch is None or packet is None or unwrapped >= self._next:
            return
        after = SLOWLY_AGAIN_AFTER if self.pace.strained else AGAIN_AT_MOST_EVERY
        if self._late() or now - self._again.get(sequence, float("-inf")) < max(after, self.pace.round_trip):
            return
        if not self.pace.allows_again(len(packet.payload), now):
            return
        if len(self._again) >= REMEMBERED:
            self._again.clear()
        self._again[sequence] = now
        if self._terms.retransmission is None:
            self._deliver(self._packed(packet, stretch, unwrapped, now), now, again=True)
            return
        self._retransmitted += 1
        head = packet._replace(payload=struct.pack("!H", sequence) + packet.payload)
        data = self._packed(head, stretch, self._retransmitted, now, again=True)
        self._deliver(data, now, again=True)

    def _packed(self, packet: Packet, stretch: Stretch, sequence: int, now: float, *, again: bool = False) -> bytes:
        terms = self._terms
        kind = terms.retransmission if again and terms.retransmission is not None else terms.payload_type
        head = struct.pack(
            "!BBHLL",
            0x90 if terms.abs_send_time is not None else 0x80,
            packet.marker << 7 | kind,
            sequence & 0xFFFF,
            (packet.timestamp + stretch.timestamp) & 0xFFFFFFFF,
            terms.retransmission_ssrc if again else terms.ssrc,
        )
        if terms.abs_send_time is None:
            return head + packet.payload
        sent = int(now * (1 << 18)) & 0xFFFFFF
        words = 1 + len(self._delay) // 4
        head += struct.pack("!HHL", 0xBEDE, words, (terms.abs_send_time << 4 | 2) << 24 | sent)
        return head + self._delay + packet.payload

    def _deliver(self, data: bytes, now: float, *, again: bool = False) -> None:
        """Sends at once to who keeps up; to who does not, at the pace that it can take."""
        if not self.pace.strained and not self._waiting:
            self._put(data, now)
            return
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.clear()
            self._waiting_bytes = 0
            self._open = False
            return
        self._waiting_bytes += len(data)
        if again:
            self._waiting.appendleft(data)
        else:
            self._waiting.append(data)
        self._drain(now)

    def _drain(self, now: float) -> None:
        while self._waiting and self.pace.allows(now):
            data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            self._put(data, now)

    def _put(self, data: bytes, now: float) -> None:
        self.pace.sent(len(data), now)
        self._packets += 1
        self._octets += len(data)
        self._send_rtp(data)

    def _report(self, now: float) -> bytes:
        """A sender report (RFC 3550 section 6.4.1); its NTP time is our clock's, by which round trips are measured."""
        assert self._passed_at is not None
        seconds, fraction = int(now), int(now % 1 * (1 << 32))
        rtp_time = (self._timestamp + int((now - self._passed_at) * CLOCK_RATE)) & 0xFFFFFFFF
        counts = self._packets & 0xFFFFFFFF, self._octets & 0xFFFFFFFF
        return struct.pack("!BBHLLLLLL", 0x80, 200, 6, self._terms.ssrc, seconds, fraction, rtp_time, *counts)


def best_bitrate(passings: list[Passing]) -> int:
    """What the sender may send: no more than the best of its viewers can take, and without viewers no less."""
    return max((passing.pace.bitrate for passing in passings), default=CEILING)
