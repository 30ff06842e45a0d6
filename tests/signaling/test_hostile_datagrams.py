"""Ten thousand of each hostile datagram, at set-up and afterwards, from strangers and from the peer's own address."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from aiortc import RTCPeerConnection

from signaling.aiortc_internals import MAX_REMOTE_CANDIDATES, MAX_WAITING_DATAGRAMS, peer_connection
from tests.signaling.hostile import PAYLOADS
from tests.signaling.test_aiortc_internals import connected_pair, connection_of

COUNT = 10_000
STRANGER = ("192.0.2.1", 4)
BURST = 250


def inject(peer: RTCPeerConnection, data: bytes) -> None:
    """As if it had come over each of the sockets, from a stranger and from whoever is known there."""
    connection = connection_of(peer)
    for protocol in connection._protocols:
        protocol.datagram_received(data, STRANGER)
    for pair in connection._check_list:
        pair.protocol.datagram_received(data, pair.remote_addr)


def bursts(count: int) -> Iterator[list[bytes]]:
    """So many of each payload, a few of every kind at a time."""
    for first in range(0, count, BURST):
        for payload in PAYLOADS.values():
            yield [payload(number) for number in range(first, min(count, first + BURST))]


async def assert_well(here: RTCPeerConnection, there: RTCPeerConnection) -> None:
    """Both are connected, data pass, and nothing has piled up."""
    received = asyncio.Event()
    channel = here.createDataChannel("after")
    there.on("datachannel", lambda opened: opened.on("message", lambda _: received.set()))
    async with asyncio.timeout(20):
        while channel.readyState != "open":
            await asyncio.sleep(0.01)
        channel.send("still here")
        await received.wait()
    for peer in (here, there):
        connection = connection_of(peer)
        assert peer.connectionState == "connected"
        assert connection._queue.qsize() <= MAX_WAITING_DATAGRAMS
        assert len(connection._remote_candidates) <= MAX_REMOTE_CANDIDATES
        assert len(connection._early_checks) <= MAX_REMOTE_CANDIDATES
        assert all(len(p.__dict__.get("known_sources", ())) <= MAX_REMOTE_CANDIDATES for p in connection._protocols)
    await here.close()
    await there.close()


@pytest.mark.timeout(120)
async def test_at_set_up_they_hinder_no_connection() -> None:
    here, there = peer_connection([]), peer_connection([])
    there.createDataChannel("test")
    await there.setLocalDescription()
    await here.setRemoteDescription(there.localDescription)
    await here.setLocalDescription()
    await there.setRemoteDescription(here.localDescription)
    while not all(connection_of(peer)._check_list for peer in (here, there)):
        await asyncio.sleep(0)
    for number, burst in enumerate(bursts(COUNT)):
        for data in burst:
            inject(here if number % 2 else there, data)
    async with asyncio.timeout(60):
        for burst in bursts(1 << 40):  # on and on, while they shake hands
            for data in burst[:4]:
                inject(here, data)
                inject(there, data)
            await asyncio.sleep(0)
            if {here.connectionState, there.connectionState} == {"connected"}:
                break
    await assert_well(here, there)


@pytest.mark.timeout(120)
async def test_afterwards_they_end_no_connection() -> None:
    here, there = await connected_pair()
    for number, burst in enumerate(bursts(COUNT)):
        for data in burst:
            inject(here if number % 2 else there, data)
        await asyncio.sleep(0)
    await assert_well(here, there)


@pytest.mark.timeout(120)
async def test_from_a_socket_of_a_stranger_they_disturb_nobody() -> None:
    here, there = await connected_pair()
    addresses = [c for c in connection_of(here).local_candidates if ":" not in c.host]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for burst in bursts(1_000):
            for data in burst:
                stranger.sendto(data, (addresses[0].host, addresses[0].port))
            await asyncio.sleep(0)
    await assert_well(here, there)
