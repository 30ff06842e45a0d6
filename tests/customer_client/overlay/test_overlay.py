"""The overlay on a virtual screen, read off the real screen: with a compositing manager, and without one."""

from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np
import pytest

from annotate.board import AnnotationAdded, AnnotationsErased, Board
from annotate.pointers import PointerMark
from annotate.rendering import render
from annotate.shapes import Annotation, Arrow, Box, Ellipse, Highlight, Shape, Step, Stroke, Text
from customer_client.capture.screen_capture import Capture, Captured
from customer_client.capture.surfaces import Area, Source, sources
from customer_client.overlay.overlay import Overlay, OverlayUnavailable
from customer_client.overlay.sheet import Sheet
from tests.real_desktop import WALLPAPER, Pixels, RealDesktop, real_desktop, until

RED, BLUE, PAPER, GREEN = "#e5322d", "#2f6fed", "#f4f4ea", "#336644"
EVERY_TOOL: tuple[Shape, ...] = (
    Stroke([(0.05 + i / 100, 0.9 - (i % 5) / 50) for i in range(30)]),
    Highlight([(0.1, 0.6), (0.5, 0.62)]),
    Arrow((0.2, 0.2), (0.4, 0.4)),
    Box((0.02, 0.05), (0.97, 0.95)),
    Ellipse((0.5, 0.6), (0.8, 0.9)),
    Text((0.5, 0.2), "Press here\nНажмите здесь\nΠατήστε εδώ", 0.03),
    Step((0.7, 0.5), 2, "Here"),
)
CORNER = (1279, 719)
OpenOverlay = Callable[[RealDesktop], Overlay]
WHOLE = Source("monitor", "monitor", "Screen", Area(0, 0, 1280, 720), 1.0)


def board_of(*shapes: Shape, color: str = RED, width: float = 0.008, fade: bool = False) -> Board:
    board = Board()
    for number, shape in enumerate(shapes):
        annotation = Annotation(id=f"i{number}", surface="s", color=color, width=width, fade=fade, shape=shape)
        board = board.apply(AnnotationAdded(annotation), "alice", 0)
    return board


