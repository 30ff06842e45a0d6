"""Dana in front of a desktop, with a mouse and a keyboard, and the client's window on it."""

import time
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Any

from PIL import ImageTk
from Xlib import XK, X
from Xlib.ext import xtest

from customer_client.capture import surfaces
from customer_client.capture.surfaces import Area
from customer_client.faces.face import Intent, Intents, Standing, View
from customer_client.window.window import Window
from customer_client.words import Words
from tests.customer_client.x11_desktop import RED, Desktop

PATIENCE = 20.0
HELD = ImageTk.PhotoImage, tk.Variable
"""What tells Tk when it is collected."""


class Seat:
    """Dana in front of a desktop with a red window, and with the client's."""

    def __init__(self, desktop: Desktop) -> None:
        self.desktop = desktop
        self.red = desktop.window(Area(0, 0, 1280, 900), RED, "Letter")
        self.deeds: list[Intent | str] = []
        intents = Intents()
        intents.put = self.deeds.append  # type: ignore[method-assign, assignment]
        self.window = Window(intents, surfaces, lambda: self.deeds.append("halt"), words=Words("en"))
        self.root: tk.Tk = self.window.root
        self.window._listen()
        monitor = next(source for source in surfaces.sources() if source.kind == "monitor")
        self.standing = Standing("ACME", "Alice", ("Alice",), monitor)

    @property
    def page(self) -> Any:
        """What the window shows."""
        return self.window.page

    @property
    def bar(self) -> Any:
        return self.window.bar

    def until(self, condition: Callable[[], object]) -> None:
        """Lets the window live until this is so."""
        ends = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < ends, f"not so; wanted were {self.deeds}"
            self.root.update()
            time.sleep(0.002)

    def shows(self, view: View, page: str = "") -> None:
        self.window.show(view)
        self.until(lambda: self.window.view == view and type(self.window.page).__name__ == (page or "NoneType"))
        self.root.update()

    def under(self, widget: tk.Misc) -> list[tk.Misc]:
        """A widget's whole family."""
        return [each for child in widget.winfo_children() for each in [child, *self.under(child)]]

    def button(self, text: str) -> ttk.Button:
        """The button that says this, once it is to be seen."""

        def found() -> list[ttk.Button]:
            family = [each for each in self.under(self.root) if isinstance(each, ttk.Button) and each.winfo_viewable()]
            return [each for each in family if each.cget("text") == text]

        self.until(found)
        [button] = found()
        return button

    def points(self, x: int, y: int) -> None:
        self.desktop.point(x, y)

    def holds(self, down: bool, button: int = 1) -> None:
        xtest.fake_input(self.desktop.server, X.ButtonPress if down else X.ButtonRelease, button)
        self.desktop.server.sync()

    def clicks(self, widget: tk.Misc) -> None:
        """With the mouse, in the middle, once the wheel has brought it into sight."""
        self.root.update()
        page = self.window.page
        if page is not None and str(widget).startswith(f"{page.body}."):
            self.points(page.title.winfo_rootx(), page.title.winfo_rooty())
            while widget.winfo_rooty() + widget.winfo_height() > page.footer.winfo_rooty():
                self.holds(True, 5)
                self.holds(False, 5)
                self.root.update()
        self.points(widget.winfo_rootx() + widget.winfo_width() // 2, widget.winfo_rooty() + widget.winfo_height() // 2)
        self.holds(True)
        self.holds(False)

    def presses(self, *names: str) -> None:
        """Keys, one after the other."""
        for name in names:
            code = self.desktop.server.keysym_to_keycode(XK.string_to_keysym(name))
            for kind in (X.KeyPress, X.KeyRelease):
                xtest.fake_input(self.desktop.server, kind, code)
        self.desktop.server.sync()

    def types(self, *names: str) -> None:
        """Keys, to what has the focus: there is no window manager here that would give it."""
        focused = self.root.focus_lastfor()
        assert focused is not None
        focused.focus_force()
        self.until(lambda: self.root.focus_get() is focused)
        self.presses(*names)

    def wants(self, *deeds: Intent | str) -> None:
        """Waits until so much was wanted, and nothing else was."""
        self.until(lambda: len(self.deeds) >= len(deeds))
        taken, self.deeds[:] = self.deeds[:], []
        assert taken == [*deeds]
