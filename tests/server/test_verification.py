"""Whether a recording is as it was recorded: asked by the player, answered by the verifier over what is stored."""

import asyncio
import hashlib
import json
import threading
import tracemalloc
from collections.abc import Mapping
from typing import Any

import msgspec

from recorder import verification, vp8, webm
from recorder.vault import CHUNK, vault_path
from server import checkpoints
from server.database import audit, checkpoints as sealed, events, now_ms, tombstones
from server.export import case_of
from server.sessions import tell
from server.verification import Flaw, UnwrittenExport, Verdict, look
from signaling import messages as m
from signaling.session import Participant, StoreSnapshot
from tests.server.desk import Desk
from tests.server.recorded_media import TAPE, Recorded, record


async def verdict(desk: Desk, session: str) -> Verdict:
    """What quinn's player is told."""
    answer = await desk.quinn.get(f"/api/recordings/{session}/verification?opening=one")
    assert answer.status == 200, answer.body
    return msgspec.json.decode(answer.raw, type=Verdict)


async def recorded(desk: Desk) -> Recorded:
    """A recording of two segments, all of which is finished and sealed."""
    made = await record(desk)
    report = m.ReportSegmentFinished("recovered", made.broken, *desk.app.archive.recover(made.broken))
    await tell(desk.app, made.session, report, TAPE)
    await checkpoints.seal(desk.app, made.session, "end")
    return made


async def altered(desk: Desk, session: str, seq: int, values: Mapping[str, Any]) -> list[Flaw]:
    """What is found when somebody writes into an event in the database; it is put back afterwards."""
    row = (events.c.session_id == session) & (events.c.seq == seq)
    async with desk.app.database.write() as connection:
        before = (await connection.execute(events.select().where(row))).one()._asdict()
        await connection.execute(events.update().where(row).values(**values))
    found = await verdict(desk, session)
    async with desk.app.database.write() as connection:
        await connection.execute(events.update().where(row).values(**before))
    assert (found.state == "altered") == bool(found.flaws)
    return found.flaws


async def actions(desk: Desk) -> list[str]:
    async with desk.app.database.read() as connection:
        return list((await connection.execute(audit.select().order_by(audit.c.at))).scalars(audit.c.action))


async def test_what_is_as_it_was_recorded_is_verified_and_counted(desk: Desk) -> None:
    made = await record(desk)
    found = await verdict(desk, made.session)
    (interruption,) = found.interruptions
    assert (found.state, found.flaws, interruption.segment, interruption.growing) == (
        "interrupted",
        [],
        "broken",
        False,
    )
    timeline = await desk.app.timeline.read(made.session)
    assert interruption.at == next(
        event.at for event in timeline if isinstance(event.body, m.SegmentGrown) and event.body.segment == "broken"
    )
    report = m.ReportSegmentFinished("recovered", made.broken, *desk.app.archive.recover(made.broken))
    await tell(desk.app, made.session, report, TAPE)
    await checkpoints.seal(desk.app, made.session, "end")
    found = await verdict(desk, made.session)
    assert (found.state, found.interruptions, found.flaws, found.more) == ("verified", [], [], 0)
    assert (found.segments, found.chunks, found.key) == (2, 6, desk.app.signer.key_id)
    timeline = await desk.app.timeline.read(made.session)
    assert found.bytes == sum(event.body.bytes for event in timeline if isinstance(event.body, m.SegmentFinished))
    assert found.events == len(timeline)
    assert found.sealed_at is not None
    assert found.checkpoints >= 2
    assert await actions(desk) != []
    assert (await actions(desk)).count("recording.played") == 1, "one look, however often it is checked"
    assert "recording.altered" not in await actions(desk)
    assert (await desk.quinn.get("/api/recordings/none/verification")).code == "session_not_found"


async def test_a_byte_that_is_flipped_on_the_disk_after_a_check_is_found_by_the_next(desk: Desk) -> None:
    made = await recorded(desk)
    assert (await verdict(desk, made.session)).state == "verified"
    path = vault_path(desk.app.archive.folder, made.finished)
    sound = path.read_bytes()
    flipped = bytearray(sound)
    flipped[CHUNK + 500] ^= 1
    path.write_bytes(flipped)
    (started,) = [
        event.body
        for event in await desk.app.timeline.read(made.session)
        if isinstance(event.body, m.SegmentStarted) and event.body.segment == made.finished
    ]
    found = await verdict(desk, made.session)
    at = started.started_at + 2000  # a cluster of 30 kB is a second, so the chunk begins in the third
    assert (found.state, found.flaws) == ("altered", [Flaw("altered", "chunk", "finished", 1, None, at)])
    assert (await actions(desk)).count("recording.altered") == 1
    path.write_bytes(sound)
    assert (await verdict(desk, made.session)).state == "verified"
    path.unlink()
    assert (await verdict(desk, made.session)).flaws == [
        Flaw("missing", "segment", "finished", None, None, started.started_at)
    ]


