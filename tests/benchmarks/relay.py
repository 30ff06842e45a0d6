"""What the customer saves when the recorder hands the picture on: `python -m tests.benchmarks.relay`.

Dana shares a moving page and is recorded; one viewer and three see it, first each over a connection of its own, then
through the recorder. CPU is in cores, of Dana's whole browser and of the recorder's process. A frame's age is read out
of its pixels at the viewer. Then the picture of one viewer changes its way to and fro, and the longest time between two
presented frames around each change counts; `max_gap_else_ms` is the same where nothing changes. Printed as JSON.
"""

import argparse
import asyncio
import itertools
import re
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.benchmarks import clock_page
from tests.benchmarks.browsers import Missing
from tests.benchmarks.figures import median, tell
from tests.benchmarks.process_time import Reading, marked, reading
from tests.benchmarks.workspace import Workspace, workspace
from tests.chromium import CHROMIUM, FLAGS, HEADLESS

CPU_RATIO, ADDED_LATENCY_MS, GAP_MS = 0.4, 20, 100
WARM_UP_S = 6.0
"""Until the rate has grown and nobody asks for keyframes any more."""
BEFORE_MS, AFTER_MS = 700, 500
DIRECT, RELAYED = "direct", "through the recorder"


class Load(NamedTuple):
    """What one way of sending cost: cores; and what came of it: ms, frames a second."""

    customer: float
    recorder: float
    age: float
    fps: float


class Place(NamedTuple):
    """All that takes part in a benchmark, and the customer's and the recorder's processes."""

    workspace: Workspace
    viewers: Browser
    customers: Browser
    customer: int
    recorder: int


class Scene(NamedTuple):
    """Dana, who shares the clock, and those who see it."""

    dana: Page
    agents: list[Page]


@asynccontextmanager
async def gathered() -> AsyncIterator[Place]:
    """The server with its recorder, and two browsers."""
    if CHROMIUM is None:
        raise Missing("chromium is not installed; `make system-packages` installs it.")
    marker = f"--benchmark-{secrets.token_hex(4)}"
    picker = f"--auto-select-tab-capture-source-by-title={clock_page.TITLE}"
    async with workspace() as place, async_playwright() as playwright:
        with place.recorder() as recorder:
            viewers = await playwright.chromium.launch(executable_path=HEADLESS, args=FLAGS)
            customers = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, picker, marker])
            yield Place(place, viewers, customers, marked(marker), recorder)
            await customers.close()
            await viewers.close()


@asynccontextmanager
async def shared(place: Place, viewers: int, way: str) -> AsyncIterator[Scene]:
    """A recorded session that so many see, all in the one way."""
    contexts: list[BrowserContext] = []

    async def opened(browser: Browser) -> BrowserContext:
        contexts.append(await browser.new_context(locale="en", viewport={"width": 1280, "height": 800}))
        return contexts[-1]

    agents = []
    for _ in range(viewers):
        context = await opened(place.viewers)
        await place.workspace.sign_in(context)
        agents.append(await context.new_page())
    session, link = await place.workspace.start_session(contexts[0], ask_recording=True)
    for agent in agents:
        await agent.add_init_script(f"window.__directly = {str(way == DIRECT).lower()};")
        await agent.add_init_script(clock_page.READ)
        await agent.goto(f"{place.workspace.url}/console/sessions/{session}")
    customer = await opened(place.customers)
    clock = await customer.new_page()
    await clock.set_viewport_size({"width": clock_page.SIZE[0], "height": clock_page.SIZE[1]})
    await clock.set_content(clock_page.PAGE)
    dana = await customer.new_page()
    await dana.goto(link)
    await dana.get_by_role("switch", name=re.compile("record")).check()
    await dana.get_by_role("button", name="Choose what to share").click()
    try:
        for agent in agents:
            await comes(agent, way)
        yield Scene(dana, agents)
    finally:
        for context in contexts:
            await context.close()


async def comes(agent: Page, way: str) -> None:
    """Wait until the picture comes this way, by the console's own words."""
    await expect(agent.get_by_role("button", name="Connection")).to_contain_text(way, timeout=30_000)


