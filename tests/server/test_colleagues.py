"""Colleagues: whom a session's owner lets in sees the screen too, until they are removed."""

import asyncio
from typing import Any

import aiohttp
from sqlalchemy import select

from server.database import audit, new_id, now_ms, users
from signaling import messages as m
from signaling.session import MAX_VIEWERS
from tests.server.desk import Desk, participation
from tests.signaling.wire import Wire


def place(session: str, user: str = "") -> str:
    """Where a session's colleagues are found, or one of them."""
    return f"/api/sessions/{session}/colleagues" + (f"/{user}" if user else "")


async def names(desk: Desk, session: str) -> dict[str, list[str]]:
    """Who is in and who could be, as Alice sees it."""
    found = (await desk.alice.get(place(session))).body
    return {kind: [one["name"] for one in found[kind]] for kind in ("inside", "others")}


async def test_a_colleague_is_let_in_sees_where_and_is_out_at_once_when_removed(desk: Desk) -> None:
    dana, _ = await desk.sharing()
    session = dana["session"]
    path, bob = f"/api/sessions/{session}/participants", {"user": desk.bob.user_id}
    assert ((await desk.bob.post(path)).status, (await desk.bob.post(place(session), bob)).status) == (403, 403)
    assert await names(desk, session) == {"inside": [], "others": ["Ada", "Bob"]}
    assert (await desk.bob.get("/api/invited-sessions")).body == []

    for _ in range(2):
        assert (await desk.alice.post(place(session), bob)).status == 204
    assert await names(desk, session) == {"inside": ["Bob"], "others": ["Ada"]}
    [invited] = (await desk.bob.get("/api/invited-sessions")).body
    assert (invited["session"], invited["owner_name"], invited["customer_name"]) == (session, "Alice", "Dana")
    assert (await desk.ada.get("/api/invited-sessions")).body == []
    summary = (await desk.bob.get(f"/api/sessions/{session}")).body
    assert (summary["may_join"], summary["mine"]) == (True, False)
    assert (await desk.bob.get(place(session))).status == 403
    assert (await desk.bob.post(f"/api/sessions/{session}/invitations")).status == 403

    bobs = entered(await desk.bob.post(path))
    async with Wire(desk.base, bobs["token"]) as socket:
        await socket.until(m.Presence)
        state = await desk.app.endpoint.state(session)
        assert {state.participants[i].name for i in state.those_present("agent")} == {"Alice", "Bob"}
        assert (await desk.ada.ask("DELETE", place(session, desk.bob.user_id))).status == 204
        assert await socket.until_closed() == m.Closing("removed", None)
        state = await desk.app.endpoint.state(session)
        assert {state.participants[i].name for i in state.those_present("agent")} == {"Alice"}
    assert (await desk.holder(bobs).get("/api/participation")).status == 401
    assert (await desk.bob.post(path)).code == "not_yours"
    assert (await desk.bob.get(f"/api/sessions/{session}")).body["may_join"] is False
    assert (await desk.bob.get("/api/invited-sessions")).body == []
    assert await logged(desk) == [
        (by.user_id, action, about)
        for by, action in ((desk.alice, "colleague.added"), (desk.ada, "colleague.removed"))
        for about in (session, desk.bob.user_id)
    ]


def entered(answer: Any) -> dict[str, str]:
    """The participation as the desk passes it around."""
    found = participation(answer)
    return {"token": found.token, "session": found.session, "participant": found.participant}


async def logged(desk: Desk) -> list[tuple[str, str, str]]:
    """What the log says of colleagues."""
    rows = select(audit.c.user_id, audit.c.action, audit.c.object).where(audit.c.action.startswith("colleague."))
    async with desk.app.database.read() as connection:
        return [(row[0], row[1], row[2]) for row in await connection.execute(rows.order_by(audit.c.at))]


async def test_a_colleague_of_one_session_has_no_part_in_another_and_keeps_it_elsewhere(desk: Desk) -> None:
    first, _ = await desk.session()
    second, _ = await desk.session()
    bob = {"user": desk.bob.user_id}
    assert (await desk.alice.post(place(first), bob)).status == 204
    assert (await desk.bob.post(f"/api/sessions/{second}/participants")).code == "not_yours"
    assert (await desk.alice.post(place(second), bob)).status == 204
    kept = entered(await desk.bob.post(f"/api/sessions/{first}/participants"))
    await desk.bob.post(f"/api/sessions/{second}/participants")
    assert (await desk.alice.ask("DELETE", place(second, desk.bob.user_id))).status == 204
    assert (await desk.holder(kept).get("/api/participation")).status == 200
    assert [one["session"] for one in (await desk.bob.get("/api/invited-sessions")).body] == [first]


async def test_only_agents_who_can_sign_in_are_let_in_and_no_more_than_can_see(desk: Desk) -> None:
    session, _ = await desk.session()
    assert (await desk.alice.post(place(session), {"user": "nobody"})).code == "user_missing"
    assert (await desk.alice.post(place(session), {"user": desk.tess.user_id})).code == "not_an_agent"
    assert (await desk.alice.post(place("nowhere"), {"user": desk.bob.user_id})).status == 404
    crowd = [new_id() for _ in range(MAX_VIEWERS)]
    async with desk.app.database.write() as connection:
        for number, user in enumerate(crowd):
            row = {"id": user, "email": f"{number}@example.org", "name": f"Agent {number}", "role": "agent"}
            last = number == MAX_VIEWERS - 1
            new = users.insert().values(**row, password_hash="x", created_at=now_ms(), disabled=last)
            await connection.execute(new)
    assert (await desk.alice.post(place(session), {"user": crowd.pop()})).code == "user_missing"
    together = await asyncio.gather(*(desk.alice.post(place(session), {"user": user}) for user in crowd))
    assert {answer.status for answer in together} == {204}
    assert (await desk.alice.post(place(session), {"user": desk.bob.user_id})).code == "full"
    assert (await desk.alice.ask("DELETE", place(session, crowd[0]))).status == 204
    assert (await desk.alice.post(place(session), {"user": desk.bob.user_id})).status == 204


async def test_nobody_is_let_into_what_has_ended_and_it_is_on_nobodys_list(desk: Desk) -> None:
    dana, alice = await desk.sharing()
    session = dana["session"]
    await desk.alice.post(place(session), {"user": desk.bob.user_id})
    await desk.say(alice, m.End(new_id(), "solved"))
    async with asyncio.timeout(20):
        while (await desk.bob.get("/api/invited-sessions")).body:
            await asyncio.sleep(0.01)
    assert (await desk.alice.post(place(session), {"user": desk.ada.user_id})).code == "session_ended"


async def test_the_colleagues_own_page_hears_of_it(desk: Desk) -> None:
    session, _ = await desk.session()
    stream = aiohttp.ClientTimeout(total=20)
    async with desk.bob._http.get(f"{desk.base}/api/feed", timeout=stream) as feed:
        await feed.content.readuntil(b"\n\n")
        await desk.alice.post(place(session), {"user": desk.bob.user_id})
        assert await feed.content.readuntil(b"\n\n") == f"data: user:{desk.bob.user_id}\n\n".encode()
