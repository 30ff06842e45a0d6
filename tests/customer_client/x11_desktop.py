"""A desktop of plain windows on an X server of one's own: each has one color, so that a pixel says whose it is."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from Xlib import X, Xatom, display
from Xlib.ext import randr, xtest
from Xlib.protocol import rq
from Xlib.xobject.drawable import Window

from customer_client.capture.surfaces import Area, Picture
from tests.virtual_screen import virtual_screen

AWAY = (750, 20)
RED, GREEN, BLUE, WHITE = 0xFF0000, 0x00FF00, 0x0000FF, 0xFFFFFF


class _SetMonitor(rq.Request):
    """RandR 1.5: python-xlib's own can't be sent."""

    _request = rq.Struct(
        rq.Card8("opcode"), rq.Opcode(43), rq.RequestLength(), rq.Window("window"), *randr.MonitorInfo.fields
    )


class Desktop:
    """Has its mouse pointer at AWAY."""

    def __init__(self, server: display.Display) -> None:
        self.server = server
        self.root = server.screen().root
        self.point(*AWAY)
        self._made: list[Window] = []
        self._monitors: set[str] = set()

    def window(self, area: Area, color: int, title: str = "", *, border: int = 0, unmanaged: bool = False) -> Window:
        window: Window = self.root.create_window(
            area.left,
            area.top,
            area.width,
            area.height,
            border,
            24,
            background_pixel=color,
            override_redirect=unmanaged,
        )
        window.set_wm_name(title)
        window.map()
        self.server.sync()
        self._made.append(window)
        return window

    def paint(self, window: Window, area: Area, color: int) -> None:
        pen: Any = window.create_gc(foreground=color)
        window.fill_rectangle(pen, area.left, area.top, area.width, area.height)
        pen.free()
        self.server.sync()

    def cover_root(self, **background: object) -> None:
        """With `background_pixel` or `background_pixmap`."""
        self.root.change_attributes(**background)
        self.root.clear_area()
        self.server.sync()

    def say(self, window: Window, name: str, values: list[int], kind: int = Xatom.CARDINAL) -> None:
        window.change_property(self.server.get_atom(name), kind, 32, values)
        self.server.sync()

    def point(self, x: int, y: int) -> None:
        xtest.fake_input(self.server, X.MotionNotify, x=x, y=y)
        self.server.sync()

    def plug(self, name: str, area: Area, *, primary: bool = False) -> None:
        """A monitor, or another place for one that is there."""
        if name in self._monitors:
            self.unplug(name)
        _SetMonitor(
            display=self.server.display,
            opcode=self.server.display.get_extension_major(randr.extname),
            window=self.root,
            name=self.server.get_atom(name),
            primary=primary,
            automatic=False,
            x=area.left,
            y=area.top,
            width_in_pixels=area.width,
            height_in_pixels=area.height,
            width_in_millimeters=300,
            height_in_millimeters=200,
            crtcs=[],
        )
        self.server.sync()
        self._monitors.add(name)

    def unplug(self, name: str) -> None:
        number: Any = self.server.get_atom(name)
        randr.delete_monitor(self.root, number)
        self.server.sync()
        self._monitors.remove(name)

    def resize(self, width: int, height: int) -> None:
        """Only where the X server offers that size."""
        info = randr.get_screen_info(self.root)
        sizes = [(size["width_in_pixels"], size["height_in_pixels"]) for size in info.sizes]
        randr.set_screen_config(self.root, sizes.index((width, height)), 1, info.config_timestamp)
        self.server.sync()

    def clear(self) -> None:
        for window in self._made:
            window.destroy()
        for name in tuple(self._monitors):
            self.unplug(name)
        self.root.delete_property(self.server.get_atom("_XROOTPMAP_ID"))
        self.root.delete_property(self.server.get_atom("_NET_CLIENT_LIST_STACKING"))
        self.root.delete_property(Xatom.RESOURCE_MANAGER)
        self._made = []
        self.point(*AWAY)


@contextmanager
def x11_desktop(*options: str, width: int = 800, height: int = 600) -> Iterator[Desktop]:
    """The process's own DISPLAY for as long; `options` are the X server's."""
    with virtual_screen(width, height, *options) as name, _desktop(name) as desktop:
        yield desktop


@contextmanager
def resizable_desktop() -> Iterator[Desktop]:
    """As `x11_desktop`, of 800 by 600 pixels, within another X server: Xvfb itself never changes its size."""
    if not shutil.which("Xephyr"):
        pytest.skip("Xephyr is not installed")
    with virtual_screen(1600, 1200) as outer:
        reading, writing = os.pipe()
        nested = subprocess.Popen(
            ["Xephyr", "-displayfd", str(writing), "-screen", "800x600", "-resizeable", "-nolisten", "tcp"],
            env=os.environ | {"DISPLAY": outer},
            pass_fds=[writing],
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        try:
            with os.fdopen(reading) as ready, _desktop(f":{ready.readline().strip()}") as desktop:
                yield desktop
        finally:
            nested.terminate()
            nested.wait()


@contextmanager
def _desktop(name: str) -> Iterator[Desktop]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DISPLAY", name)
        server = display.Display(name)
        server.set_error_handler(lambda *_: None)
        try:
            yield Desktop(server)
        finally:
            server.close()


def colors(picture: Picture, *places: tuple[int, int]) -> list[int]:
    """What is at (x, y), as 0xRRGGBB."""
    found = []
    for x, y in places:
        blue, green, red, _ = (int(each) for each in picture[y, x])
        found.append(red << 16 | green << 8 | blue)
    return found
