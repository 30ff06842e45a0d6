"""Frames onto disk: safe within a second, whatever happens then."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import av
import pytest

from recorder import vp8
from recorder.archive import Archive, SegmentFile
from recorder.frames import Frame
from recorder.segment_writer import FLUSH_EVERY, MAX_PENDING_BYTES, SegmentWriter, WritingFailed
from tests.recorder.recording import archive_in, encoded, plain, shown
from tests.recorder.test_digest import digest_of

SMALL, WIDE = (320, 180), (640, 360)


def gray(seconds: float, size: tuple[int, int] = SMALL, first: int = 0) -> list[tuple[int, Frame]]:
    pictures = [(first + 100 * n, plain(*size, ((n * 9) % 250,) * 3)) for n in range(int(seconds * 10))]
    return list(encoded(pictures))


def seen(archive: Archive) -> list[tuple[int, int, int]]:
    """The frames of the segment as they can be read now."""
    with archive.open("segment") as segment:
        return shown(segment)


async def until_written(archive: Archive, frames: int) -> None:
    async with asyncio.timeout(20):
        while not (archive.folder / "segment.key").exists() or len(seen(archive)) < frames:
            await asyncio.sleep(0.02)


@pytest.fixture
async def threads() -> AsyncIterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def no_failure(reason: str) -> None:
    raise AssertionError(reason)


async def test_a_segment_is_readable_while_it_grows_and_has_its_index_when_it_is_finished(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    archive = archive_in(tmp_path)
    writer = SegmentWriter(partial(archive.create, "segment"), (vp8,), threads, no_failure)
    frames = gray(2)
    for time, frame in frames[:15]:
        writer.write(frame, time / 1000)
    await until_written(archive, 15)  # the writer flushes by itself
    assert not archive.abandoned("segment")
    for time, frame in frames[15:]:
        writer.write(frame, time / 1000)
    finished = await writer.finish(now=4.9)
    assert archive.abandoned("segment")
    with archive.open("segment") as segment:
        media = segment.raw(0, 1 << 30)
        assert (finished.bytes, finished.digest) == (len(media), digest_of(media))
        assert finished.duration_ms == 4900  # the last frame was seen until the end
        assert shown(segment) == [(time, *SMALL) for time, _ in frames]
        with av.open(segment.file(), "r") as container:
            assert container.duration == 4_900_000
    assert FLUSH_EVERY < 1


async def test_a_change_of_size_stays_readable(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    archive = archive_in(tmp_path)
    writer = SegmentWriter(partial(archive.create, "segment"), (vp8,), threads, no_failure)
    for time, frame in [*gray(1), *gray(1, WIDE, 1000)]:
        writer.write(frame, time / 1000)
    await writer.finish(2.0)
    assert seen(archive) == [(100 * n, *(SMALL if n < 10 else WIDE)) for n in range(20)]


async def test_frames_of_one_moment_and_far_apart_keep_their_order(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    archive = archive_in(tmp_path)
    writer = SegmentWriter(partial(archive.create, "segment"), (vp8,), threads, no_failure)
    frames = [frame for _, frame in gray(0.5)]
    for time, frame in zip([5.0, 5.0, 5.0, 75.0, 75.0], frames, strict=True):
        writer.write(frame._replace(time=time), 0.0)
    await writer.finish(0.0)
    assert [time for time, *_ in seen(archive)] == [0, 1, 2, 70_000, 70_001]


class FullDisk(SegmentFile):
    """A disk that takes a header and a first frame, and no more."""

    def append(self, data: bytes) -> None:
        if self.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().append(data)


async def test_a_full_disk_is_reported_once_and_leaves_what_was_written(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    reasons: list[str] = []
    archive = archive_in(tmp_path)
    open_file = partial(FullDisk, tmp_path, "segment", archive.keyring)
    writer = SegmentWriter(open_file, (vp8,), threads, reasons.append)
    (time, first), *others = gray(1)
    writer.write(first, time / 1000)
    await until_written(archive, 1)
    for time, frame in others:
        writer.write(frame, time / 1000)
    with pytest.raises(WritingFailed, match="disk_full"):
        await writer.finish(1.0)
    for time, frame in gray(1):
        writer.write(frame, time / 1000)
    assert reasons == ["disk_full"]
    assert writer.failed == "disk_full"
    assert seen(archive) == [(0, *SMALL)]


async def test_a_folder_that_is_gone_is_reported(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    reasons: list[str] = []
    archive = archive_in(tmp_path / "gone")
    writer = SegmentWriter(partial(archive.create, "segment"), (vp8,), threads, reasons.append)
    writer.write(gray(0.1)[0][1], 0.0)
    with pytest.raises(WritingFailed):
        await writer.finish(1.0)
    assert reasons == ["disk_error"]


async def test_a_disk_that_does_not_keep_up_ends_the_segment_and_not_the_memory(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    reasons: list[str] = []
    writer = SegmentWriter(partial(archive_in(tmp_path).create, "segment"), (vp8,), threads, reasons.append)
    writer.write(Frame(bytes(MAX_PENDING_BYTES), 0.0, SMALL, vp8), 0.0)
    writer.write(Frame(bytes(1), 0.001, None, vp8), 0.0)
    assert reasons == ["disk_slow"]
    with pytest.raises(WritingFailed):
        await writer.finish(0.0)
