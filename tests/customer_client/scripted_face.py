"""A person without eyes and hands: what is shown to it can be waited for, and what it wants is said by a test."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from customer_client.capture.surfaces import Cover
from customer_client.faces.face import Close, Intent, Intents, Pause, Screens, Stop, View

PATIENCE = 30.0
Kind = TypeVar("Kind", bound=View)


class ScriptedFace:
    """A `Face`; what waits (`sees`, `hears`) is to be called with `asyncio.to_thread`."""

    guarded = True

    def __init__(self, intents: Intents, screens: Screens, halt: Callable[[], None]) -> None:
        self.screens = screens
        self.told: list[str] = []
        self._intents = intents
        self._halt = halt
        self._view: View | None = None
        self._changed = threading.Condition()
        self._closed = threading.Event()

    # --- A face ---

    def show(self, view: View) -> None:
        with self._changed:
            self._view = view
            self._changed.notify_all()

    def tell(self, key: str, **values: str) -> None:
        with self._changed:
            self.told.append(key)
            self._changed.notify_all()

    def covers(self) -> Cover:
        return Cover()

    def run(self) -> None:
        self._closed.wait()

    def close(self) -> None:
        self._closed.set()

    # --- Its person ---

    def want(self, intent: Intent) -> None:
        """As the window does: the brake first."""
        if isinstance(intent, Pause | Stop):
            self._halt()
        self._intents.put(intent)
        if isinstance(intent, Close):
            self._closed.set()

    def sees(self, kind: type[Kind], so: Callable[[Kind], object] = lambda _: True) -> Kind:
        """Waits until such a view is shown."""
        ends = time.monotonic() + PATIENCE
        with self._changed:
            while not (isinstance(self._view, kind) and so(self._view)):
                if not self._changed.wait(ends - time.monotonic()):
                    raise AssertionError(f"{kind.__name__} was not shown; {self._view} is")
            return self._view

    def hears(self, key: str) -> None:
        """Waits until this was told."""
        ends = time.monotonic() + PATIENCE
        with self._changed:
            while key not in self.told:
                if not self._changed.wait(ends - time.monotonic()):
                    raise AssertionError(f"{key} was not told, but {self.told}")
