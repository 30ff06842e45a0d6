"""A session that was recorded by the parts that record it: its timeline and its media are those of a real one."""

import asyncio
from typing import NamedTuple

from recorder import vp8, webm
from server import checkpoints
from server.database import now_ms
from server.sessions import tell
from signaling import messages as m
from signaling.session import Join, Participant
from tests.server.desk import Desk

TAPE = Participant("tape", "recorder", "Recorder")


class Recorded(NamedTuple):
    """A session that is over: a finished segment and one that a crash ended."""

    session: str
    finished: str = "finished"
    broken: str = "broken"


async def record(desk: Desk) -> Recorded:
    """Dana shares and is recorded, the recorder dies over its second segment, and the session ends."""
    dana, alice = await desk.sharing()
    session = dana["session"]
    await tell(desk.app, session, Join(TAPE))
    for segment in ("finished", "broken"):
        started = m.ReportSegmentStarted(f"{segment}-began", segment, dana["participant"], "VP8", now_ms())
        await tell(desk.app, session, started, TAPE)
        file = desk.app.archive.create(segment)
        file.append(webm.header([webm.Track(vp8, (640, 360), b"")]))
        for second in range(5):
            file.append(webm.cluster([webm.Block(second * 1000, 1, True, bytes([second]) * 30_000)]))
        await tell(desk.app, session, m.ReportSegmentGrown(f"{segment}-grew", segment, *file.grown), TAPE)
        if segment == "finished":
            done = file.finish(5000)
            await tell(desk.app, session, m.ReportSegmentFinished("done", segment, *done), TAPE)
        else:
            file.close()
    await desk.say(alice, m.Say("bye", "Goodbye </script><b>"), m.End("end", "solved"))
    ticket = (await desk.quinn.get(f"/api/sessions/{session}")).body["ticket"]
    async with asyncio.timeout(20):
        while not (await desk.quinn.get(f"/api/tickets/{ticket}")).body["notes"]:  # all that observes the end is done
            await asyncio.sleep(0.02)
    await checkpoints.seal(desk.app, session, "end")
    return Recorded(session)
