"""How long recordings are kept: by the class of their ticket, for ever when nobody said otherwise."""

import pytest

from server import deletion
from server.database import now_ms
from server.problems import Conflict
from server.retention import DAY_MS, due_recordings, is_due, kept_until
from tests.server.desk import Desk
from tests.server.recorded_session import RecordedSession, files_of, recorded_session

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("ended_days_ago", "days", "due"),
    [(10, 30, False), (29.999, 30, False), (30, 30, True), (400, 30, True), (400, None, False), (None, 1, False)],
)
def test_a_recording_is_due_when_its_session_ended_so_many_days_ago(
    ended_days_ago: float | None, days: int | None, due: bool
) -> None:
    ended_at = None if ended_days_ago is None else NOW - int(ended_days_ago * DAY_MS)
    assert is_due(ended_at, days, NOW) is due


def test_what_has_no_limit_and_what_goes_on_is_kept_for_ever() -> None:
    assert kept_until(NOW, 2) == NOW + 2 * DAY_MS
    assert kept_until(NOW, None) is None
    assert kept_until(None, 2) is None


def rule(name: str, days: int | None, standard: bool = False) -> dict[str, object]:
    return {"name": name, "days": days, "standard": standard}


async def class_id(desk: Desk, name: str) -> str:
    listed = (await desk.ada.get("/api/ticket-classes")).body
    return str(next(one["id"] for one in listed if one["name"] == name))


async def sort(desk: Desk, made: RecordedSession, name: str) -> None:
    """Give the session's ticket a class."""
    unchanged = dict.fromkeys(["title", "problem", "status", "priority", "customer_name", "customer_email", "owner_id"])
    change = unchanged | {"class_id": await class_id(desk, name)}
    assert (await desk.alice.ask("PATCH", f"/api/tickets/{made.ticket}", change)).status == 200


async def sweep(desk: Desk) -> set[str]:
    app = desk.app
    return set(await deletion.sweep(app.database, app.data, app.signer, now_ms()))


async def test_nothing_is_deleted_before_somebody_says_so(desk: Desk) -> None:
    made = await recorded_session(desk, days_ago=4000)
    (standard,) = (await desk.ada.get("/api/ticket-classes")).body
    assert (standard["name"], standard["days"], standard["standard"]) == ("Standard", None, True)
    assert (standard["tickets"], standard["recordings"], standard["due"]) == (1, 1, 0)
    assert await sweep(desk) == set()
    assert len(files_of(desk, made)) == 9


async def test_the_sweep_deletes_what_is_old_by_its_class_and_nothing_else(desk: Desk) -> None:
    old, young, other = [await recorded_session(desk, days) for days in (40, 10, 40)]
    held = await recorded_session(desk, 40)
    for name, days in (("Brief", 30), ("For ever", None)):
        assert (await desk.ada.post("/api/ticket-classes", rule(name, days))).status == 204
    for made, name in ((old, "Brief"), (young, "Brief"), (held, "Brief"), (other, "For ever")):
        await sort(desk, made, name)
    await desk.quinn.post(f"/api/recordings/{held.id}/holds", {"reason": "Case 7"})
    brief = next(one for one in (await desk.ada.get("/api/ticket-classes")).body if one["name"] == "Brief")
    assert (brief["tickets"], brief["recordings"], brief["due"]) == (3, 3, 1)
    shorter = await desk.ada.get(f"/api/ticket-classes/{brief['id']}/due?days=5")
    assert shorter.body == {"due": 2}
    assert await sweep(desk) == {old.id}
    assert files_of(desk, old) == []
    for made in (young, other, held):
        assert len(files_of(desk, made)) == 9
    (stone,) = (await desk.quinn.get("/api/tombstones")).body
    assert (stone["ground"], stone["rule"], stone["by"]) == ("retention", "Brief: 30 days", "retention")
    assert await sweep(desk) == set()


async def test_a_rule_that_changed_since_it_was_looked_at_is_the_one_that_holds(desk: Desk) -> None:
    made = await recorded_session(desk, 40)
    standard = await class_id(desk, "Standard")
    await desk.ada.ask("PATCH", f"/api/ticket-classes/{standard}", rule("Standard", 30, True))
    async with desk.app.database.read() as connection:
        assert await due_recordings(connection, now_ms(), 10) == [made.id]
    await desk.ada.ask("PATCH", f"/api/ticket-classes/{standard}", rule("Standard", 90, True))
    order = deletion.Order("retention", None, "", "retention", "")
    with pytest.raises(Conflict) as refused:
        await deletion.delete(desk.app.database, desk.app.data, desk.app.signer, made.id, order, now_ms())
    assert refused.value.code == "not_due"
    assert len(files_of(desk, made)) == 9


async def test_exactly_one_class_is_the_standard_one_and_it_stays(desk: Desk) -> None:
    standard = await class_id(desk, "Standard")
    refused = await desk.ada.ask("PATCH", f"/api/ticket-classes/{standard}", rule("Standard", 30))
    assert refused.code == "class_standard"
    assert (await desk.ada.ask("DELETE", f"/api/ticket-classes/{standard}")).code == "class_standard"
    assert (await desk.ada.post("/api/ticket-classes", rule(" Standard ", 30))).code == "class_name_taken"
    assert (await desk.ada.post("/api/ticket-classes", rule("   ", 30))).code == "class_nameless"
    assert (await desk.ada.post("/api/ticket-classes", rule("No days", 0))).status == 400
    assert (await desk.ada.post("/api/ticket-classes", rule("Care", 365, True))).status == 204
    listed = (await desk.alice.get("/api/ticket-classes/choices")).body
    assert [(one["name"], one["standard"]) for one in listed] == [("Care", True), ("Standard", False)]


async def test_tickets_of_a_class_that_is_taken_away_follow_the_standard_one(desk: Desk) -> None:
    made = await recorded_session(desk, 40)
    await desk.ada.post("/api/ticket-classes", rule("Brief", 30))
    await sort(desk, made, "Brief")
    assert (await desk.quinn.get(f"/api/recordings/{made.id}")).body["keeping"]["class_name"] == "Brief"
    assert (await desk.ada.ask("DELETE", f"/api/ticket-classes/{await class_id(desk, 'Brief')}")).status == 204
    kept = (await desk.quinn.get(f"/api/recordings/{made.id}")).body["keeping"]
    assert (kept["class_name"], kept["until"]) == ("Standard", None)
    assert await sweep(desk) == set()


async def test_a_ticket_takes_no_class_that_does_not_exist(desk: Desk) -> None:
    ticket = await desk.ticket()
    unchanged = dict.fromkeys(["title", "problem", "status", "priority", "customer_name", "customer_email", "owner_id"])
    change = unchanged | {"class_id": "none"}
    assert (await desk.alice.ask("PATCH", f"/api/tickets/{ticket['id']}", change)).code == "class_not_found"
