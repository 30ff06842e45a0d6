"""Work that one turn of the loop hands over, in a real thread."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from recorder.handover import hand_over


class Counted(ThreadPoolExecutor):
    """Threads that count what they are given."""

    given = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.given += 1
        return super().submit(fn, *args, **kwargs)


@pytest.fixture
def threads() -> Iterator[Counted]:
    with Counted(2) as pool:
        yield pool


async def test_what_one_turn_hands_over_is_done_in_one_go_and_in_its_order(threads: Counted) -> None:
    done = list[tuple[int, str]]()

    def work(number: int) -> Callable[[], None]:
        return lambda: done.append((number, threading.current_thread().name))

    await asyncio.gather(*(hand_over(threads, work(number)) for number in range(5)))
    assert [number for number, _ in done] == list(range(5))
    assert len({name for _, name in done}) == threads.given == 1
    assert done[0][1] != threading.current_thread().name
    await hand_over(threads, work(5))
    assert (len(done), threads.given) == (6, 2)


async def test_what_fails_or_is_not_waited_for_any_more_hinders_no_other(threads: Counted) -> None:
    done = list[str]()

    def fail() -> None:
        raise OSError("full")

    first, second, third = (
        hand_over(threads, fail),
        hand_over(threads, fail),
        hand_over(threads, lambda: done.append("it")),
    )
    first.cancel()
    await third
    assert done == ["it"]
    with pytest.raises(OSError, match="full"):
        await second


async def test_what_no_thread_takes_any_more_is_told(threads: Counted) -> None:
    threads.shutdown()
    with pytest.raises(RuntimeError, match="shutdown"):
        await hand_over(threads, lambda: None)
