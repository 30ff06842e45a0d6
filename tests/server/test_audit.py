"""The audit log: every look at a recording stands in it, and who may read it finds it again."""

import ast
import csv
import io
import json
import re

from server.audit import AuditEntry, as_csv
from server.database import audit, now_ms
from tests.project.tree import REPOSITORY
from tests.server.desk import Desk, Person
from tests.server.recorded_session import recorded_session


async def entries(desk: Desk, query: str = "") -> list[tuple[str | None, str, str]]:
    """Who did what to what, the newest first, as Quinn reads it."""
    page = (await desk.quinn.get(f"/api/audit?{query}")).body
    return [(one["user_name"], one["action"], one["object"]) for one in page["entries"]]


async def looks(desk: Desk, action: str = "recording.played") -> list[tuple[str | None, str, str]]:
    return await entries(desk, f"action={action}")


async def test_a_recording_that_is_opened_is_in_the_log_once_however_often_the_page_is_loaded(desk: Desk) -> None:
    made = await recorded_session(desk)

    async def open_page(person: Person, opening: str) -> str:
        page = (await person.get(f"/api/recordings/{made.id}?opening={opening}")).body
        return str(page["segments"][0]["url"])

    url = await open_page(desk.bob, "first")
    await open_page(desk.bob, "first")
    assert url.endswith("?opening=first")
    await desk.bob.get(url)
    assert await looks(desk) == [("Bob", "recording.played", made.id)]
    await open_page(desk.bob, "second")
    await open_page(desk.tess, "first")
    assert [name for name, _, _ in await looks(desk)] == ["Tess", "Bob", "Bob"]


async def test_a_file_that_is_asked_for_without_the_player_is_in_the_log_as_well(desk: Desk) -> None:
    made = await recorded_session(desk)
    address = f"/api/recordings/{made.id}/segments/{made.segments[0]}"
    for _ in range(2):
        await desk.bob.get(address, headers={"Range": "bytes=5-"})
    assert await looks(desk) == [("Bob", "recording.played", made.id)]


async def test_every_download_is_in_the_log(desk: Desk) -> None:
    made = await recorded_session(desk)
    address = f"/api/recordings/{made.id}/segments/{made.segments[0]}?download=1"
    await desk.tess.get(address)
    await desk.tess.get(address, headers={"Range": "bytes=0-"})
    await desk.tess.get(address, headers={"Range": "bytes=64-"})  # an interrupted one that goes on
    assert await looks(desk, "recording.downloaded") == [("Tess", "recording.downloaded", made.id)] * 2


async def test_holds_deletions_and_exports_are_in_the_log(desk: Desk) -> None:
    made = await recorded_session(desk)
    await desk.quinn.post(f"/api/recordings/{made.id}/holds", {"reason": "Case 7"})
    (hold,) = (await desk.quinn.get("/api/holds")).body
    await desk.quinn.post(f"/api/holds/{hold['id']}/release", {"reason": "Case closed"})
    order = {"ground": "other", "reason": "By mistake", "articles": "keep"}
    await desk.ada.post(f"/api/recordings/{made.id}/deletion", order)
    await desk.quinn.get(f"/api/tombstones/{made.id}")
    assert [(who, what) for who, what, _ in await entries(desk, f"about={made.id}")][:4] == [
        ("Quinn", "tombstones.exported"), ("Ada", "recording.deleted"),
        ("Quinn", "hold.released"), ("Quinn", "hold.placed"),
    ]  # fmt: skip


async def test_the_log_is_found_by_who_what_about_and_when(desk: Desk) -> None:
    ticket = await desk.ticket(title="Blank pages")
    began = now_ms()
    started = (await desk.alice.post(f"/api/tickets/{ticket['id']}/sessions", {"ask_recording": True})).body
    session = ("Alice", "session.started", started["session"])
    assert session in await entries(desk, "who=ali")
    assert session in await entries(desk, "who=alice%40example")
    assert session in await entries(desk, f"about=blank&since={began}")
    assert await entries(desk, "who=ali&about=toner") == []
    assert await entries(desk, f"until={began - 60_000}") == []
    assert (await desk.quinn.get("/api/audit?since=yesterday")).code == "invalid_time"
    assert (await desk.quinn.get("/api/audit?next=none")).code == "invalid_place"
    (entry,) = (await desk.quinn.get("/api/audit?action=session.started")).body["entries"]
    assert (entry["about"], entry["address"]) == ("Blank pages", "127.0.0.1")


async def test_a_long_log_is_read_page_by_page_without_a_gap(desk: Desk) -> None:
    rows = [
        {"id": f"{number:03}", "at": 1000 + number // 4, "action": "test.done", "object": "x", "address": "-"}
        for number in range(250)
    ]
    async with desk.app.database.write() as connection:
        await connection.execute(audit.insert(), rows)
    read: list[str] = []
    following: str | None = ""
    while following is not None:
        page = (await desk.quinn.get(f"/api/audit?action=test.done&next={following}")).body
        read += [one["id"] for one in page["entries"]]
        following = page["next"]
    assert read == [f"{number:03}" for number in reversed(range(250))]


async def test_the_log_goes_out_as_csv_and_that_is_in_the_log(desk: Desk) -> None:
    await desk.ticket(title="Blank pages")
    answer = await desk.quinn.get("/api/audit/export?who=nobody")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert list(csv.reader(io.StringIO(answer.raw.decode()))) == [list(AuditEntry.__struct_fields__)]
    assert (await entries(desk))[0] == ("Quinn", "audit.exported", "who=nobody")


def recorded_actions() -> set[str]:
    """Every action that stands in the code as a whole word."""
    found: set[str] = set()
    for path in (REPOSITORY / "server").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
            if isinstance(node, ast.Call) and name in {"record", "record_once"}:
                words = [part for argument in node.args for part in ast.walk(argument)]
                texts = [part.value for part in words if isinstance(part, ast.Constant)]
                found |= {str(text) for text in texts if re.fullmatch(r"login|[a-z]+\.[a-z_]+", str(text))}
    return found


def test_every_action_has_words() -> None:
    words = json.loads((REPOSITORY / "agent_client/browser/languages/en.json").read_text(encoding="utf-8"))
    actions = recorded_actions()
    assert {"login", "recording.played", "hold.placed", "retention.changed"} <= actions
    assert [action for action in sorted(actions) if f"audit.action.{action}" not in words] == []


def test_no_cell_of_the_csv_is_a_formula() -> None:
    entry = AuditEntry("1", 1, "u", '=HYPERLINK("http://evil")', "login", "o", "+1", "::1")
    _, row = csv.reader(io.StringIO(as_csv([entry]).decode()))
    assert row[3] == '\'=HYPERLINK("http://evil")' and row[6] == "'+1"
