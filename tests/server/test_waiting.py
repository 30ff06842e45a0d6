"""The waiting list: who comes unasked, in what order, and who takes them."""

import asyncio
from typing import Any

from server.database import new_id
from signaling import messages as m
from tests.server.desk import Desk


async def ask(desk: Desk, name: str, problem: str = "The printer jams") -> dict[str, Any]:
    answer = await desk.stranger.post("/api/help", {"name": name, "problem": problem, "language": "ru"})
    assert answer.status == 200
    place: dict[str, Any] = answer.body
    return place


async def test_the_list_has_the_longest_wait_first_and_the_customer_sees_the_place(desk: Desk) -> None:
    dana, emil = await ask(desk, "Dana"), await ask(desk, "Emil")
    listed = (await desk.alice.get("/api/waiting")).body
    assert [(w["name"], w["language"]) for w in listed["waiting"]] == [("Dana", "ru"), ("Emil", "ru")]
    assert listed["waiting"][0]["since"] <= listed["now"]
    places = [(await desk.holder(who).get("/api/participation")).body["waiting"] for who in (dana, emil)]
    assert [place["position"] for place in places] == [1, 2]
    assert all(place["waited_ms"] >= 0 for place in places)


async def test_accepting_assigns_the_agent_makes_the_ticket_and_moves_the_others_up(desk: Desk) -> None:
    dana, emil = await ask(desk, "Dana", "The printer\njams <i>often</i>"), await ask(desk, "Emil")
    accepted = (await desk.bob.post(f"/api/waiting/{dana['session']}/accept")).body
    assert accepted["session"] == dana["session"]
    ticket = (await desk.bob.get(f"/api/tickets/{accepted['ticket']}")).body
    assert ticket["title"] == "The printer jams <i>often</i>"
    assert ticket["problem"] == "The printer\njams <i>often</i>"
    assert (ticket["customer_name"], ticket["owner_name"]) == ("Dana", "Bob")
    details = (await desk.holder(dana).get("/api/participation")).body
    assert (details["waiting"], details["agent_name"]) == (None, "Bob")
    assert (await desk.holder(emil).get("/api/participation")).body["waiting"]["position"] == 1
    assert (await desk.bob.post(f"/api/sessions/{dana['session']}/participants")).status == 200


async def test_of_two_agents_one_gets_the_customer_and_the_other_is_told_who(desk: Desk) -> None:
    dana = await ask(desk, "Dana")
    path = f"/api/waiting/{dana['session']}/accept"
    by = [desk.alice, desk.bob] * 5
    answers = await asyncio.gather(*(person.post(path) for person in by))
    winners = {person.user_id for person, answer in zip(by, answers, strict=True) if answer.status == 200}
    assert len(winners) == 1
    name = "Alice" if winners == {desk.alice.user_id} else "Bob"
    refused = [answer for answer in answers if answer.status != 200]
    assert len(refused) == 5
    assert {(a.status, a.code) for a in refused} == {(409, "already_accepted")}
    assert all(a.body["error"]["text"].startswith(f"{name} has taken Dana") for a in refused)
    assert len({a.body["ticket"] for a in answers if a.status == 200}) == 1
    assigned = [e for e in await desk.app.timeline.read(dana["session"]) if isinstance(e.body, m.AgentAssigned)]
    assert len(assigned) == 1
    assert len((await desk.alice.get("/api/tickets")).body["tickets"]) == 1


async def test_who_says_goodbye_while_waiting_is_off_the_list(desk: Desk) -> None:
    dana = await ask(desk, "Dana")
    await desk.enter(dana)
    await desk.say(dana, m.Leave(new_id()))
    async with asyncio.timeout(10):
        while (await desk.app.endpoint.state(dana["session"])).phase != "ended":
            await asyncio.sleep(0.01)
    assert (await desk.alice.get("/api/waiting")).body["waiting"] == []
    late = await desk.alice.post(f"/api/waiting/{dana['session']}/accept")
    assert (late.status, late.code) == (409, "session_ended")


async def test_trainers_and_strangers_do_not_see_who_waits(desk: Desk) -> None:
    dana = await ask(desk, "Dana")
    for person, status in ((desk.tess, 403), (desk.quinn, 403), (desk.stranger, 401)):
        assert (await person.get("/api/waiting")).status == status
        assert (await person.post(f"/api/waiting/{dana['session']}/accept")).status == status


async def test_asking_takes_a_name_and_a_problem_and_is_limited_by_address(desk: Desk) -> None:
    for body in ({"name": "", "problem": "x"}, {"name": "Dana", "problem": ""}, {"name": "D" * 101, "problem": "x"}):
        assert (await desk.stranger.post("/api/help", body | {"language": "en"})).status == 400
    statuses = [
        (await desk.stranger.post("/api/help", {"name": "D", "problem": "x", "language": "en"})).status
        for _ in range(4)
    ]
    assert statuses == [200, 200, 200, 429]
