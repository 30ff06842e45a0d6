"""What Alice sees of Dana's screen, what she draws on it, and what comes of it when something breaks."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.end_to_end.console import counter
from tests.end_to_end.console.accessibility import expect_accessible
from tests.end_to_end.console.conftest import Browsers
from tests.end_to_end.console.people import (
    AGENTS_WINDOW,
    CUSTOMERS_WINDOW,
    LIVE,
    STILL,
    Desk,
    around,
    draw_box,
    inked,
    sees,
)
from tests.server_process import ServerProcess

PEN = 0.0035
"""The width of a line, as a fraction of the picture's."""


@pytest.fixture(scope="module")
def lasting(shared_server: ServerProcess, browsers: Browsers) -> Iterator[tuple[Page, Page]]:
    """The one session of all tests that do not end theirs."""
    desk = Desk(shared_server, *browsers)
    yield desk.live()
    desk.close()


@pytest.fixture
def live(lasting: tuple[Page, Page]) -> Iterator[tuple[Page, Page]]:
    """Alice in the live view, and Dana, whose picture she sees: nothing is drawn, and the picture has all its room."""
    alice, dana = lasting
    yield alice, dana
    alice.set_viewport_size(AGENTS_WINDOW)
    dana.set_viewport_size(CUSTOMERS_WINDOW)
    for close in alice.get_by_role("button", name="Close the panel").all():
        close.click()
    alice.mouse.move(5, 5)
    for key in ("0", "v", "Shift+Delete"):
        alice.keyboard.press(key)
    counter.eventually(dana, lambda: not inked(dana), "a cleared board")


def framed(page: Page, selector: str) -> counter.Extent:
    """Where the landmark in the middle of the shared page is seen, in CSS pixels of the window."""
    element = page.locator(selector).first
    corner = element.bounding_box()
    assert corner is not None
    left, top, right, bottom = counter.eventually(
        page, lambda: counter.extent(counter.cyan(counter.looks(element))), "the landmark"
    )
    return left + corner["x"], top + corner["y"], right + corner["x"], bottom + corner["y"]


def drawn(timeline: Locator) -> int:
    """How many marks of Alice's the timeline tells of; those that followed upon one another stand in one line."""
    return sum(int(times or 1) for times in re.findall(r"Alice drew(?: ×(\d+))?", timeline.inner_text()))


WAYS = {
    "fitted": ((1280, 800), (1000, 800), ""),
    "letterboxed": ((700, 900), (1000, 800), ""),
    "pillarboxed": ((1600, 620), (640, 900), ""),
    "actual size": ((1280, 800), (1400, 600), "1"),
    "zoomed": ((1280, 800), (1000, 800), "0+++"),
}
"""The windows of Alice and of Dana, and the keys that Alice presses."""


def test_ink_lands_within_half_a_per_cent_of_the_width(live: tuple[Page, Page]) -> None:
    """Alice frames a landmark that she sees; the frame is around the same landmark where Dana sees it."""
    alice, dana = live
    mirror = dana.locator(".mirror").first
    for way, (agent, customer, keys) in WAYS.items():
        alice.set_viewport_size({"width": agent[0], "height": agent[1]})
        dana.set_viewport_size({"width": customer[0], "height": customer[1]})
        for key in keys:
            alice.keyboard.press(key)
        there = framed(dana, ".mirror")
        draw_box(alice, framed(alice, "section.stage-frame"))
        ink = counter.eventually(dana, lambda: counter.extent(counter.ink(counter.looks(mirror))), "ink at Dana's")
        corner = mirror.bounding_box()
        assert corner is not None
        width = (there[2] - there[0]) / (counter.INNER[2] - counter.INNER[0])
        half = PEN * width / 2
        seen = (
            ink[0] + corner["x"] + half,
            ink[1] + corner["y"] + half,
            ink[2] + corner["x"] - half,
            ink[3] + corner["y"] - half,
        )
        # A pixel is read whole, whereas lines lie between pixels: half a one is nobody's error.
        off = [max(0.0, abs(a - b) - 0.5) / width for a, b in zip(seen, there, strict=True)]
        assert max(off) <= 0.005, (way, seen, there)
        alice.keyboard.press("Delete")
        counter.eventually(dana, lambda: not inked(dana), "a cleared board")


