"""A desktop on a virtual screen: windows of one color, a mouse, and what is really to be seen."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray
from Xlib import X, display
from Xlib.ext import xtest
from Xlib.xobject.drawable import Window

from tests.virtual_screen import virtual_screen

PATIENCE = 20.0
WALLPAPER = "#264c7a"
Pixels = NDArray[np.uint8]


class RealDesktop:
    """What a person would see and do at the DISPLAY `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.display = display.Display(name)
        # A window that a test destroyed is destroyed once more in the end.
        self.display.set_error_handler(lambda *_: None)
        screen = self.display.screen()
        self.root: Window = screen.root
        self.size = (int(screen.width_in_pixels), int(screen.height_in_pixels))
        self._windows: list[Window] = []
        self.open_window(0, 0, *self.size, WALLPAPER)
        self._windows.clear()

    def open_window(self, left: int, top: int, width: int, height: int, color: str = "#f4f4ea") -> Window:
        """A window that hears clicks, once its corner is seen; as no window manager runs it gets exactly this place."""
        window: Window = self.root.create_window(
            left, top, width, height, 0, 24, X.InputOutput, X.CopyFromParent,
            background_pixel=int(color[1:], 16), event_mask=X.ButtonPressMask,
        )  # fmt: skip
        window.map()
        until(lambda: self.color(left, top) == color)
        self._windows.append(window)
        return window

    def close_windows(self) -> None:
        """Leave nothing but the wallpaper, and wait until nothing else is seen."""
        for window in self._windows:
            window.destroy()
        self._windows.clear()
        self.clicked()
        wallpaper = bytes.fromhex(WALLPAPER[1:]) * (self.size[0] * self.size[1])
        until(lambda: self.look().tobytes() == wallpaper)

    def look(self, left: int = 0, top: int = 0, width: int = 0, height: int = 0) -> Pixels:
        """What is to be seen now, everywhere or in an area: RGB (height, width, 3)."""
        width, height = width or self.size[0] - left, height or self.size[1] - top
        image = self.root.get_image(left, top, width, height, X.ZPixmap, 0xFFFFFFFF)
        return np.frombuffer(image.data, np.uint8).reshape(height, width, 4)[..., 2::-1]

    def color(self, left: int, top: int) -> str:
        """The color of a pixel, as `#rrggbb`."""
        return f"#{self.look(left, top, 1, 1).tobytes().hex()}"

    def point(self, left: int, top: int) -> None:
        """Move the mouse there."""
        xtest.fake_input(self.display, X.MotionNotify, x=left, y=top)
        self.display.sync()

    def click(self, left: int, top: int) -> None:
        """Move the mouse there and press its first button."""
        self.point(left, top)
        xtest.fake_input(self.display, X.ButtonPress, 1)
        xtest.fake_input(self.display, X.ButtonRelease, 1)
        self.display.sync()

    def clicked(self) -> list[tuple[int, int, int]]:
        """The presses that windows of `open_window` heard since the last time: the window, and where in it."""
        heard = [self.display.next_event() for _ in range(self.display.pending_events())]
        return [(each.window.id, each.event_x, each.event_y) for each in heard if each.type == X.ButtonPress]

    @contextmanager
    def composited(self) -> Iterator[None]:
        """While a compositing manager runs; the test is skipped where none is installed."""
        if not shutil.which("picom"):
            pytest.skip("picom is not installed")
        manager = subprocess.Popen(
            ["picom", "--backend", "xrender", "--config", os.devnull],
            env=os.environ | {"DISPLAY": self.name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            selection = self.display.intern_atom("_NET_WM_CM_S0")
            until(lambda: self.display.get_selection_owner(selection))
            yield
        finally:
            manager.terminate()
            manager.wait()


@contextmanager
def real_desktop(width: int = 1280, height: int = 720) -> Iterator[RealDesktop]:
    """Such a desktop of so many pixels, without a compositing manager."""
    with virtual_screen(width, height) as name:
        yield RealDesktop(name)


def until(holds: Callable[[], object]) -> None:
    """Wait until that is true; fails when it doesn't become so."""
    ends = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > ends:
            pytest.fail("what was waited for did not happen")
        time.sleep(0.005)
