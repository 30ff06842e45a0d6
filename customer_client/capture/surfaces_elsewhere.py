"""Monitors of Windows and macOS, as mss lists them. Windows are not offered: what lies over one would be shown too."""

import ctypes
import ctypes.wintypes
import sys
from typing import Any

from mss import MSS
from mss.exception import ScreenShotError

from customer_client.capture.surfaces import Area, CaptureUnavailable, Source


def sources() -> list[Source]:
    if sys.platform == "darwin" and not _may_record():
        raise CaptureUnavailable("permission")
    try:
        with MSS() as reader:
            monitors = list(enumerate(reader.monitors[1:], 1))
    except ScreenShotError as failure:
        raise CaptureUnavailable("no_display") from failure
    monitors.sort(key=lambda numbered: not numbered[1].get("is_primary", False))
    return [_source(number, monitor) for number, monitor in monitors]


def _source(number: int, monitor: Any) -> Source:
    area = Area(monitor["left"], monitor["top"], monitor["width"], monitor["height"])
    key = monitor.get("unique_id") or str(number)
    return Source(f"monitor:{key}", "monitor", monitor.get("name") or str(number), area, _scale(area))


def _may_record() -> bool:
    """Asks for the permission as well, which macOS does once."""
    graphics = ctypes.CDLL("/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics")
    graphics.CGPreflightScreenCaptureAccess.restype = ctypes.c_bool
    graphics.CGRequestScreenCaptureAccess.restype = ctypes.c_bool
    return bool(graphics.CGPreflightScreenCaptureAccess() or graphics.CGRequestScreenCaptureAccess())


def _scale(area: Area) -> float:
    """Of Windows, by the monitor's dots an inch; macOS counts places on the screen in points already."""
    if sys.platform != "win32":
        return 1.0
    point = ctypes.wintypes.POINT(area.left, area.top)
    monitor = ctypes.windll.user32.MonitorFromPoint(point, 2)
    across, down = ctypes.c_uint(), ctypes.c_uint()
    failed = ctypes.windll.shcore.GetDpiForMonitor(monitor, 0, ctypes.byref(across), ctypes.byref(down))
    return 1.0 if failed else across.value / 96
