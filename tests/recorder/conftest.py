"""A real Chromium that shares a canvas with a counter, and the counter read back out of a picture."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from numpy.typing import NDArray
from playwright.async_api import Browser, Page, async_playwright

from server import media
from signaling.session import Assign, Open, Participant
from tests.chromium import CHROMIUM, FLAGS
from tests.recorder.recording import archive_in
from tests.signaling.memory_server import MemoryServer, memory_server

THIS_TAB = "--auto-accept-this-tab-capture"
ALICE = Participant("alice", "agent", "Alice")
DANA = Participant("dana", "customer", "Dana")
TAPE = Participant("tape", "recorder", "Recorder")


def counter_of(picture: NDArray[Any]) -> int:
    """The counter that `sender.html` drew, from a gray picture of any size."""
    square = picture.shape[1] / 16
    row = picture[int(square / 2)]
    bits = [row[int((bit + 0.5) * square)] > 127 for bit in range(16)]
    return sum(int(on) << (15 - place) for place, on in enumerate(bits))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, THIS_TAB])
        yield launched
        await launched.close()


def pages(folder: Path) -> list[web.RouteDef]:
    """The pages that send, and under /segments the segments of `folder` as the product serves them."""

    def page(name: str) -> Callable[[web.Request], Awaitable[web.FileResponse]]:
        async def send(_: web.Request) -> web.FileResponse:
            return web.FileResponse(Path(__file__).with_name(name))

        return send

    async def segment(request: web.Request) -> web.StreamResponse:
        return await media.send(request, archive_in(folder), request.match_info["segment"], {})

    return [
        web.get("/", page("sender.html")),
        web.get("/codecs", page("codecs.html")),
        web.get("/segments/{segment}", segment),
    ]


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path: Path) -> AsyncIterator[MemoryServer]:
    """A session in which dana is asked for view and record; segments of `tmp_path` are under /segments."""
    async with memory_server(ALICE, DANA, TAPE, routes=pages(tmp_path)) as running:
        await running.endpoint.command("session", Open("Example", "Printer", True))
        await running.endpoint.command("session", Assign("alice", "Alice"))
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def dana(browser: Browser, server: MemoryServer) -> AsyncIterator[Page]:
    """Dana's page, which shares as soon as `share("dana")` runs in it."""
    page = await browser.new_page(viewport={"width": 1280, "height": 720})
    await page.goto(server.url)
    yield page
    await page.close()
