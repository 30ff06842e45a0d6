"""The recorder process: it serves many sessions, as the server tells it over one control WebSocket.

Losing that socket, or a session's signaling link, stops no recording: pictures come from peer to peer. SIGTERM
finishes every segment in order; SIGKILL costs what was not yet on disk, a second at most, and the next process finishes
the rest. SIGHUP tells it that the server which started it is gone, as when that was killed: it records on until the
recorder of the next server has taken over, or for `ORPHANED_S` seconds.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import msgspec
import structlog

from recorder.archive import Archive
from recorder.orders import Order, Release
from recorder.participant import SessionRecorder

log = structlog.get_logger()

FIRST_RETRY = 0.25
LAST_RETRY = 3.0
HEARTBEAT = 5.0
THREADS = 4
ORPHANED_S = 120.0


_decoder: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)


class RecorderProcess:
    """The sessions that this process records into `archive`."""

    def __init__(self, server_url: str, secret: str, archive: Archive) -> None:
        self._server_url = server_url.rstrip("/")
        self._secret = secret
        self._archive = archive
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="recorder")
        self._recorders: dict[str, SessionRecorder] = {}
        self._tokens: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def idle(self) -> None:
        """Waits until there is no session to record."""
        await self._idle.wait()

    async def serve(self) -> None:
        """Does as the server says, until cancelled; reconnects by itself."""
        wait = FIRST_RETRY
        url = self._server_url.replace("http", "ws", 1) + "/api/recorder"
        headers = {"Authorization": f"Bearer {self._secret}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            while True:
                try:
                    async with http.ws_connect(url, heartbeat=HEARTBEAT) as socket:
                        wait = FIRST_RETRY
                        async for message in socket:
                            if message.type is aiohttp.WSMsgType.ERROR:  # no answer to a heartbeat
                                break
                            self._obey(message.data)
                except aiohttp.WSServerHandshakeError as error:
                    log.error("the server does not take this recorder", status=error.status)
                except (aiohttp.ClientError, OSError):
                    pass
                await asyncio.sleep(wait)
                wait = min(2 * wait, LAST_RETRY)

    async def finish(self) -> None:
        """Finishes every segment in order."""
        await asyncio.gather(*(r.stop(hurry=True) for r in self._recorders.values()), return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)
        self._threads.shutdown(wait=True)

    def finish_leftovers(self) -> None:
        """Finishes what a crash left behind, in a thread."""
        self._threads.submit(_finish_leftovers, self._archive)

    def _obey(self, data: str | bytes) -> None:
        try:
            order = _decoder.decode(data)
        except msgspec.DecodeError as error:
            log.warning("order not understood", error=str(error))
            return
        if isinstance(order, Release):
            self._tokens.pop(order.session, None)
            if recorder := self._recorders.pop(order.session, None):
                self._spawn(recorder.stop())
        elif self._tokens.get(order.session) != order.token:
            before = self._recorders.pop(order.session, None)
            if before is not None:
                self._spawn(before.stop())
            recorder = SessionRecorder(self._server_url, order.token, self._archive, self._threads)
            self._recorders[order.session], self._tokens[order.session] = recorder, order.token
            self._idle.clear()
            self._spawn(self._record(order.session, recorder))

    async def _record(self, session: str, recorder: SessionRecorder) -> None:
        try:
            await recorder.run()
        except Exception:
            log.exception("recorder failed", session=session)
        finally:
            if self._recorders.get(session) is recorder:
                del self._recorders[session], self._tokens[session]
            if not self._recorders:
                self._idle.set()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _finish_leftovers(archive: Archive) -> None:
    for segment in archive.leftovers():
        try:
            archive.recover(segment)
        except (OSError, ValueError) as error:
            log.warning("segment not recovered", segment=segment, error=str(error))


def record(server_url: str, secret: str, archive: Archive) -> None:
    """Records for the server at `server_url` into `archive`, until SIGTERM or SIGINT."""
    work = _run(server_url, secret, archive)
    if sys.platform == "linux":
        import uvloop  # noqa: PLC0415 - does not exist everywhere

        from recorder.sockets import DatagramLoop  # noqa: PLC0415

        uvloop.run(work, loop_factory=DatagramLoop)
    else:
        asyncio.run(work)


async def _run(server_url: str, secret: str, archive: Archive) -> None:
    process = RecorderProcess(server_url, secret, archive)
    process.finish_leftovers()
    serving = asyncio.create_task(process.serve())
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def end() -> None:
        told.set()
        serving.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, serving.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        waiting = [asyncio.create_task(work) for work in (told.wait(), process.idle())]
        await asyncio.wait(waiting, timeout=ORPHANED_S, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
    finally:
        await process.finish()
