"""A keyboard on X11 that presses real keys through XTEST, on whatever layout the customer has.

A character that stands on the first two levels of the layout in use is typed by its key. Any other one is lent a key
that means nothing, as long as control lasts. Windows are found by the tree of X11.
"""

import contextlib
import os
import time
from collections import OrderedDict
from collections.abc import Iterator

from Xlib import XK, X, display
from Xlib.error import BadWindow
from Xlib.ext import res, xtest
from Xlib.xobject.drawable import Window

from customer_client.control.hands import MODIFIERS, NAMED, POSITIONS, SHORTCUT, ControlUnavailable

FIRST_KEYCODE = 8
LENT_FOR_S = 0.2
"""A key that was lent to a character is not given to another one before programs have read what it means."""
_UNICODE = 0x01000000
_NAMES = {
    "enter": "Return",
    "page_up": "Prior",
    "page_down": "Next",
    "backspace": "BackSpace",
    "esc": "Escape",
    "shift_l": "Shift_L",
    "shift_r": "Shift_R",
    "ctrl_l": "Control_L",
    "ctrl_r": "Control_R",
    "alt_l": "Alt_L",
    "alt_r": "Alt_R",
    "cmd_l": "Super_L",
    "cmd_r": "Super_R",
}
"""pynput's name → X's, where it is not the same with a capital."""
_SPOKEN = {"\n": "Return", "\r": "Return", "\t": "Tab", "\b": "BackSpace"}
_BOARD = "1234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./"
_FIRST_ON_BOARD = 10
_BOARD_KEYCODES = {character: _FIRST_ON_BOARD + place for place, character in enumerate(_BOARD) if character != "\0"}
"""What each key makes on the board of the United States → its keycode, as XKB's evdev keycodes have it."""


def _legacy() -> dict[str, set[int]]:
    """Character → the keysyms by which layouts may call it beside those that are computed."""
    # It is private, and the only such table in a package; a test finds out when it goes. The import opens the display.
    from pynput._util.xorg_keysyms import SYMBOLS  # type: ignore[import-not-found]  # noqa: PLC0415

    found: dict[str, set[int]] = {}
    for keysym, character in SYMBOLS.values():
        found.setdefault(character, set()).add(keysym)
    return found


def _keysym(character: str) -> int:
    """The keysym of any character, by X's rule for Latin 1 and Unicode."""
    number = ord(character)
    return number if 0x20 <= number < 0x7F or 0xA0 <= number < 0x100 else _UNICODE | number


