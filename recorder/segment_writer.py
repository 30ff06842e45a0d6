"""Frames on their way to disk: clusters of a second at most, written by one thread at a time, never the event loop."""

import asyncio
import errno
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

from recorder.archive import Finished, SegmentFile
from recorder.digest import MediaDigest
from recorder.frames import Codec, Frame
from recorder.handover import hand_over
from recorder.multiplexer import Multiplexer

FLUSH_EVERY = 0.5
FLUSH_TOGETHER = 0.1
"""Seconds between the moments at which segments are flushed, those that are due by then together."""
MAX_PENDING_BYTES = 32 << 20
SLOW_AFTER = 8.0
"""Seconds that a write may take."""


def reason_of(error: OSError) -> str:
    """The stable code of what the system said."""
    return "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "disk_error"


class WritingFailed(Exception):
    """The file can't be written any more; `reason` is a stable code such as `disk_full`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SegmentWriter:
    """One segment on its way to disk: a picture, a voice, or both, in these `codecs`.

    `on_failure(reason)` is called once, on the event loop, when it can't go on.
    """

    def __init__(
        self,
        open_file: Callable[[], SegmentFile],
        codecs: Sequence[Codec],
        threads: Executor,
        on_failure: Callable[[str], None],
    ) -> None:
        self.frames = 0
        self.failed: str | None = None
        self.settled = asyncio.Event()
        """Set once the first frame is on disk, or it is clear that it never will be."""
        self._threads = threads
        self._on_failure = on_failure
        self._open_file = open_file
        self._loop = asyncio.get_running_loop()
        self._file: SegmentFile | None = None
        self._multiplexer = Multiplexer(codecs)
        self._pieces: list[bytes] = []
        self._pending_bytes = 0
        self._last_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._writing_since = 0.0

    @property
    def grown(self) -> tuple[int, str]:
        """The bytes in full chunks that are on disk, and their digest in hex."""
        return self._file.grown if self._file is not None else MediaDigest().complete

    def suits(self, keyframe: Frame) -> bool:
        """Whether a keyframe, and what follows it, has its place in this file and not in another."""
        return self._multiplexer.suits(keyframe)

    def write(self, frame: Frame, now: float) -> None:
        """Takes a frame; never waits. `now` is the loop's time in seconds, when the frame was complete.

        The first picture has to be a keyframe; what comes before it, or in another codec, is passed over.
        """
        if self.failed is not None or not self._multiplexer.add(frame):
            return
        self._last_at = now
        self.frames += 1
        self._pending_bytes += len(frame.data)
        hangs = self._writing is not None and now - self._writing_since > SLOW_AFTER
        if hangs or self._pending_bytes > MAX_PENDING_BYTES:
            self._fail("disk_slow")
        elif self.frames == 1:
            self._flush()
        elif self._timer is None:
            due = round((now + FLUSH_EVERY) / FLUSH_TOGETHER) * FLUSH_TOGETHER
            self._timer = self._loop.call_at(due, self._flush)

    async def finish(self, now: float) -> Finished:
        """Writes what is left, and closes the file; raises WritingFailed. The last frame lasts until `now`."""
        self._pieces += self._multiplexer.take(self._last_at, late=0.0)
        self._flush()
        if self._writing is not None:
            await self._writing
        if self._file is None or self.failed is not None:
            raise WritingFailed(self.failed or "disk_error")
        duration_ms = self._multiplexer.last_ms + max(1, int((now - self._last_at) * 1000))
        try:
            return await self._loop.run_in_executor(self._threads, self._file.finish, duration_ms)
        except OSError as error:
            self._threads.submit(self._file.close)
            raise WritingFailed(reason_of(error)) from error

    async def let_go(self) -> None:
        """Waits until nothing is being written any more."""
        if self._writing is not None:
            await asyncio.wait({self._writing})

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._pieces += self._multiplexer.take(self._last_at)
        if self._pieces and self._writing is None and self.failed is None:
            self._writing_since = self._loop.time()
            self._writing = self._loop.create_task(self._write_pieces())

    async def _write_pieces(self) -> None:
        try:
            if self._file is None:
                self._file = await self._loop.run_in_executor(self._threads, self._open_file)
            while self._pieces:
                self._writing_since = self._loop.time()
                data = b"".join(self._pieces)
                self._pieces = []
                await hand_over(self._threads, partial(self._file.append, data))
                self.settled.set()
                self._pending_bytes = max(0, self._pending_bytes - len(data))
        except OSError as error:
            self._fail(reason_of(error))
        finally:
            self._writing = None
            if self.failed is not None and self._file is not None:
                self._threads.submit(self._file.close)

    def _fail(self, reason: str) -> None:
        self.failed = reason
        self.settled.set()
        self._multiplexer, self._pieces = Multiplexer(()), []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None and self._file is not None:
            self._threads.submit(self._file.close)
        self._on_failure(reason)
