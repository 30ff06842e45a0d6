"""The pane under X11: an override-redirect window of 32 bits whose input shape is empty.

Where a compositing manager runs (EWMH, `_NET_WM_CM_Sn`) the window is as translucent as its ink. Where none does, its
bounding shape is the ink, and what is translucent is shown in some of its rows only.
"""

import contextlib
import select
import socket
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from Xlib import X, Xatom, display, error
from Xlib.ext import shape, xfixes

from annotate.rendering import Picture, Region
from customer_client.capture.surfaces import Area, Source
from customer_client.capture.surfaces_x11 import area_of
from customer_client.overlay.overlay import OverlayUnavailable, PaneGone

DEPTH = 32
REQUEST_BYTES = 240_000
"""What one PutImage may carry: without BIG-REQUESTS a request ends at 256 KiB."""
RAISES, PER_SECONDS = 5, 1.0
"""How often the pane may put itself on top again, lest it quarrels with another window that does the same."""
PATTERN = np.array([16, 144, 80, 208, 48, 176, 112, 240], np.uint8)
"""A pixel is there where its alpha is higher than its row's number. Rows, since a shape is a list of rectangles: any
finer pattern has so many of them that the server takes half a second over it."""
STACKING = {X.ConfigureNotify, X.MapNotify, X.UnmapNotify, X.ReparentNotify, X.CirculateNotify, X.CreateNotify}


@contextlib.contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except (error.ConnectionClosedError, OSError) as failure:
        raise PaneGone from failure


