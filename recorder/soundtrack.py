"""Where each packet of a voice stands in its file: one right after the other, from the beginning to the end.

Browsers count a sound's samples and pass over the timestamps in between: behind a gap of two seconds Chromium plays all
that follows two seconds early (seen with 156). So what did not come
is filled with silence, and where the microphone's clock runs fast a packet is left out now and then: sound and picture
stay within 20 ms of what the sender reports say.
"""

from recorder import opus

TOLERANCE = opus.SILENCE_SAMPLES
_MOST_FRAMES = 6
"""Of 20 ms in a packet (RFC 6716 section 3.2.5)."""


class Soundtrack:
    """The blocks of one voice: (ms from the file's beginning, packet)."""

    def __init__(self) -> None:
        self._end = 0

    @property
    def end(self) -> float:
        """Seconds from the file's beginning up to which it is whole."""
        return self._end / opus.CLOCK_RATE

    def place(self, packet: bytes, time: float) -> list[tuple[int, bytes]]:
        """The blocks to write when `packet`, captured `time` seconds from the file's beginning, has come."""
        ahead = round(time * opus.CLOCK_RATE) - self._end
        if ahead <= -TOLERANCE:
            return []
        blocks = self.fill(time) if ahead >= TOLERANCE else []
        blocks.append((self._end // 48, packet))
        self._end += opus.samples(packet)
        return blocks

    def fill(self, time: float) -> list[tuple[int, bytes]]:
        """Silence up to `time`, but for the last 20 ms."""
        blocks = list[tuple[int, bytes]]()
        frames = int(time * opus.CLOCK_RATE - self._end) // opus.SILENCE_SAMPLES
        while frames > 0:
            some = min(frames, _MOST_FRAMES)
            blocks.append((self._end // 48, opus.silence(some)))
            self._end += some * opus.SILENCE_SAMPLES
            frames -= some
        return blocks
