"""The private names of aiortc and aioice that we lean on, and the guard against strangers, on real sockets."""

import asyncio
import inspect
import re
import socket
import struct
import threading
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aioice import ice, turn
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.rtcdtlstransport import RTCDtlsTransport
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found]

from signaling.aiortc_internals import (
    MAX_WAITING_DATAGRAMS,
    PINNED,
    STOCK_DATAGRAM_RECEIVED,
    RawTransport,
    codecs_by_preference,
    negotiated,
    peer_connection,
    stand_aside,
)
from signaling.bursts import AVAILABLE, Burst
from signaling.datagrams import MAX_DATAGRAM


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
    assert isinstance(transceiver.sender._rtx_ssrc, int)
    assert "self.__inner_protocol" in inspect.getsource(turn.TurnTransport)
    assert list(inspect.signature(ice.Connection.data_received).parameters) == ["self", "data", "component"]
    assert list(inspect.signature(ice.StunProtocol.datagram_received).parameters)[1:] == ["data", "addr"]
    assert "self.receiver.data_received(data" in inspect.getsource(ice).replace("\n", "")
    assert {"_codecs", "_headerExtensions"} <= vars(transceiver).keys()
    assert not connection._early_checks and not connection._remote_candidates
    assert list(inspect.signature(RTCDtlsTransport._set_role).parameters)[1:] == ["role"]
    assert connection._valid_username(f"{connection.local_username}:anybody")
    assert "addr" in inspect.signature(turn.TurnClientUdpProtocol.datagram_received).parameters
    await peer.close()


@pytest.mark.skipif(not AVAILABLE, reason="this system has no recvmmsg")
async def test_what_comes_together_is_taken_as_if_it_came_one_by_one() -> None:
    """The keys are known to both ends here, so that both ways can be given the very same packets."""
    here, there = await connected_pair()
    assert here.sctp is not None
    [pair] = connection_of(here)._nominated.values()
    protocol: Any = pair.protocol
    taken = list[list[bytes]]()
    key = Policy(bytes(30), Policy.SSRC_ANY_INBOUND)
    sender = Session(Policy(bytes(30), Policy.SSRC_ANY_OUTBOUND))
    packets = [struct.pack("!BBHLL", 0x80, 96, number, 0, 1) + b"picture" for number in range(6)]
    reports = [struct.pack("!BBHL", 0x80, 200, 1, 1)]
    sealed = [*map(sender.protect, packets), *map(sender.protect_rtcp, reports)]
    refused = [b"", b"\x80\x60" + bytes(1600), b"\0" * 20, b"\x15" * 20, b"\x80\x60" + bytes(40), b"\x80"]
    burst = Burst(socket.AF_INET)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as known,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours,
    ):
        for each in (known, stranger, ours):
            each.bind(("127.0.0.1", 0))
        protocol.__dict__["known_sources"] = {known.getsockname()}

        def come(*datagrams: tuple[bytes, socket.socket]) -> list[bytes]:
            taken.clear()
            for data, source in datagrams:
                source.sendto(data, ours.getsockname())
            burst.receive(ours.fileno())
            protocol.burst_received(burst)
            return [packet for some in taken for packet in some]

        transport = here.sctp.transport
        transport._rx_srtp = Session(key)
        transceiver: Any = SimpleNamespace(receiver=SimpleNamespace(transport=transport))
        media = RawTransport(transceiver, taken.append, lambda packet: taken.append([packet]))
        assert come((sealed[0], known), (sealed[1], known)) == packets[:2]
        assert come((sealed[2], known), (sealed[3], known), (sealed[6], known)) == [*packets[2:4], *reports]
        assert come(*((data, known) for data in refused), (sealed[0], known), (sealed[4], known)) == packets[4:5]
        assert come((sealed[5], stranger), (sealed[5], known)) == packets[5:]
        assert come((sealed[5], stranger)) == []
        assert here.connectionState == "connected"
        media.release()
        assert come((sealed[5], known)) == []
    await here.close()
    await there.close()


def test_srtp_is_opened_in_the_place_that_the_pinned_version_has_for_it() -> None:
    session = Session(Policy(bytes(30), Policy.SSRC_ANY_INBOUND))
    assert len(session._buffer) == len(session._cdata) == MAX_DATAGRAM
    assert lib.srtp_unprotect(session._srtp[0], session._cdata, ffi.new("int *", 40)) != 0


