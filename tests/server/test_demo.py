"""The demo as a person meets it: started, looked around in, ended with Ctrl-C, started again."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server import demo
from server.demo import Account, read_accounts

pytestmark = pytest.mark.timeout(300)


class Running:
    """A demo process and what it printed so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.printed = ""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while data := await self.process.stdout.read(65536):
            self.printed += data.decode()

    async def says(self, pattern: str) -> str:
        async with asyncio.timeout(90):
            while not (found := re.search(pattern, self.printed)):
                assert self.process.returncode is None, self.printed
                await asyncio.sleep(0.05)
            return found[1]

    async def interrupt(self) -> int:
        """Ctrl-C, as the terminal sends it."""
        os.kill(self.process.pid, signal.SIGINT)
        code = await asyncio.wait_for(self.process.wait(), 60)
        await self._reading
        return code


@asynccontextmanager
async def start(data: Path) -> AsyncIterator[Running]:
    command = [sys.executable, "-m", "server.cli", "demo", "--port", "0", "--data", str(data)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SIGHTLINE_")}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment | {"COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    running = Running(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        print(running.printed)  # pytest shows it when the test fails


class Visitor:
    """A browser that signs in."""

    def __init__(self, url: str) -> None:
        self._http = aiohttp.ClientSession(url, cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> "Visitor":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def sign_in(self, account: Account) -> None:
        body = {"email": account.email, "password": account.password}
        async with self._http.post("/api/login", json=body) as response:
            assert response.status == 200

    async def ask(self, path: str, method: str = "GET") -> Any:
        async with self._http.request(method, path) as response:
            assert response.status == 200, (path, await response.text())
            return await response.json()

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        async with asyncio.timeout(120):
            while not holds(answer := await self.ask(path)):
                await asyncio.sleep(0.1)
            return answer


def descendants(pid: int) -> set[int]:
    """Processes below this one, by the kernel's word."""
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found |= {child} | descendants(child)
    return found


async def test_the_demo_shows_the_whole_story_ends_with_ctrl_c_and_keeps_its_data(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    async with start(data) as first:
        url = await first.says(r"listens at (http://\S+)")
        await first.says(r"(admin@example\.com)")
        people = {account.role: account for account in read_accounts(data)}
        for account in people.values():
            assert re.search(rf"{account.role}\s+{account.email}\s+{re.escape(account.password)}", first.printed)
        assert "Setup token" not in first.printed
        async with Visitor(url) as maria:
            await maria.sign_in(people["agent"])
            waiting = await maria.until("/api/waiting", lambda answer: bool(answer["waiting"]))
            session = waiting["waiting"][0]["session"]
            accepted = await maria.ask(f"/api/waiting/{session}/accept", "POST")
            shared = await maria.until(f"/api/sessions/{session}", lambda answer: answer["phase"] == "sharing")
            assert shared["recording"] == "on"
            recorded = await maria.until("/api/recordings", lambda answer: len(answer["recordings"]) == 2)
            assert {recording["session"] for recording in recorded["recordings"]} == {session, demo.SESSION}
            verdict = await maria.ask(f"/api/recordings/{demo.SESSION}/verification")
            assert (verdict["state"], verdict["checkpoints"]) == ("verified", 1)
            articles = await maria.until(
                "/api/articles",
                lambda a: len(a["articles"]) == 4 and all(x["state"] == "published" for x in a["articles"]),
            )
            tickets = await maria.ask("/api/tickets")
            found = await maria.ask("/api/help-articles?q=blank")
            assert [hit["has_video"] for hit in found["articles"]] == [True]
        children = descendants(first.process.pid)
        assert len(children) >= 3  # worker, recorder, customer
        assert await first.interrupt() == 0
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    async with start(data) as second:
        url = await second.says(r"listens at (http://\S+)")
        await second.says(r"(admin@example\.com)")
        assert {account.role: account for account in read_accounts(data)} == people
        async with Visitor(url) as maria:
            await maria.sign_in(people["agent"])
            again = await maria.until(f"/api/sessions/{session}", lambda answer: answer["phase"] == "sharing")
            assert again["ticket"] == accepted["ticket"]
            kept = await maria.ask("/api/tickets")
            assert [ticket["id"] for ticket in kept["tickets"]] == [ticket["id"] for ticket in tickets["tickets"]]
            assert (await maria.ask("/api/articles"))["articles"] == articles["articles"]
            assert {r["session"] for r in (await maria.ask("/api/recordings"))["recordings"]} == {session, demo.SESSION}
        assert await second.interrupt() == 0
