"""Frames onto disk: a growing WebM file whose every cluster is safe within a second, and its index afterwards.

A file is written by one thread at a time, never by the event loop. SIGKILL, power loss or a full disk leave a file that
plays up to its last cluster. When it is finished, `index` copies it, frame by frame and without decoding, into
`<id>.indexed.webm` with cues at the front and a true duration; that is what players are given.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Callable
from concurrent.futures import Executor
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from recorder import webm
from recorder.frames import Codec, Frame

FLUSH_EVERY = 0.7
MAX_PENDING_BYTES = 32 << 20
UNFINISHED_FOR = 3600.0
"""A copy that has not grown for so many seconds is nobody's."""


class Finished(NamedTuple):
    """A complete file: its length in bytes and ms, and its SHA-256 in hex."""

    bytes: int
    duration_ms: int
    sha256: str


class WritingFailed(Exception):
    """The file can't be written any more; `reason` is a stable code such as `disk_full`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def reason_of(error: OSError) -> str:
    """The stable code of what the system said."""
    return "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "disk_error"


class DurableFile:
    """A file that grows by whole pieces, each on disk before `append` returns. Blocking: for threads only.

    Its lock tells others that it is being written; the system takes the lock back when the process dies.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o640)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sync_folder(path.parent)
        self._hash = hashlib.sha256()
        self.bytes = 0

    def append(self, data: bytes) -> None:
        """Writes all of `data`; raises OSError, after which the file has failed."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        os.fdatasync(self._descriptor)
        self._hash.update(data)
        self.bytes += len(data)

    def close(self) -> str:
        """Closes the file; its SHA-256 in hex."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        return self._hash.hexdigest()


class SegmentWriter:
    """One segment on its way to disk. `on_failure(reason)` is called once, on the event loop, when it can't go on."""

    def __init__(
        self,
        path: Path,
        codec: Codec,
        threads: Executor,
        on_failure: Callable[[str], None],
        open_file: Callable[[Path], DurableFile] = DurableFile,
    ) -> None:
        self.path = path
        self.frames = 0
        self.failed: str | None = None
        self.settled = asyncio.Event()
        """Set once the first frame is on disk, or it is clear that it never will be."""
        self._codec = codec
        self._threads = threads
        self._on_failure = on_failure
        self._open_file = open_file
        self._loop = asyncio.get_running_loop()
        self._file: DurableFile | None = None
        self._frames: list[tuple[int, Frame]] = []
        self._pieces: list[bytes] = []
        self._pending_bytes = 0
        self._first_timestamp: int | None = None
        self._last_ms = -1
        self._last_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def write(self, frame: Frame, now: float) -> None:
        """Takes a frame, the first of which is a keyframe; never waits. `now` is the loop's time in seconds."""
        if self.failed is not None:
            return
        if self._first_timestamp is None:
            width, height = frame.size or (1, 1)
            self._first_timestamp = frame.timestamp
            self._pieces.append(webm.header(self._codec.MATROSKA, width, height))
        passed = (frame.timestamp - self._first_timestamp) * 1000 // self._codec.CLOCK_RATE
        time = max(self._last_ms + 1, passed)
        if self._frames and time - self._frames[0][0] > webm.MAX_CLUSTER_MS:
            self._flush()
        self._last_ms, self._last_at = time, now
        self._frames.append((time, frame))
        self.frames += 1
        self._pending_bytes += len(frame.data)
        if self._pending_bytes > MAX_PENDING_BYTES:
            self._fail("disk_slow")
        elif self.frames == 1:
            self._flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(FLUSH_EVERY, self._flush)

    async def finish(self, now: float) -> Finished:
        """Writes what is left, and closes the file; raises WritingFailed. The last frame lasts until `now`."""
        self._flush()
        if self._writing is not None:
            await self._writing
        if self._file is None or self.failed is not None:
            raise WritingFailed(self.failed or "disk_error")
        digest = await self._loop.run_in_executor(self._threads, self._file.close)
        return Finished(self._file.bytes, self._last_ms + max(1, int((now - self._last_at) * 1000)), digest)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._frames:
            self._pieces.append(webm.cluster(self._frames))
            self._frames = []
        if self._pieces and self._writing is None and self.failed is None:
            self._writing = self._loop.create_task(self._write_pieces())

    async def _write_pieces(self) -> None:
        try:
            if self._file is None:
                self._file = await self._loop.run_in_executor(self._threads, self._open_file, self.path)
            while self._pieces:
                data = b"".join(self._pieces)
                self._pieces = []
                await self._loop.run_in_executor(self._threads, self._file.append, data)
                self.settled.set()
                self._pending_bytes = max(0, self._pending_bytes - len(data))
        except OSError as error:
            self._fail(reason_of(error))
        finally:
            self._writing = None
            if self.failed is not None and self._file is not None:
                self._threads.submit(self._file.close)

    def _fail(self, reason: str) -> None:
        self.failed = reason
        self.settled.set()
        self._frames, self._pieces = [], []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None and self._file is not None:
            self._threads.submit(self._file.close)
        self._on_failure(reason)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(written: Path, target: Path) -> None:
    """Gives a complete file its name, durably; both are in one folder."""
    with written.open("rb") as file:
        os.fsync(file.fileno())
    written.replace(target)
    sync_folder(target.parent)


