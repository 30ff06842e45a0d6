"""The private names of aiortc and aioice that we lean on, and the guard against strangers, on real sockets."""

import asyncio
import inspect
import socket
from importlib.metadata import version

import pytest
from aioice import ice
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpTransceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport

from signaling.aiortc_internals import MAX_WAITING_DATAGRAMS, PINNED, negotiated, peer_connection


@pytest.mark.parametrize("package", PINNED)
def test_the_names_are_those_of_exactly_this_version(package: str) -> None:
    assert version(package) == PINNED[package], "look through signaling/aiortc_internals.py before moving the pin"


async def connected_pair() -> tuple[RTCPeerConnection, RTCPeerConnection]:
    here, there = peer_connection([]), peer_connection([])
    there.createDataChannel("test")
    await there.setLocalDescription()
    await here.setRemoteDescription(there.localDescription)
    await here.setLocalDescription()
    await there.setRemoteDescription(here.localDescription)
    async with asyncio.timeout(20):
        while {here.connectionState, there.connectionState} != {"connected"}:
            await asyncio.sleep(0.01)
    return here, there


def connection_of(peer: RTCPeerConnection) -> ice.Connection:
    assert peer.sctp is not None
    return peer.sctp.transport.transport._connection


async def test_every_private_name_is_still_there() -> None:
    peer = peer_connection([])
    transceiver = peer.addTransceiver("video", direction="recvonly")
    dtls = transceiver.receiver.transport
    connection = dtls.transport._connection
    assert isinstance(dtls, RTCDtlsTransport)
    assert isinstance(connection, ice.Connection)
    assert dtls._rx_srtp is dtls._tx_srtp is None
    assert connection._nominated == {}
    assert connection._check_list == []
    assert connection._queue.qsize() == 0
    assert isinstance(transceiver.sender._ssrc, int)
    assert list(inspect.signature(ice.Connection.data_received).parameters) == ["self", "data", "component"]
    assert list(inspect.signature(ice.StunProtocol.datagram_received).parameters)[1:] == ["data", "addr"]
    assert "self.receiver.data_received(data" in inspect.getsource(ice).replace("\n", "")
    assert {"_codecs", "_headerExtensions"} <= vars(transceiver).keys()
    await peer.close()


async def test_what_was_negotiated_is_read_out() -> None:
    sender, receiver = peer_connection([]), peer_connection([])
    sender.addTransceiver("video", direction="sendonly")
    video: RTCRtpTransceiver = receiver.addTransceiver("video", direction="recvonly")
    capabilities = RTCRtpReceiver.getCapabilities("video")
    assert capabilities is not None
    video.setCodecPreferences([codec for codec in capabilities.codecs if codec.mimeType in ("video/VP8", "video/rtx")])
    await sender.setLocalDescription()
    await receiver.setRemoteDescription(sender.localDescription)
    terms = negotiated(video)
    [(payload_type, name)] = terms.codecs.items()
    assert name == "VP8"
    assert list(terms.retransmissions.values()) == [payload_type]
    assert terms.abs_send_time is not None
    await sender.close()
    await receiver.close()


PAYLOADS = {
    "empty": b"",
    "client_hello": b"\x16\xfe\xff" + bytes(60),
    "alert": b"\x15\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x01\x00",
    "rtp": b"\x80\x60" + bytes(40),
    "noise": bytes(range(200, 256)) * 4,
    "stun_like": b"\x00\x01\x00\x00" + bytes(16),
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
async def test_a_strangers_datagrams_disturb_no_connection(payload: bytes) -> None:
    here, there = await connected_pair()
    connection = connection_of(here)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        targets = [c for c in connection.local_candidates if ":" not in c.host]
        assert targets
        for candidate in targets:
            for _ in range(200):
                stranger.sendto(payload, (candidate.host, candidate.port))
    received = asyncio.Event()
    channel = here.createDataChannel("after")
    there.on("datachannel", lambda opened: opened.on("message", lambda _: received.set()))
    async with asyncio.timeout(20):
        while channel.readyState != "open":
            await asyncio.sleep(0.01)
        channel.send("still here")
        await received.wait()
    assert here.connectionState == there.connectionState == "connected"
    await here.close()
    await there.close()


async def test_datagrams_that_nobody_takes_do_not_pile_up() -> None:
    here, there = await connected_pair()
    connection = connection_of(here)
    [pair] = connection._nominated.values()
    for _ in range(MAX_WAITING_DATAGRAMS * 2):  # without a break, so that nobody takes them meanwhile
        pair.protocol.datagram_received(b"\x14" + bytes(20), pair.remote_addr)
    assert connection._queue.qsize() == MAX_WAITING_DATAGRAMS
    await here.close()
    await there.close()
