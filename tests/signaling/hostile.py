"""Datagrams that no honest peer sends, by name: each a function from a number to bytes, the same at every run."""

import random
import struct
from collections.abc import Callable, Mapping

COOKIE = 0x2112A442


def _stun(kind: int, body: bytes, number: int, cookie: int = COOKIE) -> bytes:
    return struct.pack("!HHI12s", kind, len(body), cookie, number.to_bytes(12, "big")) + body


def _record(kind: int, number: int, body: bytes, epoch: int = 0) -> bytes:
    return struct.pack("!BHHHIH", kind, 0xFEFD, epoch, 0, number, len(body)) + body


def _handshake(kind: int, body: bytes, number: int) -> bytes:
    head = struct.pack("!B", kind) + len(body).to_bytes(3, "big") + struct.pack("!H", number % 8) + bytes(3)
    return head + len(body).to_bytes(3, "big") + body


_POOL = random.Random(1).randbytes(1 << 16)


def _noise(number: int, size: int) -> bytes:
    at = number * 7919 % (len(_POOL) - 2000)
    return _POOL[at : at + size]


def _any_first_byte(number: int) -> bytes:
    return bytes([number % 256]) + _noise(number, (0, 1, 11, 12, 19, 40, 300, 1400)[number // 256 % 8])


PAYLOADS: Mapping[str, Callable[[int], bytes]] = {
    "empty": lambda number: b"",
    "one byte": lambda number: bytes([number % 256]),
    "every first byte": _any_first_byte,
    "client hello that is none": lambda n: _record(22, n, _handshake(1, b"\xfe\xfd" + _noise(n, 60), n)),
    "client hello of zeros": lambda n: b"\x16\xfe\xff" + bytes(60),
    "server hello that is none": lambda n: _record(22, n, _handshake(2, b"\xfe\xfd" + _noise(n, 60), n)),
    "hello of an old version": lambda n: _record(22, n, _handshake(1 + n % 2, b"\x03\x01" + bytes(70), n)),
    "handshake of an unknown kind": lambda n: _record(22, n, _handshake(30 + n % 200, _noise(n, 20), n)),
    "handshake longer than it may be": lambda n: _record(22, n, b"\x0b\xff\xff\xff" + bytes(8) + _noise(n, 9)),
    "fatal alert": lambda n: _record(21, n, b"\x02\x28"),
    "alert of parting": lambda n: _record(21, n, b"\x01\x00"),
    "forged alert": lambda n: _record(21, n, _noise(n, 26), epoch=1),
    "data in clear": lambda n: _record(23, n, _noise(n, 32)),
    "forged data": lambda n: _record(23, n, _noise(n, 48), epoch=1),
    "cipher too early": lambda n: _record(20, n, b"\x02"),
    "record that ends early": lambda n: _record(22, n, bytes(40))[: 3 + n % 40],
    "record of DTLS 1.3": lambda n: bytes([32 + n % 32]) + _noise(n, 60),
    "stun without a body": lambda n: _stun(n % 4 * 0x100 | 1, b"", n),
    "stun with a short attribute": lambda n: _stun(1, struct.pack("!HH", 0x24, 3) + b"abc\0", n),
    "stun of an unknown method": lambda n: _stun(n & 0x3FFF, b"", n),
    "stun that is not signed": lambda n: _stun(1, struct.pack("!HH4s", 0x24, 4, b"\0\0\0\1"), n),
    "stun with a false signature": lambda n: _stun(
        1, struct.pack("!HH4sHHI", 6, 3, b"a:b\0", 0x24, 4, n) + struct.pack("!HH", 8, 20) + _noise(n, 20), n
    ),
    "stun without its cookie": lambda n: _stun(1, b"", n, cookie=n),
    "response nobody asked for": lambda n: _stun(0x101 | n % 2 << 4, b"", n),
    "rtp": lambda n: struct.pack("!BBHII", 0x80, 96, n & 0xFFFF, n, 1) + _noise(n, n % 1200),
    "rtp of five bytes": lambda n: b"\x80\x60" + _noise(n, 3),
    "rtp that is too long": lambda n: b"\x80\x60" + bytes(1500 + n % 2000),
    "rtcp": lambda n: struct.pack("!BBHI", 0x81, 200 + n % 8, n & 0xFFFF, n) + _noise(n, n % 300),
    "channel data": lambda n: struct.pack("!HH", 0x4000 + n % 0x1000, 12) + _noise(n, 12),
}
