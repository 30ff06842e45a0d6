"""Janus as Debian packages it: each session a handle of its record-and-play plugin, which writes .mjr files."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PLUGINS = Path("/usr/lib/x86_64-linux-gnu/janus")
KEEP_ALIVE = 20.0
PATIENCE = 20.0


def installed() -> bool:
    """Whether it is there, with what is needed of it."""
    needed = ("plugins/libjanus_recordplay.so", "transports/libjanus_websockets.so")
    return shutil.which("janus") is not None and all((PLUGINS / name).exists() for name in needed)


class Janus:
    """A session with a running Janus."""

    def __init__(self, socket_: aiohttp.ClientWebSocketResponse, pid: int) -> None:
        self.pid = pid
        self._socket = socket_
        self._session = 0
        self._number = 0

    async def begin(self) -> None:
        self._session = (await self._ask({"janus": "create"}))["data"]["id"]

    async def answer(self, name: str, sdp: str) -> str:
        """Records what is offered; Janus' answer."""
        attached = await self._ask({"janus": "attach", "plugin": "janus.plugin.recordplay"})
        request = {"request": "record", "name": name}
        handle, jsep = attached["data"]["id"], {"type": "offer", "sdp": sdp}
        told = await self._ask({"janus": "message", "handle_id": handle, "body": request, "jsep": jsep}, event=True)
        described: str = told["jsep"]["sdp"]
        return described

    async def keep_alive(self) -> None:
        """Tells it from time to time that we are still there, until cancelled."""
        while True:
            await asyncio.sleep(KEEP_ALIVE)
            await self._socket.send_json({"janus": "keepalive", "session_id": self._session, "transaction": "alive"})

    async def _ask(self, message: dict[str, Any], *, event: bool = False) -> dict[str, Any]:
        self._number += 1
        transaction = str(self._number)
        about = {"session_id": self._session} if self._session else {}
        await self._socket.send_json({**message, **about, "transaction": transaction})
        async with asyncio.timeout(PATIENCE):
            while True:
                said: dict[str, Any] = await self._socket.receive_json()
                if said.get("transaction") != transaction or said["janus"] == "ack":
                    continue
                if said["janus"] == "error" or (event and "jsep" not in said):
                    raise RuntimeError(f"Janus: {said}")
                return said


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def janus(folder: Path) -> AsyncIterator[Janus]:
    """A process of it with nothing but what is needed; it writes into `folder`."""
    port = _free_port()
    settings = folder / "settings"
    settings.mkdir()
    for kind, wanted in (("plugins", "recordplay"), ("transports", "websockets")):
        (folder / kind).mkdir()
        (folder / kind / f"libjanus_{wanted}.so").symlink_to(PLUGINS / kind / f"libjanus_{wanted}.so")
    (folder / "recordings").mkdir()
    places = f'plugins_folder = "{folder}/plugins"\n transports_folder = "{folder}/transports"\n'
    general = f'general: {{\n {places} configs_folder = "{settings}"\n debug_level = 2\n session_timeout = 60\n}}\n'
    (settings / "janus.jcfg").write_text(general + "nat: {\n full_trickle = false\n}\n")
    listen = f'general: {{\n json = "compact"\n ws = true\n ws_port = {port}\n ws_ip = "127.0.0.1"\n wss = false\n}}\n'
    (settings / "janus.transport.websockets.jcfg").write_text(listen)
    recordings = f'general: {{\n path = "{folder}/recordings"\n}}\n'
    (settings / "janus.plugin.recordplay.jcfg").write_text(recordings)
    log = (folder / "log").open("wb")
    command = ("janus", "-F", str(settings), "-C", str(settings / "janus.jcfg"), "-e")
    process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(None) as limit:
            limit.reschedule(asyncio.get_running_loop().time() + PATIENCE)
            while True:
                try:
                    connected = await http.ws_connect(f"ws://127.0.0.1:{port}/", protocols=["janus-protocol"])
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
            limit.reschedule(None)
            running = Janus(connected, process.pid)
            await running.begin()
            alive = asyncio.create_task(running.keep_alive())
            yield running
            alive.cancel()
    finally:
        process.terminate()
        await process.wait()
        log.close()
