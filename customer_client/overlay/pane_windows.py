"""The pane under Windows: a layered window that lets every click through and is left out of pictures by the system.

Leaving out is `WDA_EXCLUDEFROMCAPTURE`, from Windows 10 version 2004 on; before that there is no overlay.
"""

import ctypes
import sys
from ctypes import wintypes

import cv2
import numpy as np

from annotate.rendering import Picture, Region
from customer_client.capture.surfaces import Area, Source
from customer_client.overlay.overlay import OverlayUnavailable

assert sys.platform == "win32"

WS_POPUP = 0x80000000
WS_EX_TOPMOST, WS_EX_TRANSPARENT, WS_EX_TOOLWINDOW = 0x8, 0x20, 0x80
WS_EX_LAYERED, WS_EX_NOACTIVATE = 0x80000, 0x08000000
WDA_EXCLUDEFROMCAPTURE = 0x11
PER_MONITOR_AWARE_V2 = -4
SW_HIDE, SW_SHOWNOACTIVATE = 0, 4
HWND_TOPMOST = -1
SWP_NOSIZE, SWP_NOMOVE, SWP_NOACTIVATE = 0x1, 0x2, 0x10
ULW_ALPHA, AC_SRC_ALPHA = 0x2, 0x1
QS_ALLINPUT, PM_REMOVE, INFINITE = 0x04FF, 0x1, 0xFFFFFFFF
WM_NULL = 0x0
RAISE_EVERY_MS = 1_000

user32 = ctypes.WinDLL("user32", use_last_error=True)
gdi32 = ctypes.WinDLL("gdi32", use_last_error=True)
kernel32 = ctypes.WinDLL("kernel32")
user32.CreateWindowExW.restype = wintypes.HWND
user32.CreateWindowExW.argtypes = [
    wintypes.DWORD, wintypes.LPCWSTR, wintypes.LPCWSTR, wintypes.DWORD,
    ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int,
    wintypes.HWND, wintypes.HMENU, wintypes.HINSTANCE, wintypes.LPVOID,
]  # fmt: skip
user32.SetWindowDisplayAffinity.argtypes = [wintypes.HWND, wintypes.DWORD]
user32.SetThreadDpiAwarenessContext.argtypes = [wintypes.HANDLE]
user32.SetWindowPos.argtypes = [wintypes.HWND, wintypes.HWND, *[ctypes.c_int] * 4, wintypes.UINT]
user32.ShowWindow.argtypes = [wintypes.HWND, ctypes.c_int]
user32.DestroyWindow.argtypes = [wintypes.HWND]
user32.UpdateLayeredWindow.argtypes = [
    wintypes.HWND, wintypes.HDC, wintypes.LPPOINT, wintypes.LPSIZE,
    wintypes.HDC, wintypes.LPPOINT, wintypes.COLORREF, wintypes.LPVOID, wintypes.DWORD,
]  # fmt: skip
gdi32.CreateCompatibleDC.argtypes = [wintypes.HDC]
gdi32.CreateCompatibleDC.restype = wintypes.HDC
gdi32.CreateDIBSection.argtypes = [
    wintypes.HDC, wintypes.LPVOID, wintypes.UINT, ctypes.POINTER(ctypes.c_void_p), wintypes.HANDLE, wintypes.DWORD,
]  # fmt: skip
gdi32.CreateDIBSection.restype = wintypes.HBITMAP
gdi32.SelectObject.argtypes = [wintypes.HDC, wintypes.HGDIOBJ]
gdi32.SelectObject.restype = wintypes.HGDIOBJ
gdi32.DeleteObject.argtypes = [wintypes.HGDIOBJ]
gdi32.DeleteDC.argtypes = [wintypes.HDC]


class BitmapInfoHeader(ctypes.Structure):
    """BITMAPINFOHEADER"""

    _fields_ = (
        ("size", wintypes.DWORD), ("width", wintypes.LONG), ("height", wintypes.LONG), ("planes", wintypes.WORD),
        ("bits", wintypes.WORD), ("compression", wintypes.DWORD), ("image_bytes", wintypes.DWORD),
        ("across", wintypes.LONG), ("down", wintypes.LONG), ("used", wintypes.DWORD), ("important", wintypes.DWORD),
    )  # fmt: skip


class BlendFunction(ctypes.Structure):
    """BLENDFUNCTION"""

    _fields_ = (
        ("op", ctypes.c_ubyte), ("flags", ctypes.c_ubyte), ("alpha", ctypes.c_ubyte), ("format", ctypes.c_ubyte),
    )  # fmt: skip


