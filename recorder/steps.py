"""The steps of a segment's way to disk, by name, so that a test can end the process at each of them.

Outside of such a test `reached` is a function that does nothing.
"""

import os
import signal
from collections.abc import Callable

STEPS = (
    "vault_made",
    "header_stored",
    "key_stored",
    "chunks_written",
    "chunks_stored",
    "record_written",
    "record_stored",
    "start_reported",
    "end_written",
    "end_stored",
    "index_stored",
    "tail_removed",
)
"""In the order in which they come; the last four at the end of a segment."""

reached: Callable[[str], None]


def die_at(step: str | None) -> None:
    """From now on the process ends as if by SIGKILL when it gets to this step."""
    global reached  # noqa: PLW0603 - a function that does nothing is all that a step costs

    def die(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def go_on(name: str) -> None:
        return

    reached = die if step else go_on


die_at(None)
