import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

from customer_client.capture import reading, surfaces
from customer_client.capture.masks import PAINT, Mask, Masks
from customer_client.capture.screen_capture import Capture, Captured
from customer_client.capture.surfaces import Area, CaptureUnavailable, Cover, Source
from tests.customer_client.x11_desktop import BLUE, GREEN, RED, WHITE, Desktop, colors, resizable_desktop, x11_desktop
from tests.virtual_screen import virtual_screen

PATIENCE = 10
COVERED = PAINT[2] << 16 | PAINT[1] << 8 | PAINT[0]


@pytest.fixture(scope="module")
def whole_desktop() -> Iterator[Desktop]:
    with x11_desktop() as desktop:
        yield desktop


@pytest.fixture
def desktop(whole_desktop: Desktop) -> Iterator[Desktop]:
    yield whole_desktop
    whole_desktop.clear()


class Watcher:
    """What a capture gives out and loses, in order."""

    def __init__(self, source: Source, **options: Any) -> None:
        self.lost: queue.Queue[Source] = queue.Queue()
        self.capture = Capture(source, on_gone=self.lost.put, **options)
        self._given: queue.Queue[Captured] = queue.Queue()
        self.capture.subscribe(self._given.put)

    def until(self, shown: Callable[[Captured], bool]) -> Captured:
        """The first picture of which that is so."""
        while True:
            captured = self._given.get(timeout=PATIENCE)
            if shown(captured):
                return captured

    def until_colors(self, expected: list[int], *places: tuple[int, int]) -> Captured:
        return self.until(lambda captured: colors(captured.picture, *places) == expected)

    def until_size(self, width: int, height: int) -> Captured:
        return self.until(lambda captured: captured.picture.shape == (height, width, 4))

    def waiting(self) -> list[Captured]:
        found = []
        while not self._given.empty():
            found.append(self._given.get())
        return found


@contextmanager
def watching(source: Source, **options: Any) -> Iterator[Watcher]:
    watcher = Watcher(source, **options)
    watcher.capture.start()
    try:
        yield watcher
    finally:
        watcher.capture.stop()


def monitor() -> Source:
    return surfaces.sources()[0]


def window_named(title: str) -> Source:
    return next(each for each in surfaces.sources() if each.title == title)


def test_a_picture_comes_when_something_changed_and_says_where(desktop: Desktop) -> None:
    window = desktop.window(Area(100, 100, 300, 200), RED, "Letter")
    with watching(monitor()) as watcher:
        first = watcher.until(lambda captured: True)
        assert first.changed == (Area(0, 0, 800, 600),)
        assert first.picture.shape == (600, 800, 4)
        assert first.picture.flags.c_contiguous and not first.picture.flags.writeable
        assert colors(first.picture, (99, 150), (100, 150), (399, 299), (400, 299)) == [0, RED, RED, 0]
        desktop.paint(window, Area(10, 20, 30, 5), GREEN)
        second = watcher.until_colors([GREEN], (110, 120))
        # Nothing else changed meanwhile, so no other picture came in between.
        assert (second.number, second.changed) == (first.number + 1, (Area(110, 120, 30, 5),))
        assert colors(first.picture, (110, 120)) == [RED]
        assert watcher.capture.latest() is second


def test_the_mouse_pointer_is_in_the_picture_and_moving_it_is_a_change(desktop: Desktop) -> None:
    desktop.window(Area(0, 0, 800, 600), RED)
    desktop.point(200, 200)
    with watching(monitor()) as watcher:
        there = watcher.until(lambda captured: (captured.picture[190:215, 190:215] != (0, 0, 255, 0)).any())
        desktop.point(500, 400)
        moved = watcher.until(lambda captured: captured.number > there.number)
        assert colors(moved.picture, (200, 200)) == [RED]
        assert (moved.picture[390:415, 490:515] != (0, 0, 255, 0)).any()
        assert len(moved.changed) == 2
        assert all(each.width < 80 for each in moved.changed)