class WindowsPane:
    """See Pane."""

    covering: frozenset[int] = frozenset()

    def __init__(self) -> None:
        user32.SetThreadDpiAwarenessContext(PER_MONITOR_AWARE_V2)
        style = WS_EX_LAYERED | WS_EX_TRANSPARENT | WS_EX_TOPMOST | WS_EX_TOOLWINDOW | WS_EX_NOACTIVATE
        self._window = user32.CreateWindowExW(
            style, "STATIC", "Sightline", WS_POPUP, 0, 0, 1, 1, None, None, None, None
        )
        if not self._window:
            raise OverlayUnavailable("no_display")
        if not user32.SetWindowDisplayAffinity(self._window, WDA_EXCLUDEFROMCAPTURE):
            user32.DestroyWindow(self._window)
            raise OverlayUnavailable("unsupported")
        self._thread = kernel32.GetCurrentThreadId()
        self._context = gdi32.CreateCompatibleDC(None)
        self._bitmap: int | None = None
        self._pixels: Picture = np.zeros((0, 0, 4), np.uint8)
        self._source: Source | None = None
        self._shown = False
        self._life = 0

    def place(self, source: Source | None) -> None:
        self._source = source

    def area(self) -> tuple[Area, int] | None:
        if self._source is None:
            return None
        area = self._source.area
        if self._pixels.shape[:2] != (area.height, area.width):
            self._prepare(area)
        return area, self._life

    def put(self, area: Area, pieces: list[tuple[Region, Picture]]) -> None:
        for (left, top, width, height), ink in pieces:
            self._pixels[top : top + height, left : left + width] = cv2.cvtColor(ink, cv2.COLOR_RGBA2BGRA)
        place, size, corner = (
            wintypes.POINT(area.left, area.top),
            wintypes.SIZE(area.width, area.height),
            wintypes.POINT(),
        )
        blend = BlendFunction(0, 0, 255, AC_SRC_ALPHA)
        user32.UpdateLayeredWindow(
            self._window, None, ctypes.byref(place), ctypes.byref(size),
            self._context, ctypes.byref(corner), 0, ctypes.byref(blend), ULW_ALPHA,
        )  # fmt: skip
        if not self._shown:
            user32.ShowWindow(self._window, SW_SHOWNOACTIVATE)
            self._shown = True
            self._raise()

    def hide(self) -> None:
        user32.ShowWindow(self._window, SW_HIDE)
        self._pixels[:] = 0
        self._shown = False

    def wait(self, seconds: float | None) -> None:
        most = RAISE_EVERY_MS if self._shown else INFINITE
        limit = most if seconds is None else min(most, round(seconds * 1000))
        user32.MsgWaitForMultipleObjects(0, None, False, limit, QS_ALLINPUT)
        message = wintypes.MSG()
        while user32.PeekMessageW(ctypes.byref(message), None, 0, 0, PM_REMOVE):
            user32.DispatchMessageW(ctypes.byref(message))
        if self._shown:
            self._raise()

    def wake(self) -> None:
        user32.PostThreadMessageW(self._thread, WM_NULL, 0, 0)

    def close(self) -> None:
        user32.DestroyWindow(self._window)
        self._pixels = np.zeros((0, 0, 4), np.uint8)
        gdi32.DeleteDC(self._context)
        if self._bitmap:
            gdi32.DeleteObject(self._bitmap)

    def _prepare(self, area: Area) -> None:
        """A bitmap for `area`, all transparent, whose pixels can be written to."""
        # A height below zero is that of a bitmap whose first row is the upmost.
        header = BitmapInfoHeader(ctypes.sizeof(BitmapInfoHeader), area.width, -area.height, 1, 32)
        bits = ctypes.c_void_p()
        bitmap = gdi32.CreateDIBSection(self._context, ctypes.byref(header), 0, ctypes.byref(bits), None, 0)
        if not bitmap or not bits.value:
            raise MemoryError("no bitmap for the overlay")
        gdi32.SelectObject(self._context, bitmap)
        if self._bitmap:
            gdi32.DeleteObject(self._bitmap)
        self._bitmap = bitmap
        buffer = (ctypes.c_ubyte * (area.width * area.height * 4)).from_address(bits.value)
        self._pixels = np.ctypeslib.as_array(buffer).reshape(area.height, area.width, 4)
        self._life += 1

    def _raise(self) -> None:
        user32.SetWindowPos(self._window, HWND_TOPMOST, 0, 0, 0, 0, SWP_NOSIZE | SWP_NOMOVE | SWP_NOACTIVATE)
