"""The window and the bar on a real desktop, with a real mouse: what is shown, and what is wanted in which order."""

import gc
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from Xlib import Xatom

from customer_client.capture import surfaces
from customer_client.capture.masks import Mask, Masks
from customer_client.capture.screen_capture import Capture
from customer_client.faces.face import (
    Agree,
    Answer,
    Close,
    Cover,
    Decline,
    Destination,
    Farewell,
    Line,
    Pause,
    Question,
    Report,
    Say,
    SendPicture,
    Stop,
    Switch,
    Trouble,
    View,
    Waiting,
)
from customer_client.words import LANGUAGES
from tests.customer_client.x11_desktop import RED, Desktop, colors, x11_desktop

if TYPE_CHECKING:
    from tests.customer_client.seat import Seat

seat = pytest.importorskip("tests.customer_client.seat", reason="this Python has no tkinter", exc_type=ImportError)

KEY = re.compile(r"[a-z_]+(\.[a-z_0-9]+)+")
QUESTION = Question("ACME", "Alice", "No sound", "https://help.example", frozenset({"record", "control"}))
KEPT: list[object] = []
"""Windows that were: Tcl aborts the process when an interpreter is collected in another thread than its own."""


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop(width=1280, height=900) as shown:
        yield shown


@pytest.fixture
def dana(desktop: Desktop) -> Iterator["Seat"]:
    sitting = seat.Seat(desktop)
    yield sitting
    sitting.window._end()
    KEPT.append(sitting.window)
    for thread in threading.enumerate():
        if thread.name in ("thumbnails", "preview"):
            thread.join(seat.PATIENCE)
    desktop.clear()


