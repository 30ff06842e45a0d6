"""The recorder and the simulated customer under fire: datagrams from anywhere, replays, and offers full of nonsense."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvloop
from aioice import ice
from aiortc import RTCPeerConnection

from recorder.incoming import Incoming
from recorder.participant import SessionRecorder
from recorder.sockets import DatagramLoop
from signaling import messages as m
from signaling.aiortc_internals import peer_connection
from signaling.session import Assign, Open, Participant
from tests.recorder.recording import archive_in
from tests.recorder.replay import Replay, drawn, play
from tests.recorder.replayed_customer import ReplayedCustomer
from tests.signaling.hostile import PAYLOADS
from tests.signaling.memory_server import MemoryServer, memory_server

CAST = [Participant("alice", "agent", "Alice"), Participant("dana", "customer", "Dana")]
CAST += [Participant("tape", "recorder", "Recorder")]
COUNT = 10_000
AT_ONCE = 100


class Scene(NamedTuple):
    server: MemoryServer
    recorder: SessionRecorder
    replays: list[Replay]

    def bodies(self, kind: type[Any]) -> list[Any]:
        return [event.body for event in self.server.timeline.events["session"] if isinstance(event.body, kind)]

    @property
    def frames(self) -> int:
        segment = self.recorder._segment
        return segment.writer.frames if segment else 0

    def peers(self) -> list[RTCPeerConnection]:
        incoming = self.recorder._incoming
        assert incoming is not None
        return [incoming.peer, *(replay.peer for replay in self.replays)]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.05)


def more(scene: Scene, before: int) -> bool:
    return scene.frames > before


def connection_of(peer: RTCPeerConnection) -> ice.Connection:
    return peer.getTransceivers()[0].receiver.transport.transport._connection


@asynccontextmanager
async def recording(folder: Path) -> AsyncIterator[Scene]:
    """A session of a replayed customer that is being recorded."""
    async with memory_server(*CAST) as server:
        await server.endpoint.command("session", Open("Example", "Printer", True))
        await server.endpoint.command("session", Assign("alice", "Alice"))
        with ThreadPoolExecutor(2) as threads:
            recorder = SessionRecorder(server.url, "tape", archive_in(folder), threads)
            replays: list[Replay] = []
            customer = ReplayedCustomer(server.url, "dana", "session", drawn(), replays)
            tasks = [asyncio.create_task(work) for work in (recorder.run(), customer.run(), play(replays))]
            playing = Scene(server, recorder, replays)
            await until(lambda: playing.frames > 3)
            yield playing
            await recorder.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with recording(tmp_path) as made:
        yield made


async def test_a_recording_goes_on_under_hostile_datagrams_and_replays(scene: Scene) -> None:
    peers = scene.peers()
    connection = connection_of(peers[0])
    heard: list[bytes] = []
    media = connection.__dict__["media"]
    taken = media.take

    def listen(sealed: bytes) -> None:
        heard.append(sealed)
        taken(sealed)

    media.take = listen
    before = scene.frames
    await until(lambda: scene.frames > before + 3 and len(heard) > 10)
    media.take = taken
    for payload in PAYLOADS.values():
        for peer in peers:
            for pair in connection_of(peer)._check_list:
                for number in range(COUNT // 2):
                    data = payload(number)
                    pair.protocol.datagram_received(data, ("192.0.2.1", 4))
                    pair.protocol.datagram_received(data, pair.remote_addr)
        await asyncio.sleep(0)
    for number in range(COUNT):
        for pair in connection_of(peers[0])._check_list:
            pair.protocol.datagram_received(heard[number % len(heard)], pair.remote_addr)
    before = scene.frames
    await until(lambda: scene.frames > before + 10)
    assert len(scene.bodies(m.SegmentStarted)) == 1
    assert scene.bodies(m.RecordingFailed) == scene.bodies(m.Left) == []
    assert scene.peers() == peers
    assert {peer.connectionState for peer in peers} == {"connected"}


def test_a_recorder_s_own_loop_takes_them_off_the_wire_and_goes_on(tmp_path: Path) -> None:
    """There whatever has come is read at once, hostile or not; it is sent from the very socket that media come from."""

    async def story(scene: Scene) -> None:
        [recorder, sender] = scene.peers()
        [pair] = connection_of(sender)._nominated.values()
        for payload in PAYLOADS.values():
            before = scene.frames
            for number in range(AT_ONCE):
                pair.protocol.transport.sendto(payload(number), pair.remote_addr)
            await until(partial(more, scene, before))
        assert len(scene.bodies(m.SegmentStarted)) == 1
        assert scene.bodies(m.RecordingFailed) == scene.bodies(m.Left) == []
        assert scene.peers() == [recorder, sender]
        assert recorder.connectionState == sender.connectionState == "connected"
        assert connection_of(recorder)._nominated[1].protocol.__dict__["media_name"]

    async def whole() -> None:
        async with recording(tmp_path) as scene:
            await story(scene)

    uvloop.run(whole(), loop_factory=DatagramLoop)


async def offered() -> str:
    """What an honest browser might offer."""
    peer = peer_connection([])
    peer.addTransceiver("video", direction="sendonly")
    peer.addTransceiver("audio", direction="sendrecv")
    await peer.setLocalDescription()
    sdp: str = peer.localDescription.sdp
    await peer.close()
    return sdp


def mutated(sdp: str, rng: random.Random) -> str:
    lines = sdp.splitlines()
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(lines))
        match rng.randrange(6):
            case 0:
                del lines[place]
            case 1:
                lines.insert(place, lines[rng.randrange(len(lines))])
            case 2:
                lines[place] = lines[place][: rng.randrange(len(lines[place]) + 1)]
            case 3:
                lines[place] = lines[place].replace("1", "99999999999999999999")
            case 4:
                lines[place] += chr(rng.randrange(0x3000)) * rng.randrange(200)
            case _:
                lines[place] = rng.choice("amcvst") + "=" + "".join(chr(rng.randrange(32, 127)) for _ in range(30))
        if not lines:
            return ""
    return "\r\n".join(lines) + "\r\n"


async def test_offers_and_candidates_full_of_nonsense_cost_only_themselves() -> None:
    sdp, rng = await offered(), random.Random(5)
    understood = 0
    offers = [sdp, "", "v=0\r\n" * 9000, *(mutated(sdp, rng) for _ in range(60))]
    candidates = [line.removeprefix("a=") for line in sdp.splitlines() if line.startswith("a=candidate")]
    for text in offers:
        offer = m.Offer(to="tape", connection="c", sdp=text)
        incoming = Incoming(offer, "dana", [])
        try:
            await incoming.accept(text, lambda *_: None, lambda _: None)
            understood += 1
        except Exception:
            pass
        for candidate in [*candidates, *(mutated(c, rng) for c in candidates * 3)]:
            await incoming.candidates.add(m.Candidate("tape", "c", candidate[:2000], "0", 0))
        await incoming.close()
    assert understood > 1
    remaining = [task for task in asyncio.all_tasks() if "aioice" in str(task) or "aiortc" in str(task)]
    assert remaining == []
