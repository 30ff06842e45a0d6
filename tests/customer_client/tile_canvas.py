"""What an agent's page does with live snapshots: draws each frame once all of it has come, and asks for the next."""

import asyncio
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from signaling import messages as m
from signaling.client import SignalingConnection


class TileCanvas:
    """One agent's picture; `frames` holds which tiles came in each frame."""

    def __init__(self, link: SignalingConnection) -> None:
        self.picture: NDArray[np.uint8] | None = None
        self.frames: list[list[m.Tile]] = []
        self.shown: int | None = None
        self._link = link
        self._unfinished: list[m.Tile] = []
        self._part = 0

    async def listen(self) -> None:
        """Asks for live snapshots, and takes what comes over the link."""
        self._link.pass_on(m.AskTiles(self.shown))
        async for heard in self._link:
            if isinstance(heard, m.Relay) and isinstance(heard.message, m.Tiles):
                self.take(heard.message)

    def take(self, message: m.Tiles) -> None:
        """Takes a message; every part has to come, in order, and to build upon what is shown."""
        if message.part == 0:
            self._unfinished, self._part = [], 0
        assert message.part == self._part
        self._part += 1
        self._unfinished += message.tiles
        if not message.last:
            return
        assert message.after in (None, self.shown)
        if self.picture is None or self.picture.shape[:2] != (message.height, message.width):
            self.picture = np.zeros((message.height, message.width, 3), np.uint8)
        for tile in self._unfinished:
            with Image.open(io.BytesIO(tile.jpeg)) as image:
                assert image.size == (tile.width, tile.height)
                pixels = np.asarray(image.convert("RGB"))
            self.picture[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] = pixels
        self.frames.append(self._unfinished)
        self.shown = message.frame
        self._link.pass_on(m.AskTiles(self.shown))

    async def comes(self, frames: int) -> None:
        """Waits until so many frames have come."""
        async with asyncio.timeout(30):
            while len(self.frames) < frames:
                await asyncio.sleep(0.02)
