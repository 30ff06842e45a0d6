"""Deleting a recording: all of it, never under a hold, and never without a tombstone."""

import asyncio
import os
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from server import deletion, instance, transcript
from server.database import articles, events, holds, jobs, new_id, now_ms, sessions, ticket_notes, tombstones
from server.knowledge import insert_article
from server.tombstones import Statement
from signaling import checkpoints, messages as m
from signaling.checkpoints import Signed
from signaling.timeline import Sealed, verify
from tests.server.desk import Answer, Desk, open_desk
from tests.server.recorded_session import RecordedSession, files_of, recorded_session, stored_bodies
from tests.server.test_cli import sightline

SECRET_WORD = b"featherstonehaugh"


def order(**values: str) -> dict[str, str]:
    return {"ground": "customer_request", "reason": "Letter of 3 May", "articles": "keep"} | values


async def delete(desk: Desk, made: RecordedSession, **values: str) -> Answer:
    return await desk.ada.post(f"/api/recordings/{made.id}/deletion", order(**values))


async def hold(desk: Desk, path: str) -> Answer:
    return await desk.quinn.post(f"/api/{path}/holds", {"reason": "Case 7 of the court"})


async def statement_of(desk: Desk, session: str) -> tuple[Statement, Signed]:
    """What the exported tombstone says, and its signature."""
    answer = await desk.quinn.get(f"/api/tombstones/{session}")
    assert answer.status == 200, answer.raw
    exported = answer.body
    signed = Signed(exported["statement"], exported["key_id"], exported["signature"])
    assert checkpoints.genuine(signed, {signed.key_id: bytes.fromhex(exported["public_key"])})
    return msgspec.json.decode(signed.statement, type=Statement), signed


async def chain_of(desk: Desk, session: str) -> list[Sealed]:
    async with desk.app.database.read() as connection:
        columns = [events.c[name] for name in Sealed.__struct_fields__]
        query = select(*columns).where(events.c.session_id == session).order_by(events.c.seq)
        return [Sealed(*row) for row in await connection.execute(query)]


def found_on_disk(data: Path, word: bytes) -> list[str]:
    """The files below the data folder in which the word stands, whatever its letters' case."""
    return [str(path) for path in data.rglob("*") if path.is_file() and word in path.read_bytes().lower()]


async def test_nothing_of_a_deleted_recording_is_found_on_the_disk_and_the_chain_still_holds(desk: Desk) -> None:
    made = await recorded_session(desk)
    before = await stored_bodies(desk, made.id)
    assert len(files_of(desk, made)) == 9
    assert found_on_disk(desk.app.data, SECRET_WORD)
    assert (await delete(desk, made)).status == 204
    assert files_of(desk, made) == []
    assert found_on_disk(desk.app.data, SECRET_WORD) == []
    chain = await chain_of(desk, made.id)
    assert verify(made.id, chain) is None
    erased = [link for link in chain if link.body is None]
    assert {link.type for link in erased} == deletion.PERSONAL - {"surface_changed"} | {"joined"}
    assert all(link.salt is None for link in erased), "without its salt a short body could be guessed"
    assert [link.body for link in chain if link.body is not None] == [
        body for body, link in zip(before, chain, strict=True) if link.body is not None
    ]
    kept = {link.type for link in chain if link.body is not None}
    assert {"consent_given", "segment_started", "segment_finished", "session_ended", "joined"} <= kept


async def test_the_tombstone_says_what_was_deleted_by_whom_and_why(desk: Desk) -> None:
    made = await recorded_session(desk)
    await delete(desk, made)
    said, signed = await statement_of(desk, made.id)
    assert (said.by, said.ground, said.reason) == ("Ada", "customer_request", "Letter of 3 May")
    assert [(s.id, s.bytes, s.digest) for s in said.segments] == [
        (segment, 1000 + number, f"{number}" * 64) for number, segment in enumerate(made.segments)
    ]
    assert [(s.id, s.sha256) for s in said.snapshots] == [(made.snapshot, "a" * 64)]
    chain = await chain_of(desk, made.id)
    assert said.erased == [link.seq for link in chain if link.body is None]
    assert chain[said.events - 1].hash.hex() == said.last_hash
    assert SECRET_WORD.decode() not in signed.statement.lower()
    (listed,) = (await desk.quinn.get("/api/tombstones")).body
    assert listed["genuine"] and listed["shredded_at"] and listed["segments"] == 2
    lines = (await desk.ada.get("/api/tombstones/export")).raw.splitlines()
    assert [msgspec.json.decode(line)["statement"] for line in lines] == [signed.statement]


