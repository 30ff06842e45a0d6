"""The customer's picture through the recorder and back: it changes its way by itself, and nobody loses sight of it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import MakeServer
from tests.end_to_end.console import counter
from tests.end_to_end.console.conftest import Browsers
from tests.end_to_end.console.people import LIVE, Desk, around, draw_box, ink_on, sees
from tests.server_process import ServerProcess

WATCH = """(() => {
  const story = (window.__story = []);
  const elements = [];
  const watch = (video) => {
    if (elements.includes(video)) return;
    elements.push(video);
    video.requestVideoFrameCallback(() => story.push(`frame ${elements.indexOf(video)}`));
  };
  new MutationObserver(() => document.querySelectorAll(".stage-frame video").forEach(watch))
    .observe(document, { childList: true, subtree: true });
  const connections = (window.__connections = []);
  const Original = RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(...given) {
      super(...given);
      connections.push(this);
    }
    close() {
      story.push(`closed ${connections.indexOf(this)}`);
      super.close();
    }
  };
  const Socket = WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        for (const { body } of JSON.parse(data).events ?? []) {
          if (body.type === "path_changed") story.push(`path ${body.path}`);
        }
      });
    }
    send(data) {
      const message = JSON.parse(data);
      if (message.type === "report_path") story.push(`report ${message.path}`);
      super.send(data);
    }
  };
})();"""
"""`__story`, in its order: the first frame that each video of the stage shows, what is said of the way the picture
comes, and each connection that the page closes; `__connections` are all that it made."""


@pytest.fixture
def server(make_server: MakeServer) -> ServerProcess:
    return make_server(organization="ACME Support", grace_s=1)


@pytest.fixture
def recorder(server: ServerProcess, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A recorder that nobody starts again when it is killed."""
    command = [sys.executable, "-m", "server.cli", "recorder", "--server", server.url, "--data", str(server.data)]
    with (tmp_path / "recorder.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    yield process
    process.kill()
    process.wait()
    assert b"Traceback" not in (tmp_path / "recorder.log").read_bytes()


@pytest.fixture
def office(server: ServerProcess, browsers: Browsers, recorder: subprocess.Popen[bytes]) -> Iterator[Desk]:
    made = Desk(server, browsers.agents, browsers.customers)
    yield made
    made.close()


def begin(office: Desk, record: bool) -> tuple[Page, Page]:
    """Alice and Dana, who shares her screen and says yes or no to being recorded."""
    alice, dana = office.staff("alice"), office.customer()
    for page in (alice, dana):
        page.add_init_script(WATCH)
    session, link = office.invite(alice, ask_recording=True)
    alice.goto(f"/console/sessions/{session}")
    expect(alice.get_by_role("heading", name="Waiting for Dana")).to_be_visible()
    dana.goto(link)
    dana.get_by_role("switch", name=re.compile("record")).set_checked(record)
    office.choose(dana)
    sees(alice)
    return alice, dana


def comes(page: Page, way: str) -> None:
    """Waits until the picture comes this way, by the words of the page; and until it moves."""
    expect(page.get_by_role("button", name="Connection")).to_contain_text(way)
    sees(page, sees(page))


def story(page: Page) -> list[str]:
    """What happened on the page so far."""
    told: list[str] = page.evaluate("window.__story")
    return told


def ordered(page: Page, *happenings: str) -> None:
    """Waits for all of these, each of which is to come after the one before; from the last time that the first did."""

    def look() -> bool:
        told = story(page)
        return all(each in told for each in happenings)

    counter.eventually(page, look, f"{happenings} in {story(page)}")
    told = story(page)
    begun = len(told) - 1 - told[::-1].index(happenings[0])
    places = [told.index(each, begun) for each in happenings]
    assert places == sorted(places), told


def feeds(dana: Page, count: int) -> None:
    """Waits until Dana's browser sends to no more than so many."""
    standing = "window.__connections.filter((each) => each.connectionState === 'connected').length"
    counter.eventually(dana, lambda: dana.evaluate(standing) == count, f"{count} connections of Dana's")


def test_a_recorded_picture_changes_its_way_without_a_break_and_finds_back_when_the_recorder_dies(
    office: Desk, recorder: subprocess.Popen[bytes]
) -> None:
    alice, dana = begin(office, record=True)
    comes(alice, "through the recorder")
    ordered(alice, "frame 1", "report recorder", "closed 0")
    ordered(dana, "path recorder", "closed 0")
    feeds(dana, 1)
    expect(dana.locator("summary", has_text="because it is recorded")).to_be_visible()
    expect(dana.locator("summary", has_text="Security phrase:")).to_be_hidden()
    draw_box(alice, around(alice, LIVE, 0.1, 0.1, 0.3, 0.3))
    ink = ink_on(alice)

    dana.get_by_role("button", name="Stop recording").click()
    comes(alice, "direct")
    ordered(alice, "frame 2", "report direct", "closed 1")
    ordered(dana, "path direct", "closed 1")
    feeds(dana, 1)
    expect(dana.locator("summary", has_text="Security phrase:")).to_be_visible()
    expect(dana.locator("summary", has_text="because it is recorded")).to_be_hidden()
    assert ink_on(alice) == pytest.approx(ink, abs=0.01)

    alice.get_by_role("button", name="Ask to record").click()
    dana.get_by_role("button", name="Allow recording").click()
    comes(alice, "through the recorder")
    recorder.kill()
    comes(alice, "direct")
    ordered(alice, "frame 4", "report direct", "closed 3")
    assert ink_on(alice) == pytest.approx(ink, abs=0.01)
    alice.get_by_role("button", name="Timeline").click()
    expect(alice.get_by_text("The picture comes through the recorder").first).to_be_visible()
    expect(alice.get_by_text("The picture comes directly").first).to_be_visible()


@pytest.mark.usefixtures("recorder")
def test_a_second_viewer_costs_dana_nothing_and_who_said_no_to_recording_is_seen_directly_by_one(office: Desk) -> None:
    alice, dana = begin(office, record=False)
    comes(alice, "direct")
    expect(dana.locator("summary", has_text="Security phrase:")).to_be_visible()
    assert "path recorder" not in story(dana)

    bob = office.staff("bob")
    bob.goto("/console")
    expect(bob.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    alice.get_by_role("button", name="Colleagues").click()
    alice.get_by_role("searchbox").fill("bob")
    expect(alice.get_by_role("button", name="Let Ada in")).to_be_hidden()
    alice.get_by_role("button", name="Let Bob in").click()
    expect(alice.get_by_role("button", name="Remove Bob")).to_be_visible()
    alice.keyboard.press("Escape")
    expect(bob.get_by_role("heading", name="Sessions you were invited to")).to_be_visible()
    bob.get_by_role("link", name="Open the session").click()
    for page in (bob, alice):
        comes(page, "through the recorder")
    feeds(dana, 1)
    expect(dana.locator("summary", has_text="because several people watch")).to_be_visible()
    expect(dana.get_by_text("Alice and Bob can see what you share")).to_be_visible()
    bob.reload()
    comes(bob, "through the recorder")
    feeds(dana, 1)

    alice.get_by_role("button", name="Colleagues").click()
    alice.get_by_role("button", name="Remove Bob").click()
    expect(bob.get_by_role("heading", name="You are no longer in this session")).to_be_visible()
    alice.keyboard.press("Escape")
    comes(alice, "direct")
    expect(dana.locator("summary", has_text="because several people watch")).to_be_hidden()
    expect(dana.get_by_text("Alice can see what you share")).to_be_visible()
    sees(alice, sees(alice))
