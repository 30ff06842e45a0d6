"""The brake: what a person stops, stops in the thread in which it was wanted, and before anything else."""

import threading
from collections.abc import Callable


class Brake:
    """Stops at once, in the face's thread; what was wanted before and not yet done is then not done any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pulled = 0
        self._told = 0
        self.stops: list[Callable[[], None]] = []

    def pull(self) -> None:
        """To be called before `Pause` or `Stop` is put among the intents."""
        with self._lock:
            self._pulled += 1
        for stop in self.stops:
            stop()

    def told(self) -> None:
        """That `Pause` or `Stop` has come."""
        with self._lock:
            self._told += 1

    @property
    def free(self) -> bool:
        """Whether everything that was stopped is known to whoever would start it."""
        with self._lock:
            return self._pulled <= self._told
