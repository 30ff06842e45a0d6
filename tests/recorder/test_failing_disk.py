"""A disk that is slow, that goes away and that comes back: the session goes on, and so does the recording by itself."""

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from recorder import participant, segment_writer
from recorder.archive import Archive, SegmentFile
from recorder.participant import SessionRecorder
from signaling import messages as m
from signaling.session import Assign, Open, Participant
from tests.recorder.recording import archive_in
from tests.recorder.replay import Replay, drawn, play
from tests.recorder.replayed_customer import ReplayedCustomer
from tests.signaling.memory_server import MemoryServer, memory_server

CAST = [
    Participant("alice", "agent", "Alice"),
    Participant("dana", "customer", "Dana"),
    Participant("tape", "recorder", "Recorder"),
]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.05)


def bodies(server: MemoryServer, *kinds: type[Any]) -> list[Any]:
    return [event.body for event in server.timeline.events["session"] if isinstance(event.body, kinds)]


@asynccontextmanager
async def recorded(
    archive: Archive, *, strict: bool = False, replays: list[Replay] | None = None
) -> AsyncIterator[MemoryServer]:
    """A session that is recorded, once its first segment is there."""
    async with memory_server(*CAST) as server:
        await server.endpoint.command("session", Open("Example", "Printer", True, strict))
        await server.endpoint.command("session", Assign("alice", "Alice"))
        replays = [] if replays is None else replays
        with ThreadPoolExecutor(2) as threads:
            recorder = SessionRecorder(server.url, "tape", archive, threads)
            customer = ReplayedCustomer(server.url, "dana", "session", drawn(), replays)
            tasks = [asyncio.create_task(work) for work in (recorder.run(), customer.run(), play(replays))]
            await until(lambda: bodies(server, m.SegmentStarted))
            try:
                yield server
            finally:
                if isinstance(archive, Disk):
                    archive.answers.set()  # a thread that hangs would keep the test from ending
                await recorder.stop()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new segment is tried soon, and a write that takes two seconds is slow."""
    monkeypatch.setattr(participant, "REST", 0.2)
    monkeypatch.setattr(segment_writer, "SLOW_AFTER", 2.0)


class Disk(Archive):
    """A disk that can be made to hang, and to be full."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, archive_in(folder).keyring)
        self.answers = threading.Event()
        self.answers.set()
        self.full = False
        self.made = 0

    def create(self, segment: str) -> SegmentFile:
        self.made += 1
        return FileOnDisk(self, segment)


class FileOnDisk(SegmentFile):
    def __init__(self, disk: Disk, segment: str) -> None:
        self._disk = disk
        super().__init__(disk.folder, segment, disk.keyring)

    def append(self, data: bytes) -> None:
        self._disk.answers.wait()
        if self._disk.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().append(data)


async def test_a_disk_that_hangs_is_told_gets_nothing_more_to_do_and_is_used_again_when_it_answers(
    tmp_path: Path,
) -> None:
    disk, replays = Disk(tmp_path), list[Replay]()
    async with recorded(disk, replays=replays) as server:
        disk.answers.clear()
        await until(lambda: bodies(server, m.RecordingFailed))
        made = disk.made
        sent = replays[0].sent
        await until(lambda: replays[0].sent > sent + 30)
        assert disk.made == made
        disk.answers.set()
        await until(lambda: bodies(server, m.RecordingRestored))
        await until(lambda: len(bodies(server, m.SegmentStarted)) == 2)
    assert bodies(server, m.RecordingFailed) == [m.RecordingFailed("disk_slow")]
    assert bodies(server, m.SharingPaused, m.SharingStopped, m.RecordingStopped) == []


async def test_a_folder_that_goes_away_is_told_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    async with recorded(archive_in(folder)) as server:
        await asyncio.to_thread(folder.rename, tmp_path / "elsewhere")
        await until(lambda: bodies(server, m.RecordingFailed))
        await asyncio.to_thread((tmp_path / "elsewhere").rename, folder)
        await until(lambda: bodies(server, m.RecordingRestored))
        await until(lambda: len(bodies(server, m.SegmentFinished)) == 1)
    assert bodies(server, m.RecordingFailed) == [m.RecordingFailed("disk_error")]
    assert len(bodies(server, m.SegmentFinished)) == len(bodies(server, m.SegmentStarted)) == 2


async def test_under_a_strict_policy_the_sharing_pauses_and_goes_on_with_the_disk(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with recorded(disk, strict=True) as server:
        disk.full = True
        await until(lambda: bodies(server, m.SharingPaused))
        assert bodies(server, m.SharingResumed) == []
        disk.full = False
        await until(lambda: bodies(server, m.SharingResumed))
        await until(lambda: len(bodies(server, m.SegmentStarted)) == 2)
    told = bodies(server, m.RecordingFailed, m.SharingPaused, m.RecordingRestored, m.SharingResumed)
    assert told == [m.RecordingFailed("disk_full"), m.SharingPaused(), m.RecordingRestored(), m.SharingResumed()]
    assert [path for path in tmp_path.iterdir() if path.name.startswith("probe")] == []
