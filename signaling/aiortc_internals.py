"""Every private name of aiortc and aioice that this project uses, and the guard that both need.

The names hold for exactly the versions in `PINNED`; tests/signaling/test_aiortc_internals.py fails when the pin moves.
All other modules speak to aiortc through its public names and this one.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from aioice import ice, stun, turn
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    rtp,
)
from aiortc.codecs import CODECS, get_capabilities
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpCodecCapability, RTCRtpCodecParameters
from pylibsrtp import Error as SRTPError
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found]

from signaling import datagrams
from signaling.bursts import SPACE, Burst

PINNED = {"aiortc": "1.16.0", "aioice": "0.13.0", "pylibsrtp": "1.0.0"}
MAX_WAITING_DATAGRAMS = 512
_RTP_HEADER = 12
_STUN_COOKIE = b"\x21\x12\xa4\x42"
PREFERRED = {
    "video": ("video/VP9", "video/H264", "video/VP8", "video/AV1", "video/rtx"),
    "audio": ("audio/opus",),
}
"""What browsers send a screen or a voice best with, first; the same order as in signaling/browser/description.ts."""
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"

MAX_REMOTE_CANDIDATES = 64
"""Those of the description and those that are learned from checks; each costs checks of our own."""


def _guarded_datagram_received(protocol: ice.StunProtocol, data: bytes | str, addr: tuple[Any, ...]) -> None:
    """Takes only what a peer may send: checks that are signed, and all else from the address of a candidate pair.

    Stock aioice hands every datagram up whatever its source, into a queue without a bound; aiortc closes the connection
    at an empty datagram, at one that is too long, and at an alert in clear text. Nothing may be raised: uvloop closes a
    socket whose protocol does.
    """
    if not 0 < len(data) <= datagrams.MAX_DATAGRAM or isinstance(data, str):
        return
    connection = protocol.receiver
    source = addr[0], addr[1]
    if datagrams.is_stun(data):
        try:
            _stun_received(protocol, data, source)
        except Exception:  # aioice's parser raises struct.error and others; a line of log for each would be a flood
            return
        return
    known: set[tuple[str, int]] = protocol.__dict__.setdefault("known_sources", set())
    if source not in known:
        if all(pair.protocol is not protocol or pair.remote_addr != source for pair in connection._check_list):
            return
        known.add(source)
    if datagrams.is_rtp(data):
        if (media := connection.__dict__.get("media")) is not None:
            media.take(data)
            return
        if not connection._nominated or connection._queue.qsize() >= MAX_WAITING_DATAGRAMS // 2:
            return
    elif not (
        datagrams.is_dtls(data)
        and connection._queue.qsize() < MAX_WAITING_DATAGRAMS
        and datagrams.plausible_dtls(data, connection.__dict__.get("dtls_role", "auto"))
    ):
        return
    connection.data_received(data, protocol.local_candidate.component)


def _guarded_burst_received(protocol: ice.StunProtocol, burst: Burst) -> None:
    """What a socket got at once: media from where they came before, which is nearly all, are taken together."""
    state, media = protocol.__dict__, protocol.receiver.__dict__.get("media")
    if media is not None and burst.names == state.get("media_name", b"") * burst.count:
        others = media.take_burst(burst)
    else:
        others = range(burst.count)
    for number in others:
        source = burst.source(number)
        _guarded_datagram_received(protocol, burst.data(number), source)
        if media is not None and source[:2] in state.get("known_sources", ()):
            state["media_name"] = burst.name(number)


def _stun_received(protocol: ice.StunProtocol, data: bytes, source: tuple[str, int]) -> None:
    """A STUN message; a request that is not signed is not answered, for its source may be forged."""
    if data[4:8] != _STUN_COOKIE:
        return
    message = stun.parse_message(data)
    if message.message_class in (stun.Class.RESPONSE, stun.Class.ERROR):
        if (transaction := protocol.transactions.get(message.transaction_id)) is not None:
            transaction.response_received(message, source)
        return
    connection = protocol.receiver
    if (
        message.message_class != stun.Class.REQUEST
        or not {"USERNAME", "PRIORITY", "MESSAGE-INTEGRITY"} <= message.attributes.keys()
        or not connection._valid_username(message.attributes["USERNAME"])
        or not message.check_message_integrity(connection.local_password.encode())
    ):
        return
    known = any((c._network_host, c.port) == source for c in connection._remote_candidates)
    if len(connection._remote_candidates if not known else connection._early_checks) < MAX_REMOTE_CANDIDATES:
        connection.request_received(message, source, protocol)


def _guarded_turn_datagram_received(protocol: turn.TurnClientUdpProtocol, data: bytes, addr: tuple[str, int]) -> None:
    try:
        _stock_turn_datagram_received(protocol, data, addr)
    except Exception:  # as above
        return


def _set_role_for_the_guard(dtls: RTCDtlsTransport, role: str) -> None:
    _stock_set_role(dtls, role)
    dtls.transport._connection.__dict__["dtls_role"] = role


STOCK_DATAGRAM_RECEIVED = ice.StunProtocol.datagram_received
_stock_turn_datagram_received = turn.TurnClientUdpProtocol.datagram_received
_stock_set_role = RTCDtlsTransport._set_role


def _protect_from_strangers() -> None:
    ice.StunProtocol.datagram_received = _guarded_datagram_received  # type: ignore[method-assign, assignment]
    ice.StunProtocol.burst_received = _guarded_burst_received  # type: ignore[attr-defined]
    turn.TurnClientUdpProtocol.datagram_received = _guarded_turn_datagram_received  # type: ignore[method-assign, assignment]
    RTCDtlsTransport._set_role = _set_role_for_the_guard  # type: ignore[method-assign, assignment]


def peer_connection(ice_servers: Sequence[RTCIceServer]) -> RTCPeerConnection:
    """A peer connection that strangers cannot disturb; servers are always given, as the default asks a public one."""
    _protect_from_strangers()
    return RTCPeerConnection(
        RTCConfiguration(iceServers=list(ice_servers), bundlePolicy=RTCBundlePolicy.MAX_BUNDLE),
    )


async def close(peer: RTCPeerConnection) -> None:
    """Closes a peer connection, even if it understood a hostile description by half, at which its own close fails."""
    try:
        await peer.close()
    except AttributeError:
        for transport in peer._RTCPeerConnection__iceTransports:  # type: ignore[attr-defined]
            await transport.stop()
        peer._RTCPeerConnection__isClosed.set_result(True)  # type: ignore[attr-defined]


def _learn(mime_type: str, payload_type: int, parameters: dict[str, int | str | None]) -> None:
    """Makes aiortc agree on a video codec that it can neither encode nor decode, and on its retransmission."""
    feedback = [RTCRtcpFeedback("nack"), RTCRtcpFeedback("nack", "pli"), RTCRtcpFeedback("goog-remb")]
    again = {"apt": payload_type}
    CODECS["video"] += [
        RTCRtpCodecParameters(mime_type, 90_000, None, payload_type, feedback, parameters),
        RTCRtpCodecParameters("video/rtx", 90_000, None, payload_type + 1, parameters=dict(again)),
    ]


# Chromium numbers AV1 below 64, which RFC 5761 section 4 leaves free; aiortc would replace that number without a word.
rtp.DYNAMIC_PAYLOAD_TYPES = (*range(35, 64), *range(96, 128))  # type: ignore[assignment, unused-ignore]
if not any(codec.mimeType == "video/VP9" for codec in CODECS["video"]):
    _learn("video/VP9", 103, {"profile-id": "0"})
    _learn("video/AV1", 105, {})


def codecs_by_preference(kind: str) -> list[RTCRtpCodecCapability]:
    """What a transceiver of a participant that passes encoded media on may agree to, the best for a screen first."""
    capabilities = get_capabilities(kind)
    return [codec for name in PREFERRED[kind] for codec in capabilities.codecs if codec.mimeType == name]


class Negotiated(NamedTuple):
    """What offer and answer agreed for a transceiver: payload type → codec name in capitals, and the rest.

    `retransmissions` maps an RTX payload type to the payload type that it repeats (RFC 4588); `abs_send_time` and
    `audio_level` are the ids of those header extensions, or None.
    """

    codecs: dict[int, str]
    retransmissions: dict[int, int]
    abs_send_time: int | None
    local_ssrc: int
    local_retransmission_ssrc: int = 0
    audio_level: int | None = None


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
    extensions = {extension.uri: extension.id for extension in transceiver._headerExtensions}
    sender = transceiver.sender
    return Negotiated(
        codecs,
        retransmissions,
        extensions.get(ABS_SEND_TIME),
        sender._ssrc,
        sender._rtx_ssrc,
        extensions.get(AUDIO_LEVEL),
    )


def stand_aside(transceiver: RTCRtpTransceiver) -> None:
    """Keeps aiortc's own sender and receiver of a transceiver from ever starting: what `RawTransport` does is enough.

    The one would ask its missing track for frames fifty times a second, the other starts a thread.
    """

    async def nothing(_: object) -> None:
        return

    transceiver.sender.send = nothing  # type: ignore[method-assign, assignment]
    transceiver.receiver.receive = nothing  # type: ignore[method-assign, assignment]


class RawTransport:
    """SRTP of a transceiver's transport taken before aiortc's receiver sees it, and RTCP sent without a task.

    `on_rtp(packets)` and `on_rtcp(packet)` are called with decrypted packets, on the event loop.
    """

    def __init__(
        self,
        transceiver: RTCRtpTransceiver,
        on_rtp: Callable[[list[bytes]], None],
        on_rtcp: Callable[[bytes], None],
    ) -> None:
        self._dtls: RTCDtlsTransport = transceiver.receiver.transport
        self._connection: ice.Connection = self._dtls.transport._connection
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
        self._size = ffi.new("int *")
        self._connection.__dict__["media"] = self

    def take(self, sealed: bytes) -> None:
        """Opens a packet of 1500 bytes at most and hands it on; a forged or replayed one is as if it had never come."""
        session = self._dtls._rx_srtp
        if session is None or len(sealed) < _RTP_HEADER:
            return
        with contextlib.suppress(SRTPError):
            if 192 <= sealed[1] <= 223:  # RTCP's packet types, RFC 5761 section 4
                self._on_rtcp(session.unprotect_rtcp(sealed))
            else:
                self._on_rtp([session.unprotect(sealed)])

    def take_burst(self, burst: Burst) -> list[int]:
        """As `take`, all that a socket got at once; the numbers of the datagrams that are none of its business.

        They are opened where they lie: what `Session.unprotect` does around the library costs as much as the library.
        """
        session, (firsts, seconds) = self._dtls._rx_srtp, burst.heads()
        handle = session._srtp[0] if session is not None else None
        others, opened, size, at = list[int](), list[bytes](), self._size, 0
        place, unprotect, cut = ffi.cast("char *", burst.address), lib.srtp_unprotect, burst.cut
        for number, (length, first, second) in enumerate(zip(burst.lengths(), firsts, seconds, strict=True)):
            media = 127 < first < 192 and not 192 <= second <= 223  # as `take` and datagrams.is_rtp tell them apart
            if not media or not _RTP_HEADER <= length <= datagrams.MAX_DATAGRAM:
                others.append(number)
            elif handle is not None:
                size[0] = length
                if not unprotect(handle, place + at, size):
                    opened.append(cut(at, size[0]))
            at += SPACE
        if opened:
            self._on_rtp(opened)
        return others

    def send_rtp(self, packet: bytes) -> None:
        """Sends an RTP packet; does nothing before the connection stands or after it fell."""
        session = self._dtls._tx_srtp
        if session is not None:
            with contextlib.suppress(SRTPError):  # older than what SRTP remembers
                self._send(session.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Sends an RTCP packet; does nothing before the connection stands or after it fell."""
        session = self._dtls._tx_srtp
        if session is not None:
            self._send(session.protect_rtcp(packet))

    def _send(self, sealed: bytes) -> None:
        pair = self._connection._nominated.get(1)
        if pair is not None and self._dtls.state == "connected":
            pair.protocol.transport.sendto(sealed, pair.remote_addr)

    def backlog(self) -> int:
        """Bytes that the socket has not yet taken."""
        pair = self._connection._nominated.get(1)
        if pair is None:
            return 0
        transport: Any = pair.protocol.transport
        if isinstance(transport, turn.TurnTransport):
            transport = transport._TurnTransport__inner_protocol.transport  # type: ignore[attr-defined, unused-ignore]
        return int(transport.get_write_buffer_size())

    def release(self) -> None:
        """Gives the packets back to aiortc."""
        if self._connection.__dict__.get("media") is self:
            del self._connection.__dict__["media"]
