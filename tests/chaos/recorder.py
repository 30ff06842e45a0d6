"""SIGKILL for recorders while they write: `python -m tests.chaos.recorder --kills 200`.

A real server, real recorder processes, and customers who send a picture in which each frame bears its number. Recorders
are killed at random moments and once at every named step of a segment's way to disk (`recorder/steps.py`); another
takes the sessions over each time. What the killed one left is decoded at once, as it lies there: the last number that
can be read says how much was lost. At the end every segment of the timelines must be finished and readable.
"""

import argparse
import asyncio
import contextlib
import io
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import av
import uvloop

from recorder.archive import Archive
from recorder.steps import STEPS
from server.database import open_database
from server.keys import open_archive
from server.settings import load
from server.timeline import Timeline
from signaling import messages as m
from signaling.client import ClosedError, RefusedError
from tests.benchmarks.figures import tell
from tests.recorder.replay import Replay, number_of, numbered, play
from tests.recorder.replayed_customer import ReplayedCustomer
from tests.server_process import ServerProcess, seed

REPOSITORY = Path(__file__).parents[2]
RATE = 30
FRAMES = 240
"""In what a customer sends again and again; numbers of different customers are apart."""
SPARE = 2
"""Recorders that wait to take over."""
PATIENCE = 60.0
RENEWED_EVERY = 2.0
COMPARED = 40
"""Frames at the end of a segment by which their place among those that were sent is found."""
NURSERY = """
import os, signal, sys
import av, aiortc, recorder.process, recorder.steps
from server.cli import cli
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    recorder.steps.die_at(line.strip() or None)
    if pid := os.fork():
        print(pid, flush=True)
    else:
        cli(["recorder", "--server", sys.argv[1], "--data", sys.argv[2]])
        os._exit(0)
"""
"""Recorders are forked from a process that has imported all that they need: two hundred starts would take longer."""


class Place(NamedTuple):
    token: str
    session: str


