"""The worker process: it claims jobs over HTTP, makes videos out of recordings, and tells how far it is.

It holds nothing that matters: killed at any point, its job goes back to the queue when the lease runs out, and doing a
job twice gives the same files under the same names.
"""

import asyncio
import contextlib
import errno
import os
import time
from itertools import repeat
from pathlib import Path

import aiohttp
import msgspec
import structlog

from recorder import clip
from recorder.archive import Archive
from recorder.durability import sync_folder
from recorder.scenes import Source
from server.jobs import ClaimedJob, ClipChapter, ClipResult, ClipWork, JobFailure, JobFinish, JobProgress

ASK_EVERY_S = 0.5
TELL_EVERY_S = 0.5
AWAY_S = 2.0
STUCK_S = 180.0
"""Without a frame for so long the decoder hangs: this process ends, and the server starts another."""
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL = "The server has no room for the video. Tell your administrator, then publish it again."
_NOTHING = "There is no readable picture between the two marks. Choose another part of the recording."
_BROKEN = "The video could not be made. Try a shorter part, or tell your administrator."

log = structlog.get_logger()


class LeaseLostError(Exception):
    """The job is somebody else's now, or gone."""


class Advance:
    """How far a thread is, readable from the event loop; `stop` makes its next report fail."""

    def __init__(self) -> None:
        self.progress = 0.0
        self.at = time.monotonic()
        self.stop = False

    def report(self, progress: float) -> None:
        """Called by the thread."""
        if self.stop:
            raise LeaseLostError
        self.progress, self.at = min(1.0, max(0.0, progress)), time.monotonic()


def make(work: ClipWork, attempt: int, data: Path, archive: Archive, advance: Advance) -> ClipResult:
    """Make the clip and give its files their names; blocking, for threads only."""
    media, poster = data / work.media, data / work.poster
    media.parent.mkdir(parents=True, exist_ok=True)
    unfinished = {path: path.with_name(f"{path.stem}.{attempt}.part{path.suffix}") for path in (media, poster)}
    for path in unfinished:
        for left in path.parent.glob(f"{path.stem}.*.part{path.suffix}"):
            left.unlink(missing_ok=True)
    opened = contextlib.ExitStack()
    try:
        made = clip.publish(
            [
                Source(opened.enter_context(archive.open(source.segment)), source.started_at, source.duration_ms)
                for source in work.segments
            ],
            work.events,
            snapshots={snapshot.surface: data / snapshot.file for snapshot in work.snapshots},
            in_ms=work.in_ms,
            out_ms=work.out_ms,
            target=unfinished[media],
            poster=unfinished[poster],
            progress=advance.report,
            title=work.title,
        )
        for path, part in unfinished.items():
            with part.open("rb") as file:
                os.fdatasync(file.fileno())
            part.replace(path)
        sync_folder(media.parent)
    finally:
        opened.close()
        for part in unfinished.values():
            part.unlink(missing_ok=True)
    chapters = [ClipChapter(chapter.at_ms, chapter.title) for chapter in made.chapters]
    return ClipResult(made.duration_ms, made.width, made.height, chapters)


class Worker:
    """One job at a time, for the server at `server_url`."""

    def __init__(self, http: aiohttp.ClientSession, server_url: str, data: Path, archive: Archive) -> None:
        self._http = http
        self._url = f"{server_url.rstrip('/')}/api/worker"
        self._data = data
        self._archive = archive

    async def claim(self) -> ClaimedJob | None:
        """A job, if there is one; raises what the connection raises."""
        async with self._http.post(f"{self._url}/claim") as response:
            if response.status != 200:
                if response.status != 204:
                    log.error("claim_refused", status=response.status)
                    await asyncio.sleep(AWAY_S)
                return None
            return msgspec.json.decode(await response.read(), type=ClaimedJob)

    async def do(self, job: ClaimedJob) -> None:
        """The job to its end, well or not."""
        advance = Advance()
        telling = asyncio.create_task(self._tell(job, advance))
        try:
            answer: JobFinish | JobFailure
            try:
                result = await asyncio.to_thread(make, job.work, job.attempt, self._data, self._archive, advance)
                answer = JobFinish(job.attempt, result)
            except clip.NothingRecorded:
                answer = JobFailure(job.attempt, _NOTHING, again=False)
            except LeaseLostError:
                log.warning("lease_lost", job=job.id)
                return
            except OSError as error:
                log.error("job_failed", job=job.id, cause=str(error))
                full = error.errno in _DISK_FULL
                answer = JobFailure(job.attempt, _FULL if full else _BROKEN, again=not full)
            except Exception:
                log.exception("job_failed", job=job.id)
                answer = JobFailure(job.attempt, _BROKEN, again=True)
            action = "finish" if isinstance(answer, JobFinish) else "fail"
            for pause in repeat(AWAY_S):
                if await self._post(f"{job.id}/{action}", answer):
                    break
                await asyncio.sleep(pause)
        except LeaseLostError:
            log.warning("lease_lost", job=job.id)
        finally:
            advance.stop = True
            telling.cancel()

    async def _tell(self, job: ClaimedJob, advance: Advance) -> None:
        """Report progress, and that we are alive; the lease is lost by one who does not."""
        told, told_at = -1.0, 0.0
        while True:
            now = time.monotonic()
            if now - advance.at > STUCK_S:
                log.error("job_stuck", job=job.id)
                os._exit(1)
            if advance.progress != told or now - told_at > job.lease_ms / 3000:
                told, told_at = advance.progress, now
                try:
                    await self._post(f"{job.id}/progress", JobProgress(job.attempt, told))
                except LeaseLostError:
                    advance.stop = True
                    return
            await asyncio.sleep(TELL_EVERY_S)

    async def _post(self, path: str, body: JobProgress | JobFinish | JobFailure) -> bool:
        """Whether the server took it; raises `LeaseLostError` when it will not."""
        headers = {"Content-Type": "application/json"}
        try:
            async with self._http.post(
                f"{self._url}/jobs/{path}", data=msgspec.json.encode(body), headers=headers
            ) as response:
                if response.status in {404, 409}:
                    raise LeaseLostError
                return response.status == 204
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


async def run(server_url: str, secret: str, data_dir: Path, archive: Archive) -> None:
    """Does jobs for the server at `server_url`, with the files below `data_dir`, until it is ended."""
    headers = {"Authorization": f"Bearer {secret}"}
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
        worker = Worker(http, server_url, data_dir, archive)
        while True:
            job = None
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                job = await worker.claim()
            if job is not None:
                await worker.do(job)
            else:
                await asyncio.sleep(ASK_EVERY_S)
