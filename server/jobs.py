"""Jobs: long work that a worker process claims under a lease; the table is the truth."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from aiohttp import web
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.app import App
from server.database import jobs, new_id, now_ms
from server.problems import Conflict, Missing
from server.routes import background, route
from signaling.messages import Event

# --- Records ---

JobKind = Literal["publish_clip"]
JobState = Literal["queued", "running", "done", "failed"]


class PublishedClip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The article that a job published."""

    article: str
    slug: str


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A job as the staff see it; `progress` is 0..1, `error` says what happened and what to do."""

    id: str
    kind: JobKind
    state: JobState
    progress: float
    error: str | None
    result: PublishedClip | None


class ClipSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A segment of the recording, and the time of its first frame (ms since 1970)."""

    segment: str
    started_at: int
    duration_ms: int


class SnapshotSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot that may be shown in the clip: its surface id and its file of the blobs folder."""

    surface: str
    file: str


class ClipWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the worker needs to make a clip; the files that it writes are named `media` and `poster`."""

    title: str
    in_ms: int
    out_ms: int
    segments: list[ClipSource]
    snapshots: list[SnapshotSource]
    events: list[Event]
    media: str
    poster: str


class ClaimedJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A job under lease: it comes back to the queue unless progress is reported within `lease_ms`."""

    id: str
    kind: JobKind
    attempt: int
    lease_ms: int
    work: ClipWork


class JobProgress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`attempt` is that of the claim: a worker that lost its lease is told so."""

    attempt: int
    progress: Annotated[float, msgspec.Meta(ge=0, le=1)]


class ClipChapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chapter of a clip, `at_ms` from the clip's beginning."""

    at_ms: int
    title: str


class ClipResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the worker made of a clip."""

    duration_ms: int
    width: int
    height: int
    chapters: list[ClipChapter]


class JobFinish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    attempt: int
    result: ClipResult


class JobFailure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`error` is for the staff to read; a job that may succeed later is put back, at most three times."""

    attempt: int
    error: Annotated[str, msgspec.Meta(max_length=1000)]
    again: bool


# --- Operations ---

MAX_ATTEMPTS = 3
_GAVE_UP = "This was tried three times and broke off each time. Try a shorter part, or ask your administrator."

JobRow = Row[Any]


class Kind(NamedTuple):
    """What is special about a kind of job: its work at the claim, and what its end changes.

    `prepare` may raise a `Problem`, which fails the job; `finish` returns the result that the staff see.
    """

    prepare: Callable[[App, bytes], Awaitable[ClipWork]]
    finish: Callable[[AsyncConnection, bytes, ClipResult], Awaitable[PublishedClip | None]]


KINDS: dict[str, Kind] = {}


async def enqueue(connection: AsyncConnection, kind: JobKind, arguments: bytes, user_id: str) -> str:
    """Put a job into the queue inside a transaction of the caller; returns its id."""
    job = new_id()
    await connection.execute(
        jobs.insert().values(
            id=job, kind=kind, arguments=arguments.decode(), state="queued", progress=0, result=None, error=None,
            attempts=0, lease_until=None, created_by=user_id, created_at=now_ms(),
        )
    )  # fmt: skip
    return job


async def claim(connection: AsyncConnection, lease_ms: int) -> JobRow | None:
    """The oldest job of the queue, now running under a lease, or None."""
    oldest = select(jobs.c.id).where(jobs.c.state == "queued").order_by(jobs.c.created_at, jobs.c.id).limit(1)
    claimed = await connection.execute(
        jobs.update()
        .where(jobs.c.id == oldest.scalar_subquery(), jobs.c.state == "queued")
        .values(state="running", attempts=jobs.c.attempts + 1, lease_until=now_ms() + lease_ms, progress=0, error=None)
        .returning(jobs)
    )
    row: JobRow | None = claimed.one_or_none()
    return row


async def put_back(connection: AsyncConnection, now: int) -> list[str]:
    """Jobs whose lease ran out go back into the queue, or fail for good; returns their ids."""
    lost = (jobs.c.state == "running") & (jobs.c.lease_until < now)
    again = (
        jobs.update().where(lost, jobs.c.attempts < MAX_ATTEMPTS).values(state="queued", lease_until=None, progress=0)
    )
    never = jobs.update().where(lost, jobs.c.attempts >= MAX_ATTEMPTS)
    never = never.values(state="failed", lease_until=None, error=_GAVE_UP)
    found = [await connection.execute(change.returning(jobs.c.id)) for change in (again, never)]
    return [row.id for rows in found for row in rows]


async def _held(connection: AsyncConnection, job: str, attempt: int) -> JobRow:
    """The running job under the lease of this attempt; raises `Missing` or `Conflict`."""
    row = (await connection.execute(select(jobs).where(jobs.c.id == job))).one_or_none()
    if row is None:
        raise _missing()
    if row.state != "running" or row.attempts != attempt:
        raise Conflict("lease_lost", "The job was put back or ended in the meantime. Drop it and claim another.")
    return row


