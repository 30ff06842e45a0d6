"""Dana hands her mouse and keyboard over to Alice: from the console in a browser to a program on a real desktop."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from playwright.sync_api import Page, expect

from customer_client.capture.masks import Masks
from customer_client.faces.face import Agree, Answer, Connect, Question, Standing
from tests.conftest import MakeServer
from tests.customer_client.controlled import ESCAPE, Person, Window, open_program
from tests.customer_client.scripted_face import ScriptedFace
from tests.end_to_end.console.conftest import Browsers
from tests.end_to_end.console.native_client import native_client
from tests.end_to_end.console.people import LIVE, Desk, around
from tests.virtual_screen import virtual_screen

WIDTH, HEIGHT = 640, 480
PAD = "textarea.control-pad"


@pytest.fixture
def permissive_desk(make_server: MakeServer, browsers: Browsers) -> Iterator[Desk]:
    """A server that lets agents ask for control."""
    made = Desk(make_server(organization="ACME Support", control=True), *browsers)
    yield made
    made.close()


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """What Dana works with, on a desktop of her own."""
    if find_spec("pynput") is None:
        pytest.skip("pynput is not installed: it needs a C compiler here")
    pytest.importorskip("tkinter")
    with virtual_screen(WIDTH, HEIGHT) as name:
        monkeypatch.setenv("DISPLAY", name)
        for other in ("XDG_SESSION_TYPE", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(other, raising=False)
        with open_program() as opened:
            yield opened


@pytest.fixture
def invited(permissive_desk: Desk, program: Window) -> Iterator[tuple[Page, ScriptedFace]]:
    """Alice in the live view, and Dana's client, which has not been let in yet."""
    alice = permissive_desk.staff("alice")
    session, link = permissive_desk.invite(alice)
    with native_client(link) as dana:
        alice.goto(f"/console/sessions/{session}")
        yield alice, dana


def grant(alice: Page, dana: ScriptedFace) -> None:
    """Alice asks, and Dana says yes."""
    alice.get_by_role("button", name="Ask for control").click()
    expect(alice.get_by_text("Asked for control").first).to_be_visible()
    dana.sees(Standing, lambda now: "control" in now.asked)
    dana.want(Answer("control", True))
    expect(alice.get_by_text("You have control")).to_be_visible()
    dana.sees(Standing, lambda now: now.control)
    dana.hears("control.on")
    dana.told.clear()


def clicks(alice: Page, program: Window, x: int, y: int) -> None:
    """Alice clicks in the picture, and it is clicked there on Dana's desktop, give or take a pixel of the picture."""
    left, top, *_ = around(alice, LIVE, x / WIDTH, y / HEIGHT, 1, 1)
    alice.mouse.click(left, top)
    at = program.hear(lambda said: "clicked" in said)["at"]
    assert abs(at[0] - x) <= 2
    assert abs(at[1] - y) <= 2


def test_alice_clicks_and_types_on_danas_desktop_until_either_of_them_ends_it(
    invited: tuple[Page, ScriptedFace], program: Window
) -> None:
    alice, dana = invited
    dana.want(Connect())
    dana.sees(Question)
    dana.want(Agree(frozenset(), dana.screens.sources()[0], Masks()))

    grant(alice, dana)
    clicks(alice, program, 200, 150)
    alice.keyboard.type("Grüße, Дана!")
    program.reads("Grüße, Дана!")
    alice.keyboard.press("Control+a")
    program.hear(lambda said: "selected" in said)
    alice.keyboard.insert_text("漢字")
    program.reads("漢字")

    alice.keyboard.press("Escape")
    alice.keyboard.press("Escape")
    expect(alice.locator(PAD)).to_have_count(0)
    dana.sees(Standing, lambda now: not now.control)

    grant(alice, dana)
    clicks(alice, program, 300, 250)
    person = Person()
    person.presses(ESCAPE)
    person.presses(ESCAPE)
    dana.hears("control.off")
    expect(alice.locator(PAD)).to_have_count(0)
    expect(alice.get_by_role("button", name="Ask for control")).to_be_visible()

    alice.get_by_role("button", name="Timeline").click()
    for said in ("Asked for control", "Agreed to control", "Control ended"):
        expect(alice.locator("ol.timeline li", has_text=said)).to_have_count(2)