def laid_over(below: Pixels, board: Board, now: int = 0) -> Pixels:
    """What a person must see with this board over the whole of `below`."""
    height, width = below.shape[:2]
    ink = render(board, "s", now, width, height)
    rest = 255 - ink[..., 3:].astype(np.uint16)
    return (ink[..., :3] + (below * rest + 127) // 255).astype(np.uint8)


def looks_like(desktop: RealDesktop, picture: Pixels) -> bool:
    """The same but for rounding: a compositing manager computes in eight bits."""
    return int(cv2.absdiff(desktop.look(), picture).max()) <= 3


def shows(desktop: RealDesktop, picture: Pixels) -> bool:
    return bool((desktop.look() == picture).all())


def points_at(desktop: RealDesktop, left: int) -> bool:
    return desktop.color(left, 360) == BLUE


def share_marked(desktop: RealDesktop, board: Board, below: Pixels) -> float:
    """In how much of its highlights the desktop looks other than `below`; four rows of ten without translucency."""
    highlight = render(board, "s", 0, *desktop.size)[..., 3] == 102
    return float((desktop.look() != below).any(axis=2)[highlight].mean())


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture(scope="module")
def composited() -> Iterator[RealDesktop]:
    with real_desktop() as desktop, desktop.composited():
        yield desktop


@pytest.fixture(scope="module")
def plain() -> Iterator[RealDesktop]:
    with real_desktop() as desktop:
        yield desktop


@pytest.fixture(params=["composited", "plain"])
def desktop(request: pytest.FixtureRequest) -> RealDesktop:
    found: RealDesktop = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_overlay(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenOverlay]:
    opened: list[tuple[Overlay, RealDesktop]] = []

    def make(desktop: RealDesktop) -> Overlay:
        monkeypatch.setenv("DISPLAY", desktop.name)
        opened.append((Overlay(clock), desktop))
        return opened[-1][0]

    yield make
    for overlay, desktop in opened:
        overlay.close()
        desktop.close_windows()


def test_every_tool_is_seen_on_the_real_screen_as_it_is_drawn_everywhere(
    composited: RealDesktop, open_overlay: OpenOverlay, clock: Clock
) -> None:
    composited.open_window(100, 80, 700, 500)
    below = composited.look()
    overlay = open_overlay(composited)
    overlay.place(WHOLE)

    board = board_of(*EVERY_TOOL)
    overlay.show(Sheet("s", board))
    until(partial(looks_like, composited, laid_over(below, board)))

    board = board.apply(AnnotationsErased(["i3", "i5"]), "alice", 1)
    overlay.show(Sheet("s", board))
    until(partial(looks_like, composited, laid_over(below, board)))

    fading = board_of(*EVERY_TOOL, color=BLUE, fade=True)
    overlay.show(Sheet("s", fading))
    until(partial(looks_like, composited, laid_over(below, fading)))
    clock.now = 5_500
    overlay.show(Sheet("s", fading))
    until(partial(looks_like, composited, laid_over(below, fading, 5_500)))

    overlay.clear()
    until(lambda: shows(composited, below))


def test_a_fade_goes_on_by_itself(composited: RealDesktop, open_overlay: OpenOverlay, clock: Clock) -> None:
    below = composited.look()
    overlay = open_overlay(composited)
    overlay.place(WHOLE)
    clock.now = 5_100
    overlay.show(Sheet("s", board_of(Box((0.1, 0.1), (0.9, 0.9)), fade=True)))
    until(lambda: not shows(composited, below))
    clock.now = 6_000
    until(lambda: shows(composited, below))


def test_clicks_go_through_the_ink_to_the_window_below(desktop: RealDesktop, open_overlay: OpenOverlay) -> None:
    window = desktop.open_window(200, 100, 400, 400)
    overlay = open_overlay(desktop)
    overlay.place(WHOLE)
    overlay.show(Sheet("s", board_of(Stroke([(0.1, 0.5), (0.9, 0.5)]))))
    until(lambda: desktop.color(300, 360) == RED)
    desktop.click(300, 360)
    until(lambda: desktop.clicked() == [(window.id, 100, 260)])


def test_without_a_compositing_manager_the_ink_alone_covers_what_lies_below(
    plain: RealDesktop, open_overlay: OpenOverlay
) -> None:
    plain.open_window(100, 80, 700, 500)
    below = plain.look()
    board = board_of(*EVERY_TOOL)
    overlay = open_overlay(plain)
    overlay.place(WHOLE)
    overlay.show(Sheet("s", board))
    ink = render(board, "s", 0, 1280, 720)
    opaque, absent = ink[..., 3] == 255, ink[..., 3] == 0

    def is_shown() -> bool:
        seen = plain.look()
        return bool((seen[opaque] == ink[opaque][:, :3]).all() and (seen[absent] == below[absent]).all())

    until(is_shown)
    assert 0.25 < share_marked(plain, board, below) < 0.55
    overlay.clear()
    until(lambda: shows(plain, below))


def test_ink_is_translucent_as_soon_and_as_long_as_a_compositing_manager_runs(
    plain: RealDesktop, open_overlay: OpenOverlay
) -> None:
    below = plain.look()
    board = board_of(Highlight([(0.2, 0.5), (0.8, 0.5)]))
    overlay = open_overlay(plain)
    overlay.place(WHOLE)
    overlay.show(Sheet("s", board))
    until(lambda: 0.25 < share_marked(plain, board, below) < 0.55)
    with plain.composited():
        until(partial(looks_like, plain, laid_over(below, board)))
    until(lambda: 0.25 < share_marked(plain, board, below) < 0.55)


def test_ink_follows_its_window_and_is_covered_with_it(desktop: RealDesktop, open_overlay: OpenOverlay) -> None:
    window = desktop.open_window(100, 100, 400, 300)
    overlay = open_overlay(desktop)
    overlay.place(Source("w", "window", "Letter", Area(100, 100, 400, 300), 1.0, window.id))
    overlay.show(Sheet("s", board_of(Stroke([(0.5, 0.5)]), width=0.05)))
    until(lambda: desktop.color(300, 250) == RED)

    window.configure(x=500, y=200)
    until(lambda: desktop.color(700, 350) == RED)
    window.configure(width=200, height=200)
    until(lambda: desktop.color(600, 300) == RED)

    other = desktop.open_window(560, 260, 100, 100, GREEN)
    until(lambda: desktop.color(600, 300) == GREEN)
    window.configure(stack_mode=0)
    until(lambda: desktop.color(600, 300) == RED)

    window.unmap()
    until(lambda: desktop.color(600, 300) == GREEN)
    other.destroy()
    window.map()
    until(lambda: desktop.color(600, 300) == RED)
    window.destroy()
    until(lambda: desktop.color(600, 300) == WALLPAPER)


def test_ink_stays_above_what_opens_later_on_a_monitor(desktop: RealDesktop, open_overlay: OpenOverlay) -> None:
    overlay = open_overlay(desktop)
    # The right one of two monitors, whose pixels are half as large.
    overlay.place(Source("right", "monitor", "Right", Area(640, 0, 640, 720), 2.0))
    mark = PointerMark((0.5, 0.5), "", BLUE)
    overlay.show(Sheet("s").pointing("alice", "s", mark))
    until(lambda: desktop.color(960, 360) == BLUE)
    desktop.open_window(700, 200, 500, 400, PAPER)
    until(lambda: desktop.color(710, 360) == PAPER)
    until(lambda: desktop.color(960, 360) == BLUE)
    row = (desktop.look(700, 360, 500, 1)[0] == [0x2F, 0x6F, 0xED]).all(axis=1)
    assert 22 <= row.sum() <= 28


def test_no_captured_picture_shows_the_ink(desktop: RealDesktop, open_overlay: OpenOverlay) -> None:
    desktop.open_window(100, 80, 900, 500)
    # The mouse is in the captured picture, though not on the screen's.
    desktop.point(*CORNER)
    below = desktop.look()
    overlay = open_overlay(desktop)
    overlay.place(WHOLE)
    capture = Capture(next(each for each in sources() if each.kind == "monitor"), ink=overlay.covers)
    taken: list[Captured] = []
    capture.start()
    try:
        capture.subscribe(taken.append)
        board = board_of(*EVERY_TOOL)
        sheet = Sheet("s", board)
        for step in range(20):
            sheet = sheet.pointing("alice", "s", PointerMark((0.2 + step / 50, 0.5), "Alice", BLUE))
            overlay.show(sheet)
            until(partial(points_at, desktop, int((0.2 + step / 50) * 1280)))
        assert not shows(desktop, below)
        still = capture.still()
        overlay.clear()
        until(lambda: shows(desktop, below))
    finally:
        capture.stop()
    assert taken
    for captured in [*taken, still]:
        seen = captured.picture[: CORNER[1] - 20, :, 2::-1]
        assert (seen == below[: len(seen)]).all()


def test_a_desktop_that_is_not_there_has_no_overlay(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":51999")
    with pytest.raises(OverlayUnavailable) as failure:
        Overlay(clock)
    assert failure.value.code == "no_display"


def test_an_overlay_whose_desktop_ended_covers_nothing_and_can_still_be_used(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with real_desktop() as desktop:
        monkeypatch.setenv("DISPLAY", desktop.name)
        overlay = Overlay(clock)
        overlay.place(WHOLE)
        overlay.show(Sheet("s", board_of(Box((0.1, 0.1), (0.9, 0.9)))))
        until(lambda: overlay.covers().areas)
    until(lambda: not overlay.covers().areas)
    overlay.show(Sheet())
    overlay.close()