def test_they_see_write_note_and_mark(live: tuple[Page, Page]) -> None:
    """The picture moves; what they write goes both ways, and a note does not; a bookmark has a title and a time."""
    alice, dana = live
    first = sees(alice)
    second = sees(alice, first)
    assert sees(alice, second) > second > first
    expect(alice.get_by_role("button", name="Connection")).to_contain_text("Good")

    dana.get_by_role("button", name="Chat").click()
    dana.locator("#chat-input").fill("Where is <b>File</b>?")
    dana.keyboard.press("Enter")
    expect(alice.get_by_role("button", name="Chat")).to_contain_text("1 unread")
    alice.get_by_role("button", name="Chat").click()
    chat = alice.get_by_role("complementary", name="Chat")
    expect(chat).to_contain_text("Where is <b>File</b>?")
    chat.get_by_role("textbox").fill("At the top left")
    alice.keyboard.press("Enter")
    expect(dana.get_by_role("listitem").filter(has_text="At the top left")).to_be_visible()
    dana.keyboard.press("Escape")  # the chat lies over the mirror
    alice.get_by_role("button", name="Notes").click()
    notes = alice.get_by_role("complementary", name="Notes")
    notes.get_by_role("textbox").fill("Uses the old template")
    alice.keyboard.press("Enter")
    expect(notes.get_by_role("listitem")).to_contain_text("Uses the old template")
    assert "old template" not in dana.locator("body").inner_text()

    alice.keyboard.press("Tab")  # out of the text field, where M is a letter
    alice.keyboard.press("m")
    alice.get_by_role("textbox", name="Title").fill("The blank page")
    alice.keyboard.press("Enter")
    expect(alice.get_by_role("dialog")).to_have_count(0)
    alice.get_by_role("button", name="Timeline").click()
    entry = alice.get_by_role("listitem").filter(has_text="Bookmark: The blank page")
    expect(entry).to_contain_text(re.compile(r"\d:\d\d"))

    alice.get_by_role("button", name="Connection").click()
    expect(alice.get_by_text("Security phrase")).to_be_visible()
    for panel in ("Chat", "Notes", "Snapshots", "Timeline", "Customer"):
        alice.get_by_role("button", name=panel).click()
        expect(alice.get_by_role("complementary", name=panel)).to_be_visible()
        expect_accessible(alice, ("light",))
    expect_accessible(alice, ("dark",))


def test_ink_is_taken_back_drawn_again_and_cleared_and_every_tool_draws(live: tuple[Page, Page]) -> None:
    alice, dana = live
    alice.get_by_role("button", name="Timeline").click()
    timeline = alice.get_by_role("complementary", name="Timeline")
    expect(timeline).to_contain_text("The picture comes directly")
    before = drawn(timeline)
    draw_box(alice, around(alice, LIVE, 0.1, 0.1, 0.3, 0.3))
    counter.eventually(dana, lambda: inked(dana), "a drawn box")
    alice.keyboard.press("Control+z")
    counter.eventually(dana, lambda: not inked(dana), "a box taken back")
    alice.keyboard.press("Control+Shift+z")
    counter.eventually(dana, lambda: inked(dana), "a box drawn again")
    alice.get_by_role("button", name="Clear", exact=True).click()
    alice.get_by_role("button", name="Clear mine").click()
    counter.eventually(dana, lambda: not inked(dana), "a cleared board")

    frame = around(alice, LIVE, 0.1, 0.1, 0.3, 0.3)
    for name in ("Pen", "Arrow", "Box", "Ellipse", "Highlight"):
        tool = alice.get_by_role("button", name=name, exact=True)
        tool.click()
        expect(tool).to_have_attribute("aria-pressed", "true")
        alice.mouse.move(frame[0], frame[1])
        alice.mouse.down()
        alice.mouse.move(frame[2], frame[3], steps=4)
        alice.mouse.up()
    for key, text in (("t", "Look here"), ("n", "Press this"), ("n", "")):
        alice.keyboard.press(key)
        alice.mouse.click(frame[2] + 60, frame[3] + 60)
        alice.locator("textarea[data-ink-entry]").fill(text)
        alice.keyboard.press("Enter")
    counter.eventually(alice, lambda: drawn(timeline) == before + 9, "nine marks in the timeline")
    counter.eventually(dana, lambda: inked(dana), "ink at Dana's")