def test_a_mouse_pointer_that_gets_another_shape_leaves_nothing_where_it_was(desktop: Desktop) -> None:
    desktop.window(Area(0, 0, 800, 600), RED)
    shapes: Any = desktop.server.open_font("cursor")
    crosshair = shapes.create_glyph_cursor(shapes, 34, 35, (0, 0, 0), (65535, 65535, 65535))
    desktop.window(Area(400, 300, 400, 300), RED).change_attributes(cursor=crosshair)
    desktop.point(200, 200)
    with watching(monitor()) as watcher:
        there = watcher.until(lambda captured: (captured.picture[190:215, 190:215] != (0, 0, 255, 0)).any())
        desktop.point(500, 400)
        moved = watcher.until(lambda captured: captured.number > there.number)
        assert any(each.intersection(Area(200, 200, 1, 1)) for each in moved.changed)


def test_what_is_covered_is_in_no_picture_from_then_on(desktop: Desktop) -> None:
    window = desktop.window(Area(0, 0, 800, 600), RED)
    with watching(monitor(), masks=Masks((Mask(0, 0, 0.25, 0.5),))) as watcher:
        first = watcher.until(lambda captured: True)
        assert colors(first.picture, (0, 0), (199, 299), (200, 299)) == [COVERED, COVERED, RED]
        watcher.capture.cover(Masks((Mask(0.5, 0.5, 1, 1),)))
        for at_once in (watcher.capture.still(), watcher.capture.latest()):
            assert at_once is not None
            assert colors(at_once.picture, (400, 300), (799, 599)) == [COVERED, COVERED]
        desktop.paint(window, Area(300, 200, 400, 300), GREEN)
        after = watcher.until_colors([GREEN, RED], (300, 200), (0, 0))
        assert colors(after.picture, (399, 299), (400, 300), (699, 499)) == [GREEN, COVERED, COVERED]


def test_switching_shows_the_other_source_with_its_own_masks_only(desktop: Desktop) -> None:
    desktop.window(Area(0, 0, 200, 100), RED, "Letter")
    letter, everything = window_named("Letter"), monitor()
    with watching(everything) as watcher:
        watcher.until(lambda captured: True)
        watcher.capture.switch(letter, Masks((Mask(0, 0, 0.5, 1),)))
        watcher.waiting()
        captured = watcher.until(lambda captured: True)
        assert captured.source.key == letter.key
        assert captured.picture.shape == (100, 200, 4)
        assert colors(captured.picture, (99, 50), (100, 50)) == [COVERED, RED]
        watcher.capture.switch(everything)
        assert watcher.until(lambda captured: captured.source.key == everything.key).picture.shape == (600, 800, 4)


def test_a_window_is_shown_whole_and_alone_wherever_it_goes(desktop: Desktop) -> None:
    letter = desktop.window(Area(100, 100, 300, 200), RED, "Letter", border=3)
    desktop.paint(letter, Area(0, 0, 10, 10), WHITE)
    desktop.window(Area(150, 150, 300, 300), BLUE, "Above it")
    with watching(window_named("Letter")) as watcher:
        shown = watcher.until(lambda captured: True)
        assert shown.picture.shape == (200, 300, 4)
        desktop.paint(letter, Area(0, 0, 10, 10), WHITE)
        watcher.until_colors([WHITE, RED, RED], (0, 0), (10, 10), (299, 199))
        letter.configure(x=-200, y=500)
        desktop.server.sync()
        away = watcher.until(lambda captured: captured.area.left < 0)
        assert away.area == Area(-197, 503, 300, 200)
        desktop.paint(letter, Area(0, 100, 20, 20), GREEN)
        watcher.until_colors([GREEN], (5, 105))
        letter.configure(width=320, height=150)
        desktop.server.sync()
        assert watcher.until_size(320, 150).source.key == shown.source.key


def test_a_hidden_window_stands_still_and_a_closed_one_is_lost(desktop: Desktop) -> None:
    letter = desktop.window(Area(100, 100, 300, 200), RED, "Letter")
    with watching(window_named("Letter")) as watcher:
        watcher.until_colors([RED], (250, 50))
        letter.unmap()
        letter.change_attributes(background_pixel=GREEN)
        letter.map()
        desktop.server.sync()
        watcher.until_colors([GREEN], (250, 50))
        letter.destroy()
        desktop.server.sync()
        assert watcher.lost.get(timeout=PATIENCE).title == "Letter"
        assert watcher.capture.latest() is None
        with pytest.raises(CaptureUnavailable):
            watcher.capture.still()
        watcher.capture.switch(monitor())
        assert watcher.until(lambda captured: True).source.kind == "monitor"


