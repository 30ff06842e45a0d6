"""Drawing a board: the visible annotations of one surface at one moment, as a picture with transparency.

`browser/rendering.ts` draws the same on a canvas; both take their proportions from `marks` and are held to the same
golden boards. A picture is made once for each state: `state_key` tells whether two moments look alike.
"""

import threading
from collections import OrderedDict
from typing import NamedTuple

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from annotate.board import Board
from annotate.marks import (
    HALO_OPACITY,
    LEAST_HALO,
    TEXT_HALO,
    Lettering,
    Line,
    Marks,
    halo_color,
    marks,
)
from annotate.shapes import Annotation

Picture = NDArray[np.uint8]

FONT = "sans"
"""OpenCV carries this typeface for Latin and Cyrillic, and falls back to another of its own for all other scripts."""
WEIGHT = 700
SAMPLES = 4
"""Lines are drawn this many times as large and averaged down."""
SAMPLES_LIMIT = 64_000_000
"""A mark whose enlarged mask had more pixels than this is enlarged half as much."""
CACHE_BYTES = 64 * 2**20
SUBPIXEL_BITS = 4
BEFORE = {"left": 0.0, "center": 0.5, "right": 1.0}
"""How much of a text's width lies before the point at which it stands."""


class Region(NamedTuple):
    """A rectangle of pixels, `left` and `top` from the surface's top left corner."""

    left: int
    top: int
    width: int
    height: int

    def union(self, other: "Region") -> "Region":
        """The smallest rectangle around both."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        right = max(self.left + self.width, other.left + other.width)
        bottom = max(self.top + self.height, other.top + other.height)
        return Region(left, top, right - left, bottom - top)

    def intersection(self, other: "Region") -> "Region | None":
        """What both have in common, or None."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right = min(self.left + self.width, other.left + other.width)
        bottom = min(self.top + self.height, other.top + other.height)
        return Region(left, top, right - left, bottom - top) if left < right and top < bottom else None


StateKey = tuple[tuple[str, int], ...]


def state_key(board: Board, surface: str, now: int) -> StateKey:
    """What is to be seen at `now` (ms since 1970): within one session equal exactly when `render` draws the same."""
    return tuple(
        (placed.annotation.id, alpha)
        for placed, opacity in board.visible(surface, now)
        if (alpha := round(opacity * 255)) > 0
    )


def bounds(annotation: Annotation, width: int, height: int) -> Region | None:
    """The pixels that `annotation` may touch on a surface of `width` by `height`; None when it lies outside."""
    return _region(marks(annotation, width, height), width, height)


def bounding_boxes(board: Board, surface: str, now: int, width: int, height: int) -> list[Region]:
    """One rectangle for each visible annotation, lowest first; they may overlap."""
    found = (
        bounds(placed.annotation, width, height)
        for placed, opacity in board.visible(surface, now)
        if round(opacity * 255) > 0
    )
    return [region for region in found if region is not None]


def dirty_region(board: Board, surface: str, now: int, width: int, height: int) -> Region | None:
    """The smallest rectangle outside which `render` is wholly transparent, or None when nothing is to be seen."""
    whole: Region | None = None
    for region in bounding_boxes(board, surface, now, width, height):
        whole = region if whole is None else whole.union(region)
    return whole


