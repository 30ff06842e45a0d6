import numpy as np

from annotate.marks import halo_color
from annotate.pointers import PointerMark, draw_pointer
from annotate.rendering import Picture

BLUE = "#2f6fed"


def of_color(ink: Picture, color: str) -> int:
    return int((ink == [*bytes.fromhex(color[1:]), 255]).all(axis=2).sum())


def test_the_dot_lies_on_its_point_with_a_ring_in_contrast() -> None:
    region, ink = draw_pointer(PointerMark((0.25, 0.5), "", BLUE), 400, 200)
    x, y = 100 - region.left, 100 - region.top
    assert ink[y, x].tolist() == [0x2F, 0x6F, 0xED, 255]
    ring = ink[y, [x - 7, x + 6]]
    assert (ring[:, :3].astype(int) > 180).all()
    assert halo_color(BLUE) == "#ffffff"
    assert not ink[[0, -1]].any()
    assert not ink[:, [0, -1]].any()


def test_the_name_stands_to_the_right_and_near_the_edge_to_the_left() -> None:
    middle, named = draw_pointer(PointerMark((0.5, 0.5), "Alice", BLUE), 400, 200)
    edge, _ = draw_pointer(PointerMark((0.99, 0.5), "Alice", BLUE), 400, 200)
    assert middle.left + middle.width - 200 > 40 > 200 - middle.left
    assert 396 - edge.left > 40
    assert edge.left + edge.width < 396 + 40
    assert of_color(named, BLUE) > 600
    assert not named[[0, -1]].any()
    assert not named[:, [0, -1]].any()


def test_a_name_in_any_script_is_written() -> None:
    _, without = draw_pointer(PointerMark((0.5, 0.5), " ", BLUE), 400, 200)
    for name in ("Alice", "Алиса", "Αλίκη"):
        _, ink = draw_pointer(PointerMark((0.5, 0.5), name, BLUE), 400, 200)
        letters = (ink[..., :3].astype(int).min(axis=2) > 200).sum()
        assert letters > (without[..., :3].astype(int).min(axis=2) > 200).sum() + 20


def test_it_is_as_much_larger_as_the_scale_says() -> None:
    small, _ = draw_pointer(PointerMark((0.5, 0.5), "Alice", BLUE), 800, 400)
    large, ink = draw_pointer(PointerMark((0.5, 0.5), "Alice", BLUE), 800, 400, 2.0)
    assert abs(large.width - 2 * small.width) < 6
    assert abs(large.height - 2 * small.height) < 6
    assert ink.dtype == np.uint8
