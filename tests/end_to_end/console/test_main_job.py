"""The main job, from a link to a knowledge-base video: every part is real, and each hands on to the next."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.console import counter
from tests.end_to_end.console.conftest import Browsers
from tests.end_to_end.console.people import LIVE, Desk, around, draw_box, inked, sees
from tests.server_process import ServerProcess

TITLE = "Where the blank pages come from"
WORDS = "The driver needs its update."
TAKES_MS = 60_000
"""How long a recording may take to be closed and a video to be made, on a machine that does much else."""


@pytest.fixture(scope="module")
def whole_server(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that has a recorder and a worker beside it."""
    folder = tmp_path_factory.mktemp("whole")
    shutil.copytree(seeded, folder / "data")
    server = ServerProcess(folder / "data", folder / "server.log", {"children": True, "organization": "ACME Support"})
    server.start()
    yield server
    server.terminate()
    server.check_log()


@pytest.fixture
def whole(whole_server: ServerProcess, browsers: Browsers) -> Iterator[Desk]:
    """The people of one test."""
    made = Desk(whole_server, *browsers)
    yield made
    made.close()


def begin(alice: Page, title: str) -> str:
    """Alice writes a ticket and starts a session from it; the link that she gives to Dana."""
    alice.goto("/console/tickets")
    alice.get_by_role("button", name="New ticket").first.click()
    alice.get_by_label("Title").fill(title)
    alice.get_by_label("Customer's name").fill("Dana")
    alice.get_by_role("button", name="Make the ticket").click()
    alice.get_by_role("button", name="Start a session").click()
    alice.get_by_role("switch", name="Ask to record").check()
    alice.get_by_role("button", name="Make the invitation").click()
    link = alice.get_by_label("Invitation link", exact=True).input_value()
    alice.get_by_role("button", name="Open the live view").click()
    return link


def written(alice: Page) -> int:
    """How many segments the recorder has begun to put on disk."""
    session = alice.url.rpartition("/")[2]
    answer = alice.request.get(f"/api/recordings/{session}")
    return len(answer.json()["segments"]) if answer.ok else 0


def is_ink(pixel: np.ndarray) -> bool:
    red, green, blue = (int(value) for value in pixel)
    return (red > 170 and green < 120 and blue < 120) or (red < 110 and green < 150 and blue > 170)


def test_a_recorder_that_dies_is_told_to_both_and_costs_the_session_nothing(whole: Desk) -> None:
    alice, dana = whole.staff("alice"), whole.customer()
    link = begin(alice, "A recorder that dies")
    whole.server.confidential.add(link.partition("#")[2])
    dana.goto(link)
    dana.get_by_role("switch", name=re.compile("record")).check()
    whole.choose(dana)
    count = sees(alice)
    counter.eventually(alice, lambda: written(alice) == 1, "a recorder that writes")

    os.kill(whole.server.children()["recorder"], signal.SIGKILL)
    for page in (alice, dana):
        expect(page.get_by_text("Recording interrupted").first).to_be_visible()
    count = sees(alice, count)
    for page in (alice, dana):
        expect(page.get_by_text("Recording interrupted")).to_have_count(0)
        expect(page.get_by_text("Recording", exact=True).first).to_be_visible()
    sees(alice, count)
    expect(dana.get_by_role("button", name="Stop sharing")).to_be_visible()

    counter.eventually(alice, lambda: written(alice) == 2, "a second segment")


def test_from_a_link_to_a_video_in_the_help_centre(whole: Desk) -> None:
    alice, dana = whole.staff("alice"), whole.customer()
    link = begin(alice, "Blank pages")
    whole.server.confidential.add(link.partition("#")[2])

    dana.goto(link)
    expect(dana.get_by_role("heading", level=1)).to_contain_text("Alice from ACME Support")
    dana.get_by_role("switch", name=re.compile("record")).check()
    whole.choose(dana)
    expect(dana.get_by_text("Recording", exact=False).first).to_be_visible()
    before = sees(alice)
    expect(alice.get_by_text("Recording", exact=True).first).to_be_visible()
    counter.eventually(alice, lambda: written(alice) > 0, "a recorder that writes")

    alice.keyboard.press("m")
    alice.get_by_label("Title").fill("The blank page")
    alice.keyboard.press("Enter")
    expect(alice.get_by_text("Bookmark set.")).to_be_visible()
    draw_box(alice, around(alice, LIVE, 0.1, 0.1, 0.3, 0.3))
    counter.eventually(dana, lambda: inked(dana), "ink at Dana's")
    sees(alice, sees(alice, before) + 15)
    alice.get_by_role("button", name="Snapshot").first.click()
    alice.get_by_role("button", name="Snapshots").click()
    expect(alice.get_by_role("complementary", name="Snapshots").get_by_role("img").first).to_be_visible()
    sees(alice, sees(alice) + 10)

    alice.get_by_role("button", name="End", exact=True).click()
    alice.get_by_label("Solved", exact=True).check()
    alice.get_by_role("button", name="End for everyone").click()
    expect(dana.get_by_text(re.compile("Thank", re.I)).first).to_be_visible()

    alice.get_by_role("link", name="Back to the ticket").click()
    note = alice.get_by_role("region", name="Notes").get_by_role("listitem")
    snapshot = note.get_by_role("link", name="Snapshot 1")
    assert alice.request.get(snapshot.get_attribute("href") or "").headers["content-type"].startswith("image/")
    expect(note.get_by_role("link", name="Play the recording")).to_be_visible()
    expect(note).not_to_contain_text("/api/")

    tessa = whole.staff("tessa")
    tessa.goto("/console/library")
    tessa.get_by_role("link", name=re.compile("Blank pages")).click()
    tessa.wait_for_selector(".stage video", timeout=TAKES_MS)
    tessa.locator("button.moment", has_text="The blank page").click()
    tessa.keyboard.press("[")
    tessa.locator("button.moment", has_text=re.compile("Recording stopped")).click()
    tessa.keyboard.press("]")
    form = tessa.get_by_role("region", name="Make an article of it")
    form.get_by_label("Title").fill(TITLE)
    form.get_by_label("Text").fill(WORDS)
    form.get_by_role("button", name="Publish").click()
    expect(tessa.get_by_role("link", name="Read the article")).to_be_visible(timeout=TAKES_MS)

    stranger = whole.staff(None)
    stranger.goto("/help")
    stranger.get_by_role("searchbox").fill("driver update")
    stranger.keyboard.press("Enter")
    stranger.get_by_role("link", name=re.compile(TITLE)).click()
    expect(stranger.get_by_text(WORDS)).to_be_visible()
    source = stranger.locator("video").get_attribute("src") or ""
    with av.open(BytesIO(stranger.request.get(source.partition("#")[0]).body()), "r") as video:
        assert [chapter["metadata"]["title"] for chapter in video.chapters()] == ["The blank page"]
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    height, width = frames[-1].shape[:2]
    on_the_line = frames[-1][
        round(0.2 * height) - 3 : round(0.2 * height) + 3, round(0.1 * width) - 4 : round(0.1 * width) + 4
    ]
    assert any(is_ink(pixel) for row in on_the_line for pixel in row), "the ink lies where it was drawn"
    assert not is_ink(frames[-1][round(0.2 * height), round(0.2 * width)]), "and nowhere else"
    assert not is_ink(frames[0][round(0.2 * height), round(0.1 * width)]), "and not before it was drawn"
    assert (frames[0][round(0.9 * height)] != frames[-1][round(0.9 * height)]).any(), "the picture moves on"
