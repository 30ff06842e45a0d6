"""Datagrams read from real sockets many at once."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from signaling.bursts import AVAILABLE, MANY, SPACE, Burst

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="this system has no recvmmsg")


@contextmanager
def bound(family: socket.AddressFamily) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        made.setblocking(False)
        made.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        yield made


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def test_what_has_come_is_told_apart_in_order_and_with_its_source(family: socket.AddressFamily) -> None:
    burst = Burst(family)
    with bound(family) as alice, bound(family) as bob, bound(family) as dana:
        there = dana.getsockname()
        for sender, data in ((alice, b"one"), (bob, b""), (alice, b"\x80\xc8" + bytes(SPACE))):
            sender.sendto(data, there)
        select.select([dana], [], [], 10)
        burst.receive(dana.fileno())
        first, empty, long = burst
        assert first == (b"one", alice.getsockname())
        assert empty == (b"", bob.getsockname())
        assert long == ((b"\x80\xc8" + bytes(SPACE))[:SPACE], alice.getsockname())
        assert burst.lengths() == [3, 0, SPACE]
        assert [heads[2] for heads in burst.heads()] == [0x80, 0xC8]
        assert burst.names == burst.name(0) + burst.name(1) + burst.name(0) != burst.name(0) * 3
        burst.receive(dana.fileno())
        assert (burst.count, list(burst)) == (0, [])


def test_what_is_too_much_at_once_is_left_for_the_next_time() -> None:
    burst, family = Burst(socket.AF_INET), socket.AF_INET
    with bound(family) as alice, bound(family) as dana:
        sent = [b"%d" % number for number in range(MANY + 2)]
        for data in sent:
            alice.sendto(data, dana.getsockname())
        burst.receive(dana.fileno())
        first = [data for data, _ in burst]
        burst.receive(dana.fileno())
        assert (first, [data for data, _ in burst]) == (sent[:MANY], sent[MANY:])


def test_what_the_system_says_against_it_is_raised() -> None:
    burst, family = Burst(socket.AF_INET), socket.AF_INET
    with bound(family) as gone:
        nobody = gone.getsockname()
    with bound(family) as dana:
        dana.connect(nobody)
        dana.send(b"hello")
        select.select([dana], [], [], 10)
        with pytest.raises(ConnectionRefusedError):
            burst.receive(dana.fileno())
    assert list(burst) == []
