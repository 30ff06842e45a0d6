"""Live snapshots to those who ask for them because no media connection brings them the picture.

At most one frame is on its way to a viewer, and the next one follows when that was shown, so that nothing piles up on a
slow link. What the customer's page does in `signaling/browser/tiler.ts` and `grid.ts` is the same.
"""

import asyncio
import io
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import structlog
from numpy.typing import NDArray
from PIL import Image

from signaling import messages as m
from signaling.tiles import MAX_TILE

SIDE = 128
RUN = 4
"""Tiles side by side that are sent as one."""
MAX_PIXELS = 2_400_000
MAX_SIDE = 4096
LOOK_EVERY_S = 0.15
ASKS_WITHIN_S = 10.0
LOST_AFTER_S = 5.0
"""A frame that was not shown after so long is taken for lost when its viewer asks again."""
QUALITIES = (35, 50, 65, 80)
"""JPEG's quality, which falls while frames take longer than `SLOW_S` to be shown."""
BEST = len(QUALITIES) - 1
SLOW_S, FAST_S = 1.0, 0.4
TELLING_BYTES = 15_000
MESSAGE_BYTES = 46_400
"""Of JPEG in a message, which in base64 fills it."""
REFINED_AT_ONCE = 24
"""Tiles that are sent again at the best quality once the screen stands still."""

Picture = NDArray[np.uint8]
log = structlog.get_logger()


class Look(NamedTuple):
    """What is shared at this moment: BGR or BGRA, (height, width, 3 or 4); the number tells it from the one before."""

    surface: str
    number: int
    picture: Picture


class Link(Protocol):
    """What is asked of a `SignalingConnection`."""

    async def drained(self) -> None: ...

    def pass_on(self, message: m.Relayed) -> None: ...


