"""Pictures of a desktop as the capture hands them on, and how like two pictures are."""

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from customer_client.capture.screen_capture import Captured
from customer_client.capture.surfaces import Area, Picture, Source
from customer_client.simulation.desktop import draw_desktop


@lru_cache
def desktop(second: float = 0.0) -> Picture:
    """The demo's desktop at a moment, BGRA, 1280 by 720."""
    return np.asarray(cv2.cvtColor(draw_desktop(second), cv2.COLOR_RGB2BGRA), np.uint8)


def captured(number: int, picture: Picture, changed: Iterable[Area] | None = None) -> Captured:
    """The picture of a monitor, by default as if all of it had changed."""
    height, width = picture.shape[:2]
    area = Area(0, 0, width, height)
    source = Source("monitor", "monitor", "Desktop", area, 1.0, None)
    return Captured(number, time.monotonic(), source, picture, (area,) if changed is None else tuple(changed))


def likeness(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The mean structural similarity (Wang et al. 2004) of two pictures in gray, 1.0 of equal ones."""

    def blurred(picture: NDArray[Any]) -> NDArray[Any]:
        return cv2.GaussianBlur(picture, (11, 11), 1.5)

    a, b = one.astype(np.float32), other.astype(np.float32)
    mean_a, mean_b = blurred(a), blurred(b)
    spread = blurred(a * a) - mean_a**2 + blurred(b * b) - mean_b**2
    common = blurred(a * b) - mean_a * mean_b
    first, second = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ratio = (2 * mean_a * mean_b + first) * (2 * common + second)
    return float((ratio / ((mean_a**2 + mean_b**2 + first) * (spread + second))).mean())


def gray(picture: Picture) -> Picture:
    """A BGRA picture's luma in limited range, as the encoder makes it."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2YUV_I420), np.uint8)[: picture.shape[0]]