def test_an_unplugged_monitor_is_lost_and_goes_on_in_its_new_size_when_it_is_back(desktop: Desktop) -> None:
    desktop.plug("BEAMER", Area(0, 0, 400, 300))
    desktop.plug("OWN", Area(400, 0, 400, 600), primary=True)
    desktop.window(Area(0, 0, 800, 600), RED)
    beamer = next(each for each in surfaces.sources() if each.title == "BEAMER")
    with watching(beamer) as watcher:
        assert watcher.until(lambda captured: True).picture.shape == (300, 400, 4)
        desktop.unplug("BEAMER")
        assert watcher.lost.get(timeout=PATIENCE).key == beamer.key
        desktop.plug("BEAMER", Area(100, 50, 600, 500))
        back = watcher.until(lambda captured: True)
        assert (back.area, back.picture.shape, back.source.key) == (Area(100, 50, 600, 500), (500, 600, 4), beamer.key)


def test_a_screen_that_grows_and_shrinks_is_followed() -> None:
    with resizable_desktop() as desktop, watching(monitor()) as watcher:
        before = watcher.until(lambda captured: True)
        for size in ((1280, 960), (640, 480)):
            desktop.resize(*size)
            after = watcher.until_size(*size)
            assert (after.source.key, after.area) == (before.source.key, Area(0, 0, *size))
            assert after.changed[0] == Area(0, 0, *size)
            desktop.window(Area(0, 0, *size), RED)
            watcher.until_colors([RED], (size[0] - 1, size[1] - 1))


class Ink:
    """An overlay that has drawn what it says, with a window of its own."""

    def __init__(self) -> None:
        self.cover = Cover()

    def __call__(self) -> Cover:
        return self.cover


def test_what_lies_beneath_our_own_ink_is_shown_instead_of_it(desktop: Desktop) -> None:
    wallpaper = desktop.root.create_pixmap(800, 600, 24)
    wallpaper.fill_rectangle(desktop.root.create_gc(foreground=WHITE), 0, 0, 800, 600)
    desktop.say(desktop.root, "_XROOTPMAP_ID", [wallpaper.id], 20)
    desktop.cover_root(background_pixmap=wallpaper)
    letter = desktop.window(Area(100, 100, 300, 200), RED, "Letter", border=2)
    ink = Ink()
    with watching(monitor(), ink=ink) as watcher:
        watcher.until_colors([WHITE, RED], (90, 90), (120, 120))
        pane = desktop.root.create_window(
            0, 0, 700, 500, 0, 24, background_pixel=GREEN, override_redirect=True, event_mask=0
        )
        area = Area(0, 0, 700, 500)
        ink.cover = Cover(frozenset({pane.id}), (area, Area(50, 50, 10, 10)))
        pane.map()
        desktop.server.sync()
        # The corner is beyond the ink: with it comes every picture that could hold some.
        marker = desktop.window(Area(790, 590, 10, 10), BLUE, unmanaged=True)
        shown = watcher.until_colors([BLUE], (795, 595))
        assert not (shown.picture[:, :, :3] == (0, 255, 0)).all(axis=2).any()
        # What happens beneath is seen: drawn in a hidden window, moved, stacked anew, closed.
        desktop.paint(letter, Area(10, 10, 20, 20), BLUE)
        watcher.until_colors([BLUE, RED], (115, 115), (140, 140))
        above = desktop.window(Area(200, 200, 300, 200), 0x808080, "Above", unmanaged=True)
        pane.configure(stack_mode=0)
        desktop.server.sync()
        watcher.until_colors([0x808080, RED], (220, 220), (150, 150))
        above.configure(x=500, y=300)
        desktop.server.sync()
        watcher.until_colors([RED, 0x808080], (220, 220), (520, 320))
        letter.destroy()
        desktop.server.sync()
        watcher.until_colors([WHITE], (220, 220))
        assert all(not (each.picture[:, :, :3] == (0, 255, 0)).all(axis=2).any() for each in watcher.waiting())
        # No longer named, it is the screen itself that is read again: the pane is there still, so that it shows.
        ink.cover = Cover(frozenset({pane.id}))
        watcher.until_colors([GREEN], (220, 220))
        marker.destroy()
        pane.destroy()
        desktop.server.sync()


