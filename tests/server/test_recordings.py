"""Recordings: found, described for the player, served by Range, and every look at them kept in the audit log."""

import io

import av
import msgspec
import pytest

from server import demo, recordings
from server.database import audit
from server.recordings import RecordingPage
from signaling import messages as m
from tests.server.desk import Desk


@pytest.fixture
async def desk(recorded_desk: Desk) -> Desk:
    return recorded_desk


@pytest.fixture
def session() -> str:
    """A finished session with a real recording."""
    return demo.SESSION


async def test_the_library_lists_the_recording_and_finds_it_by_what_was_said(desk: Desk, session: str) -> None:
    for query in ("", "whitfield", "duplex", "blank", "two-sided is on"):
        found = (await desk.quinn.get("/api/recordings", params={"q": query})).body["recordings"]
        assert [recording["session"] for recording in found] == [session], query
    assert (await desk.quinn.get("/api/recordings?q=nothing")).body["recordings"] == []
    (recording,) = (await desk.tess.get("/api/recordings")).body["recordings"]
    assert (recording["agent_name"], recording["customer_name"]) == ("Alice", "Dana Whitfield")
    assert recording["bookmarks"] == 2
    assert abs(recording["duration_ms"] - 22_000) < 500


async def test_the_player_is_given_files_timeline_people_and_snapshots(desk: Desk, session: str) -> None:
    answer = await desk.quinn.get(f"/api/recordings/{session}")
    page = msgspec.json.decode(answer.raw, type=RecordingPage)
    assert [(p.role, p.name) for p in page.participants] == [
        ("agent", "Alice"), ("customer", "Dana Whitfield"), ("recorder", "Recorder"),
    ]  # fmt: skip
    (segment,) = page.segments
    assert segment.indexed and segment.finished
    assert page.events == await desk.app.timeline.read(session)
    assert any(isinstance(event.body, m.AnnotationAdded) for event in page.events)
    assert page.events[0].at < segment.started_at < page.events[-1].at


async def test_a_segment_is_served_whole_and_in_ranges_and_can_be_decoded(desk: Desk, session: str) -> None:
    page = (await desk.tess.get(f"/api/recordings/{session}")).body
    url = page["segments"][0]["url"]
    whole = await desk.tess.get(url)
    assert (whole.status, whole.headers["Content-Type"]) == (200, "video/webm")
    with av.open(io.BytesIO(whole.raw), "r") as container:
        first = next(container.decode(video=0))
        assert (first.width, first.height) == (1280, 720)
    part = await desk.tess.get(url, headers={"Range": "bytes=1000-1999"})
    assert (part.status, part.raw) == (206, whole.raw[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(whole.raw)}"
    beyond = await desk.tess.get(url, headers={"Range": f"bytes={len(whole.raw)}-"})
    assert beyond.status == 416


async def test_a_segment_that_was_cut_off_is_served_as_it_is(desk: Desk, session: str) -> None:
    (index,) = recordings.folder(desk.app.data).glob("*.index")
    with desk.app.archive.open(index.stem) as stored:
        raw = stored.raw(0, stored.size)
    index.unlink()
    (segment,) = (await desk.quinn.get(f"/api/recordings/{session}")).body["segments"]
    assert segment["indexed"] is False
    assert (await desk.quinn.get(segment["url"])).raw == raw


async def test_opening_the_player_is_kept_in_the_audit_log(desk: Desk, session: str) -> None:
    await desk.quinn.get(f"/api/recordings/{session}")
    async with desk.app.database.read() as connection:
        rows = (await connection.execute(audit.select().where(audit.c.action == "recording.played"))).all()
    assert [(row.user_id, row.object, row.address) for row in rows] == [(desk.quinn.user_id, session, "127.0.0.1")]


@pytest.mark.parametrize("segment", ["..%2Fsightline.db", "../sightline.db", "x", ".", "%2e%2e%2fsecret.key"])
async def test_nothing_but_the_sessions_own_segments_is_served(desk: Desk, session: str, segment: str) -> None:
    assert (await desk.ada.get(f"/api/recordings/{session}/segments/{segment}")).status == 404


async def test_recordings_are_for_the_staff(desk: Desk, session: str) -> None:
    page = (await desk.bob.get(f"/api/recordings/{session}")).body
    for path in ("/api/recordings", f"/api/recordings/{session}", page["segments"][0]["url"]):
        assert (await desk.stranger.get(path)).status == 401
    assert (await desk.bob.get("/api/recordings/none")).code == "recording_not_found"


async def test_the_tickets_note_leads_to_the_recording(desk: Desk, session: str) -> None:
    (ticket,) = (await desk.quinn.get("/api/tickets", params={"q": "blank"})).body["tickets"]
    page = (await desk.quinn.get(f"/api/tickets/{ticket['id']}")).body
    assert f"Recording: /console/library/{session}" in page["notes"][-1]["text"]
    assert page["sessions"][0]["recorded"] is True
