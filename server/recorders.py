"""Recorder processes: their control connection, and the events that start and end their work."""

import asyncio

from aiohttp import WSMsgType, web
from sqlalchemy import select

from server.app import App
from server.assignment import Recorder
from server.database import sessions
from server.routes import background, observer, route
from signaling.messages import (
    Event,
    Joined,
    Left,
    PathChanged,
    RecordingStarted,
    RecordingStopped,
    SessionEnded,
    SharingStopped,
)

HEARTBEAT_S = 10.0
LINGER_S = 8.0
"""How long a recorder hands a picture on that it need not hand on any more: viewers find the direct way meanwhile."""
TELLING = (Joined, Left, PathChanged, RecordingStarted, RecordingStopped, SharingStopped, SessionEnded)
"""Events after which a session may need a recorder, or need none any longer."""


@route("GET", "/api/recorder", "process")
async def control(request: web.Request, app: App) -> web.StreamResponse:
    """The WebSocket by which a recorder process is told what to record; when it ends, the process is gone."""
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, compress=False, max_msg_size=4096)
    await socket.prepare(request)
    recorder = Recorder()

    async def send() -> None:
        while True:
            await socket.send_frame(await recorder.next_order(), WSMsgType.TEXT)

    sending = asyncio.create_task(send())
    try:
        await app.assignment.enter(recorder)
        async for _ in socket:
            pass
    finally:
        sending.cancel()
        app.assignment.leave(recorder)
        await asyncio.gather(sending, return_exceptions=True)
    return socket


@observer
async def follow(app: App, session: str, events: list[Event]) -> None:
    """Assign a recorder when there is something to record or to hand on, and release it when there is not."""
    for event in events:
        match event.body:
            case Left(participant=participant, reason="lost"):
                await app.assignment.lose(session, participant)
    if any(isinstance(event.body, TELLING) for event in events):
        state = await app.endpoint.state(session)
        if state.wants_recorder:
            await app.assignment.want(session)
        else:
            depends = "recorder" in state.paths.values()
            await app.assignment.unwant(session, linger_s=LINGER_S if depends else 0.0)


@background
async def take_up(app: App) -> None:
    """After a start: sessions that had something for a recorder to do have it still."""
    async with app.database.read() as connection:
        open_sessions = (await connection.execute(select(sessions.c.id).where(sessions.c.ended_at.is_(None)))).scalars()
    for session in open_sessions.all():
        if (await app.endpoint.state(session)).wants_recorder:
            await app.assignment.want(session)
