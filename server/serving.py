"""`sightline serve` from its first line to its last: listeners, child processes, signals."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from server import accounts, instance
from server.app import App
from server.processes import Child
from server.settings import Settings
from server.tls import server_context
from server.web import Server, application, compose

END_S = 4.5
"""After so long from the signal the process is over, whatever hangs: all that was acknowledged is on disk anyway."""

log = structlog.get_logger()

Ready = Callable[[App, str], Awaitable[None]]


async def serve(settings: Settings, ready: Ready | None = None) -> None:
    """Serve until SIGINT or SIGTERM; `ready(app, url)` runs beside it once it listens.

    Raises `instance.AlreadyRunning` when another server has the data folder, and `OSError` when it cannot listen.
    `END_S` after a signal the process it runs in is ended, so it is no part of a larger program.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    children: list[Child] = []
    deadline = threading.Timer(END_S, _give_up, [children])
    deadline.daemon = True

    def end() -> None:
        if not stop.is_set():
            stop.set()
            deadline.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    with contextlib.closing(instance.claim(settings.data)):
        server = await compose(settings)
        runner = web.AppRunner(application(server.app), access_log=None, handle_signals=False, shutdown_timeout=0.5)
        beside: asyncio.Task[None] | None = None
        try:
            public, inside = await _listen(runner, settings)
            await server.start()
            instance.announce(settings.data, instance.Instance(os.getpid(), inside, server.app.process_secret))
            await _greet(server.app, public)
            children += _children(settings, server.app, inside) if settings.children else []
            for child in children:
                child.start()
            if ready is not None:
                beside = asyncio.ensure_future(ready(server.app, public))
            await stop.wait()
        finally:
            instance.withdraw(settings.data)
            await _end(server, runner, children, beside)


async def _end(
    server: Server, runner: web.AppRunner, children: list[Child], beside: asyncio.Future[None] | None
) -> None:
    """Everything at once: a recorder reports what it finished while all others are told when to come back."""
    server.app.assignment.close()
    for child in children:
        child.end()
    if beside is not None:
        beside.cancel()
    for site in list(runner.sites):
        await site.stop()
    await asyncio.gather(server.retire(), _over(beside), *(child.stop() for child in children))
    await server.close()
    await runner.cleanup()


async def _over(beside: asyncio.Future[None] | None) -> None:
    if beside is not None:
        results = await asyncio.gather(beside, return_exceptions=True)
        if isinstance(results[0], Exception):
            log.error("beside_failed", cause=repr(results[0]))


def _give_up(children: list[Child]) -> None:
    log.error("ended_in_haste", after_s=END_S)
    for child in children:
        child.kill()
    os._exit(1)


async def _listen(runner: web.AppRunner, settings: Settings) -> tuple[str, str]:
    """Open the listeners; the address for people, and one on this machine for our own processes."""
    await runner.setup()
    context = server_context(settings)
    site = web.TCPSite(runner, settings.host, settings.port, ssl_context=context, reuse_address=True)
    await site.start()
    port = _port(site)
    shown = settings.host if settings.host not in {"", "0.0.0.0", "::"} else "localhost"  # noqa: S104 - compared
    shown = f"[{shown}]" if ":" in shown else shown
    public = settings.public_url or f"{'https' if context else 'http'}://{shown}:{port}"
    if context is None and settings.host in {"127.0.0.1", "localhost", "0.0.0.0", ""}:  # noqa: S104 - compared
        return public, f"http://127.0.0.1:{port}"
    inner = web.TCPSite(runner, "127.0.0.1", 0)
    await inner.start()
    return public, f"http://127.0.0.1:{_port(inner)}"


def _port(site: web.TCPSite) -> int:
    server = site._server
    sockets = getattr(server, "sockets", None)
    if not sockets:
        raise OSError("the listener has no socket")
    return int(sockets[0].getsockname()[1])


async def _greet(app: App, url: str) -> None:
    """What a person at the terminal needs; the setup token is shown here and nowhere else."""
    print(f"Sightline listens at {url}", flush=True)
    try:
        async with app.database.read() as connection:
            needed = not await accounts.has_admin(connection)
    except SQLAlchemyError:
        return
    if needed:
        print("There is no administrator yet. Make one, with the token below, at", f"{url}/console", flush=True)
        print(f"Setup token: {app.setup_token}", flush=True)


def _children(settings: Settings, app: App, url: str) -> list[Child]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SIGHTLINE_")} | {
        "SIGHTLINE_PROCESS_SECRET": app.process_secret,
        "SIGHTLINE_DATA": str(settings.data.resolve()),
        "SIGHTLINE_LOG_LEVEL": settings.log_level,
        "SIGHTLINE_LOG_FORMAT": settings.log_format,
    }
    command = [sys.executable, "-m", "server.cli"]
    return [
        Child(name, [*command, name, "--server", url, "--until-stdin-ends"], environment)
        for name in ("worker", "recorder")
    ]