async def test_a_tombstone_that_was_changed_is_not_genuine(desk: Desk) -> None:
    made = await recorded_session(desk)
    await delete(desk, made)
    async with desk.app.database.write() as connection:
        said = (await connection.execute(select(tombstones.c.statement))).scalar_one()
        forged = said.replace("Letter of 3 May", "Nobody asked")
        await connection.execute(tombstones.update().values(statement=forged))
    assert (await desk.quinn.get("/api/tombstones")).body[0]["genuine"] is False


async def test_every_page_that_reads_an_erased_timeline_still_opens(desk: Desk) -> None:
    made = await recorded_session(desk)
    await delete(desk, made)
    page = (await desk.quinn.get(f"/api/recordings/{made.id}")).body
    assert page["segments"] == [] and page["snapshots"] == []
    assert page["tombstone"]["by"] == "Ada"
    assert {"type": "body_erased", "was": "chat_said"} in [event["body"] for event in page["events"]]
    (listed,) = (await desk.bob.get("/api/recordings")).body["recordings"]
    assert listed["deleted_at"] == page["tombstone"]["at"]
    ticket = (await desk.alice.get(f"/api/tickets/{made.ticket}")).body
    assert ticket["sessions"][0]["deleted_at"] == listed["deleted_at"]
    note = ticket["notes"][-1]["text"]
    assert note.startswith("Session ended: solved.") and "Transcript" not in note
    assert (await desk.alice.get(f"/api/sessions/{made.id}")).body["phase"] == "ended"
    assert (await desk.alice.get("/api/recordings?q=featherstonehaugh")).body["recordings"] == []
    assert (await desk.app.endpoint.state(made.id)).phase == "ended"
    for segment in made.segments:
        assert (await desk.tess.get(f"/api/recordings/{made.id}/segments/{segment}")).code == "recording_deleted"
    assert (await delete(desk, made)).code == "recording_deleted"
    assert (await hold(desk, f"recordings/{made.id}")).code == "recording_deleted"


@pytest.mark.parametrize("place", ["recordings", "tickets"])
async def test_a_hold_keeps_a_recording_until_it_is_released(desk: Desk, place: str) -> None:
    made = await recorded_session(desk)
    thing = made.id if place == "recordings" else made.ticket
    assert (await hold(desk, f"{place}/{thing}")).status == 204
    refused = await delete(desk, made)
    assert (refused.status, refused.code) == (409, "legal_hold")
    assert "Quinn" in refused.body["error"]["text"]
    assert len(files_of(desk, made)) == 9
    (held,) = (await desk.quinn.get(f"/api/recordings/{made.id}")).body["keeping"]["holds"]
    assert (held["placed_by"], held["reason"]) == ("Quinn", "Case 7 of the court")
    release = await desk.ada.post(f"/api/holds/{held['id']}/release", {"reason": "Case closed"})
    assert release.status == 204
    assert (await desk.ada.post(f"/api/holds/{held['id']}/release", {"reason": "Twice"})).code == "hold_released"
    (past,) = (await desk.quinn.get("/api/holds")).body
    assert (past["released_by"], past["release_reason"]) == ("Ada", "Case closed")
    assert (await delete(desk, made)).status == 204


