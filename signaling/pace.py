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
UNUSED_RISE_PER_SECOND = 50_000
"""While little is sent, that nothing is lost does not say much."""
MEASURED_OVER = 0.5
TOLERATED_DELAY = 0.25
TOLERATED_LOSS = 0.02
HEAVY_LOSS = 0.1
TELLING = 20
"""Packets; the loss of fewer says little of a path."""
BASELINE = 20
"""Round trips among which the shortest stands for an empty path."""
HEADROOM = 1.25


class Pace:
    """The bitrate in bits per second that a viewer can take; `strained` while that is less than any sender sends."""

    def __init__(self) -> None:
        self.bitrate = CEILING
        self._granted: int | None = None
        self._round_trips: deque[float] = deque(maxlen=BASELINE)
        self._before: tuple[Block, float] | None = None
        self._lost_before: Block | None = None
        self._loss = 0.0
        self._bytes = 0
        self._credit = 0.0
        self._credited_at: float | None = None

    @property
    def strained(self) -> bool:
        return self.bitrate < CEILING

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
        lost = self._lately(block)
        rate, self._bytes = int(8 * self._bytes / passed), 0
        # One burst after a quiet time overruns what would bear it evenly: its rate is not all that the path bears.
        borne = max(rate, self.bitrate // 2)
        queued = self._round_trips[-1] - min(self._round_trips) if self._round_trips else 0.0
        if lost > HEAVY_LOSS:
            self.bitrate = int(min(self.bitrate, borne) * (1 - lost / 2))
        elif queued > TOLERATED_DELAY:
            self.bitrate = min(self.bitrate, int(borne * 0.85))
        elif lost <= TOLERATED_LOSS:
            used = rate > self.bitrate / 2
            self.bitrate += int((RISE_PER_SECOND if used else UNUSED_RISE_PER_SECOND) * min(passed, 1))
        if self._granted is not None and (lost > TOLERATED_LOSS or queued > TOLERATED_DELAY):
            self.bitrate = min(self.bitrate, max(self._granted, borne // 2))
        self.bitrate = max(FLOOR, min(self.bitrate, CEILING))

    def _lately(self, block: Block) -> float:
        """The share of packets that was lost: of the last ones that are enough to tell; 0 until there are more."""
        assert self._lost_before is not None
        before, expected = self._lost_before, (block.highest - self._lost_before.highest) & 0xFFFFFFFF
        if expected < TELLING:
            return 0.0
        self._lost_before = block
        lately = max(0, block.lost - before.lost) / expected if expected < 0x80000000 else 0.0
        self._loss += (min(lately, 1.0) - self._loss) / 2
        return self._loss

    def sent(self, size: int, now: float) -> None:
        """So many bytes were sent."""
        self._bytes += size
        self._credit -= size

    def allows(self, now: float) -> bool:
        """Whether another packet may be sent now: as the bitrate has it, and no more than 50 ms of it at once."""
        per_second = self.bitrate * HEADROOM / 8
        passed = now - self._credited_at if self._credited_at is not None else 0.05
        self._credited_at = now
        self._credit = min(max(self._credit, -per_second) + passed * per_second, 0.05 * per_second)
        return self._credit > 0 or not self.strained
