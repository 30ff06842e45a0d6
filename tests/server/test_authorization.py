"""Who may do what: every route × every kind of caller × whether the thing is theirs."""

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web as aiohttp_web

from server import web
from server.database import users
from server.routes import CAPABILITIES, OTHERS, ROUTES, Route, bearer
from signaling import messages as m
from tests.server.desk import Desk, Person
from tests.signaling.wire import Wire

STRANGER, CUSTOMER, OTHER_CUSTOMER, WORKER = "stranger", "dana", "another customer", "worker"
STAFF = frozenset({"alice", "bob", "tess", "quinn", "ada"})
AGENTS = frozenset({"alice", "bob", "ada"})
OWNERS = frozenset({"alice", "ada"})
"""Alice has the session; Bob is of the same role but it is not his; Ada is the administrator."""
LIBRARY = frozenset({"tess", "ada"})
REVIEW = frozenset({"quinn", "ada"})
ANYONE = STAFF | {STRANGER, CUSTOMER, OTHER_CUSTOMER, WORKER}

EXPECTED: dict[str, frozenset[str]] = {
    "GET /": ANYONE,
    "GET /api/articles": STAFF,
    "GET /api/articles/{article}": STAFF,
    "PATCH /api/articles/{article}": LIBRARY,
    "DELETE /api/articles/{article}": LIBRARY,
    "GET /api/articles/{article}/poster": STAFF,
    "GET /api/articles/{article}/video": STAFF,
    "GET /api/audit": REVIEW,
    "GET /api/audit/export": REVIEW,
    "GET /api/clients": ANYONE,
    "GET /api/feed": STAFF,
    "POST /api/help": ANYONE,
    "GET /api/help-articles": ANYONE,
    "GET /api/holds": REVIEW,
    "POST /api/holds/{hold}/release": REVIEW,
    "POST /api/invitations/redeem": ANYONE,
    "GET /api/invited-sessions": AGENTS,
    "GET /api/jobs/{job}": STAFF,
    "POST /api/login": ANYONE,
    "POST /api/logout": ANYONE,
    "GET /api/me": STAFF,
    "GET /api/organization": ANYONE,
    "GET /api/participation": frozenset({CUSTOMER, OTHER_CUSTOMER}),
    "POST /api/participation/client": frozenset({CUSTOMER, OTHER_CUSTOMER}),
    "POST /api/participation/feedback": frozenset({CUSTOMER, OTHER_CUSTOMER}),
    "GET /api/recorder": frozenset({WORKER}),
    "GET /api/recordings": STAFF,
    "GET /api/recordings/{session}": STAFF,
    "POST /api/recordings/{session}/clips": LIBRARY,
    "POST /api/recordings/{session}/deletion": frozenset({"ada", WORKER}),
    "POST /api/recordings/{session}/holds": REVIEW,
    "GET /api/recordings/{session}/export": STAFF | {WORKER},
    "GET /api/recordings/{session}/verification": STAFF,
    "GET /api/recordings/{session}/segments/{segment}": STAFF,
    "HEAD /api/recordings/{session}/segments/{segment}": STAFF,
    "GET /api/sessions/{session}": STAFF,
    "GET /api/sessions/{session}/colleagues": OWNERS,
    "POST /api/sessions/{session}/colleagues": OWNERS,
    "DELETE /api/sessions/{session}/colleagues/{user}": OWNERS,
    "POST /api/sessions/{session}/invitations": OWNERS,
    "DELETE /api/sessions/{session}/invitations": OWNERS,
    "POST /api/sessions/{session}/participants": OWNERS,
    "POST /api/sessions/{session}/snapshots": frozenset({CUSTOMER}),
    "GET /api/sessions/{session}/snapshots/{snapshot}": STAFF | {CUSTOMER},
    "GET /api/setup": ANYONE,
    "POST /api/setup": ANYONE,
    "GET /api/signal": ANYONE,
    "GET /api/signing-keys": ANYONE,
    "GET /api/ticket-classes": frozenset({"ada"}),
    "POST /api/ticket-classes": frozenset({"ada"}),
    "GET /api/ticket-classes/choices": STAFF,
    "PATCH /api/ticket-classes/{class}": frozenset({"ada"}),
    "DELETE /api/ticket-classes/{class}": frozenset({"ada"}),
    "GET /api/ticket-classes/{class}/due": frozenset({"ada"}),
    "GET /api/tickets": STAFF,
    "POST /api/tickets": AGENTS,
    "GET /api/tickets/{ticket}": STAFF,
    "PATCH /api/tickets/{ticket}": AGENTS,
    "POST /api/tickets/{ticket}/holds": REVIEW,
    "POST /api/tickets/{ticket}/notes": AGENTS,
    "POST /api/tickets/{ticket}/sessions": AGENTS,
    "GET /api/tombstones": REVIEW,
    "GET /api/tombstones/export": REVIEW,
    "GET /api/tombstones/{session}": REVIEW,
    "GET /api/users": frozenset({"ada"}),
    "POST /api/users": frozenset({"ada", WORKER}),
    "PATCH /api/users/{user}": frozenset({"ada"}),
    "GET /api/waiting": AGENTS,
    "POST /api/waiting/{session}/accept": AGENTS,
    "POST /api/worker/claim": frozenset({WORKER}),
    "POST /api/worker/jobs/{job}/fail": frozenset({WORKER}),
    "POST /api/worker/jobs/{job}/finish": frozenset({WORKER}),
    "POST /api/worker/jobs/{job}/progress": frozenset({WORKER}),
    "GET /console": ANYONE,
    "GET /console/{rest:.*}": ANYONE,
    "GET /download/{system}/{name}": ANYONE,
    "GET /get-help": ANYONE,
    "GET /healthz": ANYONE,
    "GET /help": ANYONE,
    "GET /help/{slug}": ANYONE,
    "POST /help/{slug}/answer": ANYONE,
    "GET /join": ANYONE,
    "GET /media/{file}": ANYONE,
    "GET /readyz": ANYONE,
    "GET /static/agent/{name:.+}": ANYONE,
    "GET /static/customer/{name:.+}": ANYONE,
}
"""Every route, and who gets past its door. A route that is missing here fails the test."""