def render(board: Board, surface: str, now: int, width: int, height: int, *, region: Region | None = None) -> Picture:
    """What is visible on `surface` at `now` (ms since 1970), for a surface of `width` by `height` pixels.

    Returns RGBA, uint8, of shape (height, width, 4), **premultiplied**: `ink[..., :3] + below * (255 - a) / 255` lays
    it on a picture. With `region` only that part is drawn, and the result has its size.
    """
    region = region or Region(0, 0, width, height)
    ink: Picture = np.zeros((region.height, region.width, 4), np.uint8)
    pixels = ink.reshape(-1, 4)
    for placed, opacity in board.visible(surface, now):
        alpha = round(opacity * 255)
        sprite = _SPRITES.find(placed.annotation, width, height) if alpha > 0 else None
        if sprite is None:
            continue
        places, source = sprite.within(region)
        if alpha < 255:
            source = ((source.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)
        pixels[places] = _over(source, pixels[places])
    return ink


def draw_on(picture: Picture, board: Board, surface: str, now: int) -> None:
    """Draw what is visible on `surface` at `now` into `picture` (RGB, uint8, (height, width, 3)), in place."""
    height, width = picture.shape[:2]
    region = dirty_region(board, surface, now, width, height)
    if region is None:
        return
    ink = render(board, surface, now, width, height, region=region)
    rows, columns = np.nonzero(ink[..., 3])
    below = picture[region.top :, region.left :]
    below[rows, columns] = _over(ink[rows, columns], below[rows, columns])


def _over(ink: Picture, below: Picture) -> Picture:
    """Premultiplied pixels `ink` (n, 4) over `below`, (n, 3) or premultiplied (n, 4)."""
    rest = 255 - ink[:, 3:].astype(np.uint16)
    laid: Picture = ink[:, : below.shape[1]] + ((below * rest + 127) // 255).astype(np.uint8)
    return laid


def _region(drawn: Marks, width: int, height: int) -> Region | None:
    boxes: list[tuple[float, float, float, float]] = []
    for line in drawn.lines:
        reach = line.width / 2 + drawn.halo + 1
        xs, ys = zip(*line.points, strict=True)
        boxes.append((min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach))
    for letters in drawn.lettering:
        reach = _text_halo(letters) + 2
        x, y = letters.at
        left, top, right, bottom = _extent(letters)
        boxes.append((x + left - reach, y + top - reach, x + right + reach, y + bottom + reach))
    if not boxes:
        return None
    left = max(0, int(min(b[0] for b in boxes)))
    top = max(0, int(min(b[1] for b in boxes)))
    right = min(width, int(max(b[2] for b in boxes)) + 1)
    bottom = min(height, int(max(b[3] for b in boxes)) + 1)
    return Region(left, top, right - left, bottom - top) if left < right and top < bottom else None


def _text_halo(letters: Lettering) -> float:
    return max(LEAST_HALO, TEXT_HALO * letters.size)


def _em(letters: Lettering) -> int:
    """The font's size in enlarged pixels."""
    return max(SAMPLES, round(letters.size * SAMPLES))


def _extent(letters: Lettering) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the letters, in pixels from the point at which they stand."""
    em = _em(letters)
    x, y, width, height = cv2.getTextSize((0, 0), letters.text, (0, 0), cv2.FontFace(FONT), em, WEIGHT)
    before = width * BEFORE[letters.align]
    return (x - before) / SAMPLES, y / SAMPLES, (x + width - before) / SAMPLES, (y + height) / SAMPLES


def _coverage(lines: list[Line], grow: float, region: Region) -> Picture:
    """How much of each pixel of `region` the lines cover, 0..255, each line `grow` pixels wider on both sides."""
    samples = SAMPLES if region.width * region.height * SAMPLES**2 <= SAMPLES_LIMIT else SAMPLES // 2
    mask: Picture = np.zeros((region.height * samples, region.width * samples), np.uint8)
    scale = samples * 2**SUBPIXEL_BITS
    offset = np.array([region.left, region.top]) + 0.5 / samples
    for line in lines:
        points = np.rint((np.array(line.points) - offset) * scale).astype(np.int32)
        # OpenCV draws a thick line one pixel broader than it was asked for.
        thickness = max(1, round((line.width + 2 * grow) * samples) - 1)
        if line.filled:
            cv2.fillPoly(mask, [points], (255,), shift=SUBPIXEL_BITS)
        if len(points) == 1 or (points == points[0]).all():
            radius = round((line.width / 2 + grow) * scale)
            x, y = points[0].tolist()
            cv2.circle(mask, (x, y), radius, (255,), -1, shift=SUBPIXEL_BITS)
        else:
            cv2.polylines(mask, [points], line.closed, (255,), thickness, shift=SUBPIXEL_BITS)
    return np.asarray(cv2.resize(mask, (region.width, region.height), interpolation=cv2.INTER_AREA), np.uint8)


def _letters(letters: Lettering, halo: float, region: Region) -> Picture:
    """How much of each pixel of `region` the letters cover, 0..255, with an outline of `halo` pixels."""
    mask: Picture = np.zeros((region.height * SAMPLES, region.width * SAMPLES), np.uint8)
    x = round((letters.at[0] - region.left + _extent(letters)[0]) * SAMPLES)
    y = round((letters.at[1] - region.top) * SAMPLES)
    cv2.putText(mask, letters.text, (x, y), (255,), cv2.FontFace(FONT), _em(letters), WEIGHT)
    if halo:
        reach = 2 * round(halo * SAMPLES) + 1
        mask = np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))), np.uint8)
    return np.asarray(cv2.resize(mask, (region.width, region.height), interpolation=cv2.INTER_AREA), np.uint8)


class _Sprite(NamedTuple):
    """The pixels of an annotation that are not transparent: where they are on the surface, and premultiplied RGBA."""

    region: Region
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    pixels: Picture

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes + self.columns.nbytes + self.pixels.nbytes

    def within(self, region: Region) -> tuple[NDArray[np.int64], Picture]:
        """Where in a picture of `region`, counted row by row, which of the pixels lie."""
        rows, columns, pixels = self.rows - region.top, self.columns - region.left, self.pixels
        if self.region.intersection(region) != self.region:
            inside = (rows >= 0) & (rows < region.height) & (columns >= 0) & (columns < region.width)
            rows, columns, pixels = rows[inside], columns[inside], pixels[inside]
        return rows.astype(np.int64) * region.width + columns, pixels


def _sprite(annotation: Annotation, width: int, height: int) -> _Sprite | None:
    drawn = marks(annotation, width, height)
    region = _region(drawn, width, height)
    if region is None:
        return None
    color, contrast = annotation.color, halo_color(annotation.color)
    layers: list[tuple[Picture, str, float]] = []
    if drawn.lines:
        if drawn.halo:
            layers.append((_coverage(drawn.lines, drawn.halo, region), contrast, HALO_OPACITY))
        layers.append((_coverage(drawn.lines, 0, region), color, drawn.opacity))
    for letters in drawn.lettering:
        if not letters.reversed:
            layers.append((_letters(letters, _text_halo(letters), region), contrast, HALO_OPACITY))
        layers.append((_letters(letters, 0, region), contrast if letters.reversed else color, 1.0))
    touched = layers[0][0].copy()
    for coverage, _, _ in layers[1:]:
        np.maximum(touched, coverage, out=touched)
    rows, columns = np.nonzero(touched)
    pixels = np.zeros((len(rows), 4), np.float32)
    for coverage, paint, opacity in layers:
        source = np.array([*bytes.fromhex(paint[1:]), 255], np.float32)
        alpha = (coverage[rows, columns] * np.float32(opacity / 255))[:, None]
        pixels = source * alpha + pixels * (1 - alpha)
    where = ((rows + region.top).astype(np.int32), (columns + region.left).astype(np.int32))
    return _Sprite(region, *where, np.rint(pixels).astype(np.uint8))


class _Sprites:
    """Drawn annotations, the last used kept up to `CACHE_BYTES`, so that a fade costs only the blending."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[bytes, int, int], _Sprite | None] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def find(self, annotation: Annotation, width: int, height: int) -> _Sprite | None:
        key = (msgspec.msgpack.encode(annotation), width, height)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        sprite = _sprite(annotation, width, height)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = sprite
                self._bytes += sprite.nbytes if sprite else 0
            while self._bytes > CACHE_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.nbytes if oldest else 0
        return sprite


_SPRITES = _Sprites()