def indexed_path(path: Path) -> Path:
    """Where the indexed copy of a segment stands."""
    return path.with_name(f"{path.stem}.indexed.webm")


def index(path: Path, duration_ms: int | None = None) -> Path:
    """Copies a segment, complete or cut off, into one with cues at the front; blocking, decodes nothing.

    The last frame is shown until `duration_ms`. Raises OSError when there is no disk for it, and ValueError when the
    file holds no frame.
    """
    target = indexed_path(path)
    unfinished = target.with_name(f"{path.stem}.{secrets.token_hex(4)}.part")  # two may index the same segment
    try:
        with av.open(str(path)) as source:
            _copy(source, unfinished, duration_ms)
        put_in_place(unfinished, target)
    except av.FFmpegError as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
        raise ValueError(f"no readable segment: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def _copy(source: InputContainer, target: Path, duration_ms: int | None) -> None:
    stream = source.streams.video[0]
    with av.open(str(target), "w", format="webm", options={"cues_to_front": "1"}) as container:
        copied = cast(
            VideoStream, container.add_mux_stream(stream.codec_context.name, width=stream.width, height=stream.height)
        )
        copied.time_base = Fraction(1, 1000)
        last: Packet[VideoStream] | None = None
        for packet in source.demux(stream):
            if packet.pts is None or not packet.size or packet.is_corrupt:
                continue
            if last is not None:
                container.mux_one(last)
            packet.stream = copied
            last = packet
        if last is None or last.pts is None:
            raise ValueError("no readable segment: it holds no frame")
        if duration_ms is not None:
            last.duration = max(1, duration_ms - last.pts)
        container.mux_one(last)


def recover(path: Path) -> Finished:
    """Indexes a segment that a crash left behind; what it holds. Blocking; raises as `index` does."""
    with av.open(str(index(path))) as container:
        duration = (container.duration or 0) // 1000
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Finished(path.stat().st_size, duration, digest)


def abandoned(path: Path) -> bool:
    """Whether a segment is there, and nobody writes it now."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True


def forget_unfinished(folder: Path) -> None:
    """Removes copies that a crash left half made, and that nobody can be making any more."""
    for path in folder.glob("*.part"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > UNFINISHED_FOR:
                path.unlink()


def leftovers(folder: Path) -> list[Path]:
    """Segments that a crash left behind: not indexed, and written by nobody now."""
    raw = [path for path in sorted(folder.glob("*.webm")) if not path.name.endswith(".indexed.webm")]
    return [path for path in raw if not indexed_path(path).exists() and abandoned(path)]
