"""Work for threads that is handed over together: to hand over a piece costs the loop more than most pieces take.

Each handover wakes a thread, which then wants the interpreter's lock while the loop has it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

Piece = tuple[Callable[[], None], asyncio.Future[None]]

_waiting: dict[Executor, list[Piece]] = {}
"""What one turn of the loop has for each executor."""


def hand_over(threads: Executor, work: Callable[[], None]) -> asyncio.Future[None]:
    """Does blocking work in a thread, which does all that this turn of the loop hands over, one after the other."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    if threads not in _waiting:
        _waiting[threads] = []
        loop.call_soon(_begin, threads, loop)
    _waiting[threads].append((work, future))
    return future


def _begin(threads: Executor, loop: asyncio.AbstractEventLoop) -> None:
    pieces = _waiting.pop(threads)
    try:
        threads.submit(_do, pieces, loop)
    except RuntimeError as closed:  # there are no threads any more
        _tell(pieces, [closed] * len(pieces))


def _do(pieces: list[Piece], loop: asyncio.AbstractEventLoop) -> None:
    failures: list[BaseException | None] = []
    for work, _ in pieces:
        try:
            work()
        except Exception as error:
            failures.append(error)
        else:
            failures.append(None)
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(_tell, pieces, failures)


def _tell(pieces: list[Piece], failures: Sequence[BaseException | None]) -> None:
    for (_, future), failure in zip(pieces, failures, strict=True):
        if future.cancelled():
            continue
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(None)