def test_danas_mirror_shows_a_stroke_while_it_is_drawn_and_where_alice_points(live: tuple[Page, Page]) -> None:
    alice, dana = live
    left, top, right, bottom = around(alice, LIVE, 0.2, 0.2, 0.5, 0.3)
    alice.keyboard.press("p")
    alice.mouse.move(left, top)
    alice.mouse.down()
    alice.mouse.move(right, bottom, steps=6)
    counter.eventually(dana, lambda: inked(dana), "a stroke in progress")
    alice.keyboard.press("Escape")
    counter.eventually(dana, lambda: not inked(dana), "a dropped stroke")
    alice.mouse.up()
    alice.keyboard.press("v")
    alice.mouse.move(left, bottom)
    counter.eventually(dana, lambda: inked(dana), "a pointer in Alice's color")
    alice.mouse.move(5, 5)
    counter.eventually(dana, lambda: not inked(dana), "no pointer")


def test_a_frozen_picture_stands_still_for_both_and_is_drawn_on(live: tuple[Page, Page]) -> None:
    alice, dana = live
    alice.keyboard.press("f")
    frozen = counter.eventually(alice, lambda: counter.count_in(alice, f"{STILL}:not([hidden])"), "a still picture")
    counter.eventually(
        dana, lambda: counter.count_in(dana, ".mirror img:not([hidden])") == frozen, "the same picture at Dana's"
    )
    expect(alice.get_by_text("Frozen picture.")).to_be_visible()
    draw_box(alice, around(alice, STILL, 0.1, 0.1, 0.3, 0.3))
    counter.eventually(dana, lambda: inked(dana), "ink on the still picture")
    assert counter.count_in(alice, STILL) == frozen
    alice.keyboard.press("f")
    sees(alice, frozen)
    expect(alice.locator(STILL)).to_be_hidden()
    counter.eventually(dana, lambda: not inked(dana), "the live picture without the still one's ink")


def test_a_snapshot_in_full_resolution_lies_in_the_gallery(live: tuple[Page, Page]) -> None:
    alice, dana = live
    alice.set_viewport_size({"width": 700, "height": 600})
    alice.get_by_role("button", name="Snapshots").click()
    panel = alice.get_by_role("complementary", name="Snapshots")
    kept = panel.get_by_role("listitem")
    before = kept.count()
    alice.keyboard.press("s")
    expect(kept).to_have_count(before + 1)
    newest = kept.first
    width, height = dana.locator(".mirror video").evaluate("(video) => [video.videoWidth, video.videoHeight]")
    expect(newest).to_contain_text(f"{width}×{height}")
    picture = newest.get_by_role("img")
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("(picture) => [picture.naturalWidth, picture.naturalHeight]") == [width, height]
    seen = alice.locator(LIVE).bounding_box()
    assert seen is not None
    assert seen["width"] < width
    newest.get_by_role("button", name="Show").click()
    counter.eventually(dana, lambda: counter.count_in(dana, ".mirror img:not([hidden])"), "the snapshot at Dana's")
    newest.get_by_role("button", name="Back to live").click()
    expect(alice.locator(STILL)).to_be_hidden()


def test_alice_asks_to_record_and_stops_it_and_the_customer_decides(live: tuple[Page, Page]) -> None:
    alice, dana = live
    question = dana.get_by_role("alertdialog")
    ask = alice.get_by_role("button", name="Ask to record")
    ask.click()
    expect(question).to_contain_text("Alice asks to record this for the staff of ACME Support.")
    expect_accessible(dana)
    question.get_by_role("button", name="No recording").click()
    expect(question).to_have_count(0)
    expect(alice.get_by_text("Recording refused", exact=True)).to_be_visible()
    ask.click()
    question.get_by_role("button", name="Allow recording").click()
    recording = dana.locator(".badge.recording")
    expect(recording).to_be_visible()
    expect_accessible(alice)
    alice.get_by_role("button", name="Stop recording").click()
    expect(recording).to_be_hidden()
    expect(ask).to_be_visible()
    ask.click()
    question.get_by_role("button", name="Allow recording").click()
    dana.get_by_role("button", name="Stop recording").click()
    expect(alice.get_by_role("button", name="Stop recording")).to_have_count(0)


