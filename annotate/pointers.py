"""Drawing a participant's pointer: a ringed dot with its owner's name beside it. The twin is `browser/rendering.ts`."""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.marks import halo_color
from annotate.rendering import FONT, SAMPLES, Picture, Region
from annotate.shapes import Point

RADIUS = 7
RING = 2
LABEL_SIZE = 12
LABEL_PAD = 6
LABEL_WEIGHT = 600
LABEL_DROP = 0.36
"""How far the baseline lies below the middle, as a part of the font's size."""


class PointerMark(NamedTuple):
    """A participant's pointer: where it is on the surface, whose it is ("" for no label), its color as `#rrggbb`."""

    at: Point
    name: str
    color: str


def draw_pointer(mark: PointerMark, width: int, height: int, scale: float = 1.0) -> tuple[Region, Picture]:
    """The pixels of a pointer on a surface of `width` by `height`, `scale` times its usual size.

    Returns where they lie, which may reach beyond the surface, and premultiplied RGBA, uint8, (height, width, 4), not
    to be written to.
    """
    x, y = round(mark.at[0] * width), round(mark.at[1] * height)
    region, ink = _sprite(mark.name, mark.color, scale, False)
    if x + region.left + region.width > width:
        region, ink = _sprite(mark.name, mark.color, scale, True)
    return region._replace(left=x + region.left, top=y + region.top), ink


@lru_cache(maxsize=64)
def _sprite(name: str, color: str, scale: float, turned: bool) -> tuple[Region, Picture]:
    """A pointer whose point is at 0, 0; turned when its name stands to the left."""
    radius, pad, tall = RADIUS * scale, LABEL_PAD * scale, (LABEL_SIZE + 2 * LABEL_PAD) * scale
    em, face = round(LABEL_SIZE * scale * SAMPLES), cv2.FontFace(FONT)
    label = cv2.getTextSize((0, 0), name, (0, 0), face, em, LABEL_WEIGHT)[2] / SAMPLES + 2 * pad if name else 0.0
    start = -radius - pad - label if turned else radius + pad
    reach = radius + RING * scale
    left = int(min(-reach, start if name else 0)) - 2
    right = int(max(reach, start + label if name else 0)) + 2
    half = int(max(reach, tall / 2)) + 2
    region = Region(left, -half, right - left, 2 * half)

    def at(px: float, py: float) -> tuple[int, int]:
        return round((px - region.left) * SAMPLES), round((py - region.top) * SAMPLES)

    own, contrast = (np.zeros((region.height * SAMPLES, region.width * SAMPLES), np.uint8) for _ in range(2))
    cv2.circle(own, at(0, 0), round(radius * SAMPLES), (255,), -1)
    cv2.circle(contrast, at(0, 0), round(radius * SAMPLES), (255,), max(1, round(RING * scale * SAMPLES)))
    if name:
        cv2.line(own, at(start + tall / 2, 0), at(start + label - tall / 2, 0), (255,), round(tall * SAMPLES))
        letters = at(start + pad, LABEL_SIZE * scale * LABEL_DROP)
        cv2.putText(contrast, name, letters, (255,), face, em, LABEL_WEIGHT)
    ink: NDArray[np.float32] = np.zeros((region.height, region.width, 4), np.float32)
    for coverage, paint in ((own, color), (contrast, halo_color(color))):
        small = cv2.resize(coverage, (region.width, region.height), interpolation=cv2.INTER_AREA)
        alpha = np.asarray(small, np.float32)[..., None] / np.float32(255)
        ink = np.array([*bytes.fromhex(paint[1:]), 255], np.float32) * alpha + ink * (1 - alpha)
    pixels = np.rint(ink).astype(np.uint8)
    pixels.flags.writeable = False
    return region, pixels
