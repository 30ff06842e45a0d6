"""Datagrams read from a socket many at once: recvmmsg(2), into memory that the next ones use again."""

import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from errno import EAGAIN, EINTR
from typing import Any

MANY = 128
"""Read at once."""
SPACE = 2048
"""Bytes for each; of a longer one that many are read."""
_NAME = {socket.AF_INET: 16, socket.AF_INET6: 28}
"""Bytes of an address as the system writes it (ip(7), ipv6(7))."""


class _Piece(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("pieces", ctypes.POINTER(_Piece)),
        ("pieces_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("header", _Header), ("length", ctypes.c_uint))


_receive = getattr(ctypes.CDLL(None, use_errno=True), "recvmmsg", None) if os.name == "posix" else None
AVAILABLE = _receive is not None
"""Whether this system has it, as Linux does."""
if _receive is not None:
    _receive.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)


class Burst:
    """What sockets of one address family had to give; `count` datagrams, good until the next `receive`.

    The first begins at `address` in memory, each other one `SPACE` bytes behind the one before it.
    """

    def __init__(self, family: socket.AddressFamily) -> None:
        self.count = 0
        self._family = family
        self._name = _NAME[family]
        self._data: Any = (ctypes.c_char * (MANY * SPACE))()  # a slice of which is bytes
        self._names: Any = (ctypes.c_char * (MANY * self._name))()
        self.address, names = ctypes.addressof(self._data), ctypes.addressof(self._names)
        self._pieces = (_Piece * MANY)(*(_Piece(self.address + at * SPACE, SPACE) for at in range(MANY)))
        self._messages = (_Message * MANY)()
        for at, message in enumerate(self._messages):
            piece = ctypes.pointer(self._pieces[at])
            message.header = _Header(names + at * self._name, self._name, piece, 1)
        words, word = memoryview(self._messages).cast("B").cast("I"), ctypes.sizeof(ctypes.c_uint)
        self._lengths = words[_Message.length.offset // word :: ctypes.sizeof(_Message) // word]
        data = memoryview(self._data).cast("B")
        self._firsts, self._seconds = data[::SPACE], data[1::SPACE]

    def receive(self, descriptor: int) -> None:
        """Reads what a socket has, which may be nothing, and waits for nothing; raises OSError."""
        assert _receive is not None
        count = _receive(descriptor, self._messages, MANY, socket.MSG_DONTWAIT, None)
        self.count = max(0, count)
        if count < 0 and (said := ctypes.get_errno()) not in (EAGAIN, EINTR):
            raise OSError(said, os.strerror(said))

    def __iter__(self) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
        """Each of them, and where it came from."""
        return ((self.data(number), self.source(number)) for number in range(self.count))

    @property
    def names(self) -> bytes:
        """Where they came from, one name behind the other."""
        return bytes(self._names[: self.count * self._name])

    def name(self, number: int) -> bytes:
        """Where one came from, as the system writes it."""
        return bytes(self._names[number * self._name : (number + 1) * self._name])

    def source(self, number: int) -> tuple[Any, ...]:
        """Where one came from, as `socket` writes it: two values, and two more of IPv6."""
        name = self.name(number)
        port = int.from_bytes(name[2:4], "big")
        if self._family == socket.AF_INET:
            return socket.inet_ntop(self._family, name[4:8]), port
        flow, scope = int.from_bytes(name[4:8], "big"), int.from_bytes(name[24:28], sys.byteorder)
        return socket.inet_ntop(self._family, name[8:24]), port, flow, scope

    def lengths(self) -> list[int]:
        """How long each is, in bytes."""
        return self._lengths[: self.count].tolist()

    def heads(self) -> tuple[list[int], list[int]]:
        """The first byte of each, and the second; what stands there of old when it is shorter."""
        return self._firsts[: self.count].tolist(), self._seconds[: self.count].tolist()

    def data(self, number: int) -> bytes:
        """One of them."""
        return self.cut(number * SPACE, self._lengths[number])

    def cut(self, at: int, length: int) -> bytes:
        """So many bytes from a place on."""
        return bytes(self._data[at : at + length])
