"""The canvas must come to the same picture as drawing everything anew, whatever came before."""

import numpy as np
import pytest

from annotate.board import FADE_AFTER_MS, AnnotationAdded, AnnotationsErased, AnnotationsRestored, Board
from annotate.pointers import PointerMark
from annotate.rendering import Picture, render
from annotate.shapes import Annotation, Box, Highlight, Shape, Stroke, Text
from customer_client.overlay.canvas import FRAME_MS, Canvas, next_change
from customer_client.overlay.sheet import Sheet

WIDTH, HEIGHT = 500, 330
BLUE = "#2f6fed"


def annotation(name: str, shape: Shape, *, fade: bool = False) -> Annotation:
    return Annotation(id=name, surface="s", color="#e5322d", width=0.01, fade=fade, shape=shape)


def add(board: Board, name: str, shape: Shape, *, fade: bool = False, at: int = 0) -> Board:
    return board.apply(AnnotationAdded(annotation(name, shape, fade=fade)), "alice", at)


class Screen:
    """Shows what a canvas gives out, as a pane does."""

    def __init__(self) -> None:
        self.canvas = Canvas(WIDTH, HEIGHT, 1.0)
        self.picture: Picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)

    def show(self, sheet: Sheet, now: int) -> int:
        """How many pixels were put."""
        pieces = self.canvas.update(sheet, now)
        for (left, top, width, height), ink in pieces:
            self.picture[top : top + height, left : left + width] = ink
        return sum(region.width * region.height for region, _ in pieces)


@pytest.fixture
def screen() -> Screen:
    return Screen()


def test_drawing_erasing_restoring_and_fading_come_to_the_picture_drawn_anew(screen: Screen) -> None:
    board = add(Board(), "box", Box((0.02, 0.02), (0.98, 0.98)))
    board = add(board, "mark", Highlight([(0.1, 0.5), (0.9, 0.55)]))
    board = add(board, "gone", Stroke([(0.2, 0.1), (0.6, 0.8)]), fade=True)
    moments = [(board, 0)]
    board = add(board, "text", Text((0.3, 0.4), "Press here", 0.08), at=100)
    moments += [(board, 100), (board, FADE_AFTER_MS + 300), (board, FADE_AFTER_MS + 700)]
    board = board.apply(AnnotationsErased(["box", "mark"]), "alice", FADE_AFTER_MS + 750)
    moments += [(board, FADE_AFTER_MS + 750), (board, FADE_AFTER_MS + 2_000)]
    board = board.apply(AnnotationsRestored(["mark"]), "alice", FADE_AFTER_MS + 2_100)
    moments += [(board, FADE_AFTER_MS + 2_100)]
    for each, now in moments:
        screen.show(Sheet("s", each), now)
        assert (screen.picture == render(each, "s", now, WIDTH, HEIGHT)).all()
        seen = np.zeros((HEIGHT, WIDTH), np.bool_)
        for left, top, width, height in screen.canvas.inked():
            seen[top : top + height, left : left + width] = True
        assert not screen.picture[~seen].any()
    screen.show(Sheet(), FADE_AFTER_MS + 2_200)
    assert screen.canvas.empty
    assert not screen.picture.any()


def test_what_stays_as_it_is_is_not_put_again(screen: Screen) -> None:
    sheet = Sheet("s", add(Board(), "box", Box((0.02, 0.02), (0.98, 0.98))))
    assert 0 < screen.show(sheet, 0) < WIDTH * HEIGHT / 2
    assert screen.show(sheet, 1_000) == 0
    assert screen.show(sheet.on("s"), 90_000) == 0


def test_a_stroke_that_grows_is_shown_as_far_as_it_goes(screen: Screen) -> None:
    points = [(0.1 + i / 50, 0.2 + (i % 7) / 30) for i in range(40)]
    sheet = Sheet("s")
    for length in range(1, 40, 6):
        sheet = sheet.drawing("alice", annotation("one", Stroke(points[:length])), 0)
        screen.show(sheet, 0)
    assert (screen.picture == render(add(Board(), "one", Stroke(points[:length])), "s", 0, WIDTH, HEIGHT)).all()
    assert screen.show(sheet.with_board(add(Board(), "one", Stroke(points[:length]))), 50) == 0


def test_a_pointer_leaves_the_ink_below_it_as_it_was(screen: Screen) -> None:
    board = add(Board(), "mark", Highlight([(0.1, 0.5), (0.9, 0.5)]))
    sheet = Sheet("s", board)
    screen.show(sheet, 0)
    for x in (0.0, 0.3, 0.31, 0.99, 1.0):
        screen.show(sheet.pointing("alice", "s", PointerMark((x, 0.5), "Alice", BLUE)), 0)
        assert (screen.picture[..., :3] == [0x2F, 0x6F, 0xED]).all(axis=2).any()
    screen.show(sheet, 0)
    assert (screen.picture == render(board, "s", 0, WIDTH, HEIGHT)).all()


def test_it_says_when_to_look_again() -> None:
    still = Sheet("s", add(Board(), "one", Stroke([(0.5, 0.5)])))
    assert next_change(still, 0) is None
    fading = Sheet("s", add(Board(), "one", Stroke([(0.5, 0.5)]), fade=True, at=1_000))
    assert next_change(fading, 1_200) == FADE_AFTER_MS - 200
    assert next_change(fading, 1_000 + FADE_AFTER_MS + 500) == FRAME_MS
    assert next_change(fading, 1_000 + FADE_AFTER_MS + 5_000) is None
    drawn = Sheet("s").drawing("alice", annotation("one", Stroke([(0.5, 0.5)])), 0)
    assert next_change(drawn, 0) is None
    assert next_change(drawn.drawing("alice", annotation("two", Stroke([(0.5, 0.5)])), 0), 1_000) == 2_000