class Grid:
    """A picture in tiles, and in which picture each of them changed last."""

    def __init__(self, width: int, height: int, version: int) -> None:
        self.width, self.height, self.version = width, height, version
        self._columns = np.arange(0, width, SIDE)
        self._rows = np.arange(0, height, SIDE)
        self._changes = np.zeros((len(self._rows), len(self._columns)), np.int64)
        self._before: Picture | None = None

    def take(self, picture: Picture) -> None:
        """Takes the next picture, of the same size."""
        if self._before is None:
            changed = np.ones_like(self._changes, np.bool_)
        else:
            different = (picture != self._before).any(axis=2)
            changed = np.logical_or.reduceat(np.logical_or.reduceat(different, self._rows, 0), self._columns, 1)
        if changed.any():
            self.version += 1
            self._changes[changed] = self.version
        self._before = picture

    def since(self, version: int) -> list[int]:
        """The tiles that changed after picture `version`, by their place in reading order."""
        return [int(tile) for tile in np.flatnonzero(self._changes > version)]

    def parts(self, tiles: Iterable[int]) -> Iterator[tuple[int, int, int, int]]:
        """Left, top, width and height of the parts that hold these tiles (in ascending order), neighbours together."""
        run: list[int] = []
        for tile in tiles:
            row = tile // len(self._columns)
            if run and (tile != run[-1] + 1 or row != run[0] // len(self._columns) or len(run) == RUN):
                yield self._place(run)
                run = []
            run.append(tile)
        if run:
            yield self._place(run)

    def _place(self, run: list[int]) -> tuple[int, int, int, int]:
        row, column = divmod(run[0], len(self._columns))
        left, top = column * SIDE, row * SIDE
        return left, top, min(len(run) * SIDE, self.width - left), min(SIDE, self.height - top)


@dataclass
class _Sent:
    frame: int
    at: float
    until: float
    bytes: int = 0


@dataclass
class _Watching:
    asked_at: float
    shown: int = 0
    sent: _Sent | None = None
    quality: int = 2
    coarse: set[int] = field(default_factory=set)
    """Tiles that were sent at less than the best quality."""


class LiveSnapshots:
    """The live snapshots of one customer, made while somebody asks for them."""

    def __init__(self, link: Link, look: Callable[[], Awaitable[Look | None]]) -> None:
        """`look` gives what is shared, covered where the person covered it; None while nothing may be shown."""
        self._link = link
        self._look = look
        self._viewers: dict[str, _Watching] = {}
        self._grid: Grid | None = None
        self._surface = ""
        self._number = -1
        self._picture: Picture | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def viewers(self) -> frozenset[str]:
        """Those who see live snapshots."""
        return frozenset(viewer for viewer, watching in self._viewers.items() if watching.shown)

    def ask(self, viewer: str, shown: int | None) -> None:
        """A viewer shows frame `shown` (None: none) and wants what comes after it."""
        now = time.monotonic()
        watching = self._viewers.setdefault(viewer, _Watching(now))
        watching.asked_at = now
        if sent := watching.sent:
            if shown == sent.frame:
                _arrived(watching, sent, now)
            elif now - sent.until > LOST_AFTER_S:
                watching.sent = None
        if watching.sent is None:
            watching.shown = shown or 0
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def forget(self, viewer: str) -> None:
        """The viewer is gone."""
        self._viewers.pop(viewer, None)

    def interrupt(self) -> None:
        """The link broke, or nothing may be shown any more: what was on its way may be lost."""
        for watching in self._viewers.values():
            watching.sent = None

    def close(self) -> None:
        """Sends nothing more."""
        self._viewers.clear()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while self._viewers:
            begun = time.monotonic()
            for viewer, watching in list(self._viewers.items()):
                if begun - watching.asked_at > ASKS_WITHIN_S:
                    self.forget(viewer)
            waiting = [each for each in self._viewers.items() if each[1].sent is None]
            if waiting and await self._take():
                for viewer, watching in waiting:
                    await self._serve(viewer, watching)
            await asyncio.sleep(max(0.0, LOOK_EVERY_S - (time.monotonic() - begun)))

    async def _take(self) -> bool:
        """Compares what is shared now with what was before; whether there is anything that may be shown."""
        look = await self._look()
        if look is None:
            return False
        if look.surface == self._surface and look.number == self._number:
            return True
        picture = await asyncio.to_thread(_fitted, look.picture)
        height, width = picture.shape[:2]
        grid, another = self._grid, look.surface != self._surface
        if grid is None or another or (grid.width, grid.height) != (width, height):
            grid = Grid(width, height, grid.version if grid else 0)
            for watching in self._viewers.values():
                watching.coarse.clear()
                watching.shown = 0 if another else watching.shown
        await asyncio.to_thread(grid.take, picture)
        self._grid, self._picture = grid, picture
        self._surface, self._number = look.surface, look.number
        return True

    async def _serve(self, viewer: str, watching: _Watching) -> None:
        grid, picture = self._grid, self._picture
        if grid is None or picture is None:
            return
        if watching.shown > grid.version:  # a number from another customer's time says nothing
            watching.shown = 0
        changed = grid.since(watching.shown)
        tiles = changed or sorted(watching.coarse)[:REFINED_AT_ONCE]
        if not tiles:
            return
        quality = watching.quality if changed else BEST
        if quality < BEST:
            watching.coarse.update(tiles)
        else:
            watching.coarse.difference_update(tiles)
        now = time.monotonic()
        sent = watching.sent = _Sent(grid.version, now, now)
        after = watching.shown or None
        encoded = await asyncio.to_thread(_encoded, picture, list(grid.parts(tiles)), QUALITIES[quality])
        batches = list(_batches(encoded))
        for part, batch in enumerate(batches):
            await self._link.drained()
            look = await self._look()  # what was taken a moment ago may be shown no longer
            if watching.sent is not sent or look is None or look.surface != self._surface:
                watching.sent = None if watching.sent is sent else watching.sent
                return
            last = part == len(batches) - 1
            self._link.pass_on(
                m.Tiles(viewer, self._surface, sent.frame, after, part, last, grid.width, grid.height, batch)
            )
            sent.bytes += sum(len(tile.jpeg) for tile in batch)
            sent.until = time.monotonic()


def _arrived(watching: _Watching, sent: _Sent, now: float) -> None:
    watching.sent = None
    if sent.bytes < TELLING_BYTES:
        return
    if now - sent.at > SLOW_S:
        watching.quality = max(0, watching.quality - 1)
    elif now - sent.at < FAST_S:
        watching.quality = min(BEST, watching.quality + 1)


def _fitted(picture: Picture) -> Picture:
    """The picture no larger than goes through a WebSocket; one in full resolution can be asked for."""
    height, width = picture.shape[:2]
    shrink = min(1.0, math.sqrt(MAX_PIXELS / (width * height)), MAX_SIDE / max(width, height))
    if shrink == 1.0:
        return picture
    size = (max(1, int(width * shrink)), max(1, int(height * shrink)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _encoded(picture: Picture, parts: list[tuple[int, int, int, int]], quality: int) -> list[m.Tile]:
    tiles = []
    for left, top, width, height in parts:
        region = np.ascontiguousarray(picture[top : top + height, left : left + width, :3])
        jpeg = _jpeg(region, quality)
        while len(jpeg) > MAX_TILE and quality > 10:
            quality = int(quality * 0.6)
            jpeg = _jpeg(region, quality)
        tiles.append(m.Tile(left, top, width, height, jpeg))
    return tiles


def _jpeg(region: Picture, quality: int) -> bytes:
    height, width = region.shape[:2]
    data = io.BytesIO()
    Image.frombuffer("RGB", (width, height), region, "raw", "BGR", 0, 1).save(data, "JPEG", quality=quality)
    return data.getvalue()


def _batches(tiles: list[m.Tile]) -> Iterator[list[m.Tile]]:
    """Tiles in messages."""
    batch: list[m.Tile] = []
    size = 0
    for tile in tiles:
        if batch and size + len(tile.jpeg) > MESSAGE_BYTES - 64 * len(batch):
            yield batch
            batch, size = [], 0
        batch.append(tile)
        size += len(tile.jpeg)
    if batch:
        yield batch