class X11Pane:
    """See Pane."""

    def __init__(self) -> None:
        try:
            self._display = display.Display()
        except (error.DisplayError, error.ConnectionClosedError, OSError) as failure:
            raise OverlayUnavailable("no_display") from failure
        screen: Any = self._display.screen()
        visual = next(
            (
                visual["visual_id"]
                for depth in screen["allowed_depths"]
                for visual in depth["visuals"]
                if depth["depth"] == DEPTH and visual["visual_class"] == X.TrueColor
            ),
            None,
        )
        if visual is None or not self._display.has_extension("SHAPE") or not self._display.has_extension("XFIXES"):
            self._display.close()
            raise OverlayUnavailable("unsupported")
        # Windows that we follow vanish when they like: what was asked of them then fails, and doesn't matter.
        self._display.set_error_handler(lambda *_: None)
        self._root = screen["root"]
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._source: Source | None = None
        self._chain: list[Any] = []
        self._raised: list[float] = []
        self._life = 0
        self._area: Area | None = None
        self._shown = False
        self._pixels: Any = None
        self._mask: Any = None
        self._pens: dict[int, Any] = {}
        self._prepared = -1
        self._stack_at: float | None = None
        self._window = self._root.create_window(
            0, 0, 1, 1, 0, DEPTH, X.InputOutput, visual,
            background_pixel=0,
            border_pixel=0,
            override_redirect=True,
            colormap=self._root.create_colormap(visual, X.AllocNone),
            event_mask=X.ExposureMask,
        )  # fmt: skip
        self.covering = frozenset({self._window.id})
        self._window.set_wm_name("Sightline")
        # A drag-and-drop icon is what compositing managers give neither shadow nor animation.
        kind = self._atom("_NET_WM_WINDOW_TYPE_DND")
        self._window.change_property(self._atom("_NET_WM_WINDOW_TYPE"), Xatom.ATOM, 32, [kind])
        self._window.shape_rectangles(shape.SO.Set, shape.SK.Input, X.Unsorted, 0, 0, [])
        self._manager = self._atom(f"_NET_WM_CM_S{self._display.get_default_screen()}")
        self._display.xfixes_query_version()
        self._display.xfixes_select_selection_input(
            self._root,
            self._manager,
            xfixes.XFixesSetSelectionOwnerNotifyMask
            | xfixes.XFixesSelectionWindowDestroyNotifyMask
            | xfixes.XFixesSelectionClientCloseNotifyMask,
        )
        self._root.change_attributes(event_mask=X.SubstructureNotifyMask)
        self._composited = self._is_composited()

    def place(self, source: Source | None) -> None:
        with _gone():
            for window in self._chain:
                window.change_attributes(event_mask=X.NoEventMask)
            self._source = source
            self._chain = self._ancestry(source.window) if source is not None and source.window is not None else []
            for window in self._chain:
                window.change_attributes(event_mask=X.StructureNotifyMask)

    def area(self) -> tuple[Area, int] | None:
        with _gone():
            area = self._find()
        if area is None:
            return None
        if self._area is None or (area.width, area.height) != (self._area.width, self._area.height):
            self._life += 1
        self._area = area
        return area, self._life

    def put(self, area: Area, pieces: list[tuple[Region, Picture]]) -> None:
        with _gone():
            if self._prepared != self._life:
                self._prepare(area)
            self._window.configure(x=area.left, y=area.top, width=area.width, height=area.height)
            for region, ink in pieces:
                if self._composited:
                    self._send(self._pixels, region, np.asarray(cv2.cvtColor(ink, cv2.COLOR_RGBA2BGRA), np.uint8))
                else:
                    self._send_pattern(region, ink)
            if not self._composited:
                self._window.shape_mask(shape.SO.Set, shape.SK.Bounding, 0, 0, self._mask)
            if not self._shown:
                self._window.map()
                self._shown = True
                self._stack()
            for region, _ in pieces:
                self._copy(region)
            self._display.sync()

    def hide(self) -> None:
        with _gone():
            self._window.unmap()
            self._shown = False
            self._release()
            self._display.sync()

    def wait(self, seconds: float | None) -> None:
        with _gone():
            if self._stack_at is not None:
                until = max(0.0, self._stack_at - time.monotonic())
                seconds = until if seconds is None else min(seconds, until)
            if not self._display.pending_events():
                select.select([self._display.fileno(), self._woken.fileno()], [], [], seconds)
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
            moved = self._stack_at is not None and time.monotonic() >= self._stack_at
            while self._display.pending_events():
                moved |= self._heed(self._display.next_event())
            if moved:
                self._stack()

    def wake(self) -> None:
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def close(self) -> None:
        self._waker.close()
        self._woken.close()
        with _gone():
            self._display.close()

    def _heed(self, event: Any) -> bool:
        """Follow an event; whether other windows may have come above or below ours."""
        if isinstance(event, xfixes.SelectionNotify):
            self._composited = self._is_composited()
            self._life += 1
        elif event.type == X.Expose:
            if self._shown:
                self._copy(Region(event.x, event.y, event.width, event.height))
        elif event.type == X.ReparentNotify and self._source is not None and self._source.window == event.window.id:
            self.place(self._source)
            return True
        else:
            return event.type in STACKING and event.window != self._window
        return False

    def _find(self) -> Area | None:
        if self._source is None or self._source.window is None:
            return self._source.area if self._source is not None else None
        if not self._chain:
            return None
        window = self._chain[0]
        try:
            if window.get_attributes().map_state != X.IsViewable:
                return None
            return area_of(window)
        except error.XError:
            return None

    def _ancestry(self, window_id: int) -> list[Any]:
        """A window, its parent, and so on until the child of the root."""
        chain = []
        window = self._display.create_resource_object("window", window_id)
        with contextlib.suppress(error.XError):
            while window != self._root:
                chain.append(window)
                window = window.query_tree().parent
        return chain

    def _stack(self) -> None:
        """Lie above the window that is followed, which others may cover; or above everything."""
        self._stack_at = None
        if not self._shown:
            return
        windows = self._root.query_tree().children
        frame = self._chain[-1] if self._chain else None
        if frame is None:
            rightly = windows[-1] == self._window
        else:
            if frame not in windows:
                return
            rightly = windows.index(frame) + 1 == windows.index(self._window)
        if rightly:
            return
        now = time.monotonic()
        self._raised = [at for at in self._raised if at > now - PER_SECONDS]
        if len(self._raised) >= RAISES:
            self._stack_at = self._raised[0] + PER_SECONDS
            return
        self._raised.append(now)
        if frame is None:
            self._window.configure(stack_mode=X.Above)
        else:
            self._window.configure(sibling=frame, stack_mode=X.Above)
        self._display.flush()

    def _is_composited(self) -> bool:
        return bool(self._display.get_selection_owner(self._manager))

    def _prepare(self, area: Area) -> None:
        """Pixels for `area`, all transparent; what was put before is lost."""
        self._release()
        self._pixels = self._window.create_pixmap(area.width, area.height, DEPTH)
        self._pens = {DEPTH: self._pixels.create_gc(foreground=0, graphics_exposures=False)}
        self._pixels.fill_rectangle(self._pens[DEPTH], 0, 0, area.width, area.height)
        if self._composited:
            self._window.shape_mask(shape.SO.Set, shape.SK.Bounding, 0, 0, X.NONE)
        else:
            self._mask = self._window.create_pixmap(area.width, area.height, 1)
            self._pens[1] = self._mask.create_gc(foreground=0)
            self._mask.fill_rectangle(self._pens[1], 0, 0, area.width, area.height)
        self._window.clear_area()
        self._prepared = self._life

    def _release(self) -> None:
        for kept in (self._pixels, self._mask, *self._pens.values()):
            if kept is not None:
                kept.free()
        self._pixels = self._mask = None
        self._pens = {}
        self._prepared = -1

    def _copy(self, region: Region) -> None:
        left, top, width, height = region
        self._window.copy_area(self._pens[DEPTH], self._pixels, left, top, width, height, left, top)

    def _send(self, drawable: Any, region: Region, rows: NDArray[np.uint8], depth: int = DEPTH) -> None:
        """Put `rows` of bytes, in as many requests as they need."""
        form = X.ZPixmap if depth == DEPTH else X.XYPixmap
        many = max(1, REQUEST_BYTES // rows[0].nbytes)
        for start in range(0, region.height, many):
            part = rows[start : start + many]
            drawable.put_image(
                self._pens[depth], region.left, region.top + start, region.width, len(part), form, depth, 0,
                part.tobytes(),
            )  # fmt: skip

    def _send_pattern(self, region: Region, ink: Picture) -> None:
        """The ink's own color, and by its opacity the pixels in which it is to be seen."""
        alpha = ink[..., 3]
        solid = np.maximum(alpha, 1)[..., None]
        color = (ink[..., 2::-1].astype(np.uint16) * 255 + solid // 2) // solid
        opaque = np.dstack([color.astype(np.uint8), np.full_like(alpha, 255)])
        self._send(self._pixels, region, opaque)
        seen = alpha > np.resize(PATTERN, region.height)[:, None]
        info = self._display.display.info
        bits = np.packbits(seen, axis=1, bitorder="big" if info.bitmap_format_bit_order else "little")
        pad = info.bitmap_format_scanline_pad // 8
        self._send(self._mask, region, np.pad(bits, ((0, 0), (0, -bits.shape[1] % pad))), 1)

    def _atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))
