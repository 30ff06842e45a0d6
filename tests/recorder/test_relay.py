"""A customer in Python, a recorder and viewers, with real connections between them: who gets the picture which way."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import av
import pytest
from aiortc import RTCSessionDescription

from customer_client.simulation.simulation import SimulatedCustomer
from recorder import opus
from recorder.incoming import Incoming
from recorder.participant import SessionRecorder
from signaling import messages as m, rtp
from signaling.aiortc_internals import RawTransport, codecs_by_preference, peer_connection, stand_aside
from signaling.client import new_id
from signaling.rtp import Packet
from signaling.session import Assign, Open, Participant
from tests.recorder.recording import archive_in
from tests.recorder.viewer import PythonViewer
from tests.signaling.memory_server import MemoryServer, memory_server

CAST = (
    Participant("alice", "agent", "Alice"),
    Participant("bob", "agent", "Bob"),
    Participant("dana", "customer", "Dana"),
    Participant("tape", "recorder", "Recorder"),
    Participant("reel", "recorder", "Recorder"),
)


class Place(NamedTuple):
    token: str
    session: str


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(*participants: PythonViewer | SimulatedCustomer | SessionRecorder) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in participants]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def session(*, record: bool) -> AsyncIterator[tuple[MemoryServer, SimulatedCustomer, PythonViewer]]:
    """Dana shares with alice, who sees it directly."""
    async with memory_server(*CAST) as server:
        await server.endpoint.command("session", Open("Example", "Printer", record))
        await server.endpoint.command("session", Assign("alice", "Alice"))
        dana, alice = SimulatedCustomer(server.url, Place("dana", "session")), PythonViewer(server.url, "alice")
        async with running(alice, dana):
            await until(lambda: alice.came_by("direct") > 2)
            yield server, dana, alice


@pytest.fixture
def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)


async def test_a_second_viewer_sends_the_picture_through_the_recorder_and_its_leaving_brings_it_back(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    fate = random.Random(5)
    async with session(record=False) as (server, dana, alice):
        recorder = SessionRecorder(server.url, "tape", archive_in(tmp_path), threads)
        bob = PythonViewer(server.url, "bob", loses=lambda _: fate.random() < 0.03)
        async with running(recorder, bob):
            await until(lambda: alice.came_by("recorder") > 10 and bob.came_by("recorder") > 10)
            assert alice.link.state.paths == {"alice": "recorder", "bob": "recorder"}
            await until(lambda: set(dana.viewers) == {"tape"})
            assert bob.lost

            await bob.link.send(m.Leave(id=new_id()))
            await until(lambda: not alice.link.state.relayed)
            before = alice.came_by("recorder")
            await until(lambda: alice.came_by("recorder") > before + 2)  # it goes on until there is another way
            alice.ask_customer()
            await until(lambda: alice.link.state.paths == {"alice": "direct"})
            await until(lambda: set(dana.viewers) == {"alice"})
            before = alice.came_by("direct")
            await until(lambda: alice.came_by("direct") > before + 5)
        assert list(tmp_path.iterdir()) == []
        assert not [e for e in server.timeline.events["session"] if isinstance(e.body, m.SegmentStarted)]


async def test_what_is_recorded_goes_through_one_recorder_or_the_next_until_recording_stops(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    async with session(record=True) as (server, dana, alice):
        first, second = (SessionRecorder(server.url, it, archive_in(tmp_path), threads) for it in ("tape", "reel"))
        async with running(first):
            await until(lambda: alice.came_by("recorder") > 5 and set(dana.viewers) == {"tape"})
            await until(lambda: first.writing)
        async with running(second):
            await until(lambda: alice.shown is not None and alice.shown.sender == "reel")
            await until(lambda: second.writing and set(dana.viewers) == {"reel"})
            await dana.agree("voice")

            def told(kind: type[m.SegmentStarted] | type[m.SegmentFinished]) -> list[str]:
                alice.say(opus.silence(1))
                return [e.body.segment for e in server.timeline.events["session"] if isinstance(e.body, kind)]

            await until(lambda: len(told(m.SegmentStarted)) == 3)
            await alice.link.send(m.StopRecording(id=new_id()))
            await until(lambda: len(told(m.SegmentFinished)) == 3)
            before = alice.came_by("recorder")
            await until(lambda: alice.came_by("recorder") > before + 2)
            alice.ask_customer()
            await until(lambda: set(dana.viewers) == {"alice"})
        started = [e.body for e in server.timeline.events["session"] if isinstance(e.body, m.SegmentStarted)]
        assert [(body.participant, body.codec) for body in started] == [
            ("dana", "VP8"),
            ("dana", "VP8"),
            ("alice", "OPUS"),
        ]
        with av.open(archive_in(tmp_path).open(started[2].segment).file(), "r") as container:
            assert [stream.type for stream in container.streams] == ["audio"]
        assert [e.body.path for e in server.timeline.events["session"] if isinstance(e.body, m.PathChanged)] == [
            "direct",
            "recorder",
            "recorder",
            "direct",
        ]


async def test_agents_hear_each_other_through_the_recorder_once_the_customer_agreed_to_voice(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    async with session(record=False) as (server, dana, alice):
        bob = PythonViewer(server.url, "bob")
        async with running(SessionRecorder(server.url, "tape", archive_in(tmp_path), threads), bob):
            await until(lambda: alice.came_by("recorder") > 2 and bob.came_by("recorder") > 2)
            shown = len(bob.frames)
            for _ in range(20):
                alice.say(b"\x78 not agreed to " + bytes(60))
            await until(lambda: len(bob.frames) > shown + 3)
            assert bob.heard == []
            await dana.agree("voice")
            await until(lambda: "voice" in bob.link.state.consents)
            spoken = b"\x78 can you hear me? " + bytes(60)

            def heard() -> bool:
                alice.say(spoken)
                return spoken in bob.heard

            await until(heard)
            assert set(bob.heard) == {spoken}
            assert alice.heard == []
        assert list(tmp_path.iterdir()) == []


async def test_the_customer_hears_who_speaks_over_the_connection_that_carries_the_picture() -> None:
    customer = peer_connection([])
    transceivers = [customer.addTransceiver("video", direction="sendonly"), customer.addTransceiver("audio")]
    for transceiver in transceivers:
        transceiver.setCodecPreferences(codecs_by_preference(transceiver.kind))
        stand_aside(transceiver)
    await customer.setLocalDescription()
    incoming = Incoming(m.Offer("tape", "c", ""), "dana", [])
    answer, _ = await incoming.accept(customer.localDescription.sdp, lambda *_: None, lambda _: None)
    assert isinstance(answer, m.Answer)
    await customer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
    heard: list[bytes] = []
    transport = RawTransport(transceivers[0], heard.extend, lambda _: None)
    assert incoming.attachment is not None
    listening = incoming.attachment.listening()
    assert listening is not None
    sequence = 0

    def spoken() -> bool:
        nonlocal sequence
        sequence += 1
        listening.packet("alice", Packet(111, False, sequence, 960 * sequence, 1, b"hello" * 20, None), sequence / 50)
        return bool(heard)

    await until(spoken)
    assert rtp.parse(heard[0]).payload == b"hello" * 20
    transport.release()
    await customer.close()
    await incoming.close()
