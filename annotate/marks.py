"""What a shape is made of on a surface of so many pixels: lines, filled outlines and pieces of text.

The proportions here are the look of the ink. `browser/marks.ts` is this file's twin; both are held to
tests/annotate/golden/marks.json.
"""

import math
from typing import Literal, NamedTuple

from annotate.shapes import Annotation, Arrow, Box, Ellipse, Highlight, Point, Step, Stroke, Text

LEAST_WIDTH = 2.0
"""No line is thinner than this, in pixels."""
HALO = 0.3
"""The halo's reach beyond each side of a line, as a part of the line's width; at least `LEAST_HALO` pixels."""
LEAST_HALO = 1.0
HALO_OPACITY = 0.7
HALO_LIGHT = "#ffffff"
HALO_DARK = "#16161a"
DARK_HALO_ABOVE = 0.35
"""Colors of a higher relative luminance than this get the dark halo, and dark digits in a step's disc."""
HIGHLIGHT_WIDTH = 4.0
HIGHLIGHT_OPACITY = 0.4
HEAD_LENGTH = 4.0
"""An arrow head's length, in line widths; never longer than the arrow. Its rounded tip ends at the arrow's end."""
HEAD_HALF = 0.45
"""Half the head's breadth, as a part of its length."""
NECK = 0.8
"""How far back from the tip the shaft ends, as a part of the head's length."""
ELLIPSE_SIDES = 96
FONT_SIZE = 0.8
"""The font's size as a part of a line of text; also where in the line the baseline lies."""
TEXT_HALO = 0.08
"""The halo's reach around letters, as a part of the font's size; at least `LEAST_HALO` pixels."""
STEP_RADIUS = 4.5
"""A step's radius in line widths; at least `LEAST_STEP` of the surface's width."""
LEAST_STEP = 0.011
DIGIT_SIZE = 1.15
"""The font's size of the number, and of the text beside it, as a part of the radius."""
DIGIT_DROP = 0.36
"""How far the baseline lies below a step's middle, as a part of the font's size."""
LABEL_GAP = 0.4
"""The space between a step's disc and its text, as a part of the radius."""
LABEL_TURNS_AT = 0.7
"""From this fraction of the surface's width on a step's text stands to the left of its disc."""

Pixel = tuple[float, float]


class Line(NamedTuple):
    """A line with round ends and joins through `points`; all in pixels. A single point is a dot."""

    points: list[Pixel]
    width: float
    closed: bool = False
    filled: bool = False


class Lettering(NamedTuple):
    """A line of text whose baseline begins, is centered, or ends at `at`; `size` is the font's, in pixels."""

    at: Pixel
    text: str
    size: float
    align: Literal["left", "center", "right"]
    reversed: bool
    """Whether it stands on the annotation's own color, in the halo's color and without a halo."""


class Marks(NamedTuple):
    """Everything that an annotation draws, lines first; `halo` is the reach around lines, 0 for none."""

    lines: list[Line]
    lettering: list[Lettering]
    halo: float
    opacity: float


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2) of `#rrggbb`, 0..1."""
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def halo_color(color: str) -> str:
    """The color, as `#rrggbb`, that sets `color` off from whatever lies below."""
    return HALO_DARK if luminance(color) > DARK_HALO_ABOVE else HALO_LIGHT


def marks(annotation: Annotation, width: float, height: float) -> Marks:
    """What `annotation` draws on a surface of `width` by `height` pixels."""
    pen = max(LEAST_WIDTH, annotation.width * width)
    halo = max(LEAST_HALO, HALO * pen)

    def at(point: Point) -> Pixel:
        return point[0] * width, point[1] * height

    match annotation.shape:
        case Stroke(points):
            return Marks([Line([at(p) for p in points], pen)], [], halo, 1.0)
        case Highlight(points):
            return Marks([Line([at(p) for p in points], HIGHLIGHT_WIDTH * pen)], [], 0.0, HIGHLIGHT_OPACITY)
        case Arrow(start, end):
            return Marks(_arrow(at(start), at(end), pen), [], halo, 1.0)
        case Box(start, end):
            (left, top), (right, bottom) = at(start), at(end)
            corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
            return Marks([Line(corners, pen, closed=True)], [], halo, 1.0)
        case Ellipse(start, end):
            return Marks([Line(_ellipse(at(start), at(end)), pen, closed=True)], [], halo, 1.0)
        case Text(point, text, size):
            return Marks([], _text(at(point), text, size * width), halo, 1.0)
        case Step(point, number, text):
            radius = max(STEP_RADIUS * pen, LEAST_STEP * width)
            disc = Line([at(point)], 2 * radius)
            return Marks([disc], _step_lettering(at(point), number, text, radius, point[0]), halo, 1.0)


def _arrow(start: Pixel, end: Pixel, pen: float) -> list[Line]:
    length = math.dist(start, end)
    if length < 0.01:
        return [Line([end], pen)]
    along = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    tipped = min(pen / 2, length / 2)
    tip = (end[0] - along[0] * tipped, end[1] - along[1] * tipped)
    head = min(HEAD_LENGTH * pen, length - tipped)
    base = (tip[0] - along[0] * head, tip[1] - along[1] * head)
    neck = (tip[0] - along[0] * head * NECK, tip[1] - along[1] * head * NECK)
    side = (-along[1] * head * HEAD_HALF, along[0] * head * HEAD_HALF)
    barbs = [tip, (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1])]
    return [Line([start, neck], pen), Line(barbs, pen, closed=True, filled=True)]


def _ellipse(start: Pixel, end: Pixel) -> list[Pixel]:
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    radii = (abs(end[0] - start[0]) / 2, abs(end[1] - start[1]) / 2)
    turns = [2 * math.pi * i / ELLIPSE_SIDES for i in range(ELLIPSE_SIDES)]
    return [(middle[0] + radii[0] * math.cos(a), middle[1] + radii[1] * math.sin(a)) for a in turns]


def _text(at: Pixel, text: str, line: float) -> list[Lettering]:
    return [
        Lettering((at[0], at[1] + line * (i + FONT_SIZE)), row, line * FONT_SIZE, "left", False)
        for i, row in enumerate(text.split("\n"))
        if row.strip()
    ]


def _step_lettering(at: Pixel, number: int, text: str, radius: float, fraction: float) -> list[Lettering]:
    size = radius * DIGIT_SIZE
    baseline = at[1] + size * DIGIT_DROP
    lettering = [Lettering((at[0], baseline), str(number), size, "center", True)]
    if text.strip():
        reach = radius * (1 + LABEL_GAP)
        turned = fraction >= LABEL_TURNS_AT
        x = at[0] - reach if turned else at[0] + reach
        row = text.replace("\n", " ")
        lettering.append(Lettering((x, baseline), row, size, "right" if turned else "left", False))
    return lettering
