"""What acts for an agent who was given control: pynput's pointer and keyboard, and on X11 a keyboard of our own.

pynput is imported only when somebody is given control: it opens the display as it is imported, and listens to nothing
here. On X11 it sends characters by XSendEvent, which xterm and others ignore, and knows one layout only: `keys_x11`
presses real keys there.
"""

import importlib.util
import os
import sys
from typing import Any, Protocol

from customer_client.capture.surfaces import Source
from signaling.control import Button


class ControlUnavailable(Exception):
    """This computer can't be controlled; the text says why, for the log."""


class Keys(Protocol):
    """A keyboard. `code` and `key` are those of KeyboardEvent; unknown ones do nothing.

    Only modifiers are held: a key that the system repeats by itself would go on in a window that it must not reach.
    """

    @property
    def holding(self) -> bool:
        """Whether a modifier is down."""

    def press(self, code: str, key: str) -> None: ...

    def release(self, code: str) -> None: ...

    def text(self, text: str) -> None: ...

    def let_go(self) -> None:
        """Release all that is held, and leave the layout as it was found."""

    def reach(self, window: int | None) -> bool:
        """Whether keys pressed now go to this window, or with None to any but our own."""

    def covers(self, window: int | None, x: int, y: int) -> bool:
        """Whether a click at this place of the desktop goes to this window, or with None to any but our own."""

    def close(self) -> None: ...


NAMED = {
    "Enter": "enter",
    "Tab": "tab",
    "Backspace": "backspace",
    "Delete": "delete",
    "Insert": "insert",
    "Home": "home",
    "End": "end",
    "PageUp": "page_up",
    "PageDown": "page_down",
    "ArrowLeft": "left",
    "ArrowRight": "right",
    "ArrowUp": "up",
    "ArrowDown": "down",
    "Escape": "esc",
    "ContextMenu": "menu",
    **{f"F{number}": f"f{number}" for number in range(1, 13)},
}
"""KeyboardEvent.key → pynput's name."""
MODIFIERS = {
    "ShiftLeft": "shift_l",
    "ShiftRight": "shift_r",
    "ControlLeft": "ctrl_l",
    "ControlRight": "ctrl_r",
    "AltLeft": "alt_l",
    "AltRight": "alt_r",
    "MetaLeft": "cmd_l",
    "MetaRight": "cmd_r",
}
"""KeyboardEvent.code → pynput's name. What AltGraph makes comes as a character."""
SHORTCUT = frozenset(code for code in MODIFIERS if not code.startswith("Shift"))
POSITIONS = dict(
    zip(
        ("Backquote", "Minus", "Equal", "BracketLeft", "BracketRight", "Backslash", "Semicolon", "Quote"),
        "`-=[]\\;'",
        strict=True,
    ),
    Comma=",",
    Period=".",
    Slash="/",
    **{f"Key{letter}": letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    **{f"Digit{digit}": str(digit) for digit in range(10)},
)
"""KeyboardEvent.code → what that key makes on the board of the United States: by it a shortcut goes across layouts."""


class Hands:
    """Pointer and keyboard; made and used in one thread. Whatever it does may raise when the window system ended."""

    def __init__(self, keys: Keys) -> None:
        from pynput import mouse  # noqa: PLC0415 - to import it opens the display

        self._mouse = mouse.Controller()
        self._buttons: dict[Button, Any] = {
            "left": mouse.Button.left,
            "middle": mouse.Button.middle,
            "right": mouse.Button.right,
        }
        for name, number, other in (("back", "button8", "x1"), ("forward", "button9", "x2")):
            found = getattr(mouse.Button, number, getattr(mouse.Button, other, None))
            if found is not None:
                self._buttons[name] = found  # type: ignore[index]
        self._keys = keys
        self._down: set[Button] = set()

    @property
    def holding(self) -> bool:
        """Whether a button or a modifier is down."""
        return bool(self._down) or self._keys.holding

    def reach(self, window: int | None) -> bool:
        """Whether keys typed now go to this window; None is the whole desktop.

        Never to one of ours: an agent must not answer what the person is asked.
        """
        return self._keys.reach(window)

    def covers(self, window: int | None, x: int, y: int) -> bool:
        """Whether a click at this place of the desktop goes to this window; None is the whole desktop."""
        return self._keys.covers(window, x, y)

    def move(self, x: int, y: int) -> None:
        """To this pixel of the desktop."""
        self._mouse.position = (x, y)

    def button(self, button: Button, down: bool) -> None:
        """Press or release a button where the pointer is; to release what is not held does nothing."""
        if button not in self._buttons or (button in self._down) == down:
            return
        if down:
            self._down.add(button)
            self._mouse.press(self._buttons[button])
        else:
            self._down.discard(button)
            self._mouse.release(self._buttons[button])

    def wheel(self, x: int, y: int) -> None:
        """By so many detents to the right and down."""
        self._mouse.scroll(x, -y)

    def key(self, code: str, key: str, down: bool) -> None:
        """Press or release a key; see `Keys`."""
        if down:
            self._keys.press(code, key)
        else:
            self._keys.release(code)

    def text(self, text: str) -> None:
        """Type it, whatever the layouts of both sides are."""
        self._keys.text(text)

    def let_go(self) -> None:
        """Release all that is held, and leave the keyboard's layout as it was found."""
        for button in list(self._down):
            self.button(button, False)
        self._keys.let_go()

    def close(self) -> None:
        self._keys.close()


def controllable(source: Source) -> bool:
    """Whether an agent could be given control of this source on this computer; quick, and nothing is opened for it."""
    if importlib.util.find_spec("pynput") is None:
        return False
    if sys.platform == "linux":
        return bool(os.environ.get("DISPLAY")) and os.environ.get("XDG_SESSION_TYPE") != "wayland"
    # On macOS our own windows can't be told from others; on Windows a shared window can't be told from its neighbors.
    return sys.platform == "win32" and source.kind == "monitor"


def open_hands() -> Hands:
    """Hands for this system. Raises ControlUnavailable."""
    try:
        if sys.platform == "linux":
            from customer_client.control.keys_x11 import X11Keys  # noqa: PLC0415 - python-xlib is only there on Linux

            return Hands(X11Keys())
        if sys.platform == "win32":
            from customer_client.control.keys_windows import WindowsKeys  # noqa: PLC0415 - calls what is only there on Windows

            return Hands(WindowsKeys())
    except ControlUnavailable:
        raise
    except Exception as error:  # pynput and python-xlib raise what they like where there is no display or no permission
        raise ControlUnavailable(f"{type(error).__name__}: {error}") from error
    raise ControlUnavailable("not on this system")
