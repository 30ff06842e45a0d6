"""The web server: every capability's routes in one application, and how it starts and ends."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from sqlalchemy import select

from server import (
    accounts,
    audit,
    checkpoints,
    clients,
    colleagues,
    deletion,
    export,
    help_centre,
    holds,
    invitations,
    jobs,
    knowledge,
    pages,
    participants,
    participation,
    recorders,
    recordings,
    retention,
    sessions,
    snapshots,
    tickets,
    tombstones,
    transcript,
    verification,
    waiting,
)
from server.app import App
from server.assignment import Assignment
from server.database import Database, open_database, sessions as session_rows
from server.feed import Feed
from server.keys import new_token, open_archive, server_key
from server.limits import Limiter
from server.problems import Forbidden
from server.routes import BACKGROUND, MAX_BODY, OBSERVERS, ROUTES, bind, errors, route, same_origin
from server.settings import Settings
from server.signing import open_signer
from server.timeline import Timeline
from signaling.bus import LocalBus
from signaling.endpoint import Endpoint, EndpointSettings
from signaling.ice import IceSettings
from signaling.messages import Event
from signaling.session import Participant

CAPABILITIES = (
    accounts, audit, checkpoints, clients, colleagues, deletion, export, help_centre, holds, invitations, jobs,
    knowledge, pages, participation, recorders, recordings, retention, sessions, snapshots, tickets, tombstones,
    transcript, verification, waiting,
)  # fmt: skip
"""The modules whose import puts their routes into the table."""
HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,260}")

log = structlog.get_logger()


@route("GET", "/api/signal", "public")
async def signal(request: web.Request, app: App) -> web.StreamResponse:
    """The WebSocket of a session; who it speaks for is said by the token in its first message."""
    if not same_origin(request, app):
        raise Forbidden("foreign_origin", "This request came from another site and was not carried out.")
    return await app.endpoint.serve(request)


class Observing:
    """Runs the observers on committed events, one after the other in the order of commits."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[str, list[Event]]] = asyncio.Queue()

    def put(self, session: str, events: list[Event]) -> None:
        """Have the observers called soon."""
        self._queue.put_nowait((session, events))

    async def run(self, app: App) -> None:
        """Call them, for as long as the server runs; one that fails is logged and hinders nobody."""
        while True:
            session, events = await self._queue.get()
            for observe in OBSERVERS:
                try:
                    await observe(app, session, events)
                except Exception:
                    log.exception("observer_failed", observer=observe.__name__)


def _authenticator(database: Database) -> Callable[[str], Awaitable[tuple[str, Participant] | None]]:
    async def authenticate(token: str) -> tuple[str, Participant] | None:
        found = await participants.authenticate(database, token)
        return (found.session, Participant(found.id, found.role, found.name)) if found else None

    return authenticate


class Server:
    """The application and what runs with it."""

    def __init__(self, app: App, observing: Observing) -> None:
        self.app = app
        self._tasks = [asyncio.create_task(observing.run(app), name="observing")]

    async def start(self) -> None:
        """Give everyone who is present in a session the grace to come back, and begin the background's work."""
        async with self.app.database.read() as connection:
            query = select(session_rows.c.id).where(session_rows.c.ended_at.is_(None))
            open_sessions = (await connection.execute(query)).scalars().all()
        await self.app.endpoint.resume(open_sessions)
        for task in BACKGROUND:
            self._tasks.append(asyncio.create_task(self._forever(task), name=task.__name__))

    async def _forever(self, task: Callable[[App], Awaitable[None]]) -> None:
        while True:
            try:
                await task(self.app)
                return
            except Exception:
                log.exception("background_failed", task=getattr(task, "__name__", "?"))
                await asyncio.sleep(5)

    async def retire(self) -> None:
        """Take nobody new, and tell people when to come back; recorders may still report what they have written."""
        self.app.feed.close()
        await self.app.endpoint.retire()

    async def close(self) -> None:
        """Tell all who are left when to come back, write what is queued, and close."""
        await self.retire()
        await self.app.endpoint.close()
        tasks = [*self._tasks, *self.app.verdicts.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.app.timeline.close()
        await self.app.database.close()


async def compose(settings: Settings) -> Server:
    """Every part, put together once."""
    settings.data.mkdir(parents=True, exist_ok=True)
    database = await open_database(settings.database, settings.database_timeout_s)
    timeline, bus, observing = Timeline(database), LocalBus(), Observing()
    timeline.start()
    ice = IceSettings(
        settings.stun_urls,
        settings.turn_urls,
        settings.turn_secret.get_secret_value() if settings.turn_secret else "",
        settings.turn_lifetime_s,
    )
    endpoint = Endpoint(
        timeline,
        bus,
        _authenticator(database),
        EndpointSettings(grace_s=settings.grace_s, ping_s=settings.ping_s, ice=ice),
        observing.put,
    )
    app = App(
        settings=settings,
        database=database,
        timeline=timeline,
        bus=bus,
        endpoint=endpoint,
        assignment=Assignment(database, endpoint),
        feed=Feed(),
        limiter=Limiter(),
        signer=open_signer(settings),
        archive=open_archive(settings),
        key=server_key(settings),
        process_secret=settings.process_secret.get_secret_value() if settings.process_secret else new_token(),
        setup_token=secrets.token_urlsafe(24),
    )
    return Server(app, observing)


def application(app: App) -> web.Application:
    """The table of routes as an aiohttp application."""
    site = web.Application(middlewares=[errors, _lost(app)], client_max_size=MAX_BODY)
    for row in ROUTES:
        site.router.add_route(row.method, row.path, bind(app, row))
    site.on_response_prepare.append(_headers(app))
    return site


def _lost(app: App) -> Middleware:
    """Who comes to an address where nothing is, in a browser, gets a page with the ways on."""

    @web.middleware
    async def lost(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            if "text/html" not in request.headers.get("Accept", ""):
                raise
            return help_centre.page(request, app, "missing.html", status=404, what="page")

    return lost


def _headers(app: App) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    fixed = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "display-capture=(self), camera=(self), microphone=(self), geolocation=(), payment=()",
    }
    if app.settings.secure and app.settings.tls != "self-signed":
        fixed["Strict-Transport-Security"] = "max-age=31536000"
    scheme = "wss" if app.settings.secure else "ws"

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        # Safari does not take 'self' for WebSockets: https://github.com/w3c/webappsec-csp/issues/7
        sockets = f" {scheme}://{request.host}" if HOST.fullmatch(request.host) else ""
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
            f"media-src 'self' blob:; connect-src 'self'{sockets}; worker-src 'self' blob:; font-src 'self'; "
            "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers.setdefault("Content-Security-Policy", policy)
        for name, value in fixed.items():
            response.headers.setdefault(name, value)

    return add
