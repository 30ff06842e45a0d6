"""Ink on the real desktop: a transparent pane over the shared surface, above everything else and open to every click.

The overlay draws in a thread of its own, only what changed, and takes the pane away when there is nothing to see.
What a pane is depends on the system: `overlay_x11`, `overlay_windows`.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Literal, Protocol

import structlog

from annotate.rendering import Picture, Region
from customer_client.capture.surfaces import Area, Cover, Source
from customer_client.overlay.canvas import Canvas, next_change
from customer_client.overlay.sheet import Sheet

log = structlog.get_logger()

LINGER = 2.0
"""For how many seconds what was wiped may still be on the screen: a compositor shows it in its own time."""
MOST_AREAS = 64
"""Of so many areas in which something was wiped the smallest one around them is named instead."""
LEAST_PAUSE = 0.012
"""Seconds between two drawings; and at least as long as the one before took, however fast a stroke grows."""

Missing = Literal["no_display", "unsupported"]


class OverlayUnavailable(Exception):
    """Nothing can be drawn upon this desktop; `code` says why. Sharing works without."""

    def __init__(self, code: Missing) -> None:
        super().__init__(code)
        self.code: Missing = code


class PaneGone(Exception):
    """The window system took the pane away, as when it ended."""


class Pane(Protocol):
    """A transparent window that takes no click; made and used in one thread, save `wake`. Whatever it does may raise
    PaneGone."""

    covering: frozenset[int]
    """The system's ids of windows that are to be left out of a captured picture; none where the system does so."""

    def place(self, source: Source | None) -> None:
        """Belong to `source` from now on, and follow it when it is a window."""

    def area(self) -> tuple[Area, int] | None:
        """Where it has to lie, and a number that changes once all that was put is lost; None while out of sight."""

    def put(self, area: Area, pieces: list[tuple[Region, Picture]]) -> None:
        """Lie at `area`, and show these pieces of premultiplied RGBA at their places in it, all at once."""

    def hide(self) -> None:
        """Forget everything that was put, and show nothing until the next `put`."""

    def wait(self, seconds: float | None) -> None:
        """Until `wake`, until something happened on the desktop, or for so long."""

    def wake(self) -> None:
        """End a `wait`; in any thread."""

    def close(self) -> None: ...


class Overlay:
    """Every method may be called in any thread, and save `close` returns at once."""

    def __init__(self, now: Callable[[], int]) -> None:
        """`now` is the server's clock, ms since 1970. Raises OverlayUnavailable."""
        self._now = now
        self._lock = threading.Lock()
        self._sheet = Sheet()
        self._source: Source | None = None
        self._areas: tuple[Area, ...] = ()
        self._wiped: list[tuple[float, tuple[Area, ...]]] = []
        self._windows: frozenset[int] = frozenset()
        self._pane: Pane | None = None
        self._canvas: Canvas | None = None
        self._kept = (0, 1.0)
        self._lies: Area | None = None
        self._failure: OverlayUnavailable | None = OverlayUnavailable("unsupported")
        self._closing = threading.Event()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="overlay", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            raise self._failure

    def place(self, source: Source | None) -> None:
        """Lie over `source`, or nothing. A window is followed from then on, a monitor has to be placed anew."""
        with self._lock:
            self._source = source
        self._wake()

    def show(self, sheet: Sheet) -> None:
        """Show this from now on; fades go on by themselves."""
        with self._lock:
            self._sheet = sheet
        self._wake()

    def clear(self) -> None:
        """Show nothing until the next `show`."""
        self.show(Sheet())

    def close(self) -> None:
        """Take the pane away for good; it is gone when this returns."""
        self._closing.set()
        self._wake()
        self._thread.join()

    def covers(self) -> Cover:
        """What has to be left out of the captured picture."""
        with self._lock:
            now = time.monotonic()
            self._wiped = [(until, areas) for until, areas in self._wiped if until > now]
            wiped = {area for _, areas in self._wiped for area in areas} - set(self._areas)
            areas = (*self._areas, *(wiped if len(wiped) < MOST_AREAS else [_around(wiped)]))
            return Cover(self._windows, areas) if areas and self._windows else Cover()

    def _wake(self) -> None:
        if (pane := self._pane) is not None:
            pane.wake()

    def _run(self, ready: threading.Event) -> None:
        try:
            pane = open_pane()
        except OverlayUnavailable as failure:
            self._failure = failure
            return
        else:
            self._windows, self._pane, self._failure = pane.covering, pane, None
        finally:
            ready.set()
        try:
            self._draw_on(pane)
        except PaneGone:
            log.warning("overlay_gone")
        finally:
            self._pane = None
            self._cover(())
            with contextlib.suppress(PaneGone):
                pane.close()

    def _draw_on(self, pane: Pane) -> None:
        placed: Source | None = None
        while not self._closing.is_set():
            with self._lock:
                sheet, source = self._sheet, self._source
            if source != placed:
                pane.place(source)
                placed = source
            began, now = time.monotonic(), self._now()
            if self._draw(pane, sheet, now, source.scale if source else 1.0):
                self._closing.wait(max(LEAST_PAUSE, time.monotonic() - began))
            due = next_change(sheet, now)
            pane.wait(None if due is None else due / 1000)

    def _draw(self, pane: Pane, sheet: Sheet, now: int, scale: float) -> bool:
        """Bring the pane up to date; whether there was anything to do."""
        found = pane.area()
        if found is None:
            return self._hide(pane)
        area, life = found
        if self._canvas is None or self._kept != (life, scale):
            self._canvas, self._kept = Canvas(area.width, area.height, scale), (life, scale)
        pieces = self._canvas.update(sheet, now)
        if self._canvas.empty:
            return self._hide(pane)
        if not pieces and area == self._lies:
            return False
        inked = tuple(Area(*region).moved(area.left, area.top) for region in self._canvas.inked())
        self._cover(self._areas + inked)
        pane.put(area, pieces)
        self._lies = area
        self._cover(inked)
        return True

    def _hide(self, pane: Pane) -> bool:
        self._canvas = None
        if self._lies is None:
            return False
        pane.hide()
        self._lies = None
        self._cover(())
        return True

    def _cover(self, areas: tuple[Area, ...]) -> None:
        with self._lock:
            if wiped := tuple(set(self._areas) - set(areas)):
                self._wiped.append((time.monotonic() + LINGER, wiped))
            self._areas = areas


def _around(areas: set[Area]) -> Area:
    left, top = min(area.left for area in areas), min(area.top for area in areas)
    right, bottom = max(area.right for area in areas), max(area.bottom for area in areas)
    return Area(left, top, right - left, bottom - top)


def open_pane() -> Pane:
    """The pane of this system, for the thread that asks. Raises OverlayUnavailable."""
    if sys.platform == "linux":
        from customer_client.overlay.pane_x11 import X11Pane  # noqa: PLC0415 - python-xlib is only there on Linux

        return X11Pane()
    if sys.platform == "win32":
        from customer_client.overlay.pane_windows import WindowsPane  # noqa: PLC0415 - asks for Windows' own libraries

        return WindowsPane()
    raise OverlayUnavailable("unsupported")