async def test_when_a_hold_and_a_deletion_race_exactly_one_of_them_is_there_afterwards(desk: Desk) -> None:
    won = {"hold": 0, "deletion": 0}
    made = [await recorded_session(desk) for _ in range(8)]

    async def race(number: int, one: RecordedSession) -> None:
        place = f"recordings/{one.id}" if number % 4 < 2 else f"tickets/{one.ticket}"
        asked = [hold(desk, place), delete(desk, one)]
        held, deleted = await asyncio.gather(*(asked if number % 2 else asked[::-1]))
        held, deleted = (held, deleted) if number % 2 else (deleted, held)
        async with desk.app.database.read() as connection:
            stone = select(tombstones.c.session_id).where(tombstones.c.session_id == one.id)
            buried = (await connection.execute(stone)).one_or_none() is not None
            lies = select(holds.c.id).where((holds.c.session_id == one.id) | (holds.c.ticket_id == one.ticket))
            placed = (await connection.execute(lies)).one_or_none() is not None
        if deleted.status == 204:
            won["deletion"] += 1
            assert buried and files_of(desk, one) == []
            # A hold on the ticket is for what comes as well; on what is gone there is none.
            assert placed is (place.startswith("tickets")) and (held.status == 204) is placed
        else:
            won["hold"] += 1
            assert (deleted.code, held.status) == ("legal_hold", 204)
            assert placed and not buried and len(files_of(desk, one)) == 9
            assert None not in await stored_bodies(desk, one.id)

    await asyncio.gather(*(race(number, one) for number, one in enumerate(made)))
    assert won["hold"] and won["deletion"], f"the race was none: {won}"


async def test_a_hold_that_was_committed_first_wins_over_a_deletion_that_waits_for_the_lock(desk: Desk) -> None:
    made = await recorded_session(desk)
    async with desk.app.database.write() as connection:
        waiting = asyncio.create_task(delete(desk, made))
        while not desk.app.database._lock._waiters:  # the deletion's transaction stands in the queue
            await asyncio.sleep(0)
        row = {"id": new_id(), "session_id": made.id, "reason": "Case 7", "placed_by": desk.quinn.user_id}
        await connection.execute(holds.insert().values(**row, placed_at=now_ms()))
    assert (await waiting).code == "legal_hold"
    assert len(files_of(desk, made)) == 9


async def test_what_a_crash_left_on_the_disk_goes_with_the_next_sweep(desk: Desk) -> None:
    made, app = await recorded_session(desk), desk.app
    asked = deletion.Order("Ada", desk.ada.user_id, "127.0.0.1", "customer_request", "Letter")
    async with app.database.write() as connection:
        await deletion.bury(connection, app.signer, made.id, asked, now_ms())
    assert len(files_of(desk, made)) == 9
    assert (await desk.quinn.get("/api/tombstones")).body[0]["shredded_at"] is None
    await deletion.sweep(app.database, app.data, app.signer, now_ms())
    assert files_of(desk, made) == []
    assert (await desk.quinn.get("/api/tombstones")).body[0]["shredded_at"] is not None


async def test_a_deletion_that_cannot_be_committed_touches_no_file(desk: Desk) -> None:
    made, app = await recorded_session(desk), desk.app
    asked = deletion.Order("Ada", desk.ada.user_id, "127.0.0.1", "customer_request", "Letter")
    with pytest.raises(RuntimeError):
        async with app.database.write() as connection:
            await deletion.bury(connection, app.signer, made.id, asked, now_ms())
            raise RuntimeError
    assert len(files_of(desk, made)) == 9
    assert None not in await stored_bodies(desk, made.id)
    assert (await desk.quinn.get("/api/tombstones")).body == []