async def renew(connection: AsyncConnection, job: str, report: JobProgress, lease_ms: int) -> None:
    """Store the progress and prolong the lease."""
    await _held(connection, job, report.attempt)
    progress = round(report.progress * 1000)
    values = {"progress": progress, "lease_until": now_ms() + lease_ms}
    await connection.execute(jobs.update().where(jobs.c.id == job).values(**values))


async def finish(connection: AsyncConnection, job: str, report: JobFinish) -> None:
    """Store the result and what follows from it; finishing the same attempt twice is the same as once."""
    row = (await connection.execute(select(jobs).where(jobs.c.id == job))).one_or_none()
    if row is not None and row.state == "done" and row.attempts == report.attempt:
        return
    row = await _held(connection, job, report.attempt)
    result = await KINDS[row.kind].finish(connection, row.arguments.encode(), report.result)
    values = {"state": "done", "progress": 1000, "lease_until": None, "result": msgspec.json.encode(result).decode()}
    await connection.execute(jobs.update().where(jobs.c.id == job).values(**values))


async def fail(connection: AsyncConnection, job: str, report: JobFailure) -> None:
    """Put the job back when it may succeed later and has attempts left, or fail it for good."""
    row = await _held(connection, job, report.attempt)
    again = report.again and row.attempts < MAX_ATTEMPTS
    values = {"state": "queued" if again else "failed", "lease_until": None, "error": report.error}
    await connection.execute(jobs.update().where(jobs.c.id == job).values(**values))


def as_job(row: JobRow) -> Job:
    """A row of the table as the staff see it."""
    result = msgspec.json.decode(row.result, type=PublishedClip | None) if row.result else None
    error = row.error if row.state == "failed" else None
    return Job(row.id, row.kind, row.state, row.progress / 1000, error, result)


def _missing() -> Missing:
    return Missing("job_not_found", "There is no such job. Open the page again.")


def _lease_ms(app: App) -> int:
    return round(app.settings.job_lease_s * 1000)


@background
async def reap(app: App) -> None:
    """Puts jobs back whose worker was killed or lost."""
    while True:
        async with app.database.read() as connection:
            lost = select(jobs.c.id).where(jobs.c.state == "running", jobs.c.lease_until < now_ms()).limit(1)
            found = (await connection.execute(lost)).one_or_none()
        if found:
            async with app.database.write() as connection:
                changed = await put_back(connection, now_ms())
            for job in changed:
                app.feed.hint(f"job:{job}")
        await asyncio.sleep(app.settings.job_lease_s / 6)


# --- Routes ---


@route("GET", "/api/jobs/{job}", "job.read")
async def get_job(request: web.Request, app: App) -> Job:
    """How far a job is."""
    async with app.database.read() as connection:
        row = (await connection.execute(select(jobs).where(jobs.c.id == request.match_info["job"]))).one_or_none()
    if row is None:
        raise _missing()
    return as_job(row)


@route("POST", "/api/worker/claim", "process")
async def post_claim(request: web.Request, app: App) -> ClaimedJob | None:
    """A job for a worker, or nothing (204)."""
    async with app.database.read() as connection:
        waits = (await connection.execute(select(jobs.c.id).where(jobs.c.state == "queued").limit(1))).one_or_none()
    if waits is None:
        return None
    lease_ms = _lease_ms(app)
    async with app.database.write() as connection:
        row = await claim(connection, lease_ms)
    if row is None:
        return None
    app.feed.hint(f"job:{row.id}")
    try:
        work = await KINDS[row.kind].prepare(app, row.arguments.encode())
    except (Missing, Conflict) as problem:
        async with app.database.write() as connection:
            await fail(connection, row.id, JobFailure(row.attempts, problem.text, again=False))
        app.feed.hint(f"job:{row.id}")
        return None
    return ClaimedJob(row.id, row.kind, row.attempts, lease_ms, work)


@route("POST", "/api/worker/jobs/{job}/progress", "process")
async def post_progress(request: web.Request, app: App, body: JobProgress) -> None:
    """A worker is at it still."""
    job = request.match_info["job"]
    async with app.database.write() as connection:
        await renew(connection, job, body, _lease_ms(app))
    app.feed.hint(f"job:{job}")


@route("POST", "/api/worker/jobs/{job}/finish", "process")
async def post_finish(request: web.Request, app: App, body: JobFinish) -> None:
    """A worker is done."""
    job = request.match_info["job"]
    async with app.database.write() as connection:
        await finish(connection, job, body)
    app.feed.hint(f"job:{job}")


@route("POST", "/api/worker/jobs/{job}/fail", "process")
async def post_failure(request: web.Request, app: App, body: JobFailure) -> None:
    """A worker gave up."""
    job = request.match_info["job"]
    async with app.database.write() as connection:
        await fail(connection, job, body)
    app.feed.hint(f"job:{job}")
