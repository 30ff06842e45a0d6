"""Every private name of aiortc and aioice that this project uses, and the guard that both need.

The names hold for exactly the versions in `PINNED`; tests/signaling/test_aiortc_internals.py fails when the pin moves.
All other modules speak to aiortc through its public names and this one.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from aioice import ice
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
)
from aiortc.rtcdtlstransport import RTCDtlsTransport
from pylibsrtp import Error as SRTPError

PINNED = {"aiortc": "1.16.0", "aioice": "0.13.0", "pylibsrtp": "1.0.0"}
MAX_WAITING_DATAGRAMS = 512
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"

_stock_datagram_received = ice.StunProtocol.datagram_received


def _guarded_datagram_received(protocol: ice.StunProtocol, data: bytes | str, addr: tuple[Any, ...]) -> None:
    """Takes only what a peer may send: STUN from anyone, all else from the remote address of a candidate pair.

    Stock aioice hands every datagram up whatever its source, into a queue without a bound, and aiortc closes the
    connection at an empty one.
    """
    if not data or isinstance(data, str):
        return
    if data[0] <= 3:
        _stock_datagram_received(protocol, data, addr)
        return
    connection = protocol.receiver
    source = (addr[0], addr[1])
    known: set[tuple[str, int]] = protocol.__dict__.setdefault("known_sources", set())
    if source not in known:
        if all(pair.protocol is not protocol or pair.remote_addr != source for pair in connection._check_list):
            return
        known.add(source)
    if connection._queue.qsize() < MAX_WAITING_DATAGRAMS:
        connection.data_received(data, protocol.local_candidate.component)


def _protect_from_strangers() -> None:
    ice.StunProtocol.datagram_received = _guarded_datagram_received  # type: ignore[method-assign, assignment]


def peer_connection(ice_servers: Sequence[RTCIceServer]) -> RTCPeerConnection:
    """A peer connection that strangers cannot disturb; servers are always given, as the default asks a public one."""
    _protect_from_strangers()
    return RTCPeerConnection(
        RTCConfiguration(iceServers=list(ice_servers), bundlePolicy=RTCBundlePolicy.MAX_BUNDLE),
    )


class Negotiated(NamedTuple):
    """What offer and answer agreed for a transceiver: payload type → codec name in capitals, and the rest.

    `retransmissions` maps an RTX payload type to the payload type that it repeats (RFC 4588); `abs_send_time` is the
    id of that header extension, or None.
    """

    codecs: dict[int, str]
    retransmissions: dict[int, int]
    abs_send_time: int | None
    local_ssrc: int


def negotiated(transceiver: RTCRtpTransceiver) -> Negotiated:
    """What a transceiver will receive; valid once the remote description is set."""
    codecs: dict[int, str] = {}
    retransmissions: dict[int, int] = {}
    for codec in transceiver._codecs:
        payload_type, repeated = codec.payloadType, codec.parameters.get("apt")
        if payload_type is None:
            continue
        if codec.name.upper() != "RTX":
            codecs[payload_type] = codec.name.upper()
        elif isinstance(repeated, int):
            retransmissions[payload_type] = repeated
    extension = next((x.id for x in transceiver._headerExtensions if x.uri == ABS_SEND_TIME), None)
    return Negotiated(codecs, retransmissions, extension, transceiver.sender._ssrc)


class RawTransport:
    """SRTP of a transceiver's transport taken before aiortc's receiver sees it, and RTCP sent without a task.

    `on_rtp(packet)` and `on_rtcp(packet)` are called with decrypted packets, on the event loop.
    """

    def __init__(
        self,
        transceiver: RTCRtpTransceiver,
        on_rtp: Callable[[bytes], None],
        on_rtcp: Callable[[bytes], None],
    ) -> None:
        self._dtls: RTCDtlsTransport = transceiver.receiver.transport
        self._connection: ice.Connection = self._dtls.transport._connection
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
        self._stock = self._connection.data_received
        self._connection.data_received = self._received  # type: ignore[method-assign]

    def _received(self, data: bytes, component: int) -> None:
        if not 127 < data[0] < 192:
            self._stock(data, component)
            return
        session = self._dtls._rx_srtp
        if session is None or len(data) < 12:
            return
        try:
            if 192 <= data[1] <= 223:  # RTCP's packet types, RFC 5761 section 4
                self._on_rtcp(session.unprotect_rtcp(data))
            else:
                self._on_rtp(session.unprotect(data))
        except (SRTPError, ValueError):  # forged, replayed or too long: as if it had never come
            return

    def send_rtcp(self, packet: bytes) -> None:
        """Sends an RTCP packet; does nothing before the connection stands or after it fell."""
        session, pair = self._dtls._tx_srtp, self._connection._nominated.get(1)
        if session is None or pair is None or self._dtls.state != "connected":
            return
        pair.protocol.transport.sendto(session.protect_rtcp(packet), pair.remote_addr)

    def release(self) -> None:
        """Gives the packets back to aiortc."""
        self._connection.data_received = self._stock  # type: ignore[method-assign]