async def test_what_is_still_in_use_is_not_deleted(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    live = await desk.ada.post(f"/api/recordings/{dana['session']}/deletion", order())
    assert live.code == "recording_not_found", "nothing is recorded yet"
    unfinished = await recorded_session(desk, finished=False)
    assert (await delete(desk, unfinished)).code == "still_recording"
    made = await recorded_session(desk)
    async with desk.app.database.write() as connection:
        await connection.execute(sessions.update().where(sessions.c.id == made.id).values(ended_at=None))
    assert (await delete(desk, made)).code == "session_live"


async def article_of(desk: Desk, made: RecordedSession, state: str) -> str:
    """An article whose video is made, or was made, of the recording."""
    async with desk.app.database.write() as connection:
        article = await insert_article(connection, "How to print", "Text", desk.tess.user_id, "published")
        job = {"id": new_id(), "kind": "publish_clip", "arguments": "{}", "state": state, "progress": 0, "attempts": 1}
        await connection.execute(jobs.insert().values(**job, created_at=1))
        change = articles.update().where(articles.c.id == article)
        await connection.execute(change.values(session_id=made.id, job_id=job["id"]))
    return article


async def test_articles_made_of_a_recording_stay_or_go_as_was_said(desk: Desk) -> None:
    kept, dropped = await recorded_session(desk), await recorded_session(desk)
    for made in (kept, dropped):
        article = await article_of(desk, made, "running")
        assert (await delete(desk, made)).code == "clip_in_work"
        async with desk.app.database.write() as connection:
            await connection.execute(jobs.update().values(state="done"))
        (told,) = (await desk.ada.get(f"/api/recordings/{made.id}")).body["keeping"]["articles"]
        assert (told["id"], told["state"]) == (article, "published")
    assert (await delete(desk, kept, articles="keep")).status == 204
    assert (await delete(desk, dropped, articles="delete")).status == 204
    listed = (await desk.tess.get("/api/articles")).body["articles"]
    assert [article["slug"] for article in listed] == ["how-to-print"]
    assert (await statement_of(desk, kept.id))[0].articles_kept == ["how-to-print"]
    assert (await statement_of(desk, dropped.id))[0].articles_deleted == ["how-to-print-2"]


async def test_a_deletion_without_a_reason_or_with_a_made_up_one_is_refused(desk: Desk) -> None:
    made = await recorded_session(desk)
    for change in ({"reason": "x"}, {"ground": "retention"}, {"articles": "perhaps"}):
        assert (await delete(desk, made, **change)).status == 400, change
    assert len(files_of(desk, made)) == 9


async def test_a_note_that_comes_late_does_not_bring_back_what_was_said(desk: Desk) -> None:
    made = await recorded_session(desk)
    async with desk.app.database.write() as connection:
        await connection.execute(ticket_notes.delete())
    await delete(desk, made)
    await transcript.write(desk.app, made.id)
    async with desk.app.database.read() as connection:
        (note,) = (await connection.execute(ticket_notes.select())).all()
        found_by = (await connection.execute(select(sessions.c.search_text))).scalar_one()
    assert note.text.startswith("Session ended: solved.")
    assert SECRET_WORD.decode() not in (note.text + found_by).lower()


async def test_the_command_deletes_through_the_running_server_and_without_one(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def run(made: RecordedSession) -> tuple[int, str]:
        words = ("recordings", "delete", made.id, "--reason", "Letter of 3 May", "--data", str(data))
        done = await asyncio.to_thread(sightline, *words)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    async with open_desk(data) as desk:
        held, first, second = [await recorded_session(desk) for _ in range(3)]
        await hold(desk, f"recordings/{held.id}")
        with instance.claim(data):
            instance.announce(data, instance.Instance(os.getpid(), desk.base, desk.app.process_secret))
            assert await run(first) == (0, "")
            code, told = await run(held)
            assert code == 1 and "Quinn has put a legal hold" in told
        assert files_of(desk, first) == []
        assert len(files_of(desk, held)) == len(files_of(desk, second)) == 9
    assert await run(second) == (0, "")
    assert (await run(held))[0] == 1
    async with open_desk(data, cast=False) as desk:
        assert files_of(desk, second) == [] and len(files_of(desk, held)) == 9
        async with desk.app.database.read() as connection:
            said = (await connection.execute(select(tombstones.c.statement))).scalars().all()
        assert [msgspec.json.decode(one, type=Statement).by for one in said] == ["console", "console"]


def test_staff_stay_named_and_the_customer_does_not() -> None:
    dana = msgspec.json.encode(m.Joined("p", "customer", "Dana")).decode()
    alice = msgspec.json.encode(m.Joined("p", "agent", "Alice")).decode()
    assert deletion.is_personal("joined", dana) and not deletion.is_personal("joined", alice)
    assert not deletion.is_personal("agent_assigned", "{}")
