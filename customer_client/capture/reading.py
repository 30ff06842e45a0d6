"""Reading one source picture by picture: only when it changed, and with what changed."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from mss import MSS
from mss.exception import ScreenShotError

from customer_client.capture import surfaces
from customer_client.capture.surfaces import Area, CaptureUnavailable, Ink, Picture, Source

BAND = 64
"""Rows that are compared at once where the system does not say what changed."""
LOOK_AROUND = 2.0
"""Seconds between two looks at which monitors there are, where the system does not say."""


@dataclass(frozen=True)
class Reading:
    source: Source
    """As it was at that moment."""
    picture: Picture
    """A copy of one's own."""
    changed: tuple[Area, ...]
    """In pixels of the picture; none when only the place on the desktop did."""


class Reader(Protocol):
    """Used by one thread at a time."""

    def look(self, *, whole: bool = False) -> Reading | None:
        """None when nothing changed since the last time, unless the whole is wanted, or when nothing can be seen now.

        Raises CaptureUnavailable: `gone` once, when the source is no longer there (later looks find it, should it come
        back), anything else for good.
        """

    def files(self) -> Sequence[int]:
        """What becomes readable when there may be something new; none where only looking tells."""

    def close(self) -> None: ...


def open_reader(source: Source, ink: Ink | None = None) -> Reader:
    """Raises CaptureUnavailable."""
    if sys.platform == "linux":
        from customer_client.capture import reading_x11  # noqa: PLC0415 - python-xlib is only there on Linux

        reader = reading_x11.open_reader(source, ink)
        if reader is not None:
            return reader
    return ComparingReader(source)


def glimpse(source: Source) -> Picture:
    """One picture for the person's own eyes. On X11 what lies over a window may be seen in it, and ink of ours.

    Raises CaptureUnavailable.
    """
    if sys.platform == "linux":
        from customer_client.capture import reading_x11  # noqa: PLC0415 - python-xlib is only there on Linux

        return reading_x11.glimpse(source)
    reader = ComparingReader(source)
    try:
        reading = reader.look()
    finally:
        reader.close()
    if reading is None:
        raise CaptureUnavailable("gone")
    return reading.picture


class ComparingReader:
    """For systems that do not tell what changed: reads everything each time, and compares.

    Our own ink is left out by such systems themselves, where they can.
    """

    def __init__(self, source: Source) -> None:
        if source.kind != "monitor":
            raise CaptureUnavailable("unsupported")
        self._source = source
        self._there = True
        self._mss = MSS()
        self._before: Picture | None = None
        self._around_at = time.monotonic()

    def files(self) -> Sequence[int]:
        return ()

    def close(self) -> None:
        self._mss.close()

    def look(self, *, whole: bool = False) -> Reading | None:
        now = time.monotonic()
        if now - self._around_at > LOOK_AROUND:
            self._around_at = now
            self._look_around()
        if not self._there:
            return None
        area = self._source.area
        place = {"left": area.left, "top": area.top, "width": area.width, "height": area.height}
        try:
            shot = self._mss.grab(place)
        except ScreenShotError:
            self._around_at = -LOOK_AROUND
            return None
        picture: Picture = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        changed = differences(None if whole else self._before, picture)
        if not changed:
            return None
        self._before = picture
        return Reading(self._source, picture.copy(), changed)

    def _look_around(self) -> None:
        found = next((each for each in surfaces.sources() if each.key == self._source.key), None)
        if found is not None and found != self._source:
            # mss knows the monitors and the size of the desktop as they were when it was opened.
            self._mss.close()
            self._mss, self._before, self._source = MSS(), None, found
        was_there, self._there = self._there, found is not None
        if was_there and not self._there:
            raise CaptureUnavailable("gone")


def differences(before: Picture | None, picture: Picture) -> tuple[Area, ...]:
    """The bands of rows in which two pictures differ, joined where they touch; all of it where none was before."""
    height, width = picture.shape[:2]
    if before is None or before.shape != picture.shape:
        return (Area(0, 0, width, height),)
    found: list[Area] = []
    for top in range(0, height, BAND):
        rows = slice(top, min(top + BAND, height))
        if np.array_equal(before[rows].view(np.uint32), picture[rows].view(np.uint32)):
            continue
        if found and found[-1].bottom == top:
            found[-1] = Area(0, found[-1].top, width, rows.stop - found[-1].top)
        else:
            found.append(Area(0, top, width, rows.stop - top))
    return tuple(found)
