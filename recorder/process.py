"""The recorder process: it serves many sessions, as the server tells it over one control WebSocket.

Losing that socket, or a session's signaling link, stops no recording: pictures come from peer to peer. SIGTERM finishes
every segment in order; SIGKILL costs what was not yet on disk, a second at most, and the next process indexes the rest.
"""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import msgspec
import structlog

from recorder.fragments import forget_unfinished, leftovers, recover
from recorder.orders import Order, Release
from recorder.participant import SessionRecorder

log = structlog.get_logger()

FIRST_RETRY = 0.25
LAST_RETRY = 3.0
HEARTBEAT = 5.0
THREADS = 4


_decoder: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)


class RecorderProcess:
    """The sessions that this process records into `folder`."""

    def __init__(self, server_url: str, secret: str, folder: Path) -> None:
        self._server_url = server_url.rstrip("/")
        self._secret = secret
        self._folder = folder
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="recorder")
        self._recorders: dict[str, SessionRecorder] = {}
        self._tokens: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

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

    def index_leftovers(self) -> None:
        """Indexes what a crash left behind, in a thread."""
        self._threads.submit(_index_leftovers, self._folder)

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
            recorder = SessionRecorder(self._server_url, order.token, self._folder, self._threads)
            self._recorders[order.session], self._tokens[order.session] = recorder, order.token
            self._spawn(self._record(order.session, recorder))

    async def _record(self, session: str, recorder: SessionRecorder) -> None:
        try:
            await recorder.run()
        except Exception:
            log.exception("recorder failed", session=session)
        finally:
            if self._recorders.get(session) is recorder:
                del self._recorders[session], self._tokens[session]

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _index_leftovers(folder: Path) -> None:
    forget_unfinished(folder)
    for path in leftovers(folder):
        try:
            recover(path)
        except (OSError, ValueError) as error:
            log.warning("segment not recovered", segment=path.stem, error=str(error))


async def run(server_url: str, secret: str, data_dir: Path) -> None:
    """Records for the server at `server_url` under `data_dir`/recordings, until SIGTERM or SIGINT."""
    folder = data_dir / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    process = RecorderProcess(server_url, secret, folder)
    process.index_leftovers()
    serving = asyncio.create_task(process.serve())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await serving
    finally:
        await process.finish()
