"""Dana's browsers: one on a virtual screen that shares the whole of it when asked, one that has no picker to show."""

import itertools
import os
import secrets
import select
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.chromium import CHROMIUM, FLAGS, HEADLESS
from tests.server_process import ServerProcess, running

SCREEN = (1280, 720)
PICKER = "--auto-select-desktop-capture-source=Entire screen"
DENIAL = "--use-fake-ui-for-media-stream=deny"


class Browsers(NamedTuple):
    """`sharing` shares its screen whenever it is asked; in `plain` every question about sharing is answered with no."""

    sharing: Browser
    plain: Browser


OpenPage = Callable[..., Awaitable[Page]]
_addresses = (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in itertools.count(1))


@pytest.fixture(scope="package")
def server(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests that let it live; every browser comes from an address of its own, as far as it knows."""
    with running(seeded, tmp_path_factory.mktemp("customer"), trusted_proxies=["127.0.0.1"]) as process:
        yield process


@pytest.fixture(scope="package")
def display() -> Iterator[str]:
    """The DISPLAY of a virtual screen of 1280 by 720 pixels."""
    if not shutil.which("Xvfb"):
        pytest.skip("Xvfb is not installed")
    reading, writing = os.pipe()
    size = f"{SCREEN[0]}x{SCREEN[1]}x24"
    # A number that Xvfb picks itself may be picked by another that starts at the same moment.
    number = f":{secrets.randbelow(50_000) + 1_000}"
    screen = subprocess.Popen(
        ["Xvfb", number, "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], 20)
    if not ready:
        screen.kill()
        pytest.fail("Xvfb did not start")
    yield number
    screen.terminate()
    screen.wait()
    # Not before: Xvfb writes the number in two pieces, and ends when nobody reads the second.
    os.close(reading)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browsers(display: str) -> AsyncIterator[Browsers]:
    """Started once for all of these tests."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        sharing = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            headless=False,
            args=[*FLAGS, PICKER, "--window-position=0,0", "--window-size=1200,680"],
            env={**os.environ, "DISPLAY": display},
        )
        plain = await playwright.chromium.launch(executable_path=HEADLESS, args=[*FLAGS, DENIAL])
        yield Browsers(sharing, plain)
        await plain.close()
        await sharing.close()


@pytest_asyncio.fixture(loop_scope="package")
async def open_page(browsers: Browsers) -> AsyncIterator[OpenPage]:
    """Opens Dana's page in a browser profile of its own: `open_page(shares=True)`, and any option of a context."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    async def opened(shares: bool = False, **options: Any) -> Page:
        browser = browsers.sharing if shares else browsers.plain
        # An emulated size would be taken for the screen's, and the picture scaled to it.
        look = {"no_viewport": True} if shares else {"viewport": {"width": 1100, "height": 760}}
        headers = {"X-Forwarded-For": next(_addresses)}
        context = await browser.new_context(**{"locale": "en-GB", "extra_http_headers": headers, **look, **options})
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert errors == []