async def test_a_transceiver_whose_own_sender_and_receiver_stand_aside_sends_and_receives_nothing_but_ours() -> None:
    here, there = peer_connection([]), peer_connection([])
    ours = here.addTransceiver("audio", direction="sendrecv")
    stand_aside(ours)
    await here.setLocalDescription()
    theirs = there.addTransceiver("audio", direction="sendrecv")
    stand_aside(theirs)
    await there.setRemoteDescription(here.localDescription)
    await there.setLocalDescription()
    came: list[bytes] = []
    transport, _ = RawTransport(ours, came.extend, came.append), RawTransport(theirs, came.extend, came.append)
    assert transport.backlog() == 0
    await here.setRemoteDescription(there.localDescription)
    packet = b"\x80\x60\x00\x01" + bytes(8) + b"voice"
    async with asyncio.timeout(20):
        while packet not in came:
            transport.send_rtp(packet)
            await asyncio.sleep(0.01)
    assert set(came) == {packet}
    assert transport.backlog() == 0
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("decoder")]
    await here.close()
    await there.close()


async def test_four_video_codecs_are_agreed_on_in_our_order_each_with_its_retransmission() -> None:
    sender, receiver = peer_connection([]), peer_connection([])
    for kind in ("video", "audio"):
        sender.addTransceiver(kind, direction="sendonly")
    video, voice = (receiver.addTransceiver(kind, direction="recvonly") for kind in ("video", "audio"))
    for transceiver in (video, voice):
        transceiver.setCodecPreferences(codecs_by_preference(transceiver.kind))
    await sender.setLocalDescription()
    numbered_as_chromium_does = re.sub(r"\b105\b", "45", sender.localDescription.sdp)
    await receiver.setRemoteDescription(RTCSessionDescription(numbered_as_chromium_does, "offer"))
    terms = negotiated(video)
    assert terms.codecs[45] == "AV1"
    assert list(terms.codecs.values()) == ["VP9", "H264", "H264", "VP8", "AV1"]
    assert list(terms.retransmissions.values()) == list(terms.codecs)
    assert terms.abs_send_time is not None
    assert list(negotiated(voice).codecs.values()) == ["OPUS"]
    await receiver.setLocalDescription()
    answered = receiver.localDescription.sdp
    assert answered.index(" VP9/90000") < answered.index(" H264/90000") < answered.index(" AV1/90000")
    await sender.close()
    await receiver.close()


@pytest.mark.parametrize("payload", [b"", b"\x80\x60" + bytes(1600)], ids=["empty", "too long"])
async def test_without_the_guard_one_datagram_still_closes_a_connection(
    payload: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When this fails, aiortc has mended what the guard is for: look whether it can go."""
    here, there = await connected_pair()
    connection = connection_of(here)
    monkeypatch.setattr(ice.StunProtocol, "datagram_received", STOCK_DATAGRAM_RECEIVED)
    [pair] = connection._nominated.values()
    with socket.socket(socket.AF_INET6 if ":" in pair.local_addr[0] else socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(payload, pair.local_addr)
        async with asyncio.timeout(20):
            while here.connectionState == "connected":
                await asyncio.sleep(0.01)
    assert here.connectionState == "closed"
    await here.close()
    await there.close()


async def test_datagrams_that_nobody_takes_do_not_pile_up() -> None:
    here, there = await connected_pair()
    connection = connection_of(here)
    [pair] = connection._nominated.values()
    for rounds, payload in enumerate((b"\x80\x60" + bytes(40), b"\x17\xfe\xfd\0\1" + bytes(8)), 1):
        for _ in range(MAX_WAITING_DATAGRAMS * 2):  # without a break, so that nobody takes them meanwhile
            pair.protocol.datagram_received(payload, pair.remote_addr)
        assert connection._queue.qsize() == MAX_WAITING_DATAGRAMS * rounds // 2  # media leave room for the rest
    await here.close()
    await there.close()


def test_no_peer_connection_is_made_past_the_guard() -> None:
    root = Path(__file__).parents[2]
    packages = ("annotate", "signaling", "recorder", "customer_client", "agent_client", "server")
    sources = [path for package in packages for path in (root / package).rglob("*.py")]
    makers = [path.name for path in sources if "RTCPeerConnection(" in path.read_text()]
    assert makers == ["aiortc_internals.py"]