async def test_what_is_changed_in_the_database_is_named(desk: Desk) -> None:
    made = await recorded(desk)
    timeline = await desk.app.timeline.read(made.session)
    (said,) = [event for event in timeline if isinstance(event.body, m.ChatSaid)]
    (started, _) = [event for event in timeline if isinstance(event.body, m.SegmentStarted)]
    forged = '{"type":"chat_said","text":"I agree"}'
    here = Flaw("altered", "event", None, said.seq, None, said.at)
    assert await altered(desk, made.session, said.seq, {"body": forged}) == [here]
    assert await altered(desk, made.session, said.seq, {"body": "{nothing"}) == [here]
    assert (await altered(desk, made.session, said.seq, {"body": None, "salt": None}))[0].place == "proof"
    (first, *_) = await altered(desk, made.session, started.seq, {"body": '{"type":"segment_started"}'})
    assert (first.place, first.number) == ("event", started.seq)

    # With its own commitment and hash made anew the event itself is sound, but the next does not follow from it.
    async with desk.app.database.read() as connection:
        of_event = events.select().where(events.c.session_id == made.session, events.c.seq == said.seq)
        row = (await connection.execute(of_event)).one()
    committed = hashlib.sha256(row.salt + forged.encode()).digest()
    stored = {name: getattr(row, name) for name in ("seq", "at", "actor", "type")}
    anew = stored | {"commitment": committed.hex(), "previous_hash": row.previous_hash.hex()}
    chained = bytes.fromhex(verification.event_hash(made.session, anew))
    flaws = await altered(desk, made.session, said.seq, {"body": forged, "commitment": committed, "hash": chained})
    assert flaws == [Flaw("altered", "event", None, said.seq, said.seq + 1, said.at)]

    async with desk.app.database.write() as connection:
        await connection.execute(sealed.update().where(sealed.c.session_id == made.session).values(signature=bytes(64)))
    (flaw,) = (await verdict(desk, made.session)).flaws
    assert (flaw.place, flaw.number) == ("checkpoint", 1)


async def test_pictures_that_are_gone_and_deletions_that_nobody_signed_are_named(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    picture, sender = m.Surface("picture", "picture", "Desktop", 8, 8), Participant(dana["participant"], "customer", "")
    await tell(desk.app, dana["session"], StoreSnapshot(picture, None, "a" * 64), sender)
    found = await verdict(desk, dana["session"])
    at = (await desk.app.timeline.read(dana["session"]))[-1].at
    assert found.flaws == [Flaw("missing", "picture", None, None, None, at)]

    made = await recorded(desk)
    desk.app.archive.shred(made.finished)
    stated = json.dumps({"purpose": "tombstone", "session": made.session, "erased": []}, separators=(",", ":"))
    async with desk.app.database.write() as connection:
        grave = {"statement": stated, "key_id": desk.app.signer.key_id, "signature": bytes(64)}
        await connection.execute(tombstones.insert().values(session_id=made.session, at=now_ms(), **grave))
    assert (await verdict(desk, made.session)).flaws == [Flaw("altered", "proof", None, None, None, None)]


async def test_a_deletion_with_its_tombstone_alters_nothing(desk: Desk) -> None:
    made = await recorded(desk)
    order = {"ground": "customer_request", "reason": "Dana asked for it.", "articles": "keep"}
    assert (await desk.ada.post(f"/api/recordings/{made.session}/deletion", order)).status == 204
    found = await verdict(desk, made.session)
    assert (found.state, found.flaws, found.segments) == ("verified", [], 0)


async def test_what_is_being_written_is_checked_as_far_as_it_was_when_the_check_began(desk: Desk) -> None:
    made = await recorded(desk)
    dana, _ = await desk.sharing()
    session = dana["session"]
    file = desk.app.archive.create("growing")
    file.append(webm.header([webm.Track(vp8, (640, 360), b"")]))
    started = m.SegmentStarted("growing", dana["participant"], "VP8", now_ms())
    end = len(await desk.app.timeline.read(session))
    await desk.app.timeline.append(session, end, [m.Event(end + 1, now_ms(), "tape", started)], None)
    file.append(webm.cluster([webm.Block(0, 1, True, bytes(100_000))]))
    found = await verdict(desk, session)
    assert (found.state, found.flaws) == ("interrupted", [])
    assert [(one.segment, one.growing) for one in found.interruptions] == [("growing", True)]

    case = await case_of(desk.app.database, desk.app.settings, session)
    folder = UnwrittenExport(case, desk.app.archive, desk.app.signer, threading.Event())
    file.append(webm.cluster([webm.Block(1000, 1, True, bytes(200_000))]))
    assert verification.verify(folder).findings == []
    file.finish(2000)
    assert verification.verify(folder).findings == []
    assert (await verdict(desk, made.session)).state == "verified"


async def test_who_asks_while_it_is_being_checked_is_told_the_same(desk: Desk) -> None:
    made = await recorded(desk)
    path = f"/api/recordings/{made.session}/verification"
    answers = await asyncio.gather(*(person.get(path) for person in (desk.alice, desk.tess, desk.quinn)))
    assert len({answer.raw for answer in answers}) == 1
    assert desk.app.verdicts == {}
    assert (await desk.stranger.get(path)).status == 401


async def test_a_long_recording_is_never_in_memory_as_a_whole(desk: Desk) -> None:
    made = await record(desk)
    long = desk.app.archive.create("long")
    long.append(webm.header([webm.Track(vp8, (640, 360), b"")]))
    for second in range(64):
        long.append(webm.cluster([webm.Block(second * 1000, 1, True, bytes(500_000))]))
    done = long.finish(64_000)
    told: list[m.EventBody] = [m.SegmentStarted("long", "dana", "VP8", now_ms()), m.SegmentFinished("long", *done)]
    end = len(await desk.app.timeline.read(made.session))
    added = [m.Event(end + number, now_ms(), "tape", body) for number, body in enumerate(told, start=1)]
    await desk.app.timeline.append(made.session, end, added, None)
    case = await case_of(desk.app.database, desk.app.settings, made.session)
    tracemalloc.start()
    try:
        found = look(case, desk.app.archive, desk.app.signer, threading.Event())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (found.flaws, found.bytes > 32_000_000) == ([], True)
    assert peak < 4_000_000
