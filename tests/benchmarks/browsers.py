"""Two real Chromiums: the customer's on a virtual screen of its own, the agent's headless."""

import os
import select
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

from playwright.async_api import Browser, async_playwright

from tests import chromium

SCREEN = (1280, 720)
FLAGS = [*chromium.FLAGS, "--disable-features=WebRtcHideLocalIpsWithMdns"]
WHOLE_SCREEN = "--auto-select-desktop-capture-source=Entire screen"
DESK = "Desk"
THE_DESK = f"--auto-select-tab-capture-source-by-title={DESK}"
_LINE = "<p>The quick brown fox jumps over the lazy dog, 0123456789 times, and reads {} lines of it on the way.</p>"
DESK_PAGE = f"""<!doctype html><html lang="en"><title>{DESK}</title><style>body {{ font: 15px/1.3 sans-serif }}</style>
<h1>{DESK}</h1>{"".join(_LINE.format(number) for number in range(28))}</html>"""
"""A page of text that stands still: it costs the encoder the same, whatever the customer's own page shows."""


class Missing(Exception):
    """A program that the benchmark needs is not installed."""


class Pair(NamedTuple):
    """The browser that shares and the browser that sees."""

    customer: Browser
    agent: Browser


def program(*names: str) -> str:
    """The path of the first program that is installed."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise Missing(f"{names[0]} is not installed; `make system-packages` installs it.")


@contextmanager
def virtual_screen(size: tuple[int, int] = SCREEN) -> Iterator[str]:
    """A virtual screen of so many pixels; the value is its DISPLAY, whose number Xvfb picks."""
    reading, writing = os.pipe()
    width, height = size
    process = subprocess.Popen(
        [program("Xvfb"), "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], 20)
        number = os.read(reading, 16).decode().strip() if ready else ""
        if not number:
            raise Missing("Xvfb did not start.")
        yield f":{number}"
    finally:
        os.close(reading)
        process.terminate()
        process.wait()


@asynccontextmanager
async def pair(picker: str = WHOLE_SCREEN) -> AsyncIterator[Pair]:
    """Both browsers, with the same flags; the customer's picks by itself when it is asked what to share."""
    browser = program("chromium", "chromium-browser", "google-chrome")
    with virtual_screen() as display:
        async with async_playwright() as playwright:
            customer = await playwright.chromium.launch(
                executable_path=browser,
                headless=False,
                args=[
                    *FLAGS,
                    picker,
                    "--window-position=0,0",
                    f"--window-size={SCREEN[0]},{SCREEN[1]}",
                ],
                env={**os.environ, "DISPLAY": display},
            )
            agent = await playwright.chromium.launch(executable_path=browser, headless=True, args=FLAGS)
            try:
                yield Pair(customer, agent)
            finally:
                await agent.close()
                await customer.close()