def test_consent_is_given_scope_by_scope_to_a_window_with_a_part_covered(dana: "Seat") -> None:
    dana.shows(QUESTION, "QuestionPage")
    switches = [each for each in dana.under(dana.root) if isinstance(each, seat.ttk.Checkbutton)]
    assert [switch.instate(["selected"]) for switch in switches] == [True, False, False]
    dana.clicks(switches[1])
    dana.until(lambda: switches[1].instate(["selected"]))
    dana.clicks(dana.button("Choose what to share"))

    dana.until(lambda: [tile for tile in getattr(dana.page, "_tiles", {}).values() if tile.source.title == "Letter"])
    assert dana.button("Share this").instate(["disabled"])
    [tile] = [tile for tile in dana.page._tiles.values() if tile.source.title == "Letter"]
    dana.until(lambda: tile._image is not None)
    assert tile._image._PhotoImage__photo.get(25, 110) == (255, 0, 0), "the tile shows the window as it is"
    dana.clicks(tile)
    dana.until(lambda: dana.button("Share this").instate(["!disabled"]))
    dana.clicks(dana.button("Cover a part first"))

    dana.until(lambda: type(dana.page).__name__ == "CoverPage" and dana.page._image is not None)
    preview = dana.page.preview
    left, top = preview.winfo_rootx() + 2, preview.winfo_rooty() + 2
    width, height = dana.page._size
    dana.points(left + width // 4, top + height // 2)
    dana.holds(True)
    for share in (0.5, 0.75):
        dana.points(left + round(width * share), top + round(height * 0.75))
        dana.root.update()
    dana.holds(False)
    dana.clicks(dana.button("Share this"))
    dana.until(lambda: dana.deeds)
    [agreed] = dana.deeds
    assert isinstance(agreed, Agree)
    assert (agreed.apart, agreed.source.title if agreed.source else "") == (frozenset({"record"}), "Letter")
    [mask] = agreed.masks.rectangles
    near = np.abs(np.array([mask.left, mask.top, mask.right, mask.bottom]) - [0.25, 0.5, 0.75, 0.75]).max()
    assert near < 0.02


def test_the_window_can_be_used_with_the_keyboard_alone(dana: "Seat") -> None:
    dana.shows(QUESTION, "QuestionPage")
    dana.types("Return")
    dana.until(lambda: type(dana.page).__name__ == "ChoicePage" and dana.page._tiles)
    tiles = list(dana.page._tiles.values())
    dana.types("space")
    dana.until(lambda: any(tile._is_chosen for tile in tiles))
    dana.types(*["Tab"] * (len(tiles) + 1), "Return")
    dana.until(lambda: type(dana.page).__name__ == "CoverPage")
    dana.types("Insert", "Right", "Insert", "Delete")
    dana.until(lambda: [mask.left for mask in dana.page.masks] == [pytest.approx(0.36)])
    dana.types("Tab", "Tab", "Tab", "Return")
    dana.until(lambda: dana.deeds)
    [agreed] = dana.deeds
    assert isinstance(agreed, Agree) and len(agreed.masks.rectangles) == 1


def test_a_picture_is_sent_without_anything_live(dana: "Seat") -> None:
    dana.shows(QUESTION, "QuestionPage")
    dana.clicks(dana.button("Send a picture instead"))
    dana.until(lambda: getattr(dana.page, "_tiles", None))
    tile = next(iter(dana.page._tiles.values()))
    dana.clicks(tile)
    dana.clicks(dana.button("Send this picture"))
    dana.wants(Agree(frozenset(), None, Masks()), SendPicture(tile.source, Masks()))


def test_who_did_not_ask_for_help_can_say_so_and_the_cross_means_no(dana: "Seat") -> None:
    dana.shows(QUESTION, "QuestionPage")
    dana.clicks(dana.button("No, I did not"))
    dana.wants(Decline(unasked=True))
    dana.window._dismissed()
    dana.wants(Decline())
    dana.shows(Destination("https://help.example", "4F7K-2M9Q"), "DestinationPage")
    dana.window._dismissed()
    dana.wants(Close())


def test_stop_closes_the_tap_first_and_says_so_though_nobody_answers(dana: "Seat") -> None:
    dana.shows(replace(dana.standing, online=False))
    dana.clicks(dana.button("Stop sharing"))
    dana.wants("halt", Stop())
    assert dana.bar is None
    assert isinstance(dana.window.view, Farewell) and dana.window.view.unsent
    dana.window.show(dana.standing)  # on its way when Stop was pressed
    dana.until(dana.window._posted.empty)
    assert dana.bar is None
    dana.shows(Farewell("ACME", "Alice", 3, here=True), "FarewellPage")


def test_pause_closes_the_tap_first_and_stays_until_it_is_so(dana: "Seat") -> None:
    dana.shows(dana.standing)
    dana.clicks(dana.button("Pause"))
    dana.wants("halt", Pause())
    dana.window.show(dana.standing)  # on its way when Pause was pressed
    dana.until(dana.window._posted.empty)
    assert dana.bar._headline.cget("text") == "Paused. Nobody sees your screen now."
    dana.button("Go on")


def test_escape_twice_stops(dana: "Seat") -> None:
    dana.shows(dana.standing)
    dana.bar.stop.focus_force()
    dana.presses("Escape")
    dana.until(lambda: "once more" in dana.bar._aside.cget("text"))
    assert dana.deeds == []
    dana.presses("Escape")
    dana.wants("halt", Stop())


def test_the_chat_counts_what_is_new_and_says_what_is_typed(dana: "Seat") -> None:
    dana.shows(dana.standing)
    dana.shows(replace(dana.standing, lines=(Line("Alice", "Hello", False),)))
    dana.clicks(dana.button("Chat (1)"))
    dana.until(lambda: type(dana.page).__name__ == "ChatPage")
    assert "Hello" in dana.page.lines.get("1.0", "end")
    dana.button("Chat")
    dana.types("h", "i", "Return")
    dana.wants(Say("hi"))


def test_what_is_covered_and_shared_changes_while_sharing(dana: "Seat") -> None:
    dana.shows(dana.standing)
    dana.clicks(dana.button("Cover"))
    dana.until(lambda: getattr(dana.page, "_image", None))
    dana.clicks(dana.button("Cover a part"))
    dana.wants(Cover(Masks.of([Mask(0.35, 0.4, 0.65, 0.6)])))
    dana.clicks(dana.button("Done"))
    dana.until(lambda: dana.root.state() == "withdrawn")
    dana.clicks(dana.button("Switch"))
    dana.until(lambda: [tile for tile in getattr(dana.page, "_tiles", {}).values() if tile.source.window])
    [tile] = [tile for tile in dana.page._tiles.values() if tile.source.title == "Letter"]
    dana.clicks(tile)
    dana.clicks(dana.button("Share this instead"))
    dana.wants(Switch(tile.source, Masks()))


def test_whoever_holds_the_mouse_can_agree_to_nothing_in_danas_name(dana: "Seat") -> None:
    asked = replace(dana.standing, asked=frozenset({"record"}))
    dana.shows(asked)
    dana.clicks(dana.button("Details"))
    dana.until(lambda: dana.root.state() == "normal")
    dana.shows(replace(asked, control=True))
    assert dana.root.state() == "withdrawn"
    for label in ("Allow recording", "Chat", "Switch"):
        dana.clicks(dana.button(label))
    dana.clicks(dana.button("Take back"))
    dana.wants(Answer("control", False))


def test_something_wrong_is_stopped_before_it_is_reported(dana: "Seat") -> None:
    dana.shows(dana.standing)
    dana.clicks(dana.button("Details"))
    dana.clicks(dana.button("Stop and report it"))
    dana.wants("halt", Stop(), Report())


def test_what_the_bar_opens_is_not_in_the_picture(dana: "Seat") -> None:
    dana.shows(dana.standing)
    dana.clicks(dana.button("Switch"))
    dana.until(lambda: dana.window.covers().windows)
    [area] = dana.window.covers().areas
    middle = (area.left + area.width // 2, area.top + area.height // 2)
    assert dana.standing.source is not None
    seen = Capture(dana.standing.source, ink=surfaces.Cover).still().picture
    assert colors(seen, middle) != [RED]
    seen = Capture(dana.standing.source, ink=dana.window.covers).still().picture
    assert colors(seen, middle) == [RED]
    dana.clicks(dana.button("Back"))
    dana.until(lambda: not dana.window.covers().windows)


def test_nothing_of_tk_is_left_to_the_garbage_collector_of_another_thread(dana: "Seat") -> None:
    def alive() -> set[int]:
        return {id(each) for each in gc.get_objects() if isinstance(each, seat.HELD)}

    gc.collect()
    before = alive()
    gc.disable()
    try:
        dana.shows(QUESTION, "QuestionPage")
        dana.page._ways[0].invoke()
        dana.until(lambda: getattr(dana.page, "_tiles", None))
        dana.until(lambda: all(tile._image for tile in dana.page._tiles.values()))
        dana.shows(dana.standing)
        for name in ("cover", "switch", "chat", "details"):
            dana.window._open(name)
            dana.until(lambda name=name: name != "cover" or dana.page._image)  # type: ignore[misc]
        dana.shows(Farewell("ACME", "Alice", 3), "FarewellPage")
        pictures = {id(kept) for kept in dana.window.stage.theme._pictures.values()}
        assert alive() - before - pictures == set()
    finally:
        gc.enable()


def test_all_is_as_large_as_the_desktop_wishes(desktop: Desktop) -> None:
    desktop.root.change_property(Xatom.RESOURCE_MANAGER, Xatom.STRING, 8, b"Xft.dpi:\t144\n")
    desktop.server.sync()
    sitting = seat.Seat(desktop)
    sitting.shows(QUESTION, "QuestionPage")
    assert sitting.window.stage.theme.fonts["body"].metrics("linespace") == pytest.approx(15 * 1.5 * 1.2, abs=2)
    assert cut_off(sitting) == []
    sitting.window._end()
    KEPT.append(sitting.window)
    desktop.clear()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_in_every_language(dana: "Seat", language: str) -> None:
    dana.window.stage.words.language = language
    agreed = replace(dana.standing, phrase="123 456 789 012", recording="on", lines=(Line("Alice", "Hello", False),))
    before: list[tuple[View, str]] = [
        (Destination("http://help.example:8080", "4F7K-2M9Q"), "DestinationPage"),
        (Waiting("in_line", "ACME", 3), "WaitingPage"),
        (replace(QUESTION, notice="away"), "QuestionPage"),
        (replace(QUESTION, live=False), "QuestionPage"),
        (Trouble("wayland", again=True, browser="https://help.example"), "TroublePage"),
        (Farewell("ACME", "Alice", 3700, ("Alice", "Bob"), True, 2, here=True, receipt=("a",)), "FarewellPage"),
        (Farewell("ACME", "Alice", 0, declined=True, unasked=True), "FarewellPage"),
    ]
    for view, page in before:
        dana.shows(view, page)
        assert cut_off(dana) == []
    dana.shows(QUESTION, "QuestionPage")
    dana.page._ways[0].invoke()
    dana.until(lambda: getattr(dana.page, "_tiles", None))
    assert cut_off(dana) == []
    for standing in (
        replace(agreed, asked=frozenset({"record", "control"}), masks=Masks.of([Mask(0, 0, 0.5, 0.5)])),
        replace(agreed, control=True, online=False),
        replace(agreed, paused=True, held=True, recording="failed"),
        agreed,
    ):
        dana.shows(standing)
        assert cut_off(dana) == []
    for name in ("chat", "details", "cover", "switch", "picture"):
        dana.window._open(name)
        dana.until(dana.page.winfo_viewable)
        dana.root.update()
        assert cut_off(dana) == []


def cut_off(dana: "Seat") -> list[str]:
    """What is said beyond the edge of its window, or not at all."""
    found = []
    for widget in dana.under(dana.root):
        if not isinstance(widget, seat.ttk.Button | seat.ttk.Label) or not widget.winfo_viewable():
            continue
        text, whole = str(widget.cget("text")), widget.winfo_toplevel()
        right = widget.winfo_rootx() - whole.winfo_rootx() + widget.winfo_width()
        unwrapped = isinstance(widget, seat.ttk.Button) and widget.winfo_width() < widget.winfo_reqwidth()
        if right > whole.winfo_width() or unwrapped or KEY.fullmatch(text):
            found.append(text)
    return found
