"""An event loop that reads its datagram sockets together, every few milliseconds, and not at each datagram.

To wake up for a datagram costs several times what it costs to read it: with dozens of sessions most of a recorder's
time. The packets of a picture come in one burst, so that what waits for them a moment is read in one go.
"""

import asyncio
import contextlib
import select
import socket
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import uvloop

from signaling import bursts
from signaling.bursts import MANY, SPACE, Burst

TOGETHER_S = 0.01
"""What comes within so many seconds is read together."""
CROWD = 4
"""With so many sockets that something has come for, twice that time is waited: there is the more to be read at once."""
QUIET_TURNS = 25
"""After so many turns without a datagram the loop sleeps until the next one comes."""
MAX_UNSENT = 1 << 20
"""Bytes that wait for the system to take them; what comes on top is dropped, as the network would."""
RECEIVE_BUFFER = 2 << 20
"""Bytes asked of the system for what comes while nobody reads; it may grant less."""


class DatagramLoop(uvloop.Loop):
    """uvloop, but for datagram sockets that are bound to an address: those are `Socket`s."""

    def __init__(self) -> None:
        super().__init__()
        self._polled = select.epoll()
        self._sockets: dict[int, Socket] = {}
        self._quiet = QUIET_TURNS
        self._bursts: dict[socket.AddressFamily, Burst] = {}
        self.add_reader(self._polled.fileno(), self._wake)

    async def create_datagram_endpoint(  # type: ignore[override]
        self, protocol_factory: Any, local_addr: tuple[str, int] | None = None, **options: Any
    ) -> Any:
        """As asyncio's; raises OSError when the address can't be had."""
        if local_addr is None or any(options.values()):
            return await super().create_datagram_endpoint(protocol_factory, local_addr, **options)
        family = socket.AF_INET6 if ":" in local_addr[0] else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_DGRAM)
        try:
            bound.setblocking(False)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            bound.bind(local_addr)
        except OSError:
            bound.close()
            raise
        protocol = protocol_factory()
        transport = self._sockets[bound.fileno()] = Socket(self, bound, protocol)
        self._polled.register(bound.fileno(), select.EPOLLIN)
        protocol.connection_made(transport)
        return transport, protocol

    @property
    def reading(self) -> bool:
        """Whether it looks for datagrams by itself, and is not to be woken by one."""
        return self._quiet < QUIET_TURNS

    def burst(self, family: socket.AddressFamily) -> Burst:
        """The memory into which all its sockets of a family are read, one at a time."""
        if family not in self._bursts:
            self._bursts[family] = Burst(family)
        return self._bursts[family]

    def forget(self, descriptor: int) -> None:
        """Read a socket no more."""
        self._polled.unregister(descriptor)
        del self._sockets[descriptor]

    def close(self) -> None:
        super().close()
        self._polled.close()

    def _wake(self) -> None:
        self.remove_reader(self._polled.fileno())
        self._quiet = 0
        self.call_later(TOGETHER_S, self._read)

    def _read(self) -> None:
        ready = self._polled.poll(0)
        self._quiet = 0 if ready else self._quiet + 1
        if self.reading:
            self.call_later(TOGETHER_S if len(ready) < CROWD else 2 * TOGETHER_S, self._read)
        else:
            self.add_reader(self._polled.fileno(), self._wake)
        for descriptor, _ in ready:
            if descriptor in self._sockets:
                self._sockets[descriptor].read()


class Socket(asyncio.DatagramTransport):
    """A datagram socket of a `DatagramLoop`."""

    def __init__(self, loop: DatagramLoop, bound: socket.socket, protocol: asyncio.DatagramProtocol) -> None:
        super().__init__({"socket": bound, "sockname": bound.getsockname()})
        self._loop = loop
        self._socket = bound
        self._protocol = protocol
        self._burst = loop.burst(bound.family) if bursts.AVAILABLE else None
        self._burst_received: Callable[[Burst], None] | None = getattr(protocol, "burst_received", None)
        self._unsent: deque[tuple[bytes, Any]] = deque()
        self._unsent_bytes = 0
        self._closing = False

    def read(self) -> None:
        """Hands on what has come, all at once to a protocol that has `burst_received`."""
        burst = self._burst
        try:
            if burst is not None:
                burst.receive(self._socket.fileno())
                if self._burst_received is not None:
                    self._burst_received(burst)
                    return
        except OSError as error:
            self._protocol.error_received(error)
            return
        except Exception as error:
            self._refused(error)
            return
        for data, source in self._one_by_one() if burst is None else burst:
            if self._closing:
                return
            try:
                self._protocol.datagram_received(data, source)
            except Exception as error:
                self._refused(error)

    def _one_by_one(self) -> Iterator[tuple[bytes, Any]]:
        """What has come, where the system has no `recvmmsg`."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(MANY):
                try:
                    yield self._socket.recvfrom(SPACE)
                except ConnectionError as error:
                    self._protocol.error_received(error)

    def _refused(self, error: Exception) -> None:
        self._loop.call_exception_handler({"message": "datagram not taken", "exception": error, "transport": self})

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Sends a datagram, or keeps it until the system takes it."""
        if self._closing:
            return
        if self._unsent:
            self._keep(data, addr)
            return
        try:
            self._socket.sendto(data, addr)
        except (BlockingIOError, InterruptedError):
            self._loop.add_writer(self._socket.fileno(), self._send_on)
            self._keep(data, addr)
        except OSError as error:
            self._protocol.error_received(error)

    def get_write_buffer_size(self) -> int:
        """Bytes that wait for the system to take them."""
        return self._unsent_bytes

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """Sends what is left if the system takes it at once, and closes."""
        if self._closing:
            return
        if self._unsent:
            self._send_on()
        self.abort()

    def abort(self) -> None:
        if self._closing:
            return
        self._closing = True
        if self._unsent:
            self._loop.remove_writer(self._socket.fileno())
        self._loop.forget(self._socket.fileno())
        self._loop.call_soon(self._protocol.connection_lost, None)
        self._loop.call_soon(self._socket.close)

    def _keep(self, data: bytes, addr: Any) -> None:
        if self._unsent_bytes + len(data) <= MAX_UNSENT:
            self._unsent.append((bytes(data), addr))
            self._unsent_bytes += len(data)

    def _send_on(self) -> None:
        with contextlib.suppress(BlockingIOError, InterruptedError):
            while self._unsent:
                data, addr = self._unsent[0]
                try:
                    self._socket.sendto(data, addr)
                except BlockingIOError:
                    raise
                except OSError as error:
                    self._protocol.error_received(error)
                self._unsent.popleft()
                self._unsent_bytes -= len(data)
            self._loop.remove_writer(self._socket.fileno())
