"""The keyboard on Windows, where pynput can type any character: it sends what a layout has no key for as Unicode."""

import contextlib
import ctypes
import os
import sys
from ctypes import wintypes
from typing import Any

from pynput import keyboard

from customer_client.control.hands import MODIFIERS, NAMED, POSITIONS, SHORTCUT

assert sys.platform == "win32"

_user32 = ctypes.windll.user32


class WindowsKeys:
    """See `hands.Keys`."""

    def __init__(self) -> None:
        self._controller = keyboard.Controller()
        self._down: dict[str, Any] = {}

    @property
    def holding(self) -> bool:
        return bool(self._down)

    def press(self, code: str, key: str) -> None:
        with contextlib.suppress(self._controller.InvalidKeyException):
            if name := MODIFIERS.get(code):
                self._down[code] = getattr(keyboard.Key, name)
                self._controller.press(self._down[code])
            elif (found := self._found(code, key)) is not None:
                self._controller.tap(found)

    def release(self, code: str) -> None:
        if (found := self._down.pop(code, None)) is not None:
            self._controller.release(found)

    def text(self, text: str) -> None:
        with contextlib.suppress(self._controller.InvalidCharacterException):
            self._controller.type(text)

    def let_go(self) -> None:
        for code in list(self._down):
            self.release(code)

    def reach(self, window: int | None) -> bool:
        return window is None and not _ours(_user32.GetForegroundWindow())

    def covers(self, window: int | None, x: int, y: int) -> bool:
        place = wintypes.POINT(x, y)
        return window is None and not _ours(_user32.WindowFromPoint(place))

    def close(self) -> None:
        self.let_go()

    def _found(self, code: str, key: str) -> Any:
        if name := NAMED.get(key):
            return getattr(keyboard.Key, name, None)
        if len(key) != 1:
            return None
        shortcut = SHORTCUT & self._down.keys()
        return keyboard.KeyCode.from_char(POSITIONS.get(code, key) if shortcut and not key.isascii() else key)


def _ours(window: int) -> bool:
    process = wintypes.DWORD()
    _user32.GetWindowThreadProcessId(window, ctypes.byref(process))
    return process.value == os.getpid()
