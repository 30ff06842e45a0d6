"""Live snapshots: the shared picture in tiles, of which only what changed is sent, for when no media get through."""

from typing import Annotated

import msgspec

MAX_TILE = 46 * 1024
"""Bytes of a tile; in base64 it fills a message."""

Side = Annotated[int, msgspec.Meta(ge=1, le=4096)]
Offset = Annotated[int, msgspec.Meta(ge=0, le=4095)]
FrameNumber = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Part = Annotated[int, msgspec.Meta(ge=0, le=1000)]


class Tile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the picture as JPEG; its place and size in pixels of the picture."""

    left: Offset
    top: Offset
    width: Annotated[int, msgspec.Meta(ge=1, le=512)]
    height: Annotated[int, msgspec.Meta(ge=1, le=512)]
    jpeg: Annotated[bytes, msgspec.Meta(max_length=MAX_TILE)]


TileList = Annotated[list[Tile], msgspec.Meta(max_length=512)]
