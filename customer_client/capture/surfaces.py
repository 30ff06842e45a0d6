"""What can be shared on this machine: monitors and windows, with their place on the virtual desktop."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
"""BGRA (height, width, 4)."""

Unavailable = Literal["wayland", "no_display", "permission", "unsupported", "gone"]


@dataclass(frozen=True)
class Area:
    """A rectangle in pixels of the virtual desktop; or, where said so, of a picture."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    def __bool__(self) -> bool:
        return self.width > 0 and self.height > 0

    def intersection(self, other: "Area") -> "Area":
        """What lies in both; false where nothing does."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Area(left, top, max(0, right - left), max(0, bottom - top))

    def around(self, other: "Area") -> "Area":
        """The smallest that holds both."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        return Area(left, top, max(self.right, other.right) - left, max(self.bottom, other.bottom) - top)

    def moved(self, across: int, down: int) -> "Area":
        return Area(self.left + across, self.top + down, self.width, self.height)


@dataclass(frozen=True)
class Source:
    """A monitor or a window that can be shared. Its key stays the same while it exists, wherever it moves."""

    key: str
    kind: Literal["monitor", "window"]
    title: str
    area: Area
    scale: float
    """Pixels of the screen to a pixel of a document: 2.0 where everything is drawn twice as large."""
    window: int | None = None
    """The system's id of a window."""


@dataclass(frozen=True)
class Cover:
    """What an overlay of ours puts upon the desktop, and what therefore must be left out of the picture.

    An area is named before ink is drawn in it, and until the ink is gone from the screen.
    """

    windows: frozenset[int] = frozenset()
    """The system's ids of the overlay's windows."""
    areas: tuple[Area, ...] = ()
    """Where ink may be seen at this moment."""


Ink = Callable[[], Cover]
"""Asked in the capture thread, before and after each picture is taken."""


class CaptureUnavailable(Exception):
    """This machine, or this source, can't be captured; `code` says why."""

    def __init__(self, code: Unavailable) -> None:
        super().__init__(code)
        self.code: Unavailable = code


def sources() -> list[Source]:
    """Everything that can be shared at this moment, monitors first. Raises CaptureUnavailable."""
    if sys.platform == "linux":
        from customer_client.capture import surfaces_x11  # noqa: PLC0415 - python-xlib is only there on Linux

        return surfaces_x11.sources()
    from customer_client.capture import surfaces_elsewhere  # noqa: PLC0415 - mss comes with the client's extra

    return surfaces_elsewhere.sources()


def thumbnail(source: Source, width: int) -> Image.Image:
    """A small RGB picture of a source, at most `width` pixels wide, for the person's own eyes: nothing is covered.

    Raises CaptureUnavailable.
    """
    from customer_client.capture import reading  # noqa: PLC0415 - mss comes with the client's extra

    picture = reading.glimpse(source)
    height, length = picture.shape[:2]
    image = Image.frombuffer("RGB", (length, height), picture.tobytes(), "raw", "BGRX", 0, 1)
    image.thumbnail((width, width * 4), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return image
