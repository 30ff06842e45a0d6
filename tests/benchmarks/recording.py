"""What it costs to record: `python -m tests.benchmarks.recording`.

A screen that Chromium really sent is sent again, over ICE, DTLS and SRTP, to as many sessions of one process as are
asked for: to our recorder process with all that it does (signaling, reports, hashing, encryption, disk), and in turn to
aiortc's MediaRecorder, MediaBlackhole and a dump of its packets, and to Janus. The CPU time of that process is taken
from the system, and given as seconds for a second of a session. What is sent comes from another process.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import uvloop
from aiohttp import web

from recorder.orders import Record
from signaling import messages as m
from signaling.session import Assign, Open, Participant
from tests.benchmarks import janus
from tests.benchmarks.browsers import Missing
from tests.benchmarks.figures import tell
from tests.benchmarks.screen import capture, ramp
from tests.recorder.replay import Capture, Replay, play
from tests.recorder.replayed_customer import ReplayedCustomer
from tests.signaling.memory_server import MemoryServer, memory_server

REPOSITORY = Path(__file__).parents[2]
CAST = [Participant("dana", "customer", "Dana"), Participant("tape", "recorder", "Recorder")]
RECORDER = "import sys, pathlib; from recorder.process import record; from tests.recorder.recording import archive_in"
RECORDER += "; record(sys.argv[1], 'the-secret', archive_in(pathlib.Path(sys.argv[2])))"
PATIENCE = 90.0
TO_REACH = {
    "vs_rtp_dump": 0.8,
    "vs_mediarecorder": 100,
    "vs_janus": 1.5,
    "rss_mib_per_session": 4,
    "sessions_per_core": 100,
    "longest_gap_ms": 150,
    "ramp_s": 8,
}
Names = tuple[str, ...]


class Usage(NamedTuple):
    """What a process has used: CPU time in seconds, and memory in MiB."""

    cpu: float
    rss: float


def usage(pid: int) -> Usage:
    """From its CPU clock (clock_getcpuclockid(3)), since proc_pid_stat(5) counts by 10 ms; the memory from there."""
    pages = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[21])
    return Usage(time.clock_gettime(~pid << 3 | 2), pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20))


class Cost(NamedTuple):
    """CPU seconds and MiB of one session, and how many sessions that was measured with."""

    cpu: float
    rss_mib: float
    sessions: int


class Plan(NamedTuple):
    """How many sessions of each at once, and for how many seconds they are measured."""

    capture: Capture
    seconds: float
    sessions: int
    decoded: int
    """Of what decodes; more than run in real time would only pile up."""
    warm_up: float = 3.0


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.05)


async def measured(pid: int, idle: Usage, plan: Plan, sessions: int, frames: Callable[[], Awaitable[int]]) -> Cost:
    """The cost of a session; `frames` says how many the process has got, by which a second of a session is counted."""
    await asyncio.sleep(plan.warm_up)
    before, came_before = usage(pid), await frames()
    await asyncio.sleep(plan.seconds)
    after, came = usage(pid), await frames()
    seconds = (came - came_before) / (plan.capture.frames / plan.capture.duration)
    if seconds <= 0:
        raise RuntimeError("nothing was received")
    return Cost((after.cpu - before.cpu) / seconds, (after.rss - idle.rss) / sessions, sessions)


class Process:
    """A process that receives, told what to do line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self._process = process

    async def ask(self, told: dict[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        return dict(json.loads(line))

    async def frames(self) -> int:
        return int((await self.ask({"ask": True}))["frames"])


@asynccontextmanager
async def python(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def playing(replays: list[Replay]) -> AsyncIterator[None]:
    """The replays are sent meanwhile, and closed afterwards."""
    task = asyncio.create_task(play(replays))
    try:
        yield
    finally:
        task.cancel()
        for replay in list(replays):
            await replay.close()


async def connect(replays: Sequence[Replay], answer: Callable[[str], Awaitable[str]]) -> None:
    """Each replay to a session of its own."""
    for replay in replays:
        await replay.accept(await answer(await replay.offer()))
    await until(lambda: all(replay.connected for replay in replays))


async def received(kind: str, plan: Plan, sessions: int, folder: Path, loss: float = 0.0) -> tuple[Cost, list[Any]]:
    """The cost of one of `receivers.KINDS`, and what each session said at its end."""
    async with python("-m", "tests.benchmarks.receivers", kind, str(folder)) as started:
        process = Process(started)
        await process.frames()
        idle = usage(process.pid)
        replays = [Replay(plan.capture, loss=loss, seed=place) for place in range(sessions)]

        async def answer(sdp: str) -> str:
            return str((await process.ask({"offer": sdp}))["answer"])

        async with playing(replays):
            await connect(replays, answer)
            cost = await measured(process.pid, idle, plan, sessions, process.frames)
            return cost, (await process.ask({"stop": True}))["each"]


async def recorded_by_janus(plan: Plan, folder: Path) -> Cost:
    """The cost of Janus, which says of no frame that it got it: each that was sent counts."""
    async with janus.janus(folder) as process:
        idle = usage(process.pid)
        replays = [Replay(plan.capture) for _ in range(plan.sessions)]

        async def frames() -> int:
            per_packet = plan.capture.frames / len(plan.capture.packets)
            return round(sum(replay.sent for replay in replays) * per_packet)

        async with playing(replays):
            for place, replay in enumerate(replays):
                await connect([replay], partial(process.answer, f"session-{place}"))
            cost = await measured(process.pid, idle, plan, plan.sessions, frames)
        written = sum(path.stat().st_size for path in (folder / "recordings").glob("*.mjr"))
        if written < plan.capture.bitrate / 8 * plan.seconds * plan.sessions * 0.8:
            raise RuntimeError(f"Janus wrote {written} bytes only")
        return cost


class Control:
    """The server's side of `/api/recorder`."""

    def __init__(self) -> None:
        self.socket: web.WebSocketResponse | None = None

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.socket = socket
        async for _ in socket:
            pass
        return socket


async def recorded_by_us(plan: Plan, folder: Path) -> Cost:
    """The cost of our recorder process."""
    control, replays = Control(), list[Replay]()
    async with (
        memory_server(*CAST, routes=[web.get("/api/recorder", control.serve)]) as server,
        python("-c", RECORDER, server.url, str(folder)) as process,
    ):
        await until(lambda: control.socket)
        assert control.socket is not None
        idle = usage(process.pid)
        names = tuple(f"session-{place}" for place in range(plan.sessions))
        running: list[asyncio.Task[None]] = []
        async with playing(replays):
            for name in names:
                await server.endpoint.command(name, Open("Example", "Printer", True))
                await server.endpoint.command(name, Assign("alice", "Alice"))
                await control.socket.send_bytes(msgspec.json.encode(Record(name, f"{name}/tape")))
                customer = ReplayedCustomer(server.url, f"{name}/dana", name, plan.capture, replays)
                running.append(asyncio.create_task(customer.run()))
                await until(partial(bodies, server, name, m.SegmentStarted))

            async def frames() -> int:
                per_packet = plan.capture.frames / len(plan.capture.packets)
                return round(sum(replay.sent for replay in replays) * per_packet)

            cost = await measured(process.pid, idle, plan, plan.sessions, frames)
            for name in names:
                if len(bodies(server, name, m.SegmentStarted)) != 1 or bodies(server, name, m.RecordingFailed):
                    raise RuntimeError(f"{name} was not recorded in one piece")
            process.terminate()
            await process.wait()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        written = sum(path.stat().st_size for path in folder.glob("*.vault"))
        if written < plan.capture.bitrate / 8 * plan.seconds * plan.sessions * 0.8:
            raise RuntimeError(f"only {written} bytes were written")
        return cost


def bodies(server: MemoryServer, session: str, kind: type[Any]) -> list[Any]:
    return [event.body for event in server.timeline.events.get(session, []) if isinstance(event.body, kind)]


async def measure(plan: Plan, seconds_of_ramp: float | None) -> dict[str, object]:
    """All of them, one after the other; `plan` says with what."""
    with tempfile.TemporaryDirectory(prefix="sightline-benchmark-") as name:
        folders = {
            kind: Path(name) / kind for kind in ("ours", "mediarecorder", "blackhole", "dump", "bare", "gap", "janus")
        }
        for folder in folders.values():
            folder.mkdir()
        ours = await recorded_by_us(plan, folders["ours"])
        dump, _ = await received("rtp_dump", plan, plan.sessions, folders["dump"])
        bare, _ = await received("bare_dump", plan, plan.sessions, folders["bare"])
        peer = await recorded_by_janus(plan, folders["janus"]) if janus.installed() else None
        blackhole, _ = await received("blackhole", plan, plan.decoded, folders["blackhole"])
        recorder, _ = await received("mediarecorder", plan, 1, folders["mediarecorder"])
        even = plan._replace(capture=plan.capture.even(30))
        _, gaps = await received("watched", even, min(4, plan.sessions), folders["gap"], loss=0.01)
    return {
        "ours_cpu": round(ours.cpu, 5),
        "mediarecorder_cpu": round(recorder.cpu, 5),
        "blackhole_cpu": round(blackhole.cpu, 5),
        "rtp_dump_cpu": round(dump.cpu, 5),
        "bare_dump_cpu": round(bare.cpu, 5),
        "janus_cpu": round(peer.cpu, 5) if peer else None,
        "vs_mediarecorder": round(recorder.cpu / ours.cpu, 1),
        "vs_rtp_dump": round(ours.cpu / dump.cpu, 2),
        "vs_bare_dump": round(ours.cpu / bare.cpu, 2),
        "vs_janus": round(ours.cpu / peer.cpu, 2) if peer else None,
        "sessions_per_core": int(1 / ours.cpu),
        "rss_mib_per_session": round(ours.rss_mib, 1),
        "longest_gap_ms": max(said["longest_gap_ms"] for said in gaps),
        "ramp_s": seconds_of_ramp,
        "to_reach": TO_REACH,
        "sessions": {"ours": ours.sessions, "rtp_dump": dump.sessions, "blackhole": blackhole.sessions},
        "stream": {
            "codec": plan.capture.codec,
            "width": plan.capture.width,
            "height": plan.capture.height,
            "frames_per_second": round(plan.capture.frames / plan.capture.duration, 1),
            "longest_gap_ms": round(1000 * plan.capture.longest_gap),
            "kilobits_per_second": plan.capture.bitrate // 1000,
            "packets_per_second": round(len(plan.capture.packets) / plan.capture.duration),
        },
    }


def main() -> int:
    """Print the figures; 1 when a program that they need is not installed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.recording", description=__doc__)
    parser.add_argument("--sessions", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--stream", type=Path, help="a stream that an earlier run saved here; made when it is missing")
    given = parser.parse_args()
    try:
        if given.stream is not None and given.stream.exists():
            stream = Capture.load(given.stream)
        else:
            stream = uvloop.run(capture(12.0))
            if given.stream is not None:
                stream.save(given.stream)
        rise = uvloop.run(ramp())
        figures = uvloop.run(measure(Plan(stream, given.seconds, given.sessions, 2), rise))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    tell(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
