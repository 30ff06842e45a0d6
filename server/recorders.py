"""Recorder processes: their control connection, and the events that start and end their work."""

import asyncio

from aiohttp import WSMsgType, web
from sqlalchemy import select

from server.app import App
from server.assignment import Recorder
from server.database import sessions
from server.routes import background, observer, route
from signaling.messages import Event, Left, RecordingStarted, RecordingStopped, SessionEnded

HEARTBEAT_S = 10.0


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
    """Assign a recorder when recording starts, and release it when it stops."""
    for event in events:
        match event.body:
            case RecordingStarted():
                await app.assignment.want(session)
            case RecordingStopped() | SessionEnded():
                await app.assignment.unwant(session)
            case Left(participant=participant, reason="lost"):
                await app.assignment.lose(session, participant)


@background
async def take_up(app: App) -> None:
    """After a start: what was being recorded is to be recorded on."""
    async with app.database.read() as connection:
        open_sessions = (await connection.execute(select(sessions.c.id).where(sessions.c.ended_at.is_(None)))).scalars()
    for session in open_sessions.all():
        if (await app.endpoint.state(session)).recording == "on":
            await app.assignment.want(session)
