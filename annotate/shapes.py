"""Shapes that a participant draws on a surface.

Every coordinate is a fraction of the surface, 0..1 from its left or top edge, so that a mark stays where it was
drawn whatever the size at which the surface is seen. Lengths (`width`, `size`) are fractions of the surface's width.
"""

from typing import Annotated

import msgspec

Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
Point = tuple[Fraction, Fraction]
Points = Annotated[list[Point], msgspec.Meta(min_length=1, max_length=2000)]
Identifier = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
Color = Annotated[str, msgspec.Meta(pattern="^#[0-9a-f]{6}$")]


class _Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag=str.lower):
    pass


class Stroke(_Shape, frozen=True):
    """A freehand line through its points."""

    points: Points


class Highlight(_Shape, frozen=True):
    """A broad translucent freehand line, as of a marker pen; drawn four times as wide at 40 % opacity."""

    points: Points


class Arrow(_Shape, frozen=True):
    """A straight arrow whose head is at `end`."""

    start: Point
    end: Point


class Box(_Shape, frozen=True):
    """A rectangle's outline between two opposite corners."""

    start: Point
    end: Point


class Ellipse(_Shape, frozen=True):
    """An ellipse's outline, inscribed in the rectangle between two opposite corners."""

    start: Point
    end: Point


class Text(_Shape, frozen=True):
    """Text whose top left corner is at `at`; `size` is the height of a line."""

    at: Point
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    size: Annotated[float, msgspec.Meta(ge=0.005, le=0.2)]


class Step(_Shape, frozen=True):
    """A numbered disc centred on `at`; `text` says what to do there and may be empty."""

    at: Point
    number: Annotated[int, msgspec.Meta(ge=1, le=99)]
    text: Annotated[str, msgspec.Meta(max_length=200)]


Shape = Stroke | Highlight | Arrow | Box | Ellipse | Text | Step


class Annotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shape on a surface. The author and the time are not here: they come from the event that carries it."""

    id: Identifier
    surface: Identifier
    color: Color
    width: Annotated[float, msgspec.Meta(ge=0.0005, le=0.05)]
    fade: bool
    shape: Shape
