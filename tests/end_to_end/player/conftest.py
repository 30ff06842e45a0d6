"""One recording for all of the player's tests, and browsers that are signed in as one of the cast."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import FLAGS, HEADLESS
from tests.end_to_end.player.recorded import Recorded, record
from tests.server_process import running

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def recorded(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A server with recorder and worker, on which a session was just recorded."""
    with running(seeded, tmp_path_factory.mktemp("recorded"), children=True) as server:
        # Playwright keeps an event loop running in this thread: the session is played in another.
        with ThreadPoolExecutor(1) as thread:
            made = thread.submit(asyncio.run, record(server)).result()
        yield made


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    if HEADLESS is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=HEADLESS, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(recorded: Recorded, chromium: Browser) -> Iterator[OpenPage]:
    """Open a page of the server as one of the cast, or as a stranger; no script may fail on it."""
    contexts = []
    failures: list[str] = []

    def open_as(name: str | None, path: str, **options: object) -> Page:
        settings: dict[str, object] = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"}
        context = chromium.new_context(base_url=recorded.server.url, **(settings | options))  # type: ignore[arg-type]
        contexts.append(context)
        if name is not None:
            context.add_cookies([recorded.server.browser_cookie(name)])  # type: ignore[list-item]
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(path)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert failures == []