class Shared:
    """A session that is recorded: its customer, what she sent and when, and what she said that was acknowledged."""

    def __init__(self, number: int, url: str, place: Place, replays: list[Replay]) -> None:
        self.place = place
        self.sent: deque[tuple[int, float]] = deque(maxlen=20_000)
        self.acknowledged: list[str] = []
        first = number * FRAMES
        self.customer = ReplayedCustomer(url, place.token, place.session, numbered(first, FRAMES), replays)
        self.customer.on_frame = lambda timestamp: self.sent.append((first + timestamp * RATE // 90_000, time.time()))
        self.tasks = [asyncio.create_task(work) for work in (self.customer.run(), self.talk())]

    async def talk(self) -> None:
        """Says something again and again."""
        number = 0
        while True:
            await asyncio.sleep(0.5)
            number += 1
            with contextlib.suppress(RefusedError, ClosedError):
                await self.customer.say(f"message {number}")
                self.acknowledged.append(f"message {number}")


class Loss(NamedTuple):
    """What a kill cost one segment: milliseconds, or None when what was left can't be played."""

    segment: str
    ms: float | None


async def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.02)


def open_vaults(pid: int) -> set[str]:
    """The segments that a process holds open."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            path = link.readlink()
            if path.suffix == ".vault":
                found.add(path.stem)
    return found


def open_vaults_of(pid: int) -> set[str]:
    """As `open_vaults`, of a process that may be gone."""
    try:
        return open_vaults(pid)
    except OSError:
        return set()


def numbers_in(archive: Archive, segment: str) -> list[int]:
    """The numbers of a segment's frames, however it ends; raises what reading it does."""
    with archive.open(segment) as stored:
        data = stored.read(0, stored.size)
    with av.open(io.BytesIO(data), "r") as container:
        return [number_of(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def lost(kept: list[int], sessions: Iterable[Shared], killed_at: float) -> float:
    """Milliseconds between the last frame that is there and the last that was sent before the kill."""
    wanted = kept[-COMPARED:]
    for shared in sessions:
        sent = [(number, at) for number, at in list(shared.sent) if at <= killed_at]
        for end in range(len(sent), len(wanted) - 1, -1):
            if [number for number, _ in sent[end - len(wanted) : end]] == wanted:
                return 1000 * (sent[-1][1] - sent[end - 1][1])
    raise RuntimeError(f"nobody sent {wanted}")


class Trial:
    """A server, its recorders and the sessions, and what the kills cost."""

    def __init__(self, server: ServerProcess, archive: Archive, shared: list[Shared]) -> None:
        self.server = server
        self.archive = archive
        self.shared = shared
        self.kills = 0
        self.losses: list[Loss] = []
        self.recorders: list[int] = []
        self.log = server.data / "recorders.log"
        self._nursery: asyncio.subprocess.Process | None = None

    @property
    def command(self) -> list[str]:
        return [self.server.url, str(self.server.data)]

    async def begin(self) -> None:
        self._nursery = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            NURSERY,
            *self.command,
            cwd=REPOSITORY,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self.log.open("ab"),
        )

    async def breed(self, step: str = "") -> None:
        """One more recorder, which may be one that dies at a step."""
        assert self._nursery is not None and self._nursery.stdin is not None and self._nursery.stdout is not None
        self._nursery.stdin.write(f"{step}\n".encode())
        self.recorders.append(int(await self._nursery.stdout.readline()))

    async def end(self) -> None:
        for pid in self.recorders:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        if self._nursery is not None:
            assert self._nursery.stdin is not None
            self._nursery.stdin.close()
            await self._nursery.wait()

    async def kill_somewhere(self, rng: random.Random) -> None:
        """Kills the recorder that writes, at a random moment after it has begun."""
        while len(self.recorders) < SPARE + 1:
            await self.breed()
        writing: list[int] = []

        def all_written() -> bool:
            writing[:] = [pid for pid in self.recorders if open_vaults(pid)]
            return sum(len(open_vaults(pid)) for pid in writing) >= len(self.shared)

        await until(all_written)
        await asyncio.sleep(rng.random() * 1.5)
        victim = rng.choice(writing)
        killed_at = time.time()
        os.kill(victim, signal.SIGSTOP)
        segments = open_vaults(victim)
        os.kill(victim, signal.SIGKILL)
        self.recorders.remove(victim)
        await self.breed()
        await self._weigh(segments, killed_at)

    async def kill_at(self, step: str) -> None:
        """Lets a recorder run that dies at this step; there is no other meanwhile."""
        known = {path.stem for path in self.archive.folder.glob("*.vault")}
        await self.breed(step)
        pid = self.recorders.pop()
        loop = asyncio.get_running_loop()
        began = renewed = loop.time()
        while Path(f"/proc/{pid}").exists():
            await asyncio.sleep(0.01)
            if open_vaults_of(pid) and loop.time() - renewed > RENEWED_EVERY:
                renewed = loop.time()
                await self.shared[0].customer.renew()  # the segment ends, and its last steps come
            if loop.time() - began > PATIENCE:
                raise RuntimeError(f"no recorder got to {step}:\n{self.log.read_text()[-2000:]}")
        killed_at = time.time()
        made = {path.stem for path in self.archive.folder.glob("*.vault")} - known
        await self._weigh(made, killed_at)

    async def _weigh(self, segments: set[str], killed_at: float) -> None:
        self.kills += 1
        self.losses += await asyncio.to_thread(self._lost, segments, killed_at)

    def _lost(self, segments: set[str], killed_at: float) -> list[Loss]:
        """What was lost at the end of each session's last segment; those before it were finished."""
        losses: list[Loss] = []
        last: dict[int, Loss] = {}
        for segment in segments:
            try:
                kept = numbers_in(self.archive, segment)
            except (OSError, ValueError, av.FFmpegError):
                kept = []
            if not kept:  # it had only just been made: no timeline has it yet
                young = 1000 * (killed_at - (self.archive.folder / f"{segment}.vault").stat().st_mtime)
                losses.append(Loss(segment, young if young < 1000 else None))
                continue
            loss = Loss(segment, lost(kept, self.shared, killed_at))
            session = kept[-1] // FRAMES
            if session not in last or (last[session].ms or 0.0) > (loss.ms or 0.0):
                last[session] = loss
        return [*losses, *last.values()]


async def opened(server: ServerProcess, alice: aiohttp.ClientSession, number: int, replays: list[Replay]) -> Shared:
    """Dana asks for help, alice accepts, and what dana shares is recorded."""
    async with server.anonymous() as anybody:
        asked = {"name": "Dana", "problem": "The printer prints blank pages.", "language": "en"}
        async with anybody.post("/api/help", json=asked) as answer:
            answer.raise_for_status()
            given = await answer.json()
    async with alice.post(f"/api/waiting/{given['session']}/accept") as answer:
        answer.raise_for_status()
    return Shared(number, server.url, Place(given["token"], given["session"]), replays)


@asynccontextmanager
async def trial(sessions: int) -> AsyncIterator[Trial]:
    """A server with so many recorded sessions, and nobody who records yet; the picture is sent meanwhile."""
    with tempfile.TemporaryDirectory(prefix="sightline-chaos-") as name:
        data = Path(name) / "data"
        data.mkdir()
        await seed(data)
        server = ServerProcess(data, Path(name) / "server.log", {"log_level": "error"})
        await asyncio.to_thread(server.start)
        replays: list[Replay] = []
        playing = asyncio.create_task(play(replays))
        shared: list[Shared] = []
        try:
            tried = Trial(server, open_archive(load({}, data=data)), shared)
            await tried.begin()
            try:
                async with await server.login("alice") as alice:
                    for number in range(sessions):
                        shared += [await opened(server, alice, number, replays)]
                yield tried
            finally:
                await tried.end()
        finally:
            tasks = [playing, *(task for each in shared for task in each.tasks)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(server.terminate)


async def judged(tried: Trial) -> tuple[int, int]:
    """What is wrong when all has come to rest: segments that can't be played, and events that are missing."""
    database = await open_database(f"sqlite+aiosqlite:///{tried.server.data / 'sightline.db'}")
    timeline = Timeline(database)
    unplayable = missing = 0
    try:
        for shared in tried.shared:
            bodies = [event.body for event in await timeline.read(shared.place.session)]
            said = [body.text for body in bodies if isinstance(body, m.ChatSaid)]
            missing += len(set(shared.acknowledged) - set(said)) + len(said) - len(set(said))
            for body in bodies:
                if isinstance(body, m.SegmentStarted):
                    try:
                        unplayable += not await asyncio.to_thread(numbers_in, tried.archive, body.segment)
                    except (OSError, ValueError, av.FFmpegError):
                        unplayable += 1
    finally:
        await database.close()
    return unplayable, missing


async def measure(kills: int, sessions: int, seed_: int, steps: tuple[str, ...] = STEPS) -> dict[str, object]:
    """So many kills, those at the steps among them."""
    rng = random.Random(seed_)
    async with trial(sessions) as tried:
        for step in steps[:kills]:
            await tried.kill_at(step)
        for _ in range(kills - tried.kills):
            await tried.kill_somewhere(rng)
        await until(lambda: len(tried.archive.leftovers()) <= len(tried.shared))
        await tried.end()
        unplayable, missing = await judged(tried)
    losses = [loss.ms for loss in tried.losses if loss.ms is not None]
    return {
        "kills": tried.kills,
        "unplayable": unplayable + len(tried.losses) - len(losses),
        "max_lost_ms": round(max(losses)),
        "median_lost_ms": round(statistics.median(losses)),
        "acked_events_lost": missing,
        "segments": len(tried.losses),
        "acked_events": sum(len(shared.acknowledged) for shared in tried.shared),
        "steps": list(steps[:kills]),
    }


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.recorder", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    tell(uvloop.run(measure(given.kills, given.sessions, given.seed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
