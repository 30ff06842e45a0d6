"""The page that Dana shares: a counter that moves, told by blocks, and landmarks by which pixels find their place."""

import time
from collections.abc import Callable
from io import BytesIO
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page

Picture = NDArray[np.uint8]
Extent = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Found = TypeVar("Found")

TITLE = "Moving counter"
BITS = 16
SIZE = (1000, 700)
INNER = (0.4, 0.4, 0.6, 0.6)
"""Where the landmark in the middle lies, as fractions of the page."""
WAIT_S = 20.0

PAGE = f"""<!doctype html><html lang="en"><title>{TITLE}</title><style>
html, body {{ margin: 0; height: 100%; overflow: hidden; background: #fff; }}
#inner {{ position: fixed; left: 40vw; top: 40vh; width: 20vw; height: 20vh; background: rgb(0, 200, 200); }}
.corner {{ position: fixed; width: 30px; height: 30px; background: rgb(0, 200, 0); }}
#bits {{ position: fixed; left: 0; bottom: 40px; width: 100%; height: 60px; display: flex; }}
#bits div {{ flex: 1; }}
</style><div id="inner"></div>
<div class="corner" style="left:0;top:0"></div><div class="corner" style="right:0;bottom:0"></div>
<div id="bits">{"<div></div>" * BITS}</div>
<script>
let count = 0;
setInterval(() => {{
  count += 1;
  [...document.querySelectorAll("#bits div")].forEach((block, bit) => {{
    block.style.background = (count >> bit) & 1 ? "#fff" : "#000";
  }});
}}, 100);
</script></html>"""

READ = """({selector, bits}) => {
  const element = document.querySelector(selector);
  const width = element?.videoWidth ?? element?.naturalWidth ?? element?.width ?? 0;
  const height = element?.videoHeight ?? element?.naturalHeight ?? element?.height ?? 0;
  if (width === 0) return null;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.drawImage(element, 0, 0);
  return Array.from({ length: bits }, (_, bit) =>
    context.getImageData(Math.floor(((bit + 0.5) * width) / bits), Math.floor(height * 0.9), 1, 1).data[1]);
}"""


def count_in(page: Page, selector: str) -> int | None:
    """What a picture's decoded pixels count; None when there is no picture, or one that shows no counter."""
    blocks: list[int] | None = page.evaluate(READ, {"selector": selector, "bits": BITS})
    if blocks is None or any(60 < brightness < 195 for brightness in blocks):
        return None
    return sum(1 << bit for bit, brightness in enumerate(blocks) if brightness > 127)


PIXEL = """({selector, x, y}) => {
  const element = document.querySelector(selector);
  const width = element?.videoWidth ?? element?.width ?? 0;
  const height = element?.videoHeight ?? element?.height ?? 0;
  if (width === 0) return null;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(element, 0, 0);
  return [...context.getImageData(Math.floor(x * width), Math.floor(y * height), 1, 1).data.slice(0, 3)];
}"""


def is_about(page: Page, selector: str, at: tuple[float, float], color: str) -> bool:
    """Whether a decoded pixel, at fractions of a picture, has about this color."""
    pixel: list[int] | None = page.evaluate(PIXEL, {"selector": selector, "x": at[0], "y": at[1]})
    wanted = bytes.fromhex(color[1:])
    return pixel is not None and all(abs(a - b) < 30 for a, b in zip(pixel, wanted, strict=True))


def eventually(page: Page, look: Callable[[], Found | None], what: str) -> Found:
    """What `look` finds, looking again until it does; fails with `what` when it never does."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"in vain: {what}")


def looks(locator: Locator) -> Picture:
    """An element as it is seen, all that lies on it included: height × width × RGB."""
    return np.asarray(Image.open(BytesIO(locator.screenshot())).convert("RGB"))


def green(picture: Picture) -> NDArray[np.bool_]:
    """The corners' pixels."""
    red, grass, blue = (picture[..., i].astype(int) for i in range(3))
    return (red < 90) & (grass > 150) & (blue < 90)


def cyan(picture: Picture) -> NDArray[np.bool_]:
    """The middle's pixels."""
    red, grass, blue = (picture[..., i].astype(int) for i in range(3))
    return (red < 90) & (grass > 150) & (blue > 150)


def ink(picture: Picture) -> NDArray[np.bool_]:
    """Pixels in the color of who came in first or second, as Alice and Dana do when they come at once."""
    red, grass, blue = (picture[..., i].astype(int) for i in range(3))
    return (red > 190) & (grass < 110) & (blue < 110) | (red < 90) & (grass < 140) & (blue > 190)


def extent(mask: NDArray[np.bool_]) -> Extent | None:
    """The rectangle around all true pixels, in pixels; None when there are none."""
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
