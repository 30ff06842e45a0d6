"""What the tests do with the player's page, and what they read out of its picture."""

from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.end_to_end.player.recorded import BITS, Recorded, counted

AXE = (Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
PINK = (225, 29, 143)
BLUE = (29, 78, 216)
READ_BLOCKS = """(bits) => {
  const video = document.querySelector(".stage video");
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  return Array.from({ length: bits }, (_, bit) =>
    context.getImageData(Math.floor(((bit + 0.5) * canvas.width) / bits), Math.floor(canvas.height * 0.95), 1, 1)
      .data[1]);
}"""


def open_player(page: Page) -> None:
    """Waits until the player shows its first picture."""
    try:
        page.wait_for_selector(".stage video")
    except TimeoutError as error:
        raise AssertionError(f"no player: {page.inner_text('body')}") from error
    settled(page)


def settled(page: Page) -> None:
    """Waits until the video stands still at its place with a decoded picture."""
    page.wait_for_function(
        "() => { const v = document.querySelector('.stage video'); return v.readyState >= 2 && !v.seeking }"
    )
    # The ink follows on the next frame of the page, and what is drawn is shown on the one after.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")


def jump(page: Page, words: str, tab: str = "Timeline") -> None:
    """Presses a line of the list beside the video."""
    page.get_by_role("tab", name=tab).click()
    page.locator("button.moment", has_text=words).first.click()
    settled(page)


def seek(page: Page, recorded: Recorded, at: int) -> None:
    """Goes to a moment (ms since 1970) by pressing the time axis there, as exactly as pixels allow."""
    film = page.locator(".film")
    box = film.bounding_box()
    assert box is not None
    last = recorded.page["segments"][-1]
    whole = last["started_at"] + last["duration_ms"] - recorded.start
    film.click(position={"x": box["width"] * (at - recorded.start) / whole, "y": box["height"] / 2})
    settled(page)


def current_time(page: Page) -> float:
    """The video's own time, seconds."""
    return float(page.evaluate("() => document.querySelector('.stage video').currentTime"))


def tenths_shown(page: Page) -> int:
    """What the decoded picture counts: tenths of a second on the clock of who shared it."""
    return counted(page.evaluate(READ_BLOCKS, BITS))


def looks(stage: Locator) -> NDArray[np.uint8]:
    """The stage as it is seen, ink and all: height × width × RGB."""
    return np.asarray(Image.open(BytesIO(stage.screenshot())).convert("RGB"))


def is_near(pixel: NDArray[np.uint8], color: tuple[int, int, int], within: int = 40) -> bool:
    """Whether a pixel has this color, give or take what an encoder does to it."""
    return bool(np.abs(pixel.astype(int) - np.array(color)).max() <= within)


def pixel_of(picture: NDArray[np.uint8], media: tuple[int, int], fraction: tuple[float, float]) -> NDArray[np.uint8]:
    """The pixel at a point (0..1) of media that is fitted into a picture."""
    height, width = picture.shape[:2]
    scale = min(width / media[0], height / media[1])
    left, top = (width - media[0] * scale) / 2, (height - media[1] * scale) / 2
    x = round(left + fraction[0] * media[0] * scale)
    y = round(top + fraction[1] * media[1] * scale)
    pixel: NDArray[np.uint8] = picture[min(y, height - 1), min(x, width - 1)]
    return pixel


def find_violations(page: Page) -> list[str]:
    """What axe finds that is serious or worse."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE + "; undefined")
    found: list[dict[str, Any]] = page.evaluate(
        'async () => (await axe.run({ resultTypes: ["violations"] })).violations'
    )
    return [
        f"{violation['id']}: {node['html']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def expect_accessible(page: Page) -> None:
    """Fails on anything serious that axe finds, in light and in dark."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        # Colors cross over for a moment, and axe would measure what lies between the two.
        page.evaluate("() => Promise.allSettled(document.getAnimations().map((animation) => animation.finished))")
        if found := find_violations(page):
            pytest.fail(f"axe, {scheme}:\n" + "\n".join(found))


def expect_time(page: Page, text: str) -> None:
    """Waits until the player's clock says this."""
    expect(page.get_by_test_id("now")).to_have_text(text)
