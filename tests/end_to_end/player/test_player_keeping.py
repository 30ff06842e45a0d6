"""One recording of several files with its gap and its voices; and how long it is kept, held, and deleted."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.player.segments import GAP_S, SECONDS, SegmentedSession, segmented_session
from tests.end_to_end.player.watching import expect_accessible, open_player, settled
from tests.server.desk import open_desk
from tests.server_process import ServerProcess

VOICE = "document.querySelector('.stage audio')"
VIDEO = "document.querySelector('.stage video')"


class Kept(NamedTuple):
    """A server on which two such sessions were recorded, the second of them forty days ago."""

    server: ServerProcess
    played: SegmentedSession
    old: SegmentedSession
    cookies: dict[str, dict[str, Any]]


async def prepare(data: Path) -> tuple[SegmentedSession, SegmentedSession, dict[str, str]]:
    async with open_desk(data) as desk:
        made = await segmented_session(desk), await segmented_session(desk, days_ago=40)
        logins = {name: str(person._http.headers["Cookie"]) for name, person in desk.staff.items()}
        return *made, logins


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    folder = tmp_path_factory.mktemp("kept")
    with ThreadPoolExecutor(1) as thread:  # Playwright keeps an event loop running in this one
        played, old, logins = thread.submit(asyncio.run, prepare(folder / "data")).result()
    server = ServerProcess(folder / "data", folder / "server.log", {})
    server.start()
    cookies: dict[str, dict[str, Any]] = {}
    for person, login in logins.items():
        name, _, value = login.partition("=")
        cookies[person] = {"name": name, "value": value, "url": server.url, "httpOnly": True, "sameSite": "Lax"}
    yield Kept(server, played, old, cookies)
    server.terminate()
    server.check_log()


@pytest.fixture
def pages(kept: Kept, chromium: Browser) -> Iterator[Any]:
    """Open a page as one of the cast; no script may fail on it."""
    contexts, failures = [], list[str]()

    def open_as(name: str, path: str) -> Page:
        context = chromium.new_context(
            base_url=kept.server.url, viewport={"width": 1440, "height": 900}, locale="en-GB"
        )
        contexts.append(context)
        context.add_cookies([kept.cookies[name]])  # type: ignore[list-item]
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(path)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert failures == []


def go_to(page: Page, second: float) -> None:
    """Press the time axis there."""
    film, whole = page.locator(".film"), 2 * SECONDS + GAP_S
    box = film.bounding_box()
    assert box is not None
    film.click(position={"x": box["width"] * second / whole, "y": box["height"] / 2})


def test_it_plays_files_with_a_gap_as_one_recording_and_voices_in_step(kept: Kept, pages: Any) -> None:
    page = pages("quinn", f"/console/library/{kept.played.id}")
    open_player(page)
    expect(page.get_by_text("There is a gap in this recording: 0:04 in all were not recorded.")).to_be_visible()
    line = page.locator("button.moment", has_text="Not recorded for 0:04.")
    expect(line).to_contain_text("The recorder was lost, and another one took over.")
    expect(page.locator(".film .gap")).to_have_count(1)
    line.click()
    notice = page.locator(".stage-notice")
    expect(notice).to_contain_text("Nothing was recorded here for 0:04.")
    expect(notice).to_contain_text("What was said is heard all the same.")
    expect(page.get_by_role("slider", name="Position in the recording")).to_have_attribute(
        "aria-valuetext", "0:03, Not recorded"
    )
    expect_accessible(page)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    go_to(page, 2.0)
    settled(page)
    page.get_by_role("button", name="Play", exact=True).click()
    # Through the end of the first file, the gap with its voice, and on into the second file.
    page.wait_for_function(f"() => !{VOICE}.paused && {VOICE}.currentTime > 2.5 && {VIDEO}.paused")
    page.wait_for_function(f"() => !{VOICE}.paused && !{VIDEO}.paused && {VIDEO}.currentTime > 0.3")
    apart = f"{VOICE}.currentTime - ({VIDEO}.currentTime + {SECONDS + GAP_S - 1})"
    assert abs(page.evaluate(f"() => {apart}")) < 0.25
    page.get_by_role("button", name="Mute Alice").click()
    page.wait_for_function(f"() => {VOICE}.muted")
    expect(page.get_by_role("button", name="Hear Alice")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("k")
    page.wait_for_function(f"() => {VOICE}.paused && {VIDEO}.paused")

    # Somebody writes into the database: what was verified a moment ago is not when it is checked again.
    page.get_by_role("button", name="Verified", exact=True).click()
    with closing(sqlite3.connect(kept.server.data / "sightline.db")) as database, database:
        forged = ('{"type":"chat_said","text":"I agree"}', kept.played.id)
        database.execute("UPDATE events SET body = ? WHERE type = 'chat_said' AND session_id = ?", forged)
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("button", name="Altered", exact=True)).to_be_visible()
    banner = page.get_by_role("status").filter(has_text=re.compile(r"Event \d+ was changed after it was written\."))
    expect(banner).to_contain_text("This recording is not as it was recorded.")
    expect_accessible(page)
    place = banner.get_by_role("button", name=re.compile("^Go to"))
    place.click()
    expect(page.get_by_test_id("now")).to_contain_text(place.inner_text().removeprefix("Go to "))


def test_a_recording_is_held_spared_released_and_deleted_on_request(kept: Kept, pages: Any) -> None:
    page, old = pages("ada", "/console/retention"), kept.old
    row = page.get_by_role("listitem").filter(has_text="Standard")
    expect(row).to_contain_text("Kept for ever")
    page.get_by_role("button", name="Add a class").click()
    form = page.get_by_role("dialog", name="Add a class")
    form.get_by_label("Name").fill("Payments")
    form.get_by_label(re.compile("^Days")).fill("30")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem").filter(has_text="Payments")).to_contain_text("Kept for 30 days")
    expect_accessible(page)

    page.goto(f"/console/library/{old.id}")
    page.get_by_role("button", name="Keep or delete").click()
    page.get_by_role("button", name="Put a legal hold").click()
    asked = page.get_by_role("dialog", name="Put a legal hold on it?")
    asked.get_by_label("Why does it have to be kept?").fill("Case 7 of the court")
    asked.get_by_role("button", name="Put a legal hold").click()
    expect(page.get_by_text("Kept until the legal hold is released (Standard)")).to_be_visible()

    page.goto(f"/console/tickets/{old.ticket}")
    page.get_by_label("Class").select_option(label="Payments: 30 days")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect_accessible(page)
    kept.server.terminate()  # the server sweeps when it starts
    kept.server.start()
    page.goto(f"/console/library/{old.id}")
    open_player(page)
    expect(page.get_by_text("Kept until the legal hold is released (Payments)")).to_be_visible()

    page.get_by_role("button", name="Keep or delete").click()
    dialog = page.get_by_role("dialog", name="Keep or delete")
    expect(dialog).to_contain_text("Case 7 of the court")
    expect(dialog.get_by_role("button", name="Delete …")).to_be_disabled()
    expect_accessible(page)
    # What is old enough would go with the next sweep: it is given time first.
    page.goto(f"/console/tickets/{old.ticket}")
    page.get_by_label("Class").select_option(label="Standard: for ever")
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto("/console/retention")
    page.get_by_role("button", name="Release: Printer").click()
    asked = page.get_by_role("dialog", name="Release this legal hold?")
    asked.get_by_label("Why need it not be kept any longer?").fill("Case closed")
    asked.get_by_role("button", name="Release").click()
    expect(page.get_by_role("listitem").filter(has_text="Case closed")).to_contain_text("Released")

    page.goto(f"/console/library/{old.id}")
    page.get_by_role("button", name="Keep or delete").click()
    page.get_by_role("button", name="Delete …").click()
    dialog = page.get_by_role("dialog", name="Delete this recording?")
    expect(dialog).to_contain_text("3 files of sound and picture with the keys to them")
    confirm = dialog.get_by_role("button", name="Delete for good")
    dialog.get_by_label(re.compile("^Reason")).fill("Letter of 3 May")
    expect(confirm).to_be_disabled()
    dialog.get_by_label("I know that this can't be undone.").check()
    expect_accessible(page)
    confirm.click()
    expect(page.get_by_role("heading", name="This recording was deleted")).to_be_visible()
    expect(page.locator(".gravestone")).to_contain_text("by Ada, on the customer's request.")
    expect(page.locator(".gravestone")).to_contain_text("3 files and 0 snapshots were destroyed")
    expect(page.locator("button.moment", has_text="Chat, erased with the recording")).to_be_visible()
    expect_accessible(page)

    page.goto("/console/library")
    expect(page.get_by_role("link", name=re.compile("Deleted"))).to_have_count(1)
    # The voice is heard beside the pictures, and makes the other recording no longer.
    expect(page.get_by_role("link", name=re.compile(f"^0:0{2 * SECONDS}"))).to_have_count(1)
    page.goto(f"/console/tickets/{old.ticket}")
    page.get_by_role("link", name=re.compile("^Recording deleted")).click()
    expect(page.get_by_role("heading", name="This recording was deleted")).to_be_visible()
    page.goto("/console/retention")
    expect(page.get_by_role("listitem").filter(has_text="Letter of 3 May")).to_contain_text(
        "Signed by this server, and as it was signed."
    )
    page.goto(f"/console/audit?about={old.id}")
    rows = page.locator("table.audit tbody tr")
    expect(rows.first).to_contain_text("Deleted a recording")
    for words in ("Put a legal hold on it", "Released a legal hold", "Opened a recording"):
        expect(rows.filter(has_text=words).first).to_contain_text("Ada")
    page.get_by_label("What was done").select_option(label="Deleted a recording")
    expect(rows).to_have_count(1)
    expect_accessible(page)
