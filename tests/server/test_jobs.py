"""Jobs: claimed once, under a lease, put back when their worker dies, and done in the end."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server import demo, demo_recording, jobs
from server.database import jobs as rows, now_ms
from tests.server.desk import Desk, open_desk

RESULT = {"duration_ms": 1000, "width": 2, "height": 2, "chapters": []}


@pytest.fixture
async def desk(recorded_desk: Desk) -> Desk:
    return recorded_desk


async def queued(desk: Desk) -> str:
    """A job to make a clip of half of a real recording."""
    begun = (await desk.app.timeline.read(demo.SESSION))[0].at + demo_recording.STARTED_S * 1000
    marks = {"in_ms": begun + 500, "out_ms": begun + 12_000, "title": "Blank pages", "text": ""}
    answer = await desk.tess.post(f"/api/recordings/{demo.SESSION}/clips", marks)
    return str(answer.body["job"])


async def until(desk: Desk, job: str, *states: str) -> dict[str, Any]:
    async with asyncio.timeout(90):
        while True:
            found: dict[str, Any] = (await desk.tess.get(f"/api/jobs/{job}")).body
            if found["state"] in states:
                return found
            await asyncio.sleep(0.02)


async def run_out(desk: Desk) -> None:
    """Let every lease run out."""
    async with desk.app.database.write() as connection:
        await connection.execute(rows.update().values(lease_until=now_ms() - 1))


async def expire(desk: Desk) -> None:
    """Let every lease run out, and have the reaper's work done."""
    await run_out(desk)
    async with desk.app.database.write() as connection:
        await jobs.put_back(connection, now_ms())


@asynccontextmanager
async def worker_process(desk: Desk) -> AsyncIterator[asyncio.subprocess.Process]:
    """A real worker, in a process group of its own."""
    command = [sys.executable, "-m", "server.cli", "worker", "--server", desk.base, "--data", str(desk.app.data)]
    environment = os.environ | {"SIGHTLINE_PROCESS_SECRET": desk.app.process_secret}
    process = await asyncio.create_subprocess_exec(*command, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def test_a_job_whose_worker_is_killed_is_put_back_and_done_by_the_next(tmp_path: Path) -> None:
    async with open_desk(tmp_path / "data", recorded=True, job_lease_s=2.0) as desk:
        job = await queued(desk)
        async with worker_process(desk) as first:
            await until(desk, job, "running")
            os.killpg(first.pid, signal.SIGKILL)
            await first.wait()
        await run_out(desk)
        assert (await until(desk, job, "queued", "done"))["state"] == "queued"
        async with worker_process(desk):
            done = await until(desk, job, "done", "failed")
        assert (done["state"], done["progress"], done["error"]) == ("done", 1.0, None)
        article = (await desk.tess.get(f"/api/articles/{done['result']['article']}")).body
        assert (article["state"], article["video"]["width"]) == ("published", 1280)
        assert sorted(path.suffix for path in (desk.app.data / "media").iterdir()) == [".jpg", ".mp4"]


async def test_of_many_workers_one_gets_the_job(desk: Desk) -> None:
    job = await queued(desk)
    claims = await asyncio.gather(*(desk.worker.post("/api/worker/claim") for _ in range(8)))
    assert sorted(claim.status for claim in claims) == [200] + [204] * 7
    (won,) = [claim.body for claim in claims if claim.status == 200]
    assert (won["id"], won["attempt"], won["kind"]) == (job, 1, "publish_clip")
    (source,) = won["work"]["segments"]
    assert source["segment"] in {path.stem for path in desk.app.archive.folder.glob("*.vault")}


async def test_who_lost_the_lease_is_told_and_changes_nothing(desk: Desk) -> None:
    job = await queued(desk)
    await desk.worker.post("/api/worker/claim")
    await expire(desk)
    second = (await desk.worker.post("/api/worker/claim")).body
    assert second["attempt"] == 2
    for path, body in (
        ("progress", {"attempt": 1, "progress": 0.9}),
        ("finish", {"attempt": 1, "result": RESULT}),
        ("fail", {"attempt": 1, "error": "x", "again": False}),
    ):
        answer = await desk.worker.post(f"/api/worker/jobs/{job}/{path}", body)
        assert (answer.status, answer.code) == (409, "lease_lost")
    assert (await desk.worker.post(f"/api/worker/jobs/{job}/progress", {"attempt": 2, "progress": 0.25})).status == 204
    found = (await desk.tess.get(f"/api/jobs/{job}")).body
    assert (found["state"], found["progress"]) == ("running", 0.25)


async def test_finishing_twice_is_as_finishing_once(desk: Desk) -> None:
    job = await queued(desk)
    await desk.worker.post("/api/worker/claim")
    for _ in range(2):
        answer = await desk.worker.post(f"/api/worker/jobs/{job}/finish", {"attempt": 1, "result": RESULT})
        assert answer.status == 204
    assert (await desk.tess.get(f"/api/jobs/{job}")).body["state"] == "done"


async def test_a_job_that_breaks_off_three_times_fails_in_words(desk: Desk) -> None:
    job = await queued(desk)
    for attempt in (1, 2, 3):
        assert (await desk.worker.post("/api/worker/claim")).body["attempt"] == attempt
        await expire(desk)
    failed = (await desk.tess.get(f"/api/jobs/{job}")).body
    assert failed["state"] == "failed"
    assert "three times" in failed["error"]
    assert (await desk.worker.post("/api/worker/claim")).status == 204


@pytest.mark.parametrize(("again", "state"), [(True, "queued"), (False, "failed")])
async def test_a_failure_is_final_or_tried_again(desk: Desk, again: bool, state: str) -> None:
    job = await queued(desk)
    await desk.worker.post("/api/worker/claim")
    body = {"attempt": 1, "error": "No room. Make some.", "again": again}
    assert (await desk.worker.post(f"/api/worker/jobs/{job}/fail", body)).status == 204
    found = (await desk.tess.get(f"/api/jobs/{job}")).body
    assert (found["state"], found["error"]) == (state, None if again else "No room. Make some.")


async def test_a_job_of_a_deleted_article_ends_without_one(desk: Desk) -> None:
    job = await queued(desk)
    (article,) = (await desk.tess.get("/api/articles")).body["articles"]
    await desk.tess.ask("DELETE", f"/api/articles/{article['id']}")
    assert (await desk.worker.post("/api/worker/claim")).status == 204
    assert (await desk.tess.get(f"/api/jobs/{job}")).body["state"] == "failed"


async def test_only_processes_with_the_secret_claim_and_report(desk: Desk) -> None:
    job = await queued(desk)
    for person in (desk.stranger, desk.ada):
        assert (await person.post("/api/worker/claim")).status == 401
        body = {"attempt": 1, "progress": 0.5}
        assert (await person.post(f"/api/worker/jobs/{job}/progress", body)).status == 401
    assert (await desk.stranger.get(f"/api/jobs/{job}")).status == 401
    assert (await desk.tess.get("/api/jobs/none")).code == "job_not_found"