DENIED = {401, 403}


def named(route: Route) -> str:
    """A route as it stands in `EXPECTED`."""
    return f"{route.method} {route.path}"


def test_every_route_is_listed_here_and_nothing_else() -> None:
    assert {named(route) for route in ROUTES} == set(EXPECTED)
    assert len(ROUTES) == len({named(route) for route in ROUTES})


async def test_the_router_holds_the_table_and_nothing_else(desk: Desk) -> None:
    application = web.application(desk.app)
    assert isinstance(application, aiohttp_web.Application)
    routed = {
        f"{route.method} {route.resource.canonical if route.resource else ''}" for route in application.router.routes()
    }
    table = {f"{route.method} {route.path}".replace(":.+", "").replace(":.*", "") for route in ROUTES}
    assert routed == table


def test_every_capability_is_known_and_used() -> None:
    used = {capability for route in ROUTES for capability in route.capabilities}
    assert used == set(CAPABILITIES) | OTHERS


async def callers(desk: Desk) -> tuple[dict[str, Person], dict[str, str]]:
    """Everyone who may ask, and what there is to ask for: a session of Alice's in which Dana shares."""
    dana, _ = await desk.sharing()
    another = (await desk.stranger.post("/api/help", {"name": "Dora", "problem": "x", "language": "en"})).body
    people = {name: desk.staff[name] for name in STAFF} | {
        STRANGER: desk.stranger,
        CUSTOMER: desk.holder(dana),
        OTHER_CUSTOMER: desk.holder(another),
        WORKER: desk.worker,
    }
    ticket = (await desk.alice.get("/api/tickets")).body
    first = ticket["tickets"][0] if isinstance(ticket, dict) else ticket[0]
    return people, {"session": dana["session"], "ticket": first["id"]}


async def status_of(person: Person, route: Route, things: dict[str, str]) -> int:
    """The status that this caller gets; a stream is not read."""
    path = route.path
    for name in re.findall(r"\{(\w+)\}", path):
        path = path.replace(f"{{{name}}}", things.get(name, "nothing"))
    path = path.replace("{name:.+}", "nothing").replace("{rest:.*}", "nothing")
    options: dict[str, Any] = {"json": {}} if route.body is not None else {}
    url = f"{person.base}{path}"
    async with person._http.request(route.method, url, allow_redirects=False, **options) as answer:
        return answer.status


