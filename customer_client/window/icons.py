"""The window's icons: `annotate/browser/icons.ts` once more, on its grid of 24, drawn for screens of any scale."""

from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw

GRID = 24
WIDTH = 1.75
SMOOTH = 4
"""Drawn so many times larger and reduced: Pillow's lines have hard edges."""

Points = tuple[tuple[float, float], ...]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Icon:
    """Lines with round ends, outlines of ellipses, arcs (a box and two angles), and filled dots and areas."""

    lines: tuple[Points, ...] = ()
    ellipses: tuple[Box, ...] = ()
    arcs: tuple[tuple[Box, float, float], ...] = ()
    dots: tuple[tuple[float, float, float], ...] = ()
    areas: tuple[Points, ...] = ()


def _box(left: float, top: float, right: float, bottom: float) -> Points:
    return (left, top), (right, top), (right, bottom), (left, bottom), (left, top)


def _face(mouth: tuple[Box, float, float] | None) -> Icon:
    arcs = (mouth,) if mouth else ()
    lines = () if mouth else (((8.5, 15.5), (15.5, 15.5)),)
    return Icon(lines=lines, ellipses=((3, 3, 21, 21),), arcs=arcs, dots=((9, 9.8, 1.2), (15, 9.8, 1.2)))


ICONS: Mapping[str, Icon] = {
    "pause": Icon(lines=(((8.5, 5), (8.5, 19)), ((15.5, 5), (15.5, 19)))),
    "play": Icon(lines=(((7.5, 4.5), (19, 12), (7.5, 19.5), (7.5, 4.5)),)),
    "stop": Icon(areas=(_box(6, 6, 18, 18),), lines=(_box(6, 6, 18, 18),)),
    "chat": Icon(
        lines=(
            ((4, 5), (20, 5), (20, 16.5), (11.5, 16.5), (7, 20.5), (7, 16.5), (4, 16.5), (4, 5)),
            ((8, 9), (16, 9)),
            ((8, 12.5), (13, 12.5)),
        )
    ),
    "cover": Icon(lines=(_box(3.5, 5, 20.5, 19),), areas=(_box(8, 9, 17, 15),)),
    "switch": Icon(lines=(_box(3, 4.5, 21, 16.5), ((12, 16.5), (12, 20)), ((8, 20), (16, 20)))),
    "camera": Icon(
        lines=(((3.5, 8), (7.5, 8), (9.2, 5.5), (14.8, 5.5), (16.5, 8), (20.5, 8), (20.5, 19), (3.5, 19), (3.5, 8)),),
        ellipses=((8.7, 9.9, 15.3, 16.5),),
    ),
    "details": Icon(lines=(((12, 11.2), (12, 16.5)),), ellipses=((3.2, 3.2, 20.8, 20.8),), dots=((12, 7.8, 1.2),)),
    "warning": Icon(
        lines=(((12, 4), (2.8, 19.5), (21.2, 19.5), (12, 4)), ((12, 10), (12, 14.5))), dots=((12, 17, 1.1),)
    ),
    "pointer": Icon(lines=(((5, 3.5), (10.6, 19.5), (13.1, 12.6), (20, 10.1), (5, 3.5)),)),
    "check": Icon(lines=(((4.5, 12.5), (9.5, 17.5), (19, 7)),)),
    "cross": Icon(lines=(((6, 6), (18, 18)), ((18, 6), (6, 18)))),
    "dot": Icon(dots=((12, 12, 11),)),
    "grip": Icon(dots=tuple((x, y, 1.3) for x in (9.5, 14.5) for y in (6, 12, 18))),
    "face.1": _face(((7.5, 14, 16.5, 21), 205, 335)),
    "face.2": _face(((7.5, 14.6, 16.5, 19.5), 215, 325)),
    "face.3": _face(None),
    "face.4": _face(((7.5, 10.8, 16.5, 16.2), 30, 150)),
    "face.5": _face(((6.8, 8.5, 17.2, 17.6), 15, 165)),
}


def draw_icon(name: str, color: str, size: int) -> Image.Image:
    """An icon as RGBA, `size` pixels wide and high."""
    icon = ICONS[name]
    by = size * SMOOTH / GRID
    image = Image.new("RGBA", (size * SMOOTH, size * SMOOTH), color)
    alpha = Image.new("L", image.size)
    pen = ImageDraw.Draw(alpha)
    width = round(WIDTH * by)

    def scaled(box: Box) -> Box:
        return box[0] * by, box[1] * by, box[2] * by, box[3] * by

    def spot(x: float, y: float, radius: float) -> None:
        pen.ellipse(scaled((x - radius, y - radius, x + radius, y + radius)), fill=255)

    half = WIDTH / 2
    for points in icon.areas:
        pen.polygon([(x * by, y * by) for x, y in points], fill=255)
    for points in icon.lines:
        pen.line([(x * by, y * by) for x, y in points], fill=255, width=width)
        for x, y in points:
            spot(x, y, half)
    for left, top, right, bottom in icon.ellipses:
        pen.ellipse(scaled((left - half, top - half, right + half, bottom + half)), outline=255, width=width)
    for (left, top, right, bottom), start, end in icon.arcs:
        pen.arc(scaled((left - half, top - half, right + half, bottom + half)), start, end, fill=255, width=width)
    for x, y, radius in icon.dots:
        spot(x, y, radius)
    image.putalpha(alpha)
    return image.reduce(SMOOTH)
