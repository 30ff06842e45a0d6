"""How much one viewer of a stream that is passed on can take, told from its receiver reports.

A receiver's own estimate (REMB) is held to 1.5 times what it was sent, so that a quiet screen traps it low: it counts
only while loss or a queue shows that there is something to it. Time comes in as an argument, in seconds.
"""

from collections import deque

from signaling.feedback import Block

CEILING = 4_000_000
"""Bits per second that no sender sends more than."""
FLOOR = 150_000
RISE_PER_SECOND = 400_000
CAREFUL_RISE_PER_SECOND = 50_000
"""While little is sent, that nothing is lost does not say much; and near to where it last was too much."""
REMEMBERED_FOR = 20.0
MEASURED_OVER = 0.5
TOLERATED_DELAY = 0.25
TOLERATED_LOSS = 0.02
HEAVY_LOSS = 0.1
CUT_AT_MOST_EVERY = 1.0
"""Seconds; what is lost meanwhile was on its way before."""
TELLING = 20
"""Packets; the loss of fewer says little of a path."""
BASELINE = 20
"""Round trips among which the shortest stands for an empty path."""
HEADROOM = 1.25
MOST_DEBT = 0.1
"""Seconds for which nothing is sent after a burst from before the path was known to be narrow."""
RESENT_SHARE = 0.5
MOST_RESENT = 32_000
"""Bytes that may be sent again at once, and of the bitrate the share after that: on a full path they make it worse."""


class Pace:
    """The bitrate in bits per second that a viewer can take; `strained` while that is less than any sender sends."""

    def __init__(self) -> None:
        self.bitrate = CEILING
        self._granted: int | None = None
        self._round_trips: deque[float] = deque(maxlen=BASELINE)
        self._before: tuple[Block, float] | None = None
        self._lost_before: Block | None = None
        self._cut_at = float("-inf")
        self._broke_at = 0
        self._broke_since = float("-inf")
        self._loss = 0.0
        self._bytes = 0
        self._credit = 0.0
        self._credited_at: float | None = None
        self._resent = 0.0
        self._resent_at = 0.0

    @property
    def strained(self) -> bool:
        return self.bitrate < CEILING

    @property
    def round_trip(self) -> float:
        """Seconds, as last measured; 0 before."""
        return self._round_trips[-1] if self._round_trips else 0.0

    def granted(self, bitrate: int) -> None:
        """The viewer's own estimate."""
        self._granted = bitrate

    def report(self, block: Block, now: float) -> None:
        """A report block of the viewer about what it was sent."""
        if block.last_report:
            came = int(now * 65536) & 0xFFFFFFFF
            self._round_trips.append(((came - block.last_report - block.delay) & 0xFFFFFFFF) / 65536 % 0x8000)
        if self._before is None or self._lost_before is None:
            self._before, self._lost_before, self._bytes = (block, now), block, 0
            return
        passed = now - self._before[1]
        if passed < MEASURED_OVER:
            return
        self._before = block, now
        lately = self._lately(block)
        rate, self._bytes = int(8 * self._bytes / passed), 0
        # One burst after a quiet time overruns what would bear it evenly: its rate is not all that the path bears.
        borne = max(rate, self.bitrate // 2)
        queued = self.round_trip - min(self._round_trips, default=0.0)
        strain = (lately > 0 and self._loss > TOLERATED_LOSS) or queued > TOLERATED_DELAY
        if strain:
            self._broke_at, self._broke_since = self.bitrate, now
        near = now - self._broke_since < REMEMBERED_FOR and 0.75 * self._broke_at < self.bitrate < 1.1 * self._broke_at
        if lately > HEAVY_LOSS and now - self._cut_at > CUT_AT_MOST_EVERY:
            self._cut_at = now
            self.bitrate = int(self.bitrate * (1 - lately))
        elif queued > TOLERATED_DELAY:
            self.bitrate = min(self.bitrate, int(borne * 0.85))
        elif not strain:
            used = rate > self.bitrate / 2
            self.bitrate += int((RISE_PER_SECOND if used and not near else CAREFUL_RISE_PER_SECOND) * min(passed, 1))
        if self._granted is not None and strain:
            self.bitrate = min(self.bitrate, max(self._granted, borne // 2))
        self.bitrate = max(FLOOR, min(self.bitrate, CEILING))

    def _lately(self, block: Block) -> float:
        """The share of the last packets that was lost; 0 as long as they are too few to tell."""
        assert self._lost_before is not None
        before, expected = self._lost_before, (block.highest - self._lost_before.highest) & 0xFFFFFFFF
        if expected < TELLING:
            return 0.0
        self._lost_before = block
        lately = min(1.0, max(0, block.lost - before.lost) / expected) if expected < 0x80000000 else 0.0
        self._loss += (lately - self._loss) / 2
        return lately

    def sent(self, size: int, now: float) -> None:
        """So many bytes were sent."""
        self._bytes += size
        self._credit -= size

    def allows(self, now: float) -> bool:
        """Whether another packet may be sent now: as the bitrate has it, and no more than 50 ms of it at once."""
        per_second = self.bitrate * HEADROOM / 8
        passed = now - self._credited_at if self._credited_at is not None else 0.05
        self._credited_at = now
        self._credit = min(max(self._credit, -MOST_DEBT * per_second) + passed * per_second, 0.05 * per_second)
        return self._credit > 0 or not self.strained

    def allows_again(self, size: int, now: float) -> bool:
        """Whether so many bytes may be sent once more now; they are counted then."""
        self._resent = max(0.0, self._resent - (now - self._resent_at) * self.bitrate * RESENT_SHARE / 8)
        self._resent_at = now
        if self._resent + size > MOST_RESENT:
            return False
        self._resent += size
        return True
