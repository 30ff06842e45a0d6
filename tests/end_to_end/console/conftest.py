"""Two real Chromiums, one of which shares the tab with the counter whenever it is asked what to share."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.chromium import CHROMIUM, FLAGS, HEADLESS
from tests.conftest import MakeServer
from tests.end_to_end.console.counter import TITLE, WAIT_S
from tests.end_to_end.console.people import Desk
from tests.server_process import ServerProcess

# A microphone that beeps once a second.
MICROPHONE = "--use-fake-device-for-media-stream"
# The headless shell has nobody to ask, and opens no microphone unless it is told what the answer is.
PERMITTED = "--use-fake-ui-for-media-stream"


class Browsers(NamedTuple):
    agents: Browser
    customers: Browser


@pytest.fixture(scope="package")
def browsers() -> Iterator[Browsers]:
    """Ended with the package: while Playwright runs, no test can have an event loop of its own."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    expect.set_options(timeout=WAIT_S * 1000)
    with sync_playwright() as playwright:
        picker = f"--auto-select-tab-capture-source-by-title={TITLE}"
        agents = playwright.chromium.launch(executable_path=HEADLESS, args=[*FLAGS, MICROPHONE, PERMITTED])
        customers = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, MICROPHONE, picker])
        yield Browsers(agents, customers)
        agents.close()
        customers.close()


@pytest.fixture(scope="package")
def shared_server(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests that leave it alone."""
    folder = tmp_path_factory.mktemp("console")
    shutil.copytree(seeded, folder / "data")
    server = ServerProcess(folder / "data", folder / "server.log", {"organization": "ACME Support"})
    server.start()
    yield server
    server.terminate()
    server.check_log()


@pytest.fixture
def desk(shared_server: ServerProcess, browsers: Browsers) -> Iterator[Desk]:
    """The people of one test."""
    made = Desk(shared_server, *browsers)
    yield made
    made.close()


@pytest.fixture
def bare_desk(tmp_path: Path, browsers: Browsers) -> Iterator[Desk]:
    """The same with a server that is new: nobody has an account there."""
    data = tmp_path / "bare"
    data.mkdir()
    server = ServerProcess(data, tmp_path / "bare.log", {"organization": "ACME Support"})
    server.start()
    made = Desk(server, *browsers)
    yield made
    made.close()
    server.terminate()
    server.check_log()


@pytest.fixture
def own_desk(make_server: MakeServer, browsers: Browsers) -> Iterator[Desk]:
    """The same with a server of the test's own, where nothing happened before, and which the test may kill."""
    made = Desk(make_server(organization="ACME Support"), *browsers)
    yield made
    made.close()
