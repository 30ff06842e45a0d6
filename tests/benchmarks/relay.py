"""What the customer saves when the recorder hands the picture on: `python -m tests.benchmarks.relay`.

Dana shares her screen, on which another program scrolls text, and is recorded; one viewer and three see it, first each
over a connection of its own, then through the recorder. CPU is in cores, of Dana's whole browser and of the recorder's
process; those viewers are in Python and decode nothing, as two cores would be busy with that alone. `tab` is the same
when she shares a tab of that browser, which then draws what moves as well. Then a browser sees the screen while only a
clock runs on it: a frame's age is read out of its pixels, and while the picture changes its way to and fro the longest
time between two presented frames around each change counts; `max_gap_else_ms` is the same where nothing changes.
"""

import argparse
import asyncio
import itertools
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright, expect

from signaling import messages as m
from tests.benchmarks import moving_page
from tests.benchmarks.browsers import WHOLE_SCREEN, Missing, virtual_screen
from tests.benchmarks.figures import median, tell
from tests.benchmarks.native import desk_on
from tests.benchmarks.process_time import Reading, marked, reading
from tests.benchmarks.recording import Process
from tests.benchmarks.workspace import Workspace, workspace
from tests.chromium import CHROMIUM, FLAGS, HEADLESS
from tests.recorder.viewer import PythonViewer

CPU_RATIO, ADDED_LATENCY_MS, GAP_MS = 0.4, 20, 100
WARM_UP_S = 6.0
"""Until the rate has grown and nobody asks for keyframes any more."""
AGED = 4
"""Connections of each way whose frames' ages are taken."""
PATIENCE_S = 30.0
BEFORE_MS, AFTER_MS = 700, 500
SCREEN = (1280, 720)
WINDOW = ["--window-position=740,300", "--window-size=540,420"]
"""Dana's browser, before the text that scrolls."""
DIRECT, RELAYED = "direct", "through the recorder"


class Load(NamedTuple):
    """What one way of sending cost, in cores; and how many frames a second came of it."""

    customer: float
    recorder: float
    fps: float


class Onlooker(PythonViewer):
    """An agent who takes every frame and decodes none; `directly`, none of a recorder's offers either."""

    def __init__(self, url: str, token: str, directly: bool) -> None:
        super().__init__(url, token)
        self._directly = directly

    async def _take(self, sender: str, message: m.Relayed) -> None:
        recorder = self.link.state.participants[sender].role == "recorder"
        if not (self._directly and recorder and isinstance(message, m.Offer)):
            await super()._take(sender, message)

    async def comes(self, path: m.Path) -> None:
        """Wait until the picture comes this way."""
        seen = self.came_by(path)
        async with asyncio.timeout(PATIENCE_S):
            while self.came_by(path) == seen:
                await asyncio.sleep(0.05)


class Place(NamedTuple):
    """All that takes part in a benchmark, and the customer's and the recorder's processes.

    `desk` draws the screen that is shared; where there is none, a tab with a moving page is.
    """

    workspace: Workspace
    viewers: Browser
    customers: Browser
    customer: int
    recorder: int
    desk: Process | None


class Scene(NamedTuple):
    """A session, what alice's browser is signed in with, and dana, who has it open and shares nothing yet."""

    session: str
    alice: BrowserContext
    dana: Page

    async def share(self) -> None:
        """Dana agrees to be seen and recorded."""
        await self.dana.get_by_role("switch", name=re.compile("record")).check()
        await self.dana.get_by_role("button", name="Choose what to share").click()


@asynccontextmanager
async def gathered(*, tab: bool) -> AsyncIterator[Place]:
    """The server with its recorder, and two browsers, of which the customer's shares a tab or its whole screen."""
    if CHROMIUM is None:
        raise Missing("chromium is not installed; `make system-packages` installs it.")
    marker = f"--benchmark-{secrets.token_hex(4)}"
    picker = f"--auto-select-tab-capture-source-by-title={moving_page.TITLE}" if tab else WHOLE_SCREEN
    with virtual_screen(SCREEN) as display:
        async with workspace() as place, async_playwright() as playwright, desk_on(display) as desk:
            with place.recorder() as recorder:
                viewers = await playwright.chromium.launch(executable_path=HEADLESS, args=FLAGS)
                customers = await playwright.chromium.launch(
                    executable_path=CHROMIUM,
                    headless=tab,
                    args=[*FLAGS, picker, marker, *([] if tab else WINDOW)],
                    env={**os.environ, **({} if tab else {"DISPLAY": display})},
                )
                yield Place(place, viewers, customers, marked(marker), recorder, None if tab else desk)
                await customers.close()
                await viewers.close()


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Scene]:
    """A new session, in which dana is about to share what moves."""
    size = ViewportSize(width=1280, height=800)
    alice = await place.viewers.new_context(locale="en", viewport=size)
    customer = await place.customers.new_context(locale="en", no_viewport=True)
    try:
        await place.workspace.sign_in(alice)
        session, link = await place.workspace.start_session(alice, ask_recording=True)
        if place.desk is None:
            page = await customer.new_page()
            await page.set_viewport_size(ViewportSize(width=moving_page.PAGE[0], height=moving_page.PAGE[1]))
            await page.set_content(moving_page.MOVING)
        dana = await customer.new_page()
        await dana.goto(link)
        yield Scene(session, alice, dana)
    finally:
        await alice.close()
        await customer.close()


