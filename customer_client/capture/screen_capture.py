"""The shared surface as pictures, in a thread of its own: covered where the person covered it, without our own ink."""

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from customer_client.capture.masks import Masks, paint
from customer_client.capture.reading import Reader, Reading, open_reader
from customer_client.capture.surfaces import Area, CaptureUnavailable, Ink, Picture, Source

RATE = 30
NO_MASKS = Masks()

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Captured:
    """A picture of the shared surface, ready to leave the machine."""

    number: int
    """Counts up by one, also across sources."""
    taken_at: float
    """`time.monotonic()` right before the pixels were read."""
    source: Source
    """With the area and scale that it had at this moment; another key means another surface."""
    picture: Picture
    """BGRA (height, width, 4), contiguous, never written to again."""
    changed: tuple[Area, ...]
    """What may differ from the picture before, in pixels of this picture: all of it for the first one of a source or
    size, nothing where only the place on the desktop changed."""

    @property
    def area(self) -> Area:
        return self.source.area


class Capture:
    """Pictures of one source at a time, at most `rate` a second, and none while nothing changes.

    What was captured can't be had uncovered: masks are painted before anybody is given the picture. Every method may
    be called in any thread.
    """

    def __init__(
        self,
        source: Source,
        *,
        rate: float = RATE,
        masks: Masks = NO_MASKS,
        ink: Ink | None = None,
        on_gone: Callable[[Source], None] | None = None,
    ) -> None:
        """`on_gone` is told, in the capture's thread, that a window was closed or a monitor unplugged: there are no
        pictures then until it is back, or another source is switched to."""
        self._source, self._masks, self._ink, self._pause = source, masks, ink, 1 / rate
        self._on_gone = on_gone
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._left: list[Reader] = []
        """Readers of sources that were switched away from, to be closed by the thread that may be using them."""
        self._thread: threading.Thread | None = None
        self._all_anew = False
        self._gone = False
        self._number = 0
        self._latest: Captured | None = None
        self._takers: list[Callable[[Captured], None]] = []
        self._rope: socket.socket | None = None

    def start(self) -> None:
        """May be used again after `stop`. Raises CaptureUnavailable."""
        if self._thread is None:
            self._reader = open_reader(self._source, self._ink)
            self._gone = False
            bell, self._rope = socket.socketpair()
            self._rope.setblocking(False)
            self._thread = threading.Thread(target=self._run, args=(bell, self._rope), name="capture", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread; no picture is given out once this returns, save when called by who is being given one."""
        with self._lock:
            self._leave()
            thread, self._thread, self._latest = self._thread, None, None
        self._ring()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def switch(self, source: Source, masks: Masks = NO_MASKS) -> None:
        """Capture another source, with its own masks; the one before goes on when this raises CaptureUnavailable."""
        reader = open_reader(source, self._ink) if self._thread is not None else None
        with self._lock:
            self._source, self._masks, self._latest, self._gone = source, masks, None, False
            self._leave()
            self._reader, self._all_anew = reader, True
        self._ring()

    def _leave(self) -> None:
        if self._reader is not None:
            self._left.append(self._reader)
            self._reader = None

    def cover(self, masks: Masks) -> None:
        """Cover these parts, and no others, in every picture from now on; one is taken at once."""
        with self._lock:
            self._masks = masks
            if self._latest is not None:
                self._latest = self._painted(self._latest)
            self._all_anew = True
        self._ring()

    def latest(self) -> Captured | None:
        """None before the first picture of a source."""
        with self._lock:
            return self._latest

    def subscribe(self, take: Callable[[Captured], None]) -> Callable[[], None]:
        """Give each picture from now on to `take`, in the capture's thread, one at once; returns what ends it."""
        with self._lock:
            self._takers.append(take)
            self._all_anew = True
        self._ring()

        def end() -> None:
            with self._lock:
                if take in self._takers:
                    self._takers.remove(take)

        return end

    def still(self) -> Captured:
        """A picture of this moment, whether started or not. Raises CaptureUnavailable."""
        with self._lock:
            latest, gone, source, masks = self._latest, self._gone, self._source, self._masks
        if gone:
            raise CaptureUnavailable("gone")
        if latest is not None:
            return latest
        reader = open_reader(source, self._ink)
        try:
            taken_at, reading = time.monotonic(), reader.look(whole=True)
        finally:
            reader.close()
        if reading is None:
            raise CaptureUnavailable("gone")
        paint(reading.picture, masks)
        return Captured(0, taken_at, reading.source, reading.picture, reading.changed)

    def _ring(self) -> None:
        if self._rope is not None:
            with contextlib.suppress(OSError):  # it rings already, or nobody listens any more
                self._rope.send(b"!")

    def _painted(self, captured: Captured) -> Captured:
        picture = captured.picture.copy()
        paint(picture, self._masks)
        picture.flags.writeable = False
        return replace(captured, picture=picture)

    def _run(self, bell: socket.socket, rope: socket.socket) -> None:
        woken = False
        with bell, rope:
            while True:
                with self._lock:
                    reader = self._reader if self._thread is threading.current_thread() else None
                    whole, self._all_anew = self._all_anew, False
                    left, self._left = self._left, []
                for each in left:
                    each.close()
                if reader is None:
                    return
                looked_at = time.monotonic()
                busy = self._look(reader, whole, looked_at)
                woken = self._wait(bell, () if busy or woken else reader.files(), looked_at + self._pause)

    def _look(self, reader: Reader, whole: bool, now: float) -> bool:
        """Whether there was anything to hand over."""
        try:
            reading = reader.look(whole=whole)
        except CaptureUnavailable as failure:
            self._lose(reader, failure)
            return False
        if reading is not None:
            self._hand_over(reader, reading, now)
        return reading is not None

    @staticmethod
    def _wait(bell: socket.socket, files: Sequence[int], until: float) -> bool:
        """Until the next look; whether one of the files ended it: after some rest a change is looked at at once."""
        ready, _, _ = select.select([bell.fileno(), *files], [], [], max(0.0, until - time.monotonic()))
        if bell.fileno() in ready:
            bell.recv(4096)
        return any(each in ready for each in files)

    def _hand_over(self, reader: Reader, reading: Reading, taken_at: float) -> None:
        with self._lock:
            if self._reader is not reader:
                return
            paint(reading.picture, self._masks)
            reading.picture.flags.writeable = False
            self._number += 1
            captured = Captured(self._number, taken_at, reading.source, reading.picture, reading.changed)
            self._latest, self._source, self._gone = captured, reading.source, False
            takers = tuple(self._takers)
        for take in takers:
            try:
                take(captured)
            except Exception:
                log.exception("a picture could not be taken over")

    def _lose(self, reader: Reader, failure: CaptureUnavailable) -> None:
        with self._lock:
            if self._reader is not reader:
                return
            self._gone, self._latest = True, None
            if failure.code != "gone":
                self._leave()
        if self._on_gone is not None:
            self._on_gone(self._source)