class X11Keys:
    """See `hands.Keys`."""

    def __init__(self) -> None:
        self._display = display.Display()
        self._legacy = _legacy()
        if self._display.query_extension(res.extname) is None:
            raise ControlUnavailable("the X server has no X-Resource: our own windows can't be told from others")
        self._down: dict[str, int] = {}
        """KeyboardEvent.code of a modifier that is held → its keycode."""
        self._lent: OrderedDict[int, tuple[int, float]] = OrderedDict()
        """Keycode → the keysym that it was lent to, and when; the one that was used last is last."""
        self._spare = [code for code, keysyms in self._layout() if not any(keysyms)]

    @property
    def holding(self) -> bool:
        return bool(self._down)

    def press(self, code: str, key: str) -> None:
        if name := MODIFIERS.get(code):
            self._hold(code, self._named(_NAMES[name]))
        elif name := NAMED.get(key):
            self._tap(self._named(_NAMES.get(name, name.capitalize())))
        elif len(key) == 1 and SHORTCUT & self._down.keys():
            self._tap(self._shortcut(code, key))
        elif len(key) == 1:
            self._type(key)

    def release(self, code: str) -> None:
        if (keycode := self._down.pop(code, None)) is not None:
            self._fake(keycode, False)

    def text(self, text: str) -> None:
        for character in text.replace("\r\n", "\n"):
            if character in _SPOKEN:
                self._tap(self._named(_SPOKEN[character]))
            elif character.isprintable():
                self._type(character)

    def let_go(self) -> None:
        for code in list(self._down):
            self.release(code)
        for keycode in self._lent:
            self._display.change_keyboard_mapping(keycode, [[X.NoSymbol]])
        self._lent.clear()
        self._display.sync()

    def reach(self, window: int | None) -> bool:
        with contextlib.suppress(BadWindow):  # it is gone by now
            focus, root = self._display.get_input_focus().focus, self._display.screen().root
            if focus in (X.PointerRoot, root):
                pointer = root.query_pointer()
                return self.covers(window, pointer.root_x, pointer.root_y)
            return focus != X.NONE and self._may(window, self._upwards(focus))
        return False

    def covers(self, window: int | None, x: int, y: int) -> bool:
        with contextlib.suppress(BadWindow):  # it is gone by now
            return self._may(window, self._downwards(x, y))
        return False

    def close(self) -> None:
        self._display.close()

    # --- Keys ---

    def _layout(self) -> Iterator[tuple[int, list[int]]]:
        """Each keycode and what it means: two keysyms of the first layout, two of the second, and more."""
        count = self._display.display.info.max_keycode - FIRST_KEYCODE + 1
        for place, keysyms in enumerate(self._display.get_keyboard_mapping(FIRST_KEYCODE, count)):
            yield FIRST_KEYCODE + place, list(keysyms)

    def _type(self, character: str) -> None:
        """Press the character's key while Shift is as it has to be for it."""
        keysyms = {_keysym(character)} | self._legacy.get(character, set())
        state = self._state()
        first = 2 * min(state >> 13 & 3, 1)  # XkbGroupForCoreState
        for keycode, meanings in self._layout():
            for level, keysym in enumerate(meanings[first : first + 2]):
                if keysym in keysyms and keycode not in self._lent:
                    turned = bool(state & X.LockMask) and character.lower() != character.upper()
                    self._tap_shifted(keycode, bool(level) != turned)
                    return
        self._tap(self._lend(_keysym(character)))

    def _tap_shifted(self, keycode: int, wanted: bool) -> None:
        held = [self._down[code] for code in ("ShiftLeft", "ShiftRight") if code in self._down]
        shift = [self._named("Shift_L")] if wanted and not held else []
        lifted = held if held and not wanted else []
        for each in (*shift, *lifted):
            self._fake(each, each in shift)
        self._tap(keycode)
        for each in (*shift, *lifted):
            self._fake(each, each not in shift)

    def _shortcut(self, code: str, key: str) -> int | None:
        """The key that bears the character on any layout of the customer's, or that stands where the agent's does."""
        keysyms = {_keysym(key.lower())} | self._legacy.get(key.lower(), set())
        found = (keycode for keycode, meanings in self._layout() if keysyms & set(meanings[:4]))
        return next(found, None) or _BOARD_KEYCODES.get(POSITIONS.get(code, ""))

    def _lend(self, keysym: int) -> int | None:
        """A key that means the character from now on; None when there is none to spare."""
        now = time.monotonic()
        found = next((keycode for keycode, (meaning, _) in self._lent.items() if meaning == keysym), None)
        if found is None:
            found = next((keycode for keycode in self._spare if keycode not in self._lent), None)
            if found is None and self._lent:
                found, (_, at) = next(iter(self._lent.items()))
                time.sleep(max(0.0, at + LENT_FOR_S - now))
            if found is None:
                return None
            self._display.change_keyboard_mapping(found, [[keysym, keysym]])
            self._display.sync()
        self._lent[found] = (keysym, time.monotonic())
        self._lent.move_to_end(found)
        return found

    def _state(self) -> int:
        return int(self._display.screen().root.query_pointer().mask)

    def _named(self, name: str) -> int | None:
        return self._display.keysym_to_keycode(XK.string_to_keysym(name)) or None

    def _hold(self, code: str, keycode: int | None) -> None:
        if keycode is not None and code not in self._down:
            self._down[code] = keycode
            self._fake(keycode, True)

    def _tap(self, keycode: int | None) -> None:
        if keycode is not None:
            self._fake(keycode, True)
            self._fake(keycode, False)

    def _fake(self, keycode: int | None, down: bool) -> None:
        if keycode is not None:
            xtest.fake_input(self._display, X.KeyPress if down else X.KeyRelease, keycode)
            self._display.sync()

    # --- Windows ---

    def _may(self, window: int | None, line: Iterator[Window]) -> bool:
        """Whether input may go to windows that lie in one another: into `window` if there is one, never into ours."""
        found = list(line)
        inside = window is None or any(each.id == window for each in found)
        return inside and not self._any_ours(found)

    def _any_ours(self, windows: list[Window]) -> bool:
        """Asks the X server whose they are: Tk's windows bear no _NET_WM_PID."""
        asked = [{"client": window.id, "mask": res.LocalClientPIDMask} for window in windows]
        return bool(asked) and any(os.getpid() in x.value for x in self._display.res_query_client_ids(asked).ids)

    def _upwards(self, window: Window) -> Iterator[Window]:
        """A window, and those that it lies in."""
        root = self._display.screen().root
        while window not in (X.NONE, root):
            yield window
            window = window.query_tree().parent

    def _downwards(self, x: int, y: int) -> Iterator[Window]:
        """The windows that a click at this place goes through."""
        root = self._display.screen().root
        window = root.translate_coords(root, x, y).child
        while window != X.NONE:
            yield window
            window = window.translate_coords(root, x, y).child
