"""Datagram sockets that are read together: real sockets on a real loop."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

import pytest
import uvloop

from recorder.sockets import CROWD, TOGETHER_S, DatagramLoop, Socket
from signaling import bursts
from signaling.bursts import Burst

LOOPBACK = ("127.0.0.1", 0)


class Heard(asyncio.DatagramProtocol):
    """What a socket was given; `want(number)` waits until so much of it is there."""

    def __init__(self, hostile: bytes = b"") -> None:
        self.datagrams: list[tuple[bytes, Any]] = []
        self.lost = asyncio.Event()
        self._hostile = hostile
        self._came = asyncio.Condition()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.datagrams.append((data, addr))
        if self._hostile and data == self._hostile:
            raise ValueError("not understood")

    async def want(self, number: int) -> list[bytes]:
        while len(self.datagrams) < number:
            await asyncio.sleep(0.001)
        return [data for data, _ in self.datagrams]


class HeardTogether(Heard):
    """One that takes together what has come."""

    def __init__(self, hostile: bytes = b"") -> None:
        super().__init__(hostile)
        self.bursts: list[int] = []

    def burst_received(self, burst: Burst) -> None:
        self.bursts.append(burst.count)
        self.datagrams += burst


async def opened(hostile: bytes = b"", address: tuple[str, int] = LOOPBACK) -> tuple[Socket, Heard]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Heard(hostile), address)
    assert isinstance(transport, Socket)
    return transport, protocol


def run(work: Coroutine[Any, Any, None]) -> None:
    uvloop.run(work, loop_factory=DatagramLoop)


@pytest.mark.parametrize("at_once", [True, False], ids=["recvmmsg", "one by one"])
@pytest.mark.parametrize("address", [LOOPBACK, ("::1", 0)], ids=["IPv4", "IPv6"])
def test_what_is_sent_comes_whole_in_order_and_with_its_source(
    address: tuple[str, int], at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bursts, "AVAILABLE", at_once and bursts.AVAILABLE)

    async def story() -> None:
        (alice, _), (dana, heard) = await opened(address=address), await opened(address=address)
        sent = [b"%d" % number for number in range(300)]
        for data in sent:
            alice.sendto(data, dana.get_extra_info("sockname"))
        assert await heard.want(len(sent)) == sent
        assert {source for _, source in heard.datagrams} == {alice.get_extra_info("sockname")}

    run(story())


@pytest.mark.skipif(not bursts.AVAILABLE, reason="this system has no recvmmsg")
def test_a_protocol_that_takes_them_together_is_given_a_burst_as_one() -> None:
    async def story() -> None:
        alice, _ = await opened()
        loop = asyncio.get_running_loop()
        dana, heard = await loop.create_datagram_endpoint(HeardTogether, LOOPBACK)
        for data in (b"one", b"two", b"three"):
            alice.sendto(data, dana.get_extra_info("sockname"))
        assert await heard.want(3) == [b"one", b"two", b"three"]
        assert heard.bursts == [3]

    run(story())


def test_the_more_sockets_something_has_come_for_the_longer_the_next_turn_waits() -> None:
    waits = list[float]()

    class Watched(DatagramLoop):
        def call_later(  # type: ignore[override]
            self, delay: float, callback: Any, *given: Any, **context: Any
        ) -> asyncio.TimerHandle:
            if callback == self._read:
                waits.append(delay)
            return super().call_later(delay, callback, *given, **context)

    async def story() -> None:
        alice, _ = await opened()
        crowd = [await opened() for _ in range(CROWD)]
        for some in (crowd[:-1], crowd):
            waits.clear()
            for dana, heard in some:
                heard.datagrams.clear()
                alice.sendto(b"hello", dana.get_extra_info("sockname"))
            for _, heard in some:
                await heard.want(1)
            assert (2 * TOGETHER_S in waits) == (some is crowd)

    uvloop.run(story(), loop_factory=Watched)


def test_after_a_silence_the_next_datagram_wakes_the_loop() -> None:
    async def story() -> None:
        (alice, _), (dana, heard) = await opened(), await opened()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, DatagramLoop)
        for number in range(1, 4):
            alice.sendto(b"again", dana.get_extra_info("sockname"))
            await heard.want(number)
            while loop.reading:
                await asyncio.sleep(0.01)

    run(story())


def test_what_one_socket_cannot_take_disturbs_no_other() -> None:
    async def story() -> None:
        (alice, _), (dana, heard), (bob, other) = await opened(), await opened(hostile=b"bad"), await opened()
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        for data in (b"bad", b"good"):
            for to in (dana, bob):
                alice.sendto(data, to.get_extra_info("sockname"))
        assert await heard.want(2) == await other.want(2) == [b"bad", b"good"]
        assert isinstance(told[0]["exception"], ValueError)

    run(story())


def test_a_closed_socket_hears_nothing_more_and_gives_its_port_back() -> None:
    async def story() -> None:
        (alice, _), (dana, heard) = await opened(), await opened()
        address = dana.get_extra_info("sockname")
        dana.close()
        dana.close()
        assert dana.is_closing()
        await heard.lost.wait()
        alice.sendto(b"too late", address)
        again, heard_again = await opened(address=address)
        alice.sendto(b"in time", again.get_extra_info("sockname"))
        assert (await heard_again.want(1))[-1] == b"in time"
        assert heard.datagrams == []

    run(story())


def test_a_port_that_is_taken_is_an_error() -> None:
    async def story() -> None:
        alice, _ = await opened()
        with pytest.raises(OSError, match="in use"):
            await opened(address=alice.get_extra_info("sockname"))

    run(story())


def test_other_datagram_sockets_are_uvloops_own() -> None:
    async def story() -> None:
        (dana, heard) = await opened()
        loop = asyncio.get_running_loop()
        there = dana.get_extra_info("sockname")
        connected, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=there)
        assert not isinstance(connected, Socket)
        connected.sendto(b"hello")
        assert await heard.want(1) == [b"hello"]
        connected.close()

    run(story())


def test_what_the_system_does_not_take_at_once_is_kept_and_sent_when_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback takes everything, so that a full buffer has to be played."""

    class Full(socket.socket):
        full = True

        def sendto(self, *given: Any) -> int:
            if Full.full:
                raise BlockingIOError
            return super().sendto(*given)

    async def story() -> None:
        (_, heard) = dana = await opened()
        monkeypatch.setattr(socket, "socket", Full)
        alice, _ = await opened()
        for data in (b"one", b"two"):
            alice.sendto(data, dana[0].get_extra_info("sockname"))
        assert alice.get_write_buffer_size() == 6
        Full.full = False
        assert await heard.want(2) == [b"one", b"two"]
        assert alice.get_write_buffer_size() == 0

    run(story())
