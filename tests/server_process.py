"""A `sightline serve` process for tests, the cast that can sign in there, and ways to ask it."""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from argon2 import PasswordHasher

from server.accounts import NewUser, add_user
from server.database import open_database

START_S = 60.0
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes that cost no more wherever the cast signs in, for a hash says itself how it was made."""


class Person(NamedTuple):
    """A member of staff of the cast."""

    email: str
    name: str
    role: Any
    password: str


CAST = {
    name: Person(f"{name}@example.org", name.capitalize(), role, f"{name}-{secrets.token_hex(8)}")
    for name, role in {
        "alice": "agent",
        "bob": "agent",
        "charlie": "agent",
        "tessa": "trainer",
        "quinn": "qa",
        "ada": "admin",
    }.items()
}
"""Alice and Bob are agents of one team, Charlie an agent who has nothing to do with what they do. Dana, the customer,
has no account."""


async def seed(data: Path) -> None:
    """Make the cast in a new data folder."""
    database = await open_database(f"sqlite+aiosqlite:///{data / 'sightline.db'}")
    for person in CAST.values():
        async with database.write() as connection:
            new = NewUser(person.email, person.name, person.role, person.password)
            await add_user(connection, new, CHEAP.hash(person.password))
    await database.close()


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """A server on one port and one data folder; it may be killed and started again."""

    def __init__(self, data: Path, log: Path, settings: dict[str, object]) -> None:
        self.data = data
        self.log = log
        self.port = free_port()
        self.url = f"{'http' if settings.get('tls', 'off') == 'off' else 'https'}://127.0.0.1:{self.port}"
        self.confidential: set[str] = {person.password for person in CAST.values()}
        """What may never stand in the log; tests add the tokens that they are given."""
        self.expected_errors = False
        """Whether the test provokes what is logged with a traceback."""
        self._settings = {"children": False, "log_level": "info", "log_format": "json"} | settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    def children(self) -> dict[str, int]:
        """The processes that it started and that run now: `worker` and `recorder`, each with its id."""
        found: dict[str, int] = {}
        for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                found |= {name: int(child) for name in ("worker", "recorder") if name.encode() in words}
        return found

    @property
    def inside_url(self) -> str:
        """Where its own processes reach it, without TLS."""
        return str(json.loads((self.data / "server.json").read_text())["url"])

    def credentials(self, name: str) -> dict[str, str]:
        """The body of a login of one of the cast."""
        return {"email": CAST[name].email, "password": CAST[name].password}

    def start(self) -> None:
        """Start it and wait until it is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SIGHTLINE_")}
        for name, value in self._settings.items():
            text = ",".join(value) if isinstance(value, list) else str(value)
            environment[f"SIGHTLINE_{name.upper()}"] = text
        command = [sys.executable, "-m", "server.cli", "serve", "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            if json.loads((self.data / "server.json").read_text())["pid"] != self.pid:
                return False  # left by one that was killed
            with urllib.request.urlopen(f"{self.inside_url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def kill(self) -> None:
        """SIGKILL: it has no chance to say or write anything."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def terminate(self) -> float:
        """End it as Ctrl-C does; how many seconds that took. The children are ended with it."""
        if self._process is None or self._process.poll() is not None:
            return 0.0
        started = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        return time.monotonic() - started

    def check_log(self) -> None:
        """Fail when the log holds a traceback or a secret."""
        text = self.log.read_text()
        assert self.expected_errors or "Traceback" not in text, text
        for secret in self.confidential:
            assert secret not in text, "a secret stands in the log"

    # --- Asking it ---

    async def login(self, name: str) -> aiohttp.ClientSession:
        """One of the cast, signed in; to be used as `async with await server.login("alice") as alice:`."""
        session = self.anonymous()
        try:
            async with session.post("/api/login", json=self.credentials(name)) as answer:
                assert answer.status == 200, await answer.text()
        except BaseException:
            await session.close()
            raise
        for cookie in session.cookie_jar:
            self.confidential.add(cookie.value)
        return session

    def anonymous(self, token: str | None = None) -> aiohttp.ClientSession:
        """Somebody who is not signed in, or who shows a participant's token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an IP address
        return aiohttp.ClientSession(self.url, headers=headers, cookie_jar=jar)

    def browser_cookie(self, name: str) -> dict[str, Any]:
        """A login of one of the cast for Playwright's `context.add_cookies([...])`."""
        request = urllib.request.Request(
            f"{self.url}/api/login",
            json.dumps(self.credentials(name)).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            cookie, _, value = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
        self.confidential.add(value)
        return {"name": cookie, "value": value, "url": self.url, "httpOnly": True, "sameSite": "Lax"}


@contextlib.contextmanager
def running(seeded: Path, folder: Path, **settings: object) -> Iterator[ServerProcess]:
    """A server with the cast, in an empty folder, for tests that can share one; each setting is one of the server's."""
    shutil.copytree(seeded, folder / "data")
    process = ServerProcess(folder / "data", folder / "server.log", settings)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
    process.check_log()