async def load(place: Place, viewers: int, way: str, seconds: float) -> Load:
    """What it costs to be seen by so many in this way."""
    async with shared(place, viewers, way) as scene:
        await asyncio.sleep(WARM_UP_S)
        before = reading([place.customer]), reading([place.recorder])
        frames = [await agent.evaluate("window.__frames.length") for agent in scene.agents]
        await asyncio.sleep(seconds)
        more = [await agent.evaluate("window.__frames.length") for agent in scene.agents]
        customer, recorder = _cores(before, (reading([place.customer]), reading([place.recorder])))
        # Reading pixels costs the viewer time, so it is not done while the cost is measured.
        await scene.agents[0].evaluate("window.__aging = true")
        await asyncio.sleep(seconds / 2)
        ages: list[float] = await scene.agents[0].evaluate("window.__ages")
        await scene.agents[0].evaluate("window.__aging = false")
    fps = sum(after - first for first, after in zip(frames, more, strict=True)) / seconds / viewers
    return Load(customer, recorder, median(ages), round(fps, 1))


def _cores(before: tuple[Reading, Reading], after: tuple[Reading, Reading]) -> tuple[float, float]:
    customer, recorder = (round(first.cores_until(last), 3) for first, last in zip(before, after, strict=True))
    return customer, recorder


async def changes(place: Place, count: int) -> tuple[list[float], list[float]]:
    """The longest gap around each of `count` changes of the way, and each time in between."""
    async with shared(place, 1, RELAYED) as (dana, (alice,)):
        for number in range(count):
            await asyncio.sleep(2 * (BEFORE_MS + AFTER_MS) / 1000)
            if number % 2:
                await alice.get_by_role("button", name="Ask to record").click()
                await dana.get_by_role("button", name="Allow recording").click()
            else:
                await dana.get_by_role("button", name="Stop recording").click()
            await comes(alice, RELAYED if number % 2 else DIRECT)
        await asyncio.sleep(2 * AFTER_MS / 1000)
        frames: list[float] = await alice.evaluate("window.__frames")
        reports: list[dict[str, Any]] = await alice.evaluate("window.__reports")
    times = [report["at"] for report in reports][-count:]
    around = [longest(frames, at - BEFORE_MS, at + AFTER_MS) for at in times]
    between = [longest(frames, at - 2 * BEFORE_MS - AFTER_MS, at - BEFORE_MS) for at in times]
    return around, between


def longest(frames: list[float], start: float, end: float) -> float:
    """The longest time between one frame and the next of those that lie in part between `start` and `end`."""
    pairs = itertools.pairwise(sorted(frames))
    return round(max((b - a for a, b in pairs if b > start and a < end), default=end - start), 1)


async def measure(seconds: float, switches: int) -> dict[str, object]:
    """Every figure."""
    async with gathered() as place:
        loads = {
            (viewers, way): await load(place, viewers, way, seconds) for viewers in (1, 3) for way in (DIRECT, RELAYED)
        }
        around, between = await changes(place, switches)
    direct, relayed = loads[3, DIRECT], loads[3, RELAYED]
    return {
        "customer_cpu_direct": direct.customer,
        "customer_cpu_relayed": relayed.customer,
        "customer_cpu_ratio": round(relayed.customer / direct.customer, 2),
        "added_latency_p50_ms": round(loads[1, RELAYED].age - loads[1, DIRECT].age, 1),
        "relay_cpu_per_viewer": round((relayed.recorder - loads[1, RELAYED].recorder) / 2, 4),
        "max_gap_on_switch_ms": max(around),
        "to_reach": {
            "customer_cpu_ratio": CPU_RATIO,
            "added_latency_p50_ms": ADDED_LATENCY_MS,
            "max_gap_on_switch_ms": GAP_MS,
        },
        "max_gap_else_ms": max(between),
        "gaps_on_switch_ms": around,
        "loads": [{"viewers": viewers, "way": way} | each._asdict() for (viewers, way), each in loads.items()],
        "seconds": seconds,
    }


def main() -> int:
    """Print the figures; 1 when a program that they need is not installed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.relay", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--switches", type=int, default=10)
    arguments = parser.parse_args()
    try:
        tell(asyncio.run(measure(arguments.seconds, arguments.switches)))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
