"""Frames onto disk: safe within a second, whatever happens then."""

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import pytest

from recorder import vp8, webm
from recorder.fragments import (
    FLUSH_EVERY,
    MAX_PENDING_BYTES,
    DurableFile,
    SegmentWriter,
    WritingFailed,
    abandoned,
    forget_unfinished,
    index,
    indexed_path,
    leftovers,
    recover,
)
from recorder.frames import Frame
from tests.recorder.recording import encoded, plain, write

SMALL, WIDE = (320, 180), (640, 360)


def gray(seconds: float, size: tuple[int, int] = SMALL, first: int = 0) -> list[tuple[int, Frame]]:
    pictures = [(first + 100 * n, plain(*size, ((n * 9) % 250,) * 3)) for n in range(int(seconds * 10))]
    return list(encoded(pictures))


def decoded(path: Path) -> list[tuple[int, int, int]]:
    """(ms, width, height) of every frame."""
    with av.open(str(path)) as container:
        return [(round((f.time or 0) * 1000), f.width, f.height) for f in container.decode(video=0)]


async def until_written(path: Path, frames: int) -> None:
    async with asyncio.timeout(20):
        while not path.exists() or not path.stat().st_size or len(decoded(path)) < frames:
            await asyncio.sleep(0.02)


@pytest.fixture
async def threads() -> AsyncIterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def no_failure(reason: str) -> None:
    raise AssertionError(reason)


async def test_a_segment_is_readable_while_it_grows_and_indexed_when_it_is_finished(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    path = tmp_path / "segment.webm"
    writer = SegmentWriter(path, vp8, threads, no_failure)
    frames = gray(2)
    for time, frame in frames[:15]:
        writer.write(frame, time / 1000)
    await until_written(path, 15)  # the writer flushes by itself
    assert not abandoned(path)
    for time, frame in frames[15:]:
        writer.write(frame, time / 1000)
    finished = await writer.finish(now=4.9)
    assert finished.bytes == path.stat().st_size
    assert finished.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert finished.duration_ms == 4900  # the last frame was seen until the end
    assert abandoned(path)

    index(path, finished.duration_ms)
    assert decoded(indexed_path(path)) == decoded(path) == [(time, *SMALL) for time, _ in frames]
    with av.open(str(indexed_path(path))) as container:
        assert container.duration == 4_900_000
    data = indexed_path(path).read_bytes()
    assert 0 < data.find(b"\x1c\x53\xbb\x6b") < data.find(b"\x1f\x43\xb6\x75")  # cues stand before the clusters
    assert FLUSH_EVERY < 1


async def test_a_change_of_size_stays_readable(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    path = tmp_path / "segment.webm"
    writer = SegmentWriter(path, vp8, threads, no_failure)
    for time, frame in [*gray(1), *gray(1, WIDE, 1000)]:
        writer.write(frame._replace(timestamp=time * 90), time / 1000)
    await writer.finish(2.0)
    index(path)
    expected = [(100 * n, *(SMALL if n < 10 else WIDE)) for n in range(20)]
    assert decoded(path) == decoded(indexed_path(path)) == expected


def test_a_file_cut_off_at_any_byte_plays_up_to_there(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.webm", [(100 * n, plain(*SMALL, (n * 9, 80, 80))) for n in range(20)]).read_bytes()
    first_cluster = whole.find(b"\x1f\x43\xb6\x75")
    seen = []
    for size in range(first_cluster + 480, len(whole), 37):
        cut = tmp_path / "cut.webm"
        cut.write_bytes(whole[:size])
        indexed_path(cut).unlink(missing_ok=True)
        recover(cut)
        seen.append(len(decoded(indexed_path(cut))))
    assert seen == sorted(seen)
    assert seen[0] < seen[len(seen) // 2] < seen[-1]
    assert seen[-1] >= 19


async def test_frames_of_one_moment_and_far_apart_keep_their_order(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    path = tmp_path / "segment.webm"
    writer = SegmentWriter(path, vp8, threads, no_failure)
    frames = [frame for _, frame in gray(0.5)]
    for timestamp, frame in zip([1000, 1001, 1002, 1000 + 90 * 70_000, 1000 + 90 * 70_001], frames, strict=True):
        writer.write(frame._replace(timestamp=timestamp), 0.0)
    await writer.finish(0.0)
    assert [time for time, *_ in decoded(path)] == [0, 1, 2, 70_000, 70_001]


class FullDisk(DurableFile):
    """A disk that takes a header and a first frame, and no more."""

    def append(self, data: bytes) -> None:
        if self.bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().append(data)


async def test_a_full_disk_is_reported_once_and_leaves_what_was_written(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    reasons: list[str] = []
    path = tmp_path / "segment.webm"
    writer = SegmentWriter(path, vp8, threads, reasons.append, FullDisk)
    (time, first), *others = gray(1)
    writer.write(first, time / 1000)
    await until_written(path, 1)
    for time, frame in others:
        writer.write(frame, time / 1000)
    with pytest.raises(WritingFailed, match="disk_full"):
        await writer.finish(1.0)
    for time, frame in gray(1):
        writer.write(frame, time / 1000)
    assert reasons == ["disk_full"]
    assert writer.failed == "disk_full"
    assert decoded(path) == [(0, *SMALL)]


async def test_a_folder_that_is_gone_is_reported(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    reasons: list[str] = []
    writer = SegmentWriter(tmp_path / "gone" / "segment.webm", vp8, threads, reasons.append)
    writer.write(gray(0.1)[0][1], 0.0)
    with pytest.raises(WritingFailed):
        await writer.finish(1.0)
    assert reasons == ["disk_error"]


async def test_a_disk_that_does_not_keep_up_ends_the_segment_and_not_the_memory(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    reasons: list[str] = []
    writer = SegmentWriter(tmp_path / "segment.webm", vp8, threads, reasons.append)
    writer.write(Frame(bytes(MAX_PENDING_BYTES), 0, SMALL), 0.0)
    writer.write(Frame(bytes(1), 90, None), 0.0)
    assert reasons == ["disk_slow"]
    with pytest.raises(WritingFailed):
        await writer.finish(0.0)


def test_only_what_nobody_writes_is_left_over(tmp_path: Path) -> None:
    crashed = write(tmp_path / "crashed.webm", [(0, plain(*SMALL, (9, 9, 9)))])
    done = write(tmp_path / "done.webm", [(0, plain(*SMALL, (9, 9, 9)))])
    index(done)
    open_file = DurableFile(tmp_path / "open.webm")
    assert leftovers(tmp_path) == [crashed]
    recovered = recover(crashed)
    assert recovered.bytes == crashed.stat().st_size
    open_file.close()
    assert leftovers(tmp_path) == [tmp_path / "open.webm"]


def test_half_made_copies_of_long_ago_are_forgotten_and_others_are_not(tmp_path: Path) -> None:
    old, new = tmp_path / "a.0011.part", tmp_path / "b.2233.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    forget_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == [new]


def test_a_file_without_a_frame_is_no_segment(tmp_path: Path) -> None:
    for content in (b"", b"noise" * 50, webm.header("V_VP8", 320, 180)):
        (tmp_path / "empty.webm").write_bytes(content)
        with pytest.raises(ValueError, match="no readable segment"):
            index(tmp_path / "empty.webm")
        assert not indexed_path(tmp_path / "empty.webm").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["empty.webm"]
