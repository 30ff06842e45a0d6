"""Control, while it is granted: an agent's input is done by this computer, until the person wants it back.

What is done, and by what, is a matter of the system (`hands.py`); so is hearing the person's own mouse and keys
(`touch.py`). Nothing is done before both stand, and nothing once `revoke` has returned but letting go of what is held.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from customer_client.capture.surfaces import Area, Source
from customer_client.control.hands import ControlUnavailable, Hands, open_hands
from customer_client.control.touch import TakenBack, Touch, Watch, watch_touches
from signaling import messages as m

log = structlog.get_logger()

LET_GO_AFTER_S = 3.0
"""Whatever is held is let go when nothing was heard for so long; an agent who holds something says more often."""
INPUTS_PER_SECOND = 400.0
BURST = 1200.0
"""A character of typed text counts as one input, and so does a detent of the wheel."""
WAITING = 64
"""Messages that may wait to be done."""


class Rate:
    """How much may be done; times are in seconds."""

    def __init__(self, now: float) -> None:
        self._left = BURST
        self._at = now

    def take(self, inputs: Sequence[m.Input], now: float) -> bool:
        """Whether all of these may be done now; if so they are counted."""
        self._left = min(BURST, self._left + (now - self._at) * INPUTS_PER_SECOND)
        self._at = now
        cost = sum(map(_cost, inputs))
        if self._left < cost:
            return False
        self._left -= cost
        return True


def _cost(each: m.Input) -> int:
    match each:
        case m.TypeText(text):
            return len(text)
        case m.TurnWheel(x, y):
            return abs(x) + abs(y)
        case _:
            return 1


class Doing:
    """An agent's input in its order, done by `hands` where `source` lies at that moment."""

    def __init__(self, hands: Hands, source: Callable[[], Source | None]) -> None:
        self._hands = hands
        self._source = source
        self._at: tuple[int, int] | None = None

    def do(self, each: m.Input) -> None:
        """One input; what would go to anything but what is shared is not done."""
        source = self._source()
        if source is None:
            return
        hands, window = self._hands, source.window
        match each:
            case m.MovePointer(x, y):
                self._at = _place(source.area, x, y)
                hands.move(*self._at)
            case m.PressButton(button) if self._at and hands.covers(window, *self._at):
                hands.button(button, True)
            case m.ReleaseButton(button):
                hands.button(button, False)
            case m.TurnWheel(x, y) if self._at and hands.covers(window, *self._at):
                hands.wheel(x, y)
            case m.PressKey(code, key) if hands.reach(window):
                hands.key(code, key, True)
            case m.ReleaseKey(code, key):
                hands.key(code, key, False)
            case m.TypeText(text) if hands.reach(window):
                hands.text(text)
            case _:
                pass


def _place(area: Area, x: float, y: float) -> tuple[int, int]:
    """The pixel of the desktop that a fraction of an area means."""
    across, down = (min(int(part * size), size - 1) for part, size in ((x, area.width), (y, area.height)))
    return area.left + across, area.top + down


class Control:
    """One grant, from `start` to `revoke`; to be granted again takes another one.

    `source` says where what is shared lies now, None while it is gone. `taken_back` is told, in a thread of its own,
    that the person's own mouse or key ended it; it is over already then.
    """

    def __init__(
        self,
        source: Callable[[], Source | None],
        taken_back: TakenBack,
        hands: Callable[[], Hands] = open_hands,
        watch: Watch = watch_touches,
        let_go_after_s: float = LET_GO_AFTER_S,
    ) -> None:
        self._source = source
        self._taken_back = taken_back
        self._open_hands = hands
        self._watch = watch
        self._let_go_after_s = let_go_after_s
        self._unwatch: Callable[[], None] = lambda: None
        self._rate = Rate(time.monotonic())
        self._waiting: queue.Queue[Sequence[m.Input] | None] = queue.Queue(WAITING)
        self._lost = False
        self._over = threading.Event()
        self._opened: queue.SimpleQueue[ControlUnavailable | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="control", daemon=True)

    @property
    def over(self) -> bool:
        """Whether nothing is done any more."""
        return self._over.is_set()

    def start(self) -> None:
        """Watches for the person's own input first, and then is ready to act; raises ControlUnavailable."""
        self._unwatch = self._watch(self._touched)
        self._thread.start()
        if (refused := self._opened.get()) is not None:
            self._unwatch()
            raise refused

    def apply(self, inputs: Sequence[m.Input]) -> None:
        """Has an agent's inputs done, in order and soon; never waits. What comes too fast is lost, and all let go."""
        if self.over:
            return
        try:
            if not self._rate.take(inputs, time.monotonic()):
                raise queue.Full
            self._waiting.put_nowait(inputs)
        except queue.Full:
            self._lost = True

    def revoke(self) -> None:
        """Ends it at once, from any thread: not even what waits is done. To repeat it does nothing."""
        self._over.set()
        with contextlib.suppress(queue.Full):  # then the worker is awake
            self._waiting.put_nowait(None)
        self._unwatch()

    def join(self, timeout_s: float) -> None:
        """Waits until everything is let go."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _touched(self, touch: Touch) -> None:
        if not self.over:
            self._over.set()
            self.revoke()
            self._taken_back(touch)

    def _work(self) -> None:
        try:
            hands = self._open_hands()
        except ControlUnavailable as refused:
            self._opened.put(refused)
            return
        self._opened.put(None)
        try:
            self._act(hands)
        except Exception:  # whatever pynput and python-xlib raise once the window system has ended
            log.exception("control ended")
            self._over.set()
        finally:
            with contextlib.suppress(Exception):
                hands.let_go()
                hands.close()

    def _act(self, hands: Hands) -> None:
        doing = Doing(hands, self._source)
        while not self.over:
            try:
                inputs = self._waiting.get(timeout=self._let_go_after_s if hands.holding else None)
            except queue.Empty:
                hands.let_go()
                continue
            if self._lost:
                self._lost = False
                hands.let_go()
            for each in inputs or ():
                if self.over:
                    return
                doing.do(each)
