"""What the person covers: rectangles painted solid before a picture leaves the machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor

from customer_client.capture.surfaces import Picture

PAINT = (42, 32, 27, 255)
"""BGRA: dark enough to be seen as covered, not mistaken for a picture that failed."""


@dataclass(frozen=True)
class Mask:
    """A covered rectangle, in fractions (0..1) of the surface's width and height."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(f"no rectangle inside the surface: {self}")

    @classmethod
    def between(cls, x: float, y: float, other_x: float, other_y: float) -> "Mask | None":
        """From two opposite corners, wherever they are; none where nothing of the surface lies between them."""
        left, right = sorted((min(max(x, 0.0), 1.0), min(max(other_x, 0.0), 1.0)))
        top, bottom = sorted((min(max(y, 0.0), 1.0), min(max(other_y, 0.0), 1.0)))
        return cls(left, top, right, bottom) if left < right and top < bottom else None


@dataclass(frozen=True)
class Masks:
    """All that is covered on one surface."""

    rectangles: tuple[Mask, ...] = ()

    @classmethod
    def of(cls, rectangles: Iterable[Mask]) -> "Masks":
        return cls(tuple(rectangles))

    def __bool__(self) -> bool:
        return bool(self.rectangles)


def paint(picture: Picture, masks: Masks) -> None:
    """Paint what is covered in a BGRA picture (height, width, 4), in place, rounded outwards to whole pixels."""
    height, width = picture.shape[:2]
    for mask in masks.rectangles:
        rows = slice(floor(mask.top * height), ceil(mask.bottom * height))
        columns = slice(floor(mask.left * width), ceil(mask.right * width))
        picture[rows, columns] = PAINT
