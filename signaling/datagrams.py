"""What a datagram at a peer connection's socket is (RFC 7983), and which of them no honest peer sends.

DTLS protects its records only once the handshake is done. Until then a datagram from the right address is believed, so
what is in plain sight is looked at first: alerts and application data in clear text, messages that this side of a
handshake never gets, and hellos whose parts do not add up are left lying, which RFC 6347 section 4.1.2.7 allows.
"""

from typing import Literal

Role = Literal["client", "server", "auto"]

MAX_DATAGRAM = 1500
"""Bytes; more than an Ethernet frame holds is more than pylibsrtp can take."""

_RECORD_HEADER = 13
_HANDSHAKE_HEADER = 12
_VERSIONS = (b"\xfe\xff", b"\xfe\xfd")
_CHANGE_CIPHER_SPEC, _HANDSHAKE, _APPLICATION_DATA = 20, 22, 23
_CLIENT_HELLO, _SERVER_HELLO, _HELLO_VERIFY = 1, 2, 3
_FROM_CLIENT = frozenset({_CLIENT_HELLO, 11, 15, 16, 20})
_FROM_SERVER = frozenset({_SERVER_HELLO, _HELLO_VERIFY, 4, 11, 12, 13, 14, 22})
_USE_SRTP = b"\0\x0e"
"""The extension without which there are no media (RFC 5764 section 4.1.1)."""
_MAX_HANDSHAKE_MESSAGE = 1 << 14
_MAX_HANDSHAKE_MESSAGES = 32
"""Messages of one side; a handshake has about ten."""


def is_stun(data: bytes) -> bool:
    """Whether the first byte is one of STUN's."""
    return data[0] <= 3


def is_dtls(data: bytes) -> bool:
    """Whether the first byte is one of a DTLS record."""
    return 19 < data[0] < 64


def is_rtp(data: bytes) -> bool:
    """Whether the first byte is one of RTP or RTCP."""
    return 127 < data[0] < 192


def plausible_dtls(data: bytes, role: Role) -> bool:
    """Whether a peer may have sent these records to us, who are client or server of the handshake."""
    at = 0
    while at < len(data):
        kind = data[at]
        if kind > 31:  # a record of DTLS 1.3: sealed from its first byte
            return True
        length = int.from_bytes(data[at + 11 : at + _RECORD_HEADER], "big")
        body = data[at + _RECORD_HEADER : at + _RECORD_HEADER + length]
        if len(data) < at + _RECORD_HEADER or len(body) != length or data[at + 1 : at + 3] not in _VERSIONS:
            return False
        in_clear = data[at + 3 : at + 5] == b"\0\0"
        if in_clear and not _plausible_in_clear(kind, body, role):
            return False
        if kind > _APPLICATION_DATA:
            return False
        at += _RECORD_HEADER + length
    return True


def _plausible_in_clear(kind: int, body: bytes, role: Role) -> bool:
    if kind == _CHANGE_CIPHER_SPEC:
        return body == b"\x01"
    return kind == _HANDSHAKE and _plausible_handshake(body, role)


def _plausible_handshake(body: bytes, role: Role) -> bool:
    """Whether each of the messages or fragments (RFC 6347 section 4.2.2) may come to us at all."""
    expected = _FROM_SERVER if role == "client" else _FROM_CLIENT if role == "server" else _FROM_CLIENT | _FROM_SERVER
    at = 0
    while at < len(body):
        if len(body) < at + _HANDSHAKE_HEADER:
            return False
        kind = body[at]
        length = int.from_bytes(body[at + 1 : at + 4], "big")
        number = int.from_bytes(body[at + 4 : at + 6], "big")
        offset = int.from_bytes(body[at + 6 : at + 9], "big")
        share = int.from_bytes(body[at + 9 : at + _HANDSHAKE_HEADER], "big")
        at += _HANDSHAKE_HEADER
        content = body[at : at + share]
        if kind not in expected or number >= _MAX_HANDSHAKE_MESSAGES or length > _MAX_HANDSHAKE_MESSAGE:
            return False
        if len(content) != share or offset + share > length:
            return False
        if share == length and not _plausible_hello(kind, content):
            return False
        at += share
    return bool(body)


def _plausible_hello(kind: int, content: bytes) -> bool:
    """Whether the parts of a hello add up (RFC 5246 section 7.4.1, RFC 6347 section 4.2.1), and it is WebRTC's."""
    if kind not in (_CLIENT_HELLO, _SERVER_HELLO, _HELLO_VERIFY):
        return True
    if content[:2] not in _VERSIONS:
        return False
    if kind == _HELLO_VERIFY:
        return len(content) > 2 and content[2] == len(content) - 3
    try:
        at = _after(content, 34, 1)
        if kind == _CLIENT_HELLO:
            at = _after(content, _after(content, _after(content, at, 1), 2), 1)
        else:
            at += 3
        if _after(content, at, 2) != len(content):
            return False
        at, extensions = at + 2, set[bytes]()
        while at < len(content):
            extensions.add(content[at : at + 2])
            at = _after(content, at + 2, 2)
    except ValueError:
        return False
    return _USE_SRTP in extensions


def _after(content: bytes, at: int, size: int) -> int:
    """Where the vector at `at` ends, whose length stands in its first `size` bytes."""
    end = at + size + int.from_bytes(content[at : at + size], "big")
    if at + size > len(content) or end > len(content):
        raise ValueError("cut off")
    return end
