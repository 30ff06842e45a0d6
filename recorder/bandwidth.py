"""How much a sender may send: a bitrate that falls with loss and with queueing, and is not drawn down by silence.

aiortc's own estimate is held to 1.5 times what came, so that a quiet screen traps it low. Here silence says nothing:
only loss and a growing delay lower the bitrate, down to a floor. Time comes in as an argument, in seconds.
"""

from signaling.pace import CEILING as CEILING

FLOOR = 500_000
RISE_PER_SECOND = 400_000
TOLERATED_DELAY = 0.25
LATE_FRAMES = 4
BASELINE_SECONDS = 10
_WRAP = 64


class Bandwidth:
    """The bitrate in bits per second that the receiver grants."""

    def __init__(self) -> None:
        self.bitrate = CEILING
        self._reported_at: float | None = None
        self.bytes = 0
        """What has come since the last report; to be added to."""
        self._late = 0
        self._reference: float | None = None
        self._shortest = self._shortest_before = 0.0
        self._window_since = 0.0

    def frame(self, send_time: int, now: float) -> None:
        """A frame's last packet came; `send_time` is its abs-send-time."""
        raw = (now - send_time / (1 << 18)) % _WRAP
        if self._reference is None:
            self._reference, self._window_since = raw, now
        delay = (raw - self._reference + _WRAP / 2) % _WRAP - _WRAP / 2
        if now - self._window_since > BASELINE_SECONDS:
            self._shortest_before, self._shortest, self._window_since = self._shortest, delay, now
        self._shortest = min(self._shortest, delay)
        queued = delay - min(self._shortest, self._shortest_before)
        self._late = self._late + 1 if queued > TOLERATED_DELAY else 0

    def report(self, fraction_lost: float, now: float) -> int:
        """The bitrate from now on, given the share of packets lost since the last report."""
        passed = now - self._reported_at if self._reported_at is not None else 0.0
        rate = int(8 * self.bytes / passed) if passed > 0 else 0
        self._reported_at, self.bytes = now, 0
        if fraction_lost > 0.1:
            self.bitrate = int(self.bitrate * (1 - fraction_lost / 2))
        elif self._late >= LATE_FRAMES:
            self.bitrate = min(self.bitrate, int(rate * 0.85))
            self._late = 0
        elif fraction_lost < 0.02:
            self.bitrate += int(RISE_PER_SECOND * min(passed, 1))
        self.bitrate = max(FLOOR, min(self.bitrate, CEILING))
        return self.bitrate
