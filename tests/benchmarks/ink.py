"""From ink sent to ink drawn at the other side: `python -m tests.benchmarks.ink`.

Alice moves the pointer and draws strokes over dana's live screen, in two real browsers and through the real server. A
time runs from the moment when alice's page gives the message to its WebSocket to the moment when dana's page has drawn
it. For a stroke that is the committed annotation, not the sketch that dana sees while alice still draws. Printed as
JSON, times in ms.
"""

import argparse
import asyncio
import json
import sys
from typing import Any

from playwright.async_api import Page

from tests.benchmarks.browsers import Missing, Pair, pair
from tests.benchmarks.figures import median, percentile, tell
from tests.benchmarks.first_frame import SHARE, click
from tests.benchmarks.milestones import watch
from tests.benchmarks.workspace import Workspace, workspace

POINTER_REACHABLE, STROKE_REACHABLE = 20, 25
WATCH = """(() => {
  const now = () => performance.timeOrigin + performance.now();
  const sent = (window.__sent = {}), drawn = (window.__drawn = {});
  const name = (message) =>
    message.type === "pointer" ? `pointer ${message.x} ${message.y}`
    : message.type === "annotate" || message.type === "annotation_added" ? `stroke ${message.annotation.id}`
    : null;
  let arrived = [];
  const Original = WebSocket;
  window.WebSocket = class extends Original {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        const message = JSON.parse(data);
        const inside = message.type === "relay" ? [message.message]
          : message.type === "events" ? message.events.map((event) => event.body) : [];
        arrived.push(...inside.map(name).filter(Boolean));
      });
    }
    send(data) {
      const named = name(JSON.parse(data));
      if (named) sent[named] ??= now();
      super.send(data);
    }
  };
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...given) {
    clear.apply(this, given);
    if (!("ink" in this.canvas.dataset) || arrived.length === 0) return;
    const shown = arrived;
    arrived = [];
    queueMicrotask(() => { for (const each of shown) drawn[each] ??= now(); });
  };
})();"""
"""`__sent` and `__drawn`: message → ms since 1970. The layer clears its canvas first and draws in the same task."""


async def times(alice: Page, dana: Page, kind: str, least: int) -> list[float]:
    """How long each message of a kind took; waits until `least` were drawn."""
    count = "kind => Object.keys(window.__drawn).filter((name) => name.startsWith(kind)).length"
    enough = f"([kind, least]) => ({count})(kind) >= least"
    # By the clock: asked at each frame, the page would be made to have sixty of them a second.
    await dana.wait_for_function(enough, arg=[kind, least], timeout=30_000, polling=50)
    sent: dict[str, float] = await alice.evaluate("window.__sent")
    drawn: dict[str, float] = await dana.evaluate("window.__drawn")
    return [drawn[name] - at for name, at in sent.items() if name.startswith(kind) and name in drawn]


async def frame(page: Page) -> None:
    """Wait for the page's next frame."""
    await page.evaluate("() => new Promise(requestAnimationFrame)")


async def point(alice: Page, box: dict[str, Any], count: int) -> None:
    """Move the pointer to `count` places, each after the frames in which the last one was sent."""
    await alice.keyboard.press("v")
    for number in range(count):
        await alice.mouse.move(*_place(box, number / count, (number * 7 % 10) / 10))
        for _ in range(3):
            await frame(alice)


async def draw(alice: Page, dana: Page, box: dict[str, Any], count: int) -> None:
    """Draw `count` short strokes, each once the last one is drawn at the other side."""
    await alice.keyboard.press("p")
    for number in range(count):
        across = number / count
        await alice.mouse.move(*_place(box, across, 0.3))
        await alice.mouse.down()
        await alice.mouse.move(*_place(box, across, 0.7), steps=8)
        await alice.mouse.up()
        await times(alice, dana, "stroke", number + 1)


def _place(box: dict[str, Any], across: float, down: float) -> tuple[float, float]:
    return box["x"] + box["width"] * (0.1 + 0.8 * across), box["y"] + box["height"] * (0.2 + 0.5 * down)


async def measure(moves: int, strokes: int) -> dict[str, object]:
    """Both figures, after the first tenth of each that is not counted."""
    async with pair() as browsers, workspace() as place:
        return await measured(browsers, place, moves, strokes)


async def measured(browsers: Pair, place: Workspace, moves: int, strokes: int) -> dict[str, object]:
    """The same with these browsers."""
    staff = await browsers.agent.new_context(locale="en")
    await place.sign_in(staff)
    session, link = await place.start_session(staff)
    customer = await browsers.customer.new_context(locale="en")
    alice, dana = await staff.new_page(), await customer.new_page()
    for page in (alice, dana):
        await watch(page)
        await page.add_init_script(WATCH)
    await alice.goto(f"{place.url}/console/sessions/{session}")
    await dana.goto(link)
    await click(dana, alice, SHARE)
    box = json.loads(
        await alice.evaluate("JSON.stringify(document.querySelector('canvas[data-ink]').getBoundingClientRect())")
    )
    await point(alice, box, moves)
    pointer = (await times(alice, dana, "pointer", moves // 2))[moves // 10 :]
    await draw(alice, dana, box, strokes)
    stroke = (await times(alice, dana, "stroke", strokes))[strokes // 10 :]
    return {
        "pointer_p95_ms": percentile(pointer, 95),
        "pointer_median_ms": median(pointer),
        "stroke_p95_ms": percentile(stroke, 95),
        "stroke_median_ms": median(stroke),
        "to_reach": {"pointer_p95_ms": POINTER_REACHABLE, "stroke_p95_ms": STROKE_REACHABLE},
        "pointers": len(pointer),
        "strokes": len(stroke),
    }


def main() -> int:
    """Print the figures; 1 when a program that they need is not installed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.ink", description=__doc__)
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--strokes", type=int, default=60)
    arguments = parser.parse_args()
    try:
        tell(asyncio.run(measure(arguments.moves, arguments.strokes)))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
