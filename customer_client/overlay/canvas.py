"""What a pane shows of a sheet: only what changed is drawn again, and only tiles that have or had ink are given out."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from annotate.board import FADE_AFTER_MS, Board
from annotate.pointers import PointerMark, draw_pointer
from annotate.rendering import Picture, Region, bounds, render
from annotate.shapes import Annotation
from customer_client.overlay.sheet import Sheet

TILE = 32
FRAME_MS = 33
"""The time between two pictures of a fade."""

Tiles = NDArray[np.bool_]


class Canvas:
    """The ink on a surface of `width` by `height` pixels whose pointers are `scale` times their usual size."""

    def __init__(self, width: int, height: int, scale: float) -> None:
        self.width, self.height, self.scale = width, height, scale
        self._inked: Tiles = np.zeros((-(-height // TILE), -(-width // TILE)), np.bool_)
        self._shown: dict[str, tuple[Annotation, int]] = {}
        self._pointers: dict[PointerMark, tuple[Region, Picture]] = {}

    @property
    def empty(self) -> bool:
        return not self._inked.any()

    def inked(self) -> list[Region]:
        """The rectangles outside which nothing is to be seen; they do not overlap."""
        return list(self._regions(self._inked))

    def update(self, sheet: Sheet, now: int) -> list[tuple[Region, Picture]]:
        """What has to be put where so that `sheet` is shown as at `now` (ms since 1970): premultiplied RGBA."""
        shown = {
            annotation.id: (annotation, alpha)
            for annotation, opacity in sheet.visible(now)
            if (alpha := round(opacity * 255)) > 0
        }
        pointers = {
            mark: self._pointers.get(mark) or draw_pointer(mark, self.width, self.height, self.scale)
            for mark in sheet.pointed()
        }
        dirty = np.zeros_like(self._inked)
        for i in self._differences(shown):
            for annotation, _ in (drawn[i] for drawn in (self._shown, shown) if i in drawn):
                self._mark(dirty, bounds(annotation, self.width, self.height))
        for mark in self._pointers.keys() ^ pointers.keys():
            self._mark(dirty, (self._pointers.get(mark) or pointers[mark])[0])
        self._shown, self._pointers = shown, pointers
        board = sheet.board_at(now)
        return [
            piece for region in self._regions(dirty) for piece in self._draw(region, board, sheet.surface or "", now)
        ]

    def _differences(self, shown: dict[str, tuple[Annotation, int]]) -> Iterator[str]:
        """The annotations that look different now, or lie in another order."""
        kept = [i for i in self._shown if i in shown]
        moved = kept != [i for i in shown if i in self._shown]
        for i in self._shown.keys() | shown.keys():
            if moved or self._shown.get(i) != shown.get(i):
                yield i

    @staticmethod
    def _tiles(region: Region) -> tuple[slice, slice]:
        rows = slice(region.top // TILE, (region.top + region.height - 1) // TILE + 1)
        return rows, slice(region.left // TILE, (region.left + region.width - 1) // TILE + 1)

    def _mark(self, tiles: Tiles, region: Region | None) -> None:
        seen = region.intersection(Region(0, 0, self.width, self.height)) if region else None
        if seen is not None:
            tiles[self._tiles(seen)] = True

    def _regions(self, tiles: Tiles) -> Iterator[Region]:
        """The tiles as rectangles of pixels: runs in a row, joined with equal runs in the rows below."""
        edged = np.pad(tiles, ((0, 0), (1, 1)))
        rows, turns = np.nonzero(edged[:, 1:] != edged[:, :-1])
        runs: dict[int, set[tuple[int, int]]] = {}
        for row, left, right in zip(rows[::2].tolist(), turns[::2].tolist(), turns[1::2].tolist(), strict=True):
            runs.setdefault(row, set()).add((left, right))
        begun: dict[tuple[int, int], int] = {}
        for row in range(len(tiles) + 1):
            here = runs.get(row, set())
            for run in begun.keys() - here:
                yield self._region(run, begun.pop(run), row)
            for run in here:
                begun.setdefault(run, row)

    def _region(self, run: tuple[int, int], first: int, end: int) -> Region:
        left, top = run[0] * TILE, first * TILE
        return Region(left, top, min(run[1] * TILE, self.width) - left, min(end * TILE, self.height) - top)

    def _draw(self, region: Region, board: Board, surface: str, now: int) -> Iterator[tuple[Region, Picture]]:
        ink = render(board, surface, now, self.width, self.height, region=region)
        for place, pixels in self._pointers.values():
            _lay(pixels, place, ink, region)
        where = self._tiles(region)
        before = self._inked[where].copy()
        after = _any_by_tile(ink[..., 3], before.shape)
        self._inked[where] = after
        touched = np.zeros_like(self._inked)
        touched[where] = before | after
        for piece in self._regions(touched):
            left, top = piece.left - region.left, piece.top - region.top
            yield piece, ink[top : top + piece.height, left : left + piece.width]


def _lay(pixels: Picture, place: Region, below: Picture, region: Region) -> None:
    """Put premultiplied `pixels`, which lie at `place`, over `below`, which lies at `region`."""
    part = place.intersection(region)
    if part is None:
        return
    upper, lower = (
        picture[part.top - at.top :, part.left - at.left :][: part.height, : part.width]
        for picture, at in ((pixels, place), (below, region))
    )
    rest = 255 - upper[..., 3:].astype(np.uint16)
    lower[:] = upper + ((lower * rest + 127) // 255).astype(np.uint8)


def next_change(sheet: Sheet, now: int) -> int | None:
    """In how many ms `sheet` looks different without anybody's doing; None for never."""
    moments = [u.expires for u in sheet.drawings.values() if u.expires is not None and u.expires > now]
    for placed, opacity in sheet.board_at(now).visible(sheet.surface or "", now):
        if placed.annotation.fade:
            moments.append(placed.at + FADE_AFTER_MS if opacity == 1 else now + FRAME_MS)
    return max(1, min(moments) - now) if moments else None


def _any_by_tile(alpha: Picture, shape: tuple[int, ...]) -> Tiles:
    padded = np.zeros((shape[0] * TILE, shape[1] * TILE), np.uint8)
    padded[: alpha.shape[0], : alpha.shape[1]] = alpha
    return np.asarray(padded.reshape(shape[0], TILE, shape[1], TILE).any(axis=(1, 3)))
