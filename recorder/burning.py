"""Ink burnt into pictures: rendered once for each state, blended in YUV 4:2:0 and only where there is ink."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.board import Board
from annotate.rendering import Region, StateKey, dirty_region, render, state_key

Plane = NDArray[np.uint8]
Wide = NDArray[np.uint16]

# ITU-R BT.601 in limited range, as browsers encode VP8: Y, U and V out of R, G and B, and what is added.
_MATRIX = np.array([[65.738, 129.057, 25.064], [-37.945, -74.494, 112.439], [112.439, -94.154, -18.285]]) / 256
_OFFSET = np.array([16.0, 128.0, 128.0])


class Box(NamedTuple):
    """Where a picture lies in the clip's frame; all even."""

    left: int
    top: int
    width: int
    height: int


class _Layer(NamedTuple):
    """What one plane gets: at `places`, `(below * keep + ink) / 255`."""

    places: NDArray[np.intp]
    keep: Wide
    ink: Wide

    def lay(self, plane: Plane) -> None:
        flat = plane.reshape(-1)
        flat[self.places] = ((flat[self.places] * self.keep + self.ink + 127) // 255).astype(np.uint8)


class Ink:
    """The ink of one state at one place of a frame of `width` by `height`."""

    def __init__(self, picture: NDArray[np.uint8], left: int, top: int, width: int, height: int) -> None:
        pixels = picture.astype(np.float32)
        alpha = pixels[..., 3]
        luma = pixels[..., :3] @ _MATRIX[0] + _OFFSET[0] * alpha / 255
        self._luma = _layer(luma, alpha, left, top, width)
        small = (pixels[0::2, 0::2] + pixels[1::2, 0::2] + pixels[0::2, 1::2] + pixels[1::2, 1::2]) / 4
        self._chroma = [
            _layer(small[..., :3] @ row + offset * small[..., 3] / 255, small[..., 3], left // 2, top // 2, width // 2)
            for row, offset in zip(_MATRIX[1:], _OFFSET[1:], strict=True)
        ]
        self._height = height

    def burn(self, planes: Plane) -> None:
        """Lays the ink onto a frame in place: YUV 4:2:0 as one array of (height * 3 / 2, width)."""
        luma, *chroma = planes_of(planes, self._height)
        self._luma.lay(luma)
        for layer, plane in zip(self._chroma, chroma, strict=True):
            layer.lay(plane)


def planes_of(picture: Plane, height: int) -> tuple[Plane, Plane, Plane]:
    """The three planes of a contiguous YUV 4:2:0 picture of (height * 3 / 2, width); views."""
    width, flat = picture.shape[1], picture.reshape(-1)
    whole, quarter, small = width * height, width * height // 4, (height // 2, width // 2)
    return (
        flat[:whole].reshape(height, width),
        flat[whole : whole + quarter].reshape(small),
        flat[whole + quarter :].reshape(small),
    )


def _layer(values: NDArray[Any], alpha: NDArray[Any], left: int, top: int, stride: int) -> _Layer:
    rows, columns = np.nonzero(alpha >= 1)
    places = (rows + top) * stride + columns + left
    keep = (255 - np.rint(alpha[rows, columns])).astype(np.uint16)
    ink = np.clip(np.rint(values[rows, columns] * 255), 0, 255 * 255).astype(np.uint16)
    return _Layer(places, keep, ink)


class InkCache:
    """The ink of the last state, so that it is drawn once however many frames show it."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._key: tuple[str, Box, StateKey] | None = None
        self._ink: Ink | None = None

    def find(self, board: Board, surface: str, now: int, box: Box) -> Ink | None:
        """What is drawn on `surface`, whose picture lies in `box`, at `now` (ms since 1970); None when nothing is."""
        key = (surface, box, state_key(board, surface, now))
        if key != self._key:
            self._key, self._ink = key, self._draw(board, surface, now, box) if key[2] else None
        return self._ink

    def _draw(self, board: Board, surface: str, now: int, box: Box) -> Ink | None:
        dirty = dirty_region(board, surface, now, box.width, box.height)
        if dirty is None:
            return None
        left, top = dirty.left & ~1, dirty.top & ~1
        right = min(box.width, (dirty.left + dirty.width + 1) & ~1)
        bottom = min(box.height, (dirty.top + dirty.height + 1) & ~1)
        even = Region(left, top, right - left, bottom - top)
        picture = render(board, surface, now, box.width, box.height, region=even)
        return Ink(picture, box.left + left, box.top + top, *self._size)
