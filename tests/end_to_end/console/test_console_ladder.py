"""The ladder, with a customer whose network blocks one way after the other: P2P, TURN, live snapshots, and back."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.chromium import CHROMIUM, FLAGS, HEADLESS
from tests.conftest import MakeServer
from tests.end_to_end.console import counter
from tests.end_to_end.console.conftest import Browsers
from tests.end_to_end.console.people import LIVE, Desk, around, draw_box, ink_on, inked
from tests.end_to_end.console.terminal import Terminal
from tests.end_to_end.network import Network, turn_server, unavailable
from tests.real_desktop import RealDesktop, real_desktop
from tests.server_process import ServerProcess

SNAPSHOTS = "canvas.picture"
# A candidate's address would be hidden behind a name that only multicast resolves, which is UDP as well.
ADDRESSES = "--disable-features=WebRtcHideLocalIpsWithMdns"
PICKER = f"--auto-select-tab-capture-source-by-title={counter.TITLE}"


class Blocked(NamedTuple):
    """A network behind which a customer sits, a server and a TURN server outside, and Alice's browser."""

    network: Network
    turn: int
    server: ServerProcess
    alice: Browser


@pytest.fixture
def blocked(make_server: MakeServer, browsers: Browsers, tmp_path: Path) -> Iterator[Blocked]:
    if reason := unavailable():
        pytest.skip(reason)
    if shutil.which("turnserver") is None:
        pytest.skip("coturn is not installed")
    with contextlib.ExitStack() as stack:
        network = Network()
        stack.callback(network.close)
        turn = stack.enter_context(turn_server(network, "secret", tmp_path))
        url = f"turn:{network.outside}:{turn}?transport=tcp"
        server = make_server(children=True, organization="ACME Support", turn_urls=[url], turn_secret="secret")
        network.wire(server.port)
        alice = browsers.agents.browser_type.launch(executable_path=HEADLESS, args=[*FLAGS, ADDRESSES])
        stack.callback(alice.close)
        yield Blocked(network, turn, server, alice)


@pytest.fixture
def desk(blocked: Blocked, tmp_path: Path) -> Iterator[Desk]:
    """Alice, and Dana in a browser behind the network."""
    within = blocked.network.command(tmp_path / "chromium", CHROMIUM or "")
    customers = blocked.alice.browser_type.launch(executable_path=within, args=[*FLAGS, ADDRESSES, PICKER])
    made = Desk(blocked.server, blocked.alice, customers)
    yield made
    try:
        made.close()
    finally:
        customers.close()


def comes(alice: Page, way: str, selector: str = LIVE) -> None:
    """Waits until the picture comes this way, by the words of the page; and until it moves."""
    expect(alice.get_by_role("button", name="Connection")).to_contain_text(way)
    first = counter.eventually(alice, lambda: counter.count_in(alice, selector), f"a picture in {selector}")
    counter.eventually(alice, lambda: (counter.count_in(alice, selector) or 0) > first, "one that moves")


class Desktop(NamedTuple):
    """Dana's desktop, a part of which she covered at the native client's terminal, and Alice's page, where it comes."""

    screen: RealDesktop
    alice: Page

    def comes(self, way: str, color: str, selector: str = LIVE) -> None:
        """The desktop turns to another color, which is what comes this way, save where it is covered."""
        expect(self.alice.get_by_role("button", name="Connection")).to_contain_text(way)
        self.screen.open_window(0, 0, 800, 600, color)
        counter.eventually(
            self.alice, lambda: counter.is_about(self.alice, selector, (0.6, 0.5), color), f"{color} in {selector}"
        )
        assert not counter.is_about(self.alice, selector, (0.1, 0.5), color)


@pytest.fixture
def desktop(blocked: Blocked, desk: Desk) -> Iterator[Desktop]:
    """Behind the same network as Dana's browser, in a session of its own."""
    alice = desk.staff("alice")
    session, link = desk.invite(alice)
    alice.goto(f"/console/sessions/{session}")
    with real_desktop(800, 600) as screen, Terminal(blocked.network, screen.name, link) as dana:
        for choice in ("Connect", "Choose what to share", r".*\(800 x 600\)", "Cover a part"):
            dana.choose(choice)
        dana.write("0 0 25 100")
        dana.choose("Share this")
        yield Desktop(screen, alice)


def test_both_clients_pictures_find_their_way_through_what_the_network_leaves_open_and_the_ink_stays(
    blocked: Blocked, desk: Desk, desktop: Desktop
) -> None:
    network, turn, _, _ = blocked
    alice, dana = desk.live()
    comes(alice, "direct")
    desktop.comes("direct", "#1e8c32")
    draw_box(alice, around(alice, LIVE, 0.1, 0.1, 0.3, 0.3))
    ink = ink_on(alice)

    network.block("udp")
    comes(alice, "TURN")
    desktop.comes("TURN", "#c8a01e")
    assert ink_on(alice) == pytest.approx(ink, abs=0.01)

    network.block("tcp", turn)
    comes(alice, "as snapshots", SNAPSHOTS)
    desktop.comes("as snapshots", "#46b4a0", SNAPSHOTS)
    expect(alice.get_by_text("No video gets through at the moment")).to_be_visible()
    expect(dana.locator("summary", has_text="as snapshots")).to_be_visible()
    assert ink_on(alice, SNAPSHOTS) == pytest.approx(ink, abs=0.01)

    alice.keyboard.press("Shift+Delete")
    counter.eventually(dana, lambda: not inked(dana), "a mirror without ink")
    draw_box(alice, around(alice, SNAPSHOTS, *counter.INNER))
    draw_box(desktop.alice, around(desktop.alice, SNAPSHOTS, *counter.INNER))
    counter.eventually(dana, lambda: inked(dana), "ink on Dana's mirror")
    ink = ink_on(alice, SNAPSHOTS)
    assert ink == pytest.approx(counter.INNER, abs=0.02)
    assert ink_on(desktop.alice, SNAPSHOTS) == pytest.approx(counter.INNER, abs=0.02)

    network.unblock("udp")
    comes(alice, "direct")
    desktop.comes("direct", "#808c96")
    expect(alice.get_by_text("No video gets through at the moment")).to_be_hidden()
    expect(dana.locator("summary", has_text="as snapshots")).to_be_hidden()
    assert ink_on(alice) == pytest.approx(ink, abs=0.01)
    alice.get_by_role("button", name="Timeline").click()
    expect(alice.get_by_text("The picture comes as snapshots").first).to_be_visible()

    alice.get_by_role("button", name="Ask to record").click()
    dana.get_by_role("button", name="Allow recording").click()
    comes(alice, "through the recorder")
    network.block("udp")
    comes(alice, "as snapshots", SNAPSHOTS)
    expect(alice.get_by_text("snapshots of the screen, which are not recorded")).to_be_visible()
    network.unblock("udp")
    comes(alice, "through the recorder")
    assert ink_on(alice) == pytest.approx(ink, abs=0.01)
