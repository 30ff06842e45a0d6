"""Our own window as the system has it, with its frame: what is to be left out of the captured picture."""

import ctypes
import sys
import tkinter as tk

from customer_client.capture.surfaces import Area, Cover

EXCLUDE_FROM_CAPTURE = 0x11
"""WDA_EXCLUDEFROMCAPTURE of SetWindowDisplayAffinity (Windows 10 version 2004 and later)."""


class Frame:
    """Follows one window of Tk; `cover` may be read in any thread."""

    def __init__(self, window: tk.Tk) -> None:
        self.cover = Cover()
        self._window = window
        self._place: tuple[object, ...] = ()

    def follow(self) -> None:
        """To be done often: a window manager gives a window another frame each time that it is shown."""
        window = self._window
        place = (window.state(), window.wm_frame(), window.geometry(), window.winfo_rootx(), window.winfo_rooty())
        if place == self._place:
            return
        self._place = place
        if window.state() != "normal":
            self.cover = Cover()
        elif window.tk.call("tk", "windowingsystem") == "x11":
            self.cover = cover_x11(window.winfo_id())
        elif sys.platform == "win32":
            ctypes.windll.user32.SetWindowDisplayAffinity(int(window.wm_frame(), 16), EXCLUDE_FROM_CAPTURE)


def cover_x11(window: int) -> Cover:
    """The outermost X window around one of Tk's: the window manager's frame, or where there is none, Tk's own."""
    from Xlib import display, error  # noqa: PLC0415 - python-xlib is only there on Linux

    server = display.Display()
    try:
        frame, root = server.create_resource_object("window", window), server.screen().root
        while (parent := frame.query_tree().parent) != root:
            frame = parent
        size = frame.get_geometry()
        border = 2 * size.border_width
        area = Area(size.x, size.y, size.width + border, size.height + border)
        return Cover(frozenset({int(frame.id)}), (area,))
    except error.XError:  # it is on its way into another frame
        return Cover()
    finally:
        server.close()
