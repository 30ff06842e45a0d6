"""Tickets: made, changed, found, and read."""

import pytest

from tests.server.desk import Desk

MARKUP = "<img src=x onerror=alert(1)>\"'&"


async def test_a_new_ticket_is_its_makers_and_gets_the_next_number(desk: Desk) -> None:
    first, second = await desk.ticket(title="One"), await desk.ticket(title="Two")
    assert second["number"] == first["number"] + 1
    assert first["owner_name"] == "Alice"
    assert first["status"] == "open"


async def test_a_change_keeps_what_it_does_not_name(desk: Desk) -> None:
    ticket = await desk.ticket(title="Printer", problem="It jams")
    unchanged = dict.fromkeys(["title", "problem", "status", "priority", "customer_name", "customer_email", "owner_id"])
    answer = await desk.bob.ask("PATCH", f"/api/tickets/{ticket['id']}", unchanged | {"status": "pending"})
    assert answer.status == 200
    assert (answer.body["status"], answer.body["problem"], answer.body["title"]) == ("pending", "It jams", "Printer")


async def test_a_ticket_can_be_given_to_another_agent_or_to_nobody_but_not_to_a_trainer(desk: Desk) -> None:
    ticket = await desk.ticket()
    change = dict.fromkeys(["title", "problem", "status", "priority", "customer_name", "customer_email"])
    path = f"/api/tickets/{ticket['id']}"
    given = await desk.alice.ask("PATCH", path, change | {"owner_id": desk.bob.user_id})
    assert given.body["owner_name"] == "Bob"
    refused = await desk.alice.ask("PATCH", path, change | {"owner_id": desk.tess.user_id})
    assert (refused.status, refused.code) == (400, "invalid_owner")
    nobody = await desk.alice.ask("PATCH", path, change | {"owner_id": ""})
    assert nobody.body["owner_id"] is None


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("прин", "Принтер не печатает"),
        ("ПЕЧАТАЕТ принтер", "Принтер не печатает"),
        ("елка", "Ёлка"),
        ("συνδεση", "Σύνδεση ΔΙΚΤΎΟΥ"),
        ("δικτυου", "Σύνδεση ΔΙΚΤΎΟΥ"),
        ("strasse", "Straße"),
    ],
)
async def test_search_finds_words_by_their_beginning_in_any_case_and_accent(desk: Desk, query: str, title: str) -> None:
    for name in ("Принтер не печатает", "Ёлка", "Σύνδεση ΔΙΚΤΎΟΥ", "Straße"):
        await desk.ticket(title=name)
    found = await desk.alice.get("/api/tickets", params={"q": query})
    assert [ticket["title"] for ticket in found.body["tickets"]] == [title]


@pytest.mark.parametrize("query", ['"', "%", "_", "' OR 1=1 --", "\\", "a" * 5000])
async def test_signs_in_a_search_are_no_syntax(desk: Desk, query: str) -> None:
    await desk.ticket(title="Plain")
    answer = await desk.alice.get("/api/tickets", params={"q": query})
    assert answer.status == 200
    assert [ticket["title"] for ticket in answer.body["tickets"]] in ([], ["Plain"])


async def test_the_list_is_filtered_by_status_number_and_owner(desk: Desk) -> None:
    mine = await desk.ticket(title="Mine")
    await desk.bob.post("/api/tickets", {"title": "Bob's", "problem": "", "priority": "high", "customer_name": "",
                                         "customer_email": ""})  # fmt: skip
    titles = [t["title"] for t in (await desk.alice.get("/api/tickets?mine=1")).body["tickets"]]
    assert titles == ["Mine"]
    by_number = (await desk.bob.get("/api/tickets", params={"q": str(mine["number"])})).body["tickets"]
    assert [t["title"] for t in by_number] == ["Mine"]
    assert (await desk.bob.get("/api/tickets?status=closed")).body["tickets"] == []


async def test_markup_in_every_text_comes_back_as_it_was_written(desk: Desk) -> None:
    ticket = await desk.ticket(title=MARKUP, problem=MARKUP, customer_name=MARKUP)
    noted = await desk.alice.post(f"/api/tickets/{ticket['id']}/notes", {"text": MARKUP})
    assert noted.headers["Content-Type"].startswith("application/json")
    assert noted.body["title"] == noted.body["problem"] == noted.body["notes"][0]["text"] == MARKUP
    assert noted.body["notes"][0]["author_name"] == "Alice"


async def test_qa_and_trainers_read_tickets_but_do_not_change_them(desk: Desk) -> None:
    ticket = await desk.ticket()
    for person in (desk.quinn, desk.tess):
        assert (await person.get(f"/api/tickets/{ticket['id']}")).status == 200
        assert (await person.post(f"/api/tickets/{ticket['id']}/notes", {"text": "x"})).status == 403
    assert (await desk.stranger.get("/api/tickets")).status == 401


async def test_a_title_of_spaces_and_an_unknown_ticket_are_refused_in_words(desk: Desk) -> None:
    blank = await desk.alice.post("/api/tickets", {"title": "  ", "problem": "", "priority": "low",
                                                   "customer_name": "", "customer_email": ""})  # fmt: skip
    assert (blank.status, blank.code) == (400, "title_empty")
    assert (await desk.alice.get("/api/tickets/nothing")).code == "ticket_not_found"
    assert (await desk.alice.post("/api/tickets/nothing/notes", {"text": "x"})).status == 404
