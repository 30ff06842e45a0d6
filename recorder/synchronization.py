"""When each frame was captured, on one clock for all streams of a sender: RFC 3550 sections 5.1 and 6.4.1.

Every stream counts in a clock of its own, which runs a little fast or slow and begins anywhere. Sender reports say what
it showed at a moment of the sender's common clock. Until one has come, the arrival of a stream's first frame stands in
for it; what the reports then say is approached gradually, so that time neither jumps nor runs backwards.
"""

from collections import deque

MAX_STRAY = 5.0
"""Seconds that a stream's time may be away from our clock; what says otherwise is not believed."""
SLEW = 0.1
"""Share of the time that passes which may go into correcting it."""
_REMEMBERED_REPORTS = 8


def _difference(later: int, earlier: int) -> int:
    """The distance of two RTP timestamps, which wrap around at 32 bits."""
    return ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class SenderClock:
    """How far a sender's clock is behind ours: the least that any of its last reports took to come says so."""

    def __init__(self) -> None:
        self.behind: float | None = None
        self._seen: deque[float] = deque(maxlen=_REMEMBERED_REPORTS)

    def report(self, ntp: float, now: float) -> None:
        """A sender report with the NTP time `ntp` came `now`, both in seconds."""
        behind = now - ntp
        if self.behind is not None and abs(behind - self.behind) > MAX_STRAY:
            self._seen.clear()  # the sender's clock was set
        self._seen.append(behind)
        self.behind = min(self._seen)


class StreamClock:
    """The capture time of one stream's frames, in seconds of our clock."""

    def __init__(self, rate: int, sender: SenderClock) -> None:
        self.rate = rate
        self._sender = sender
        self._reported: tuple[float, int] | None = None
        self._last: tuple[int, float] | None = None
        """RTP timestamp and time of the last frame."""

    def report(self, ntp: float, timestamp: int, now: float) -> None:
        """A sender report came: at `ntp`, in seconds of the sender's clock, the stream's clock showed `timestamp`."""
        self._sender.report(ntp, now)
        self._reported = (ntp, timestamp)

    def time(self, timestamp: int, now: float) -> float:
        """When the frame with this RTP timestamp, whose first packet comes `now`, was captured. Never falls."""
        if self._last is None:
            self._last = (timestamp, now)
            return now
        before, time_before = self._last
        step = _difference(timestamp, before) / self.rate
        time = time_before + step
        if abs(time - now) > MAX_STRAY:
            time = now
        elif (wanted := self._wanted(timestamp)) is not None and abs(wanted - now) < MAX_STRAY:
            most = SLEW * abs(step)
            time += max(-most, min(wanted - time, most))
        time = max(time, time_before)
        self._last = (timestamp, time)
        return time

    def _wanted(self, timestamp: int) -> float | None:
        if self._reported is None or self._sender.behind is None:
            return None
        ntp, reported = self._reported
        return ntp + _difference(timestamp, reported) / self.rate + self._sender.behind
