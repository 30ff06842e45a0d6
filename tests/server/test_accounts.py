"""Signing in and out, the first administrator, and keeping people."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from server.database import audit, logins
from server.keys import token_hash
from server.logins import cookie_name
from tests.server.desk import Answer, Desk, open_desk

NEW: dict[str, Any] = {"email": "eve@example.org", "name": "Eve", "role": "agent", "password": "correct horse"}


def sign_in(email: str, password: str) -> dict[str, str]:
    """The body of a login."""
    return {"email": email, "password": password}


def cookie_of(answer: Answer) -> tuple[str, str]:
    """Name and value of the cookie that was set."""
    name, _, value = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
    return name, value


async def test_who_was_added_can_sign_in_and_out(desk: Desk) -> None:
    assert (await desk.ada.post("/api/users", NEW)).status == 200
    answer = await desk.stranger.post("/api/login", sign_in(" EVE@example.org", NEW["password"]))
    assert answer.status == 200
    assert answer.body["name"] == "Eve"
    assert "ticket.write" in answer.body["capabilities"]
    assert "user.admin" not in answer.body["capabilities"]
    flags = answer.headers["Set-Cookie"]
    assert "HttpOnly" in flags
    assert "SameSite=Lax" in flags
    name, token = cookie_of(answer)
    headers = {"Cookie": f"{name}={token}"}
    assert (await desk.stranger.get("/api/me", headers=headers)).body["email"] == "eve@example.org"
    assert (await desk.stranger.post("/api/logout", None, headers=headers)).status == 204
    assert (await desk.stranger.get("/api/me", headers=headers)).status == 401


async def test_of_a_login_only_a_hash_is_stored(desk: Desk, tmp_path: Path) -> None:
    await desk.ada.post("/api/users", NEW)
    _, token = cookie_of(await desk.stranger.post("/api/login", sign_in(NEW["email"], NEW["password"])))
    async with desk.app.database.read() as connection:
        stored = (await connection.execute(select(logins.c.token_hash))).scalars().all()
    assert token_hash(token) in stored
    for file in (tmp_path / "data").glob("sightline.db*"):
        content = file.read_bytes()
        assert token.encode() not in content
        assert NEW["password"].encode() not in content


async def test_wrong_unknown_and_disabled_answer_alike_byte_for_byte(desk: Desk) -> None:
    added = (await desk.ada.post("/api/users", NEW)).body
    change = {"name": None, "role": None, "password": None, "disabled": True}
    wrong = await desk.stranger.post("/api/login", sign_in(NEW["email"], "wrong password"))
    unknown = await desk.stranger.post("/api/login", sign_in("nobody@example.org", "wrong password"))
    await desk.ada.ask("PATCH", f"/api/users/{added['id']}", change)
    disabled = await desk.stranger.post("/api/login", sign_in(NEW["email"], NEW["password"]))
    assert wrong.status == unknown.status == disabled.status == 401
    assert wrong.raw == unknown.raw == disabled.raw


async def test_after_too_many_wrong_passwords_even_the_right_one_has_to_wait(desk: Desk) -> None:
    await desk.ada.post("/api/users", NEW)
    for _ in range(10):
        assert (await desk.stranger.post("/api/login", sign_in(NEW["email"], "wrong password"))).status == 401
    answer = await desk.stranger.post("/api/login", sign_in(NEW["email"], NEW["password"]))
    assert answer.status == 429
    assert answer.code == "too_many"
    assert int(answer.headers["Retry-After"]) > 0


async def test_an_expired_login_is_none(desk: Desk) -> None:
    async with desk.app.database.write() as connection:
        await connection.execute(update(logins).where(logins.c.user_id == desk.bob.user_id).values(expires_at=1))
    assert (await desk.bob.get("/api/me")).status == 401


async def test_the_first_administrator_needs_the_token_of_the_console_and_is_made_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path / "data", cast=False) as desk:
        body = {"email": "root@example.org", "name": "Root", "password": "correct horse"}
        assert (await desk.stranger.get("/api/setup")).body == {"needed": True}
        wrong = await desk.stranger.post("/api/setup", body | {"token": "guess"})
        assert (wrong.status, wrong.code) == (403, "wrong_setup_token")
        good = {"token": desk.app.setup_token}
        weak = await desk.stranger.post("/api/setup", body | good | {"password": "short"})
        assert (weak.status, weak.code) == (400, "weak_password")
        made = await desk.stranger.post("/api/setup", body | good)
        assert (made.status, made.body["role"]) == (200, "admin")
        name, token = cookie_of(made)
        assert (await desk.stranger.get("/api/users", headers={"Cookie": f"{name}={token}"})).status == 200
        again = await desk.stranger.post("/api/setup", body | good | {"email": "second@example.org"})
        assert (again.status, again.code) == (409, "set_up_already")
        assert (await desk.stranger.get("/api/setup")).body == {"needed": False}


async def test_an_address_belongs_to_one_person(desk: Desk) -> None:
    await desk.ada.post("/api/users", NEW)
    second = await desk.ada.post("/api/users", NEW | {"email": "Eve@Example.org"})
    assert (second.status, second.code) == (409, "email_taken")


@pytest.mark.parametrize(
    "change", [{"email": "no address"}, {"role": "king"}, {"name": ""}, {"password": "short"}, {"extra": 1}]
)
async def test_a_person_that_makes_no_sense_is_refused(desk: Desk, change: dict[str, Any]) -> None:
    answer = await desk.ada.post("/api/users", NEW | change)
    assert answer.status == 400
    assert answer.body["error"]["text"]


async def test_the_last_administrator_stays(desk: Desk) -> None:
    nothing = {"name": None, "role": None, "password": None, "disabled": None}
    for change in ({"disabled": True}, {"role": "agent"}):
        answer = await desk.ada.ask("PATCH", f"/api/users/{desk.ada.user_id}", nothing | change)
        assert (answer.status, answer.code) == (409, "last_admin")
    assert (await desk.ada.get("/api/users")).status == 200
    missing = await desk.ada.ask("PATCH", "/api/users/nobody", nothing)
    assert (missing.status, missing.code) == (404, "user_missing")


async def test_another_password_signs_out_everywhere(desk: Desk) -> None:
    change = {"name": None, "role": None, "password": "a whole new one", "disabled": None}
    assert (await desk.ada.ask("PATCH", f"/api/users/{desk.bob.user_id}", change)).status == 200
    assert (await desk.bob.get("/api/me")).status == 401
    assert (await desk.stranger.post("/api/login", sign_in("bob@example.org", "a whole new one"))).status == 200


async def test_what_is_done_to_accounts_stands_in_the_audit_log(desk: Desk) -> None:
    added = (await desk.ada.post("/api/users", NEW)).body
    await desk.stranger.post("/api/login", sign_in(NEW["email"], NEW["password"]))
    async with desk.app.database.read() as connection:
        rows = (await connection.execute(select(audit.c.user_id, audit.c.action, audit.c.object))).all()
    assert (desk.ada.user_id, "user.created", added["id"]) in [tuple(row) for row in rows]
    assert (added["id"], "login", added["id"]) in [tuple(row) for row in rows]


def test_with_tls_the_cookie_is_bound_to_this_very_origin() -> None:
    assert cookie_name(secure=True).startswith("__Host-")
    assert not cookie_name(secure=False).startswith("__")


async def test_of_many_wrong_passwords_at_once_no_more_are_looked_at_than_one_after_the_other(desk: Desk) -> None:
    await desk.ada.post("/api/users", NEW)
    tries = [desk.stranger.post("/api/login", sign_in(NEW["email"], f"guess {n}")) for n in range(25)]
    statuses = sorted(answer.status for answer in await asyncio.gather(*tries))
    assert statuses == [401] * 10 + [429] * 15


async def test_the_feed_ends_with_its_login(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.feed.KEEP_ALIVE_S", 0.05)
    async with desk.bob._http.get(f"{desk.base}/api/feed") as answer:
        assert await answer.content.readline() == b"retry: 1000\n"
        async with desk.app.database.write() as connection:
            await connection.execute(update(logins).where(logins.c.user_id == desk.bob.user_id).values(expires_at=1))
        async with asyncio.timeout(20):
            await answer.content.read()


async def test_a_change_and_its_audit_row_are_one(desk: Desk) -> None:
    added = (await desk.ada.post("/api/users", NEW)).body
    nothing = {"name": None, "role": None, "password": None, "disabled": None}
    await desk.ada.ask("PATCH", f"/api/users/{added['id']}", nothing | {"name": "Eva"})
    refused = await desk.ada.ask("PATCH", f"/api/users/{desk.ada.user_id}", nothing | {"role": "qa"})
    assert refused.status == 409
    async with desk.app.database.read() as connection:
        changed = select(audit.c.user_id, audit.c.object).where(audit.c.action == "user.changed")
        rows = [tuple(row) for row in await connection.execute(changed)]
    assert rows == [(desk.ada.user_id, added["id"])]
