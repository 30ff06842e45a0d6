"""A real server process with alice signed in and a session that waits for dana."""

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext

from tests.server_process import ServerProcess, seed

TICKET = {
    "title": "The printer prints nothing",
    "problem": "It says that it is out of paper.",
    "priority": "normal",
    "customer_name": "Dana",
    "customer_email": "dana@example.org",
}


class Workspace:
    """A running server, and how alice begins to help dana there."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self.url = server.url

    async def sign_in(self, browser: BrowserContext) -> None:
        """Sign alice in."""
        cookie = self._server.browser_cookie("alice")
        await browser.add_cookies([cookie])  # type: ignore[list-item] # the fixture's dict has a cookie's keys

    async def start_session(self, browser: BrowserContext, ask_recording: bool = False) -> tuple[str, str]:
        """A session of a ticket of alice's: its id, and the link for dana."""
        ticket = await self._post(browser, "/api/tickets", TICKET)
        asked = {"ask_recording": ask_recording}
        started = await self._post(browser, f"/api/tickets/{ticket['id']}/sessions", asked)
        return started["session"], started["invitation"]["link"]

    async def participate(self, browser: BrowserContext, session: str) -> str:
        """The token of a place of alice's in the session."""
        return str((await self._post(browser, f"/api/sessions/{session}/participants", {}))["token"])

    @contextmanager
    def recorder(self) -> Iterator[int]:
        """A recorder process, ended afterwards; the value is its id."""
        data = self._server.data
        command = [sys.executable, "-m", "server.cli", "recorder", "--server", self.url, "--data", str(data)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()

    async def _post(self, browser: BrowserContext, path: str, body: dict[str, Any]) -> Any:
        answer = await browser.request.post(self.url + path, data=body)
        if not answer.ok:
            raise RuntimeError(f"POST {path}: {answer.status} {await answer.text()}")
        return await answer.json()


@asynccontextmanager
async def workspace() -> AsyncIterator[Workspace]:
    """A server on a free port with a data folder of its own and no recorder; ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="sightline-benchmark-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        await seed(data)
        server = ServerProcess(data, Path(folder) / "server.log", {"log_level": "warning"})
        try:
            server.start()
            yield Workspace(server)
        finally:
            server.terminate()