def test_of_where_nobody_knows_what_lies_beneath_it_shows_what_was_there_before_the_ink(desktop: Desktop) -> None:
    desktop.cover_root(background_pixel=BLUE)
    ink = Ink()
    with watching(monitor(), ink=ink) as watcher:
        watcher.until_colors([BLUE], (50, 50))
        ink.cover = Cover(frozenset({1}), (Area(0, 0, 200, 200),))
        pane = desktop.window(Area(0, 0, 100, 100), GREEN, unmanaged=True)
        ink.cover = Cover(frozenset({pane.id}), (Area(0, 0, 200, 200),))
        desktop.window(Area(790, 590, 10, 10), RED, unmanaged=True)
        assert colors(watcher.until_colors([RED], (795, 595)).picture, (20, 50)) == [BLUE]
    desktop.cover_root(background_pixel=0)


def test_a_picture_can_be_had_without_sharing_live(desktop: Desktop) -> None:
    desktop.window(Area(100, 100, 300, 200), RED, "Letter")
    still = Capture(window_named("Letter"), masks=Masks((Mask(0, 0, 0.5, 0.5),))).still()
    assert still.picture.shape == (200, 300, 4)
    assert colors(still.picture, (0, 0), (299, 199)) == [COVERED, RED]


def test_nothing_is_given_out_after_a_stop_and_it_may_begin_again(desktop: Desktop) -> None:
    window = desktop.window(Area(0, 0, 800, 600), RED)
    with watching(monitor()) as watcher:
        watcher.until(lambda captured: True)
        watcher.capture.stop()
        watcher.waiting()
        desktop.paint(window, Area(0, 0, 800, 600), GREEN)
        assert watcher.capture.latest() is None
        assert watcher.waiting() == []
        watcher.capture.start()
        watcher.until_colors([GREEN], (400, 300))


@pytest.mark.filterwarnings("error")
def test_when_the_x_server_ends_the_source_is_lost_and_no_thread_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with virtual_screen(800, 600) as name:
        monkeypatch.setenv("DISPLAY", name)
        watcher = Watcher(monitor())
        watcher.capture.start()
        watcher.until(lambda captured: True)
    assert watcher.lost.get(timeout=PATIENCE).kind == "monitor"
    watcher.capture.stop()
    with pytest.raises(CaptureUnavailable) as refused:
        surfaces.sources()
    assert refused.value.code == "no_display"


def test_where_the_x_server_tells_no_changes_pictures_are_compared() -> None:
    with x11_desktop("-extension", "DAMAGE") as desktop:
        window = desktop.window(Area(0, 0, 800, 600), RED)
        with watching(monitor()) as watcher:
            first = watcher.until_colors([RED], (400, 300))
            desktop.paint(window, Area(100, 130, 10, 10), GREEN)
            second = watcher.until_colors([GREEN], (105, 135))
            assert (second.number, second.changed) == (first.number + 1, (Area(0, 128, 800, 64),))


def test_what_is_private_of_mss_is_that_of_exactly_this_version() -> None:
    assert version("mss") == "10.2.0", "look through customer_client/capture/pixels_x11.py before moving the pin"


def test_pictures_differ_in_bands_that_are_joined_where_they_touch() -> None:
    before = np.zeros((200, 16, 4), np.uint8)
    after = before.copy()
    assert reading.differences(before, after) == ()
    after[[10, 70, 199], 3] = 1
    assert reading.differences(before, after) == (Area(0, 0, 16, 128), Area(0, 192, 16, 8))
    assert reading.differences(None, after) == (Area(0, 0, 16, 200),)