@asynccontextmanager
async def watched(place: Place, way: str) -> AsyncIterator[tuple[Page, Page]]:
    """Dana's page and alice's, who sees the clock in this way."""
    assert place.desk is not None
    await place.desk.ask({"clock": "still"})
    async with opened(place) as scene:
        alice = await scene.alice.new_page()
        await alice.add_init_script(f"window.__directly = {str(way == DIRECT).lower()};")
        await alice.add_init_script(moving_page.READ)
        await alice.goto(f"{place.workspace.url}/console/sessions/{scene.session}")
        await scene.share()
        await comes(alice, way)
        yield scene.dana, alice


async def comes(agent: Page, way: str) -> None:
    """Wait until the picture comes this way, by the console's own words."""
    await expect(agent.get_by_role("button", name="Connection")).to_contain_text(way, timeout=30_000)


async def load(place: Place, viewers: int, way: str, seconds: float) -> Load:
    """What it costs to be seen by so many in this way."""
    if place.desk is not None:
        await place.desk.ask({"play": "scrolling"})
    async with opened(place) as scene:
        onlookers = []
        for _ in range(viewers):
            token = await place.workspace.participate(scene.alice, scene.session)
            onlookers.append(Onlooker(place.workspace.url, token, way == DIRECT))
        running = [asyncio.create_task(each.run()) for each in onlookers]
        await scene.share()
        for each in onlookers:
            await each.comes("direct" if way == DIRECT else "recorder")
        await asyncio.sleep(WARM_UP_S)
        before = reading([place.customer]), reading([place.recorder])
        frames = sum(len(each.frames) for each in onlookers)
        await asyncio.sleep(seconds)
        customer, recorder = _cores(before, (reading([place.customer]), reading([place.recorder])))
        fps = (sum(len(each.frames) for each in onlookers) - frames) / seconds / viewers
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return Load(customer, recorder, round(fps, 1))


async def ages(place: Place, way: str, seconds: float) -> list[float]:
    """How old each frame is when it is presented, in ms."""
    async with watched(place, way) as (_, alice):
        await asyncio.sleep(WARM_UP_S)
        await alice.evaluate("window.__aging = true")
        await asyncio.sleep(seconds)
        seen: list[float] = await alice.evaluate("window.__ages")
        return seen


def _cores(before: tuple[Reading, Reading], after: tuple[Reading, Reading]) -> tuple[float, float]:
    customer, recorder = (round(first.cores_until(last), 3) for first, last in zip(before, after, strict=True))
    return customer, recorder


async def changes(place: Place, count: int) -> tuple[list[float], list[float]]:
    """The longest gap around each of `count` changes of the way, and each time in between."""
    async with watched(place, RELAYED) as (dana, alice):
        await asyncio.sleep(WARM_UP_S)
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
    async with gathered(tab=False) as place:
        loads = {
            (viewers, way): await load(place, viewers, way, seconds) for viewers in (1, 3) for way in (DIRECT, RELAYED)
        }
        seen: dict[str, list[float]] = {DIRECT: [], RELAYED: []}
        for way in (DIRECT, RELAYED) * AGED:  # in turn, for a connection's buffer may stay longer than another's
            seen[way] += await ages(place, way, seconds / 2)
        around, between = await changes(place, switches)
    async with gathered(tab=True) as place:
        tab = {way: await load(place, 3, way, seconds) for way in (DIRECT, RELAYED)}
    direct, relayed = loads[3, DIRECT], loads[3, RELAYED]
    age = {way: median(each) for way, each in seen.items()}
    return {
        "customer_cpu_direct": direct.customer,
        "customer_cpu_relayed": relayed.customer,
        "customer_cpu_ratio": round(relayed.customer / direct.customer, 2),
        "added_latency_p50_ms": round(age[RELAYED] - age[DIRECT], 1),
        "relay_cpu_per_viewer": round((relayed.recorder - loads[1, RELAYED].recorder) / 2, 4),
        "max_gap_on_switch_ms": max(around),
        "to_reach": {
            "customer_cpu_ratio": CPU_RATIO,
            "added_latency_p50_ms": ADDED_LATENCY_MS,
            "max_gap_on_switch_ms": GAP_MS,
        },
        "max_gap_else_ms": max(between),
        "gaps_on_switch_ms": around,
        "ages_ms": age,
        "loads": [{"viewers": viewers, "way": way} | each._asdict() for (viewers, way), each in loads.items()],
        "tab": {
            "customer_cpu_ratio": round(tab[RELAYED].customer / tab[DIRECT].customer, 2),
            "loads": [{"viewers": 3, "way": way} | each._asdict() for way, each in tab.items()],
        },
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
