"""Sessions of the desk: started, joined, looked at, and written into their ticket at the end."""

import asyncio

from server import transcript
from server.database import new_id, now_ms, sessions, ticket_notes
from server.participants import AFTER_END_MS
from signaling import messages as m
from tests.server.desk import Desk, participation, redemption


async def note_of(desk: Desk, session: str) -> str:
    """The note that the session left in its ticket, once it is there."""
    async with asyncio.timeout(10):
        while True:
            async with desk.app.database.read() as connection:
                found = ticket_notes.select().where(ticket_notes.c.session_id == session)
                row = (await connection.execute(found)).one_or_none()
            if row is not None:
                return str(row.text)
            await asyncio.sleep(0.01)


async def test_a_session_begins_with_its_ticket_as_subject_and_its_agent_assigned(desk: Desk) -> None:
    session, _ = await desk.session(title="Printer jams")
    bodies = [event.body for event in await desk.app.timeline.read(session)]
    assert bodies == [
        m.SessionOpened("ACME Support", "Printer jams", True),
        m.AgentAssigned(desk.alice.user_id, "Alice"),
    ]
    summary = (await desk.alice.get(f"/api/sessions/{session}")).body
    assert (summary["phase"], summary["recording"], summary["may_join"]) == ("waiting", "off", True)


async def test_only_the_owner_or_an_admin_joins_as_agent(desk: Desk) -> None:
    session, _ = await desk.session()
    path = f"/api/sessions/{session}/participants"
    assert participation(await desk.alice.post(path)).session == session
    assert (await desk.ada.post(path)).status == 200
    for person, status in ((desk.bob, 403), (desk.tess, 403), (desk.quinn, 403), (desk.stranger, 401)):
        assert (await person.post(path)).status == status
    assert (await desk.bob.get(f"/api/sessions/{session}")).body["may_join"] is False


async def test_a_participants_token_opens_nothing_of_the_staffs(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    holder = desk.holder(dana)
    for path in ("/api/tickets", f"/api/sessions/{dana['session']}", "/api/waiting", "/api/recordings"):
        assert (await holder.get(path)).status == 401


async def test_the_customers_page_learns_who_asks_and_what_for(desk: Desk) -> None:
    _, invitation = await desk.session(title="Printer jams")
    dana = (await desk.stranger.post("/api/invitations/redeem", redemption(code=invitation["code"]))).body
    details = (await desk.holder(dana).get("/api/participation")).body
    assert details == {
        "session": dana["session"],
        "participant": dana["participant"],
        "role": "customer",
        "organization": "ACME Support",
        "subject": "Printer jams",
        "agent_name": "Alice",
        "ask_recording": True,
        "waiting": None,
        "feedback_given": False,
    }
    assert (await desk.stranger.get("/api/participation")).status == 401


async def test_the_end_writes_duration_people_transcript_snapshots_and_recording_into_the_ticket(desk: Desk) -> None:
    dana, alice = await desk.sharing()
    session = dana["session"]
    await desk.say(dana, m.Say(new_id(), "It says <b>paper</b>"))
    await desk.say(alice, m.Say(new_id(), "Open tray 2"), m.AddNote(new_id(), "Tray was empty"))
    await desk.say(alice, m.AddBookmark(new_id(), "The tray", now_ms()), m.End(new_id(), "solved"))
    note = await note_of(desk, session)
    assert "Session ended: solved." in note
    assert "Duration: " in note
    assert "Took part: Dana, Alice." in note
    assert "Dana: It says <b>paper</b>" in note
    assert "Alice: Open tray 2" in note
    assert "Alice: Tray was empty" in note
    assert "bookmark: The tray" in note
    assert "Not recorded." in note
    async with desk.app.database.read() as connection:
        row = (await connection.execute(sessions.select().where(sessions.c.id == session))).one()
    page = (await desk.alice.get(f"/api/tickets/{row.ticket_id}")).body
    assert page["status"] == "solved"
    assert page["notes"][-1]["author_name"] is None
    assert page["sessions"][0]["ended_at"] == row.ended_at
    assert page["sessions"][0]["recorded"] is False


async def test_the_note_is_written_once_even_when_the_server_ended_before_it_could(desk: Desk) -> None:
    dana, alice = await desk.sharing()
    session = dana["session"]
    await desk.say(alice, m.End(new_id(), None))
    await note_of(desk, session)
    async with desk.app.database.write() as connection:
        await connection.execute(ticket_notes.delete())
    await asyncio.gather(transcript.make_up(desk.app), transcript.write(desk.app, session))
    await transcript.make_up(desk.app)
    async with desk.app.database.read() as connection:
        assert len((await connection.execute(ticket_notes.select())).all()) == 1


async def test_an_ended_session_can_be_neither_joined_nor_invited_into(desk: Desk) -> None:
    dana, alice = await desk.sharing()
    await desk.say(alice, m.End(new_id(), None))
    path = f"/api/sessions/{dana['session']}"
    for answer in (await desk.alice.post(f"{path}/participants"), await desk.alice.post(f"{path}/invitations")):
        assert (answer.status, answer.code) == (409, "session_ended")


async def test_feedback_is_the_customers_alone_and_from_one_to_five(desk: Desk) -> None:
    dana, alice = await desk.sharing()
    path = "/api/participation/feedback"
    assert (await desk.holder(alice).post(path, {"score": 5})).status == 403
    for score in (0, 6, "5"):
        assert (await desk.holder(dana).post(path, {"score": score})).status == 400
    assert (await desk.holder(dana).post(path, {"score": 4})).status == 204
    assert (await desk.holder(dana).get("/api/participation")).body["feedback_given"] is True


async def test_a_participants_token_outlives_its_session_for_an_hour(desk: Desk) -> None:
    dana, alice = await desk.sharing()
    await desk.say(alice, m.End(new_id(), "solved"))
    assert (await desk.holder(dana).get("/api/participation")).status == 200
    async with desk.app.database.write() as connection:
        ended = sessions.update().where(sessions.c.id == dana["session"])
        await connection.execute(ended.values(ended_at=now_ms() - AFTER_END_MS - 1))
    for who in (dana, alice):
        assert (await desk.holder(who).get("/api/participation")).status == 401
    picture = await desk.holder(dana).get(f"/api/sessions/{dana['session']}/snapshots/any")
    assert picture.status == 401
