"""Which face there is for a person at this computer: a window where windows are, else the terminal."""

import os
import sys
from collections.abc import Callable

from customer_client.faces.face import Face, Intents, Screens
from customer_client.words import Words

Halt = Callable[[], None]


def open_face(*, terminal: bool) -> Callable[[Intents, Screens, Halt, Words], Face]:
    """What makes the face; a terminal when it is wished, or when nothing else is possible."""
    return _terminal if terminal or not _has_windows() else _window


def _has_windows() -> bool:
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        import tkinter  # noqa: F401, PLC0415 - some systems have Python without it
    except ImportError:
        return False
    return True


def _window(intents: Intents, screens: Screens, halt: Halt, words: Words) -> Face:
    from customer_client.window.window import Window  # noqa: PLC0415 - opens the display

    return Window(intents, screens, halt, words=words)


def _terminal(intents: Intents, screens: Screens, halt: Halt, words: Words) -> Face:
    from customer_client.faces.terminal import Terminal  # noqa: PLC0415 - not needed beside a window

    return Terminal(intents, screens, halt, words=words)
