import numpy as np
import pytest

from customer_client.capture.masks import PAINT, Mask, Masks, paint


def test_what_is_covered_is_painted_solid_and_nothing_else_is() -> None:
    picture = np.full((10, 20, 4), 200, np.uint8)
    paint(picture, Masks.of([Mask(0.25, 0.2, 0.5, 0.4)]))
    assert (picture[2:4, 5:10] == PAINT).all()
    picture[2:4, 5:10] = 200
    assert (picture == 200).all()


def test_a_covered_part_of_a_pixel_covers_all_of_it() -> None:
    picture = np.full((10, 10, 4), 200, np.uint8)
    paint(picture, Masks.of([Mask(0.19, 0.49, 0.41, 0.51)]))
    assert (picture[4:6, 1:5] == PAINT).all()
    assert (picture[4:6, [0, 5]] == 200).all()


def test_a_mask_reaches_the_edges() -> None:
    picture = np.full((3, 7, 4), 200, np.uint8)
    paint(picture, Masks.of([Mask(0, 0, 1, 1)]))
    assert (picture == PAINT).all()


def test_corners_may_be_named_in_any_order_and_from_outside() -> None:
    assert Mask.between(0.75, 1.5, 0.25, 0.5) == Mask(0.25, 0.5, 0.75, 1.0)


@pytest.mark.parametrize("corners", [(0.5, 0.1, 0.5, 0.9), (1.2, 0.1, 1.7, 0.9)], ids=["a line", "outside"])
def test_between_corners_that_hold_nothing_there_is_no_mask(corners: tuple[float, float, float, float]) -> None:
    assert Mask.between(*corners) is None


@pytest.mark.parametrize("sides", [(-0.1, 0, 1, 1), (0, 0, 1, 1.1), (0.6, 0, 0.5, 1), (0, float("nan"), 1, 1)])
def test_a_mask_lies_within_the_surface(sides: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="inside the surface"):
        Mask(*sides)
