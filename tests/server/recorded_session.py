"""A session that was recorded and ended some days ago: its timeline is a real one, its files hold no media."""

import asyncio
from typing import NamedTuple

from annotate.shapes import Annotation, Step
from server import recordings, snapshots as pictures
from server.database import events, new_id, now_ms, participants, sessions, snapshots, ticket_notes
from server.participants import admit
from server.sessions import tell
from signaling import messages as m
from signaling.session import Join, Participant, StoreSnapshot
from tests.server.desk import Desk

DAY_MS = 86_400_000
SECRET = "My mother's maiden name is Featherstonehaugh"
"""What Dana writes into the chat, and nobody may find afterwards."""
SUFFIXES = ("vault", "tail", "key", "index")


class RecordedSession(NamedTuple):
    """What was made; `segments` are ids of files in the recordings' folder."""

    id: str
    ticket: str
    segments: list[str]
    snapshot: str


def files_of(desk: Desk, made: RecordedSession) -> list[str]:
    """What lies on the disk of it, media, keys and pictures."""
    folder = recordings.folder(desk.app.data)
    found = [path.name for segment in made.segments for path in sorted(folder.glob(f"{segment}.*"))]
    return found + [path.name for path in pictures.folder(desk.app.data).glob(made.snapshot)]


async def recorded_session(desk: Desk, days_ago: float = 0.0, *, finished: bool = True) -> RecordedSession:
    """Dana shares with Alice, is recorded in two segments, says her secret, and it all ended `days_ago` days ago."""
    dana, alice = await desk.sharing()
    session = dana["session"]
    async with desk.app.database.write() as connection:
        admitted, _ = await admit(connection, session, "recorder", "Recorder")
        row = (await connection.execute(sessions.select().where(sessions.c.id == session))).one()
        naming = participants.update().where(participants.c.session_id == session, participants.c.role == "customer")
        await connection.execute(naming.values(name="Dana Featherstonehaugh"))
    recorder = Participant(admitted.id, "recorder", "Recorder")
    await tell(desk.app, session, Join(recorder))
    surface = (await desk.app.endpoint.state(session)).surface
    assert surface is not None
    customer = (await desk.app.endpoint.state(session)).customer
    assert customer is not None
    segments = [new_id(), new_id()]
    for number, segment in enumerate(segments):
        started = m.ReportSegmentStarted(new_id(), segment, customer, "VP8", now_ms())
        await tell(desk.app, session, started, recorder)
        if finished:
            report = m.ReportSegmentFinished(new_id(), segment, 1000 + number, 5000, f"{number}" * 64)
            await tell(desk.app, session, report, recorder)
    await desk.say(dana, m.Say(new_id(), SECRET))
    step = Annotation(new_id(), surface.id, "#d9480f", 0.004, False, Step((0.5, 0.5), 1, SECRET))
    await desk.say(alice, m.Annotate(new_id(), step), m.AddBookmark(new_id(), SECRET, now_ms()))
    await desk.say(alice, m.AddNote(new_id(), SECRET))
    picture = m.Surface(new_id(), "picture", SECRET, 10, 10)
    async with desk.app.database.write() as connection:
        await connection.execute(
            snapshots.insert().values(
                id=picture.id, session_id=session, width=10, height=10, mime="image/png", bytes=7, sha256="a" * 64,
                created_by=customer, at=now_ms(),
            )
        )  # fmt: skip
    await tell(desk.app, session, StoreSnapshot(picture, None, "a" * 64), Participant(customer, "customer", "Dana"))
    await desk.say(alice, m.End(new_id(), "solved"))
    await settled(desk, session)
    ended = now_ms() - int(days_ago * DAY_MS)
    async with desk.app.database.write() as connection:
        await connection.execute(sessions.update().where(sessions.c.id == session).values(ended_at=ended))
    for place in (recordings.folder(desk.app.data), pictures.folder(desk.app.data)):
        place.mkdir(parents=True, exist_ok=True)
    for segment in segments:
        for suffix in SUFFIXES:
            (recordings.folder(desk.app.data) / f"{segment}.{suffix}").write_bytes(b"media")
    (pictures.folder(desk.app.data) / picture.id).write_bytes(b"picture")
    return RecordedSession(session, row.ticket_id, segments, picture.id)


async def settled(desk: Desk, session: str) -> None:
    """Wait until all that the server does by itself at the end of a session is done; the note is the last of it."""
    query = ticket_notes.select().where(ticket_notes.c.session_id == session)
    while True:
        async with desk.app.database.read() as connection:
            if (await connection.execute(query)).one_or_none() is not None:
                return
        await asyncio.sleep(0.005)


async def stored_bodies(desk: Desk, session: str) -> list[str | None]:
    """The bodies of a timeline as they are stored."""
    async with desk.app.database.read() as connection:
        query = events.select().where(events.c.session_id == session).order_by(events.c.seq)
        return [row.body for row in await connection.execute(query)]
