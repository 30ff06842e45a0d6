"""The real application in this process, on a free port, with the standing cast signed in."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import aiohttp
import msgspec
from aiohttp.test_utils import TestServer

from server import demo, logins, web
from server.database import new_id, now_ms, open_database, users
from server.participants import authenticate
from server.participation import Participation
from server.sessions import tell
from server.settings import Settings
from signaling import messages as m
from signaling.session import Command, Join, Participant

CAST = {"alice": "agent", "bob": "agent", "tess": "trainer", "quinn": "qa", "ada": "admin"}


class Login(NamedTuple):
    """Of one of the cast."""

    user_id: str
    token: str


class Prepared(NamedTuple):
    """A data folder to be copied, and the logins in it."""

    folder: TemporaryDirectory[str]
    logins: dict[str, Login]


_prepared: dict[tuple[bool, bool], Prepared] = {}


async def prepared(cast: bool, recorded: bool) -> Prepared:
    """Made once in a process: the way through all revisions, and a recording, take longer than most tests."""
    if (cast, recorded) not in _prepared:
        folder = TemporaryDirectory()
        made = (await prepared(True, False)).logins if recorded else {}
        if recorded:
            async with open_desk(Path(folder.name)) as desk:
                await demo.seed_recording(desk.app, desk.alice.user_id)
        else:
            database = await open_database(f"sqlite+aiosqlite:///{folder.name}/sightline.db")
            for name, role in CAST.items() if cast else ():
                user_id = new_id()
                row = {"id": user_id, "email": f"{name}@example.org", "name": name.capitalize(), "role": role}
                async with database.write() as connection:
                    new = users.insert().values(**row, password_hash="x", created_at=now_ms(), disabled=False)
                    await connection.execute(new)
                made[name] = Login(user_id, await logins.begin(database, user_id, 1))
            await database.close()
        _prepared[cast, recorded] = Prepared(folder, made)
    return _prepared[cast, recorded]


class Answer(NamedTuple):
    """What came back: `body` is the decoded JSON, or the raw bytes of anything else."""

    status: int
    body: Any
    raw: bytes
    headers: Any

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


class Person:
    """Somebody with a browser: a signed-in member of staff, a participant, or a stranger."""

    def __init__(self, base: str, headers: dict[str, str], user_id: str = "") -> None:
        self.base, self.user_id = base, user_id
        self._http = aiohttp.ClientSession(headers=headers, cookie_jar=aiohttp.DummyCookieJar())

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        if body is not None and not isinstance(body, bytes):
            options["json"] = body
        elif body is not None:
            options["data"] = body
        async with self._http.request(method, self.base + path, allow_redirects=False, **options) as response:
            raw = await response.read()
            decoded = msgspec.json.decode(raw) if raw and response.content_type == "application/json" else raw
            return Answer(response.status, decoded, raw, response.headers)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.ask("POST", path, body, **options)

    async def close(self) -> None:
        await self._http.close()


class Desk:
    """The application under test and who uses it."""

    def __init__(self, server: web.Server, site: TestServer) -> None:
        self.server, self.app, self.site = server, server.app, site
        self.base = str(site.make_url("")).rstrip("/")
        self._people: list[Person] = []
        self.stranger = self._person({})
        self.worker = self._person({"Authorization": f"Bearer {self.app.process_secret}"})
        self.staff: dict[str, Person] = {}

    def _person(self, headers: dict[str, str], user_id: str = "") -> Person:
        person = Person(self.base, headers, user_id)
        self._people.append(person)
        return person

    def bring(self, name: str, login: Login) -> None:
        """One of the cast, with the login that stands in the database."""
        cookie = f"{logins.cookie_name(self.app.settings.secure)}={login.token}"
        self.staff[name] = self._person({"Cookie": cookie}, login.user_id)

    def __getattr__(self, name: str) -> Person:
        if name in CAST:
            return self.staff[name]
        raise AttributeError(name)

    def holder(self, participation: dict[str, str]) -> Person:
        """Who holds a participant's token."""
        return self._person({"Authorization": f"Bearer {participation['token']}"})

    async def say(self, participation: dict[str, str], *commands: Command) -> None:
        """Have a participant do something in its session, as its socket would."""
        found = await authenticate(self.app.database, participation["token"])
        assert found is not None
        for command in commands:
            await tell(self.app, found.session, command, Participant(found.id, found.role, found.name))

    async def enter(self, participation: dict[str, str]) -> None:
        """Have a participant's socket accepted."""
        found = await authenticate(self.app.database, participation["token"])
        assert found is not None
        await tell(self.app, found.session, Join(Participant(found.id, found.role, found.name)))

    async def ticket(self, **values: str) -> Any:
        """A ticket of alice's."""
        new = {"title": "Printer", "problem": "", "priority": "normal", "customer_name": "Dana", "customer_email": ""}
        return (await self.alice.post("/api/tickets", new | values)).body

    async def session(self, **values: str) -> tuple[str, dict[str, Any]]:
        """A session of a ticket of alice's, and its invitation."""
        ticket = await self.ticket(**values)
        started = await self.alice.post(f"/api/tickets/{ticket['id']}/sessions", {"ask_recording": True})
        return started.body["session"], started.body["invitation"]

    async def sharing(self) -> tuple[dict[str, str], dict[str, str]]:
        """A session in which dana shares a window with alice and is recorded; the participations of both."""
        session, invitation = await self.session()
        dana = (await self.stranger.post("/api/invitations/redeem", redemption(code=invitation["code"]))).body
        alice = (await self.alice.post(f"/api/sessions/{session}/participants", None)).body
        await self.enter(dana)
        await self.enter(alice)
        surface = m.Surface(new_id(), "window", "Mail", 640, 480)
        yes = [m.GiveConsent(new_id(), "view", True), m.GiveConsent(new_id(), "record", True)]
        await self.say(dana, *yes, m.StartSharing(new_id(), surface))
        return dana, alice

    async def close(self) -> None:
        for person in self._people:
            await person.close()
        await self.server.close()
        await self.site.close()


def redemption(token: str | None = None, code: str | None = None) -> dict[str, str | None]:
    """The body of a redemption."""
    return {"token": token, "code": code, "language": "en"}


def participation(answer: Answer) -> Participation:
    """The answer as the Struct that it must be."""
    return msgspec.json.decode(answer.raw, type=Participation)


@asynccontextmanager
async def open_desk(data: Path, **settings: Any) -> AsyncIterator[Desk]:
    """The application on `data`; on a new folder with the cast, unless `cast` is false.

    With `recorded` it also has the demo's finished session with its real recording, `demo.SESSION`.
    """
    ready = await prepared(settings.pop("cast", True), settings.pop("recorded", False))
    if not (data / "sightline.db").exists():
        shutil.copytree(ready.folder.name, data, dirs_exist_ok=True)
    server = await web.compose(Settings(data=data, organization="ACME Support", **settings))
    site = TestServer(web.application(server.app))
    await site.start_server()
    await server.start()
    desk = Desk(server, site)
    try:
        for name, login in ready.logins.items():
            desk.bring(name, login)
        yield desk
    finally:
        await desk.close()
