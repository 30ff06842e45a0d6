"""The person's own mouse and keys while an agent has control: to touch the mouse, or Escape twice, takes it back.

What was injected is told from what a device did: on X11 by the device that it came from (`touch_x11`), elsewhere by the
mark that the system puts on it, of which pynput tells.
"""

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

Touch = Literal["mouse", "escape"]
TakenBack = Callable[[Touch], None]
Watch = Callable[[TakenBack], Callable[[], None]]
"""Calls back in a thread of its own from now on, until what it returns is called. Raises ControlUnavailable."""

TWICE_WITHIN_MS = 800
MOVES = 4
MOVES_WITHIN_MS = 500
"""A mouse that is nudged says something once or twice; one that is moved says a hundred things a second."""
STILL_MS = 700
"""The hand that has just allowed it is still on the mouse: only once that has rested does a touch mean anything."""


def now_ms() -> int:
    """Of a clock that only goes forward."""
    return time.monotonic_ns() // 1_000_000


class Attention:
    """What of the person's own input means that she wants her computer back; times are in ms of any one clock."""

    def __init__(self, now: int, still_ms: int = STILL_MS) -> None:
        self._touched = now
        self._still_ms: int | None = still_ms
        self._moves: deque[int] = deque(maxlen=MOVES)
        self._escape: int | None = None

    def moved(self, at: int) -> Touch | None:
        """The mouse moved."""
        if not self._rested(at):
            return None
        self._moves.append(at)
        return "mouse" if len(self._moves) == MOVES and at - self._moves[0] <= MOVES_WITHIN_MS else None

    def pressed(self, at: int) -> Touch | None:
        """A button was pressed, or the wheel turned."""
        return "mouse" if self._rested(at) else None

    def typed(self, escape: bool, at: int) -> Touch | None:
        """A key was pressed; another one between two Escapes makes them two times one."""
        before, self._escape = self._escape, at if escape else None
        return "escape" if escape and before is not None and at - before <= TWICE_WITHIN_MS else None

    def _rested(self, at: int) -> bool:
        if self._still_ms is not None and at - self._touched >= self._still_ms:
            self._still_ms = None
        self._touched = at
        return self._still_ms is None


def watch_touches(taken_back: TakenBack, still_ms: int = STILL_MS) -> Callable[[], None]:
    """See `Watch`."""
    attention = Attention(now_ms(), still_ms)
    if sys.platform == "linux":
        from customer_client.control.touch_x11 import watch  # noqa: PLC0415 - python-xlib is only there on Linux

        return watch(taken_back, attention)
    return _watch_with_pynput(taken_back, attention)


def _watch_with_pynput(taken_back: TakenBack, attention: Attention) -> Callable[[], None]:
    from pynput import keyboard, mouse  # noqa: PLC0415 - to import it asks for permissions on macOS

    def tell(touch: Touch | None) -> None:
        if touch is not None:
            taken_back(touch)

    def moved(x: int, y: int, injected: bool) -> None:
        tell(None if injected else attention.moved(now_ms()))

    def clicked(x: int, y: int, button: object, down: bool, injected: bool) -> None:
        tell(None if injected else attention.pressed(now_ms()))

    def scrolled(x: int, y: int, dx: int, dy: int, injected: bool) -> None:
        tell(None if injected else attention.pressed(now_ms()))

    def typed(key: object, injected: bool) -> None:
        tell(None if injected else attention.typed(key == keyboard.Key.esc, now_ms()))

    listeners = (
        mouse.Listener(on_move=moved, on_click=clicked, on_scroll=scrolled),
        keyboard.Listener(on_press=typed),
    )
    for listener in listeners:
        listener.start()

    def stop() -> None:
        for listener in listeners:
            listener.stop()

    return stop