async def test_only_who_may_gets_past_any_door(desk: Desk) -> None:
    people, things = await callers(desk)
    assert set(people) == ANYONE
    wrong: list[str] = []
    for route in sorted(ROUTES, key=lambda route: route.path == "/api/logout"):  # it signs out whoever walks
        passed = set()
        for name, person in people.items():
            status = await status_of(person, route, things)
            if status >= 500 and not (status == 503 and "public" in route.capabilities):
                wrong.append(f"{named(route)} by {name}: {status}")
            if status not in DENIED:
                passed.add(name)
        if passed != EXPECTED[named(route)]:
            wrong.append(f"{named(route)}: {sorted(passed)} instead of {sorted(EXPECTED[named(route)])}")
    assert not wrong


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "ünicode", "Bearer", "null"])
async def test_a_made_up_token_opens_nothing(desk: Desk, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Cookie": f"sightline={token.encode('ascii', 'ignore').decode()}"}
    for path in ("/api/participation", "/api/me", "/api/recorder", "/api/worker/claim"):
        method = "POST" if path.endswith("claim") else "GET"
        answer = await desk.stranger.ask(method, path, headers=headers)
        assert answer.status == 401, path
        assert set(answer.body["error"]) == {"code", "text", "id"}


async def test_a_disabled_account_is_signed_out_and_its_sockets_are_closed(desk: Desk) -> None:
    dana, alice = await desk.sharing()
    assert (await desk.alice.get("/api/me")).status == 200
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{desk.base}/api/signal") as socket:
        await socket.send_json({"type": "hello", "version": 1, "token": alice["token"], "last_seq": 0})
        change = {"name": None, "role": None, "password": None, "disabled": True}
        changed = await desk.ada.ask("PATCH", f"/api/users/{desk.alice.user_id}", change)
        assert changed.status == 200
        last: Any = None
        async for message in socket:
            last = msgspec.json.decode(message.data)
        assert last == {"type": "closing", "code": "account_disabled", "retry_ms": None}
        async with http.ws_connect(f"{desk.base}/api/signal") as again:
            await again.send_json({"type": "hello", "version": 1, "token": alice["token"], "last_seq": 0})
            assert (await again.receive_json())["code"] == "token_unusable"
    assert (await desk.alice.get("/api/me")).status == 401
    assert (await desk.holder(dana).get("/api/participation")).status == 200


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ({"password": "a whole new one"}, False),
        ({"role": "qa"}, False),
        ({"role": "admin"}, True),
        ({"name": "Alicia"}, True),
    ],
    ids=str,
)
async def test_who_may_have_no_part_in_a_session_any_longer_is_out_of_it(
    desk: Desk, change: dict[str, str], stays: bool
) -> None:
    dana, alice = await desk.sharing()
    async with Wire(desk.base, alice["token"]) as socket:
        await socket.until(m.Presence)
        body = {"name": None, "role": None, "password": None, "disabled": None} | change
        assert (await desk.ada.ask("PATCH", f"/api/users/{desk.alice.user_id}", body)).status == 200
        if stays:
            assert isinstance(await socket.do(m.Say("on", "Where were we?")), m.Ack)
        else:
            assert await socket.until_closed() == m.Closing("signed_out", None)
    assert (await desk.holder(alice).get("/api/participation")).status == (200 if stays else 401)
    assert (await desk.holder(dana).get("/api/participation")).status == 200


async def test_a_token_of_bytes_that_are_no_text_opens_nothing(desk: Desk) -> None:
    for header in (b"Authorization: Bearer \xff\xfe", b"Cookie: sightline=\xff\xfe"):
        for path in (b"/api/participation", b"/api/me", b"/api/users", b"/api/recorder"):
            reader, writer = await asyncio.open_connection(desk.site.host, desk.site.port)
            writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + b"\r\n\r\n")
            status = (await reader.readline()).split()[1]
            writer.close()
            assert status in {b"400", b"401"}, (header, path)


async def test_a_role_that_was_taken_away_is_gone_at_once(desk: Desk) -> None:
    assert (await desk.bob.get("/api/waiting")).status == 200
    async with desk.app.database.write() as connection:
        await connection.execute(users.update().where(users.c.id == desk.bob.user_id).values(role="qa"))
    assert (await desk.bob.get("/api/waiting")).status == 403


def test_the_authorization_header_is_read_as_it_should_be(tmp_path: Path) -> None:
    class Request:
        headers = {"Authorization": "bearer  token "}  # noqa: RUF012

    assert bearer(Request()) == "token"  # type: ignore[arg-type]
    Request.headers = {"Authorization": "Basic abc"}
    assert bearer(Request()) is None  # type: ignore[arg-type]
