"""A real Chromium with the ink's own code in a bare page, served from nowhere: no server, no network."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.chromium import FLAGS, HEADLESS

ROOT = Path(__file__).parents[2]
VIEWPORT: ViewportSize = {"width": 1000, "height": 700}


@pytest.fixture(scope="session")
def ink_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ink_page.ts` and all that it imports, as one script that sets `ink`."""
    script = tmp_path_factory.mktemp("ink") / "ink.js"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(
        [
            ROOT / "node_modules/.bin/rolldown",
            ROOT / "tests/annotate/ink_page.ts",
            "--file",
            script,
            "--format",
            "iife",
            "--name",
            "ink",
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return script


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Ends with the module: its event loop would otherwise stand in the way of tests that run one themselves."""
    if HEADLESS is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=HEADLESS, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=VIEWPORT)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, ink_bundle: Path) -> Iterator[Page]:
    """An empty page with the ink loaded; an error in it fails the test."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content("<!doctype html><html lang='en'><body style='margin:0'></body></html>")
    page.add_script_tag(path=ink_bundle)
    yield page
    page.close()
    assert errors == []
