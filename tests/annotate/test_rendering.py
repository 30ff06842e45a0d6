"""Drawing a board: the pixels of the golden boards, and what the publisher relies on."""

import json

import msgspec
import numpy as np
import pytest

from annotate.board import AnnotationAdded, Board
from annotate.marks import halo_color, luminance
from annotate.rendering import Picture, Region, bounding_boxes, bounds, dirty_region, draw_on, render, state_key
from annotate.shapes import Annotation, Arrow, Box, Shape, Step, Stroke, Text
from tests.annotate.golden_boards import MARKS, NAMES, Inked, Probe, drawn, load

COLOR_TOLERANCE = 8
ALPHA_TOLERANCE = 0.03


def rgb(color: str) -> list[int]:
    return list(bytes.fromhex(color[1:]))


def straight(pixel: Picture) -> np.ndarray:
    """A premultiplied pixel's color as it was before."""
    return pixel[:3].astype(float) * 255 / max(1, int(pixel[3]))


def assert_probe(picture: Picture, probe: Probe) -> None:
    x, y = probe.at
    pixel = picture[y, x]
    assert pixel[3] / 255 == pytest.approx(probe.alpha, abs=ALPHA_TOLERANCE), probe
    assert straight(pixel) == pytest.approx(rgb(probe.color), abs=COLOR_TOLERANCE / probe.alpha), probe


def assert_inked(picture: Picture, inked: Inked) -> None:
    left, top, right, bottom = inked.area
    area = picture[top:bottom, left:right]
    near = np.abs(area[..., :3].astype(int) - rgb(inked.color)).max(axis=2) <= 40
    count = int((near & (area[..., 3] > 230)).sum())
    assert inked.least <= count <= inked.most, (inked, count)


def board_of(*shapes: Shape, fade: bool = False, color: str = "#e5322d") -> Board:
    board = Board()
    for number, shape in enumerate(shapes):
        annotation = Annotation(f"shape{number}", "screen", color, 0.005, fade, shape)
        board = board.apply(AnnotationAdded(annotation), "alice", 1000)
    return board


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_board_carries_ink_where_it_must_and_nowhere_else(name: str) -> None:
    golden = load(name)
    width, height = golden.size
    for moment in golden.moments:
        picture = render(golden.until(moment.now), moment.surface, moment.now, width, height)
        for probe in moment.probes:
            assert_probe(picture, probe)
        for x, y in moment.untouched:
            assert picture[y, x].tolist() == [0, 0, 0, 0], (moment.now, x, y)
        for inked in moment.inked:
            assert_inked(picture, inked)


def test_the_proportions_are_those_of_the_golden_marks() -> None:
    assert json.loads(MARKS.read_text()) == json.loads(msgspec.json.encode(drawn()))


def test_ink_on_a_frame_is_what_the_layer_shows_over_it() -> None:
    board = board_of(Stroke([(0.1, 0.1), (0.9, 0.9)]), Text((0.2, 0.6), "Ωmega Ж", 0.05), fade=True)
    ink = render(board, "screen", 6400, 320, 200).astype(int)
    frame = np.full((200, 320, 3), 90, np.uint8)
    draw_on(frame, board, "screen", 6400)
    expected = ink[..., :3] + 90 * (255 - ink[..., 3:]) / 255
    assert np.abs(frame - expected).max() <= 1
    assert (frame != 90).any()


def test_nothing_lies_outside_the_dirty_region() -> None:
    board = board_of(Box((0.2, 0.3), (0.4, 0.5)), Step((0.99, 0.5), 42, "Настройки"), Arrow((0.5, 0.9), (0.6, 0.95)))
    region = dirty_region(board, "screen", 2000, 640, 360)
    assert region is not None
    ink = render(board, "screen", 2000, 640, 360)
    outside = ink.copy()
    outside[region.top : region.top + region.height, region.left : region.left + region.width] = 0
    assert not outside.any()
    assert ink.any()
    for box in bounding_boxes(board, "screen", 2000, 640, 360):
        assert box.intersection(region) == box
    part = render(board, "screen", 2000, 640, 360, region=region)
    cut = ink[region.top : region.top + region.height, region.left : region.left + region.width]
    assert np.array_equal(part, cut)


def test_an_empty_moment_has_no_dirty_region() -> None:
    board = board_of(Stroke([(0.5, 0.5)]), fade=True)
    assert dirty_region(board, "screen", 10_000, 640, 360) is None
    assert not render(board, "screen", 10_000, 640, 360).any()


def test_the_same_key_is_the_same_picture() -> None:
    board = board_of(Stroke([(0.1, 0.5), (0.9, 0.5)]), fade=True)
    moments = [999, 1000, 3000, 5999, 6001, 6004, 6005, 6500, 6999, 7001]
    pictures = {now: render(board, "screen", now, 160, 90).tobytes() for now in moments}
    keys = {now: state_key(board, "screen", now) for now in moments}
    for one in moments:
        for other in moments:
            assert (keys[one] == keys[other]) == (pictures[one] == pictures[other]), (one, other)
    assert keys[1000] == keys[5999] != keys[6500]
    assert keys[999] == keys[7001] == ()


def test_ink_is_premultiplied() -> None:
    ink = render(board_of(Step((0.5, 0.5), 8, "x"), color="#ffd400"), "screen", 2000, 320, 200)
    assert (ink[..., :3] <= ink[..., 3:]).all()


def test_ink_keeps_its_place_at_any_size() -> None:
    board = board_of(Arrow((0.25, 0.25), (0.75, 0.75)))
    for width, height in [(320, 180), (1920, 1080), (333, 777)]:
        ys, xs = np.nonzero(render(board, "screen", 2000, width, height)[..., 3])
        assert xs.min() / width == pytest.approx(0.25, abs=0.01)
        assert xs.max() / width == pytest.approx(0.75, abs=0.01)
        assert (ys.max() - ys.min()) / height == pytest.approx(0.5, abs=0.02)


def test_every_letter_of_our_languages_has_a_glyph() -> None:
    def width(letter: str) -> int:
        return int(render(board_of(Text((0.1, 0.1), letter, 0.2)), "screen", 2000, 200, 200)[..., 3].sum())

    missing = width("\ue123")
    letters = "abcxyzабвгдежзийклмнопрстуфхцчшщъыьэюяёαβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋς€«»—…打印"
    assert all(width(letter) not in (0, missing) for letter in letters)


def test_what_lies_outside_the_picture_is_cut_off() -> None:
    board = board_of(Text((0.9, 0.99), "much too long " * 30, 0.2))
    ink = render(board, "screen", 2000, 320, 200)
    assert ink.shape == (200, 320, 4)
    outside = Annotation("out", "screen", "#e5322d", 0.005, False, Text((1, 1), "\n\n\nfar below", 0.2))
    assert bounds(outside, 320, 200) is None


def test_the_halo_contrasts_with_its_color() -> None:
    for color in ("#e5322d", "#ffd400", "#000000", "#ffffff", "#8b4be8"):
        low, high = sorted((luminance(color), luminance(halo_color(color))))
        assert (high + 0.05) / (low + 0.05) >= 3


def test_regions_meet_and_join() -> None:
    one, other = Region(0, 0, 10, 10), Region(5, 5, 10, 10)
    assert one.union(other) == Region(0, 0, 15, 15)
    assert one.intersection(other) == Region(5, 5, 5, 5)
    assert one.intersection(Region(10, 0, 5, 5)) is None
