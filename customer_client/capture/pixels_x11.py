"""Pixels of the screen, of a window or of a pixmap, read through mss and the X server's shared memory.

mss reads the root window alone. What it needs to read another drawable is private: it holds for exactly the pinned
version, and tests/customer_client/capture/test_screen_capture.py breaks when that moves.
"""

from typing import Any

import numpy as np
from mss import MSS
from mss.exception import ScreenShotError
from mss.linux import xcbgen
from Xlib import error
from Xlib.ext import composite
from Xlib.xobject.drawable import Pixmap, Window

from customer_client.capture.surfaces import Area, Picture

DEEP = (24, 32)


class PixelsUnreadableError(Exception):
    """The drawable is hidden, gone, of another depth, or smaller than thought. It may be readable a moment later."""


class Pixels:
    """One connection to the X server for reading; for one thread."""

    def __init__(self) -> None:
        """Raises ScreenShotError."""
        self._mss = MSS(backend="xshmgetimage")

    def renew(self) -> None:
        """To be used after the size of the screen changed: mss knows the one that it began with."""
        self._mss.close()
        self._mss = MSS(backend="xshmgetimage")

    @property
    def _reader(self) -> Any:
        return self._mss._impl

    def close(self) -> None:
        self._mss.close()

    def of_root(self, area: Area) -> Picture:
        """BGRA (height, width, 4), a copy of one's own. Raises PixelsUnreadableError."""
        screen = self._reader.pref_screen
        return self._read(screen.root, screen.root_depth, screen.root_visual, area)

    def of_window(self, window: Window, border: int, area: Area) -> Picture:
        """Of a redirected window, also where it is hidden or beyond the screen; `area` within it, inside its border.

        Raises PixelsUnreadableError.
        """
        # Its pixmap is another one after each mapping and resizing: named anew for each reading, at two requests.
        pixmap = composite.name_window_pixmap(window)
        try:
            return self.of_pixmap(pixmap, area.moved(border, border))
        finally:
            pixmap.free()

    def of_pixmap(self, pixmap: Pixmap, area: Area) -> Picture:
        """Raises PixelsUnreadableError."""
        try:
            depth = pixmap.get_geometry().depth
        except error.XError as failure:
            raise PixelsUnreadableError from failure
        if depth not in DEEP:
            raise PixelsUnreadableError
        return self._read(xcbgen.Window(pixmap.id), depth, xcbgen.Visualid(0), area)

    def _read(self, drawable: xcbgen.Window, depth: int, visual: xcbgen.Visualid, area: Area) -> Picture:
        if not area:
            raise PixelsUnreadableError
        reader = self._reader
        reader.drawable, reader.drawable_depth, reader.drawable_visual_id = drawable, depth, visual
        # The shared memory holds as much as the whole screen; a window may be larger than that.
        rows = max(1, reader.pref_screen.width_in_pixels * reader.pref_screen.height_in_pixels // area.width)
        bands = [
            self._band(Area(area.left, top, area.width, min(rows, area.bottom - top)))
            for top in range(area.top, area.bottom, rows)
        ]
        return bands[0] if len(bands) == 1 else np.concatenate(bands)

    def _band(self, area: Area) -> Picture:
        place = {"left": area.left, "top": area.top, "width": area.width, "height": area.height}
        try:
            data = self._mss.grab(place).raw
        except ScreenShotError as failure:
            raise PixelsUnreadableError from failure
        return np.frombuffer(data, np.uint8).reshape(area.height, area.width, 4)
