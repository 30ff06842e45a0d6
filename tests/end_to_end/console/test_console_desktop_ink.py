"""Alice draws in the console, and it is seen on Dana's real desktop, but not in the picture that comes from there."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from customer_client.capture.masks import Masks
from customer_client.faces.face import Agree, Connect, Question, Standing
from tests.end_to_end.console import counter
from tests.end_to_end.console.native_client import native_client
from tests.end_to_end.console.people import Desk, draw_box
from tests.real_desktop import RealDesktop, real_desktop, until

CYAN, GREEN = "#00c8c8", "#00c800"
LANDMARK = (400, 200, 800, 500)
PEN = 0.0035
"""The width of a line, as a fraction of the picture's."""

IN_VIDEO = """() => {
  const video = document.querySelector("video.picture");
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const seen = { ink: 0, green: 0 };
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
    if ((red > 170 && green < 120 && blue < 120) || (red < 90 && green < 140 && blue > 190)) seen.ink += 1;
    if (red < 90 && green > 150 && blue < 90) seen.green += 1;
  }
  return seen;
}"""


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Iterator[RealDesktop]:
    """Dana's, with effects; the mouse is out of the way."""
    with real_desktop() as screen, screen.composited():
        monkeypatch.setenv("DISPLAY", screen.name)
        for other in ("XDG_SESSION_TYPE", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(other, raising=False)
        left, top, right, bottom = LANDMARK
        screen.open_window(left, top, right - left, bottom - top, CYAN)
        screen.point(1279, 719)
        yield screen


@pytest.fixture
def alice(desk: Desk, desktop: RealDesktop) -> Iterator[Page]:
    """In the live view, where the whole of Dana's desktop comes."""
    page = desk.staff("alice")
    session, link = desk.invite(page)
    with native_client(link) as dana:
        page.goto(f"/console/sessions/{session}")
        expect(page.get_by_role("heading", name="Waiting for Dana")).to_be_visible()
        dana.want(Connect())
        dana.sees(Question)
        dana.want(Agree(frozenset(), dana.screens.sources()[0], Masks()))
        dana.sees(Standing)
        yield page


def inked(desktop: RealDesktop, below: counter.Picture) -> counter.Extent | None:
    """The rectangle around everything on the screen that was not there before."""
    return counter.extent(np.abs(desktop.look().astype(int) - below).max(axis=2) > 100)


def test_what_alice_draws_is_on_danas_desktop_and_not_in_its_picture(alice: Page, desktop: RealDesktop) -> None:
    below = desktop.look()
    stage = alice.locator("section.stage-frame")

    def landmark() -> tuple[float, float, float, float] | None:
        """Where it is seen, once the page has come to rest around it."""
        before, seen = stage.bounding_box(), counter.extent(counter.cyan(counter.looks(stage)))
        return seen if before == stage.bounding_box() else None

    expect(alice.get_by_role("button", name="Connection")).to_contain_text("direct")
    seen = counter.eventually(alice, landmark, "the landmark")
    corner = stage.bounding_box()
    assert corner is not None
    x, y = corner["x"], corner["y"]
    draw_box(alice, (seen[0] + x, seen[1] + y, seen[2] + x, seen[3] + y))

    def is_framed() -> bool:
        ink, half = inked(desktop, below), PEN * desktop.size[0] / 2
        if ink is None:
            return False
        drawn = (ink[0] + half, ink[1] + half, ink[2] - half, ink[3] - half)
        return max(abs(a - b) for a, b in zip(drawn, LANDMARK, strict=True)) <= 0.005 * desktop.size[0]

    until(is_framed)

    # A picture with this window is younger than the ink.
    desktop.open_window(100, 500, 100, 100, GREEN)
    counter.eventually(alice, lambda: alice.evaluate(IN_VIDEO)["green"], "a younger picture")
    assert alice.evaluate(IN_VIDEO)["ink"] == 0

    # Upon the ink, which lies upon the upper edge of the landmark.
    desktop.click(600, 202)
    until(lambda: [at for _, *at in desktop.clicked()] == [[200, 2]])

    alice.keyboard.press("Delete")
    until(lambda: inked(desktop, below) == (100, 500, 200, 600))
