"""What a session leaves in its ticket: one note with duration, outcome, what was said, and where the pictures are."""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from server.app import App
from server.database import sessions, ticket_notes, tickets, tombstones
from server.folding import search_text
from server.holds import lock_session
from server.routes import background, observer
from server.tickets import insert_note, snapshot_url
from signaling.messages import (
    AgentAssigned,
    BookmarkAdded,
    ChatSaid,
    ConsentGiven,
    Event,
    Joined,
    Left,
    NoteAdded,
    SegmentStarted,
    SessionEnded,
    SharingStarted,
    SharingStopped,
    SnapshotTaken,
)

OUTCOMES = {
    "solved": "solved",
    "unsolved": "not solved",
    "escalated": "escalated",
    "abandoned": "abandoned",
    None: "no outcome given",
}
_TOLD = (AgentAssigned, ConsentGiven, Joined, Left, SegmentStarted, SessionEnded, SharingStarted, SharingStopped)


def duration(milliseconds: int) -> str:
    """Such as `12 min 5 s`."""
    minutes, seconds = divmod(max(0, milliseconds) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(max(0, milliseconds) // 1000, 60)
    return f"{minutes}:{seconds:02}"


def compose(session: str, timeline: Sequence[Event]) -> str:
    """The note's text out of a whole timeline; moments are counted from the first participant's coming."""
    names = {e.body.participant: (e.body.name or "Customer") for e in timeline if isinstance(e.body, Joined)}
    start = next((e.at for e in timeline if isinstance(e.body, Joined)), timeline[0].at)
    end, outcome, recorded = timeline[-1].at, None, False
    said: list[str] = []
    notes: list[tuple[int, str]] = []
    pictures: list[str] = []
    for event in timeline:
        match event.body:
            case ChatSaid(text):
                said.append(f"[{_clock(event.at - start)}] {names.get(event.actor, event.actor)}: {text}")
            case NoteAdded(text):
                notes.append((event.at, f"{names.get(event.actor, event.actor)}: {text}"))
            case BookmarkAdded(title, at):
                notes.append((at, f"bookmark: {title}"))
            case SnapshotTaken(surface):
                pictures.append(f"[{_clock(event.at - start)}] {snapshot_url(session, surface.id)}")
            case SegmentStarted():
                recorded = True
            case SessionEnded(given):
                outcome, end = given, event.at
    lines = [f"Session ended: {OUTCOMES[outcome]}.", f"Duration: {duration(end - start)}."]
    people = [e.body.name or "Customer" for e in timeline if isinstance(e.body, Joined) and e.body.role != "recorder"]
    if people := list(dict.fromkeys(people)):
        lines.append(f"Took part: {', '.join(people)}.")
    lines.append(f"Recording: /console/library/{session}" if recorded else "Not recorded.")
    noted = [f"[{_clock(at - start)}] {text}" for at, text in sorted(notes, key=lambda note: note[0])]
    for title, entries in (("Snapshots", pictures), ("Notes", noted), ("Transcript", said)):
        if entries:
            lines += ["", f"{title}:", *entries]
    return "\n".join(lines)


async def write(app: App, session: str) -> None:
    """Put the note into the session's ticket, once however often this runs; nothing before the session has ended."""
    timeline = await app.timeline.read(session)
    ending = next((e.body for e in reversed(timeline) if isinstance(e.body, SessionEnded)), None)
    if ending is None:
        return
    words = [e.body.text for e in timeline if isinstance(e.body, ChatSaid | NoteAdded)]
    words += [e.body.title for e in timeline if isinstance(e.body, BookmarkAdded)]
    try:
        async with app.database.write() as connection:
            await lock_session(connection, session)
            row = (await connection.execute(select(sessions).where(sessions.c.id == session))).one_or_none()
            erased = select(tombstones.c.at).where(tombstones.c.session_id == session)
            if row is None or (await connection.execute(erased)).one_or_none() is not None:
                return  # what was read above is not to be known any more
            found_by = search_text(row.subject, row.customer_name, row.problem, *words)
            await connection.execute(sessions.update().where(sessions.c.id == session).values(search_text=found_by))
            if row.ticket_id is None:
                return
            await insert_note(connection, row.ticket_id, None, compose(session, timeline), session)
            if ending.outcome == "solved":
                open_one = (tickets.c.id == row.ticket_id) & tickets.c.status.in_(["open", "pending"])
                await connection.execute(tickets.update().where(open_one).values(status="solved"))
    except IntegrityError:
        return  # written before
    app.feed.hint(f"ticket:{row.ticket_id}")


@observer
async def watch(app: App, session: str, events: list[Event]) -> None:
    """Tells the staff's pages what changed, and writes the note when a session ends."""
    if any(isinstance(event.body, _TOLD) for event in events):
        app.feed.hint(f"session:{session}")
    if any(isinstance(event.body, SessionEnded) for event in events):
        await write(app, session)


@background
async def make_up(app: App) -> None:
    """Writes the notes of sessions that ended just before the server did."""
    written = exists().where(ticket_notes.c.session_id == sessions.c.id)
    unwritten = select(sessions.c.id).where(
        sessions.c.ended_at.is_not(None), sessions.c.ticket_id.is_not(None), ~written
    )
    async with app.database.read() as connection:
        rows = (await connection.execute(unwritten)).scalars().all()
    for session in rows:
        await write(app, session)
