"""What every route has in common: bounds, errors and headers."""

import asyncio
import json
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web as aiohttp_web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.exc import OperationalError
from yarl import URL

from server import problems
from server.routes import MAX_BODY, ROUTES, STATUS, errors, route
from signaling.decisions import CommandRefused
from signaling.session import Refusal
from signaling.timeline import Unavailable
from tests.server.desk import Desk

SECRET = "what must not be shown"


async def answered(error: BaseException) -> tuple[int, dict[str, Any], str]:
    """Status, error and whole text of the answer when a handler raises this."""

    async def fail(_request: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        raise error

    site = aiohttp_web.Application(middlewares=[errors])
    site.router.add_get("/", fail)
    async with TestClient(TestServer(site)) as client, client.get("/") as answer:
        text = await answer.text()
        return answer.status, json.loads(text)["error"], text


@pytest.mark.parametrize("kind", list(STATUS), ids=lambda kind: kind.__name__)
async def test_every_problem_has_one_status_and_keeps_code_and_text(kind: type[problems.Problem]) -> None:
    status, error, _ = await answered(kind("the_code", "What happened. What to do."))
    assert status == STATUS[kind]
    assert error == {"code": "the_code", "text": "What happened. What to do.", "id": None}


def test_every_problem_stands_in_the_table() -> None:
    assert set(STATUS) == set(problems.Problem.__subclasses__())


async def test_what_is_unknown_shows_an_id_and_nothing_of_its_inside(capsys: pytest.CaptureFixture[str]) -> None:
    status, error, text = await answered(RuntimeError(SECRET))
    assert status == 500
    assert error["code"] == "internal"
    assert error["id"] in error["text"]
    assert SECRET not in text
    assert "Traceback" not in text
    logged = capsys.readouterr()
    assert error["id"] in logged.out + logged.err


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT secret", {}, Exception("database is locked")),
        OSError(28, "No space left on device", "/var/lib/secret"),
        Unavailable("database or disk is full"),
    ],
    ids=["locked", "full", "timeline"],
)
async def test_storage_that_fails_is_said_to_be_unavailable(error: Exception) -> None:
    status, shown, text = await answered(error)
    assert (status, shown["code"]) == (503, "unavailable")
    assert "again" in shown["text"]
    assert "secret" not in text


async def test_a_refused_command_is_a_conflict_with_its_own_words() -> None:
    status, error, _ = await answered(CommandRefused(Refusal("ended", "The session has ended.")))
    assert (status, error["code"], error["text"]) == (409, "ended", "The session has ended.")


def test_a_route_of_an_unknown_capability_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no such capability"):
        route("GET", "/api/x", "unheard.of")


def test_a_handler_says_by_its_annotations_what_it_is_given() -> None:
    rows = {f"{row.method} {row.path}": row for row in ROUTES}
    login = rows["POST /api/login"]
    assert login.body.__name__ == "Credentials"
    assert login.response.__name__ == "Me"
    assert set(rows["GET /api/me"].given) == {"user"}


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "application/json", 400, "invalid_body"),
        (b"{", "application/json", 400, "invalid_body"),
        (b"[]", "application/json", 400, "invalid_body"),
        (b'{"email": 1, "password": ""}', "application/json", 400, "invalid_body"),
        (b'{"email": "a", "password": "b", "admin": true}', "application/json", 400, "invalid_body"),
        (b"\xff\xfe", "application/json", 400, "invalid_body"),
        (b"[" * 60_000, "application/json", 400, "invalid_body"),
        (b'{"email": "a", "password": "b"}', "text/plain", 415, "not_json"),
        (b"email=a&password=b", "application/x-www-form-urlencoded", 415, "not_json"),
        (b'"' + b"a" * MAX_BODY + b'"', "application/json", 413, "body_too_large"),
    ],
)
async def test_a_body_that_is_wrong_is_refused_in_words(
    desk: Desk, body: bytes, kind: str, status: int, code: str
) -> None:
    answer = await desk.stranger.ask("POST", "/api/login", body, headers={"Content-Type": kind})
    assert (answer.status, answer.code) == (status, code)
    assert len(answer.body["error"]["text"]) > 20


async def test_an_address_that_does_not_exist_says_so(desk: Desk) -> None:
    for method, path in (("GET", "/api/nothing"), ("PUT", "/api/login"), ("GET", "/nothing")):
        answer = await desk.stranger.ask(method, path)
        assert answer.status == 404
        assert answer.body["error"]["text"]


@pytest.mark.parametrize("path", ["/", "/help", "/join", "/console/tickets", "/api/me", "/api/nothing", "/healthz"])
async def test_every_answer_carries_the_headers_that_protect(desk: Desk, path: str) -> None:
    headers = (await desk.stranger.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert {"display-capture=(self)", "microphone=(self)"} <= set(headers["Permissions-Policy"].split(", "))


async def test_a_host_header_made_of_policy_does_not_get_into_the_policy(desk: Desk) -> None:
    headers = {"Host": "x; script-src *"}
    answer = await desk.stranger.get("/healthz", headers=headers)
    assert "script-src *" not in answer.headers.get("Content-Security-Policy", "")


async def test_static_files_do_not_lead_outside(desk: Desk) -> None:
    for path in (
        "../__init__.py",
        "..%2f__init__.py",
        "%2e%2e/%2e%2e/pyproject.toml",
        "/etc/passwd",
        ".",
        "%00",
        "a" * 5000,
        "a%00b/c",
    ):
        async with aiohttp.ClientSession() as http:
            url = URL(f"{desk.base}/static/agent/{path}", encoded=True)
            async with http.get(url) as answer:
                assert answer.status == 404, path


async def test_the_feed_tells_what_changed(desk: Desk) -> None:
    async with desk.alice._http.get(f"{desk.base}/api/feed") as answer:
        assert answer.content_type == "text/event-stream"
        lines = answer.content
        assert await lines.readline() == b"retry: 1000\n"
        await lines.readline()
        desk.app.feed.hint("waiting")
        desk.app.feed.hint("ticket:x")
        desk.app.feed.hint("waiting")
        heard = [line async for line in _lines(lines, 4)]
        assert heard == [b"data: waiting\n", b"\n", b"data: ticket:x\n", b"\n"]
        desk.app.feed.close(desk.alice.user_id)
        assert await lines.read() == b""


async def _lines(stream: aiohttp.StreamReader, count: int) -> Any:
    for _ in range(count):
        yield await stream.readline()


async def test_readiness_follows_what_the_server_depends_on(desk: Desk) -> None:
    assert (await desk.stranger.get("/readyz")).body == {"state": "ok"}
    await desk.app.timeline.close()
    unready = await desk.stranger.get("/readyz")
    assert unready.status == 503
    assert "timeline" in msgspec.json.decode(unready.raw)["state"]
    assert (await desk.stranger.get("/healthz")).status == 200


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=no"]
)
async def test_a_form_that_makes_no_sense_is_refused_in_words(desk: Desk, kind: str) -> None:
    headers = {"Content-Type": kind}
    answer = await desk.stranger.ask("POST", "/help/any/answer", b"--y\r\n\xff=\xff", headers=headers)
    assert answer.status in {400, 404}


async def test_a_body_that_never_ends_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.routes.BODY_S", 0.05)
    reader, writer = await asyncio.open_connection(desk.site.host, desk.site.port)
    head = "POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    writer.write(head.encode())
    async with asyncio.timeout(20):
        assert (await reader.readline()).split()[1] == b"400"
    writer.close()