def test_the_picture_outlives_a_visit_elsewhere_a_reload_a_closed_tab_and_the_server(own_desk: Desk) -> None:
    alice, dana = own_desk.live()
    stage = alice.locator(".stage").bounding_box()
    count = sees(alice)
    own_desk.server.kill()
    expect(alice.get_by_text("Reconnecting to the server.")).to_be_visible()
    count = sees(alice, sees(alice, count) + 10)
    draw_box(alice, around(alice, LIVE, 0.1, 0.1, 0.3, 0.3))
    own_desk.server.start()
    expect(alice.get_by_text("Reconnecting to the server.")).to_have_count(0)
    counter.eventually(dana, lambda: inked(dana), "what was drawn meanwhile")
    count = sees(alice, count)
    alice.keyboard.press("Control+z")
    counter.eventually(dana, lambda: not inked(dana), "a change after the server came back")

    for letter in ("g", "l"):
        alice.keyboard.press(letter)
    expect(alice.get_by_role("heading", name="Library")).to_be_visible()
    alice.go_back()
    count = sees(alice, count)
    assert alice.locator(".stage").bounding_box() == stage

    alice.reload()
    count = sees(alice, count)
    expect(alice.get_by_label("Who is here").get_by_role("listitem")).to_have_count(1)

    draw_box(alice, around(alice, LIVE, 0.1, 0.1, 0.3, 0.3))
    counter.eventually(dana, lambda: inked(dana), "a drawn box")
    address, again = alice.url, own_desk.page(alice.context)
    alice.close()
    again.goto(address)
    sees(again, count)
    frame = again.locator("section.stage-frame")
    counter.eventually(again, lambda: counter.ink(counter.looks(frame)).any(), "the ink from before")


def test_pausing_and_stopping_are_said_in_words_and_so_is_what_was_kept_in_the_end(desk: Desk) -> None:
    alice, dana = desk.live()
    dana.get_by_role("button", name="Pause").click()
    expect(alice.get_by_text("Dana paused the sharing.")).to_be_visible()
    dana.get_by_role("button", name="Go on").click()
    expect(alice.get_by_text("Dana paused the sharing.")).to_have_count(0)
    sees(alice, sees(alice))
    dana.get_by_role("button", name="Stop sharing").click()
    expect(alice.get_by_role("heading", name="Nothing is being shared")).to_be_visible()
    expect(alice.get_by_role("toolbar", name="Tools")).to_have_count(0)

    dana.get_by_role("button", name="Share again").click()
    desk.choose(dana)
    sees(alice)
    alice.keyboard.press("s")
    expect(alice.get_by_text("Snapshot kept")).to_be_visible()
    alice.get_by_role("button", name="End", exact=True).click()
    expect(alice.get_by_role("radio", name="Solved", exact=True)).to_be_focused()
    alice.keyboard.press("ArrowDown")
    expect(alice.get_by_role("radio", name="Not solved yet")).to_be_checked()
    alice.keyboard.press("Enter")
    expect(alice.get_by_role("heading", name="The session has ended")).to_be_visible()
    expect(alice.get_by_text("1 snapshot kept")).to_be_visible()
    expect(dana.get_by_role("button", name="Stop sharing")).to_have_count(0)
    expect_accessible(alice)


def test_a_picture_instead_of_the_screen_is_drawn_on_just_the_same(desk: Desk, tmp_path: Path) -> None:
    alice, dana = desk.staff(), desk.customer()
    session, link = desk.invite(alice)
    alice.goto(f"/console/sessions/{session}")
    expect(alice.get_by_role("heading", name="Waiting for Dana")).to_be_visible()
    picture = np.full((600, 800, 3), 255, np.uint8)
    picture[240:360, 320:480] = (0, 200, 200)
    Image.fromarray(picture).save(tmp_path / "error.png")
    dana.goto(link)
    dana.get_by_role("button", name="Send a picture instead").click()
    dana.locator("input[type=file]").first.set_input_files(tmp_path / "error.png")
    box = framed(alice, "section.stage-frame")
    expect(alice.get_by_text("Frozen picture.")).to_have_count(0)
    draw_box(alice, box)
    counter.eventually(dana, lambda: inked(dana), "ink on the picture at Dana's")
    expect_accessible(alice)
