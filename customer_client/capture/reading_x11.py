"""Reading a monitor or a window of an X11 desktop: where it changed, with the mouse pointer, without our own ink."""

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from mss.exception import ScreenShotError
from Xlib import X, display, error
from Xlib.ext import composite, randr
from Xlib.protocol import rq

from customer_client.capture.beneath_x11 import Beneath
from customer_client.capture.changes_x11 import Damage, Pointer
from customer_client.capture.pixels_x11 import Pixels, PixelsUnreadableError
from customer_client.capture.reading import Reading
from customer_client.capture.surfaces import Area, CaptureUnavailable, Cover, Ink, Picture, Source
from customer_client.capture.surfaces_x11 import area_of, connect, margins, monitors, title_of

DEAD = (error.ConnectionClosedError, BrokenPipeError, ConnectionResetError)
"""What python-xlib raises once the X server has ended."""
BENEATH = 0.2
"""Seconds between two looks at what lies beneath ink."""


def open_reader(source: Source, ink: Ink | None) -> "X11Reader | None":
    """None where the X server does not tell what changed. Raises CaptureUnavailable."""
    server = connect()
    if not Damage.is_offered(server):
        server.close()
        return None
    try:
        pixels = Pixels()
    except ScreenShotError as failure:
        server.close()
        raise CaptureUnavailable("unsupported") from failure
    if source.window is None:
        return MonitorReader(source, server, pixels, ink)
    return WindowReader(source, server, pixels)


def glimpse(source: Source) -> Picture:
    """Read once, without redirecting a window for it: that lets it blink. Raises CaptureUnavailable."""
    server = connect()
    try:
        pixels = Pixels()
        try:
            return _glimpse(source, server, pixels)
        finally:
            pixels.close()
    except (ScreenShotError, PixelsUnreadableError, error.XError) as failure:
        raise CaptureUnavailable("gone") from failure
    finally:
        server.close()


def _glimpse(source: Source, server: display.Display, pixels: Pixels) -> Picture:
    if source.window is None:
        return pixels.of_root(source.area)
    window = server.create_resource_object("window", source.window)
    area = area_of(window)
    outermost = window
    while (parent := outermost.query_tree().parent) != server.screen().root:
        outermost = parent
    place, (left, _, top, _) = area_of(outermost), margins(outermost)
    try:
        border = outermost.get_geometry().border_width
        return pixels.of_window(outermost, border, area.moved(left - place.left, top - place.top))
    except PixelsUnreadableError:  # nobody redirects the windows of this desktop
        size = server.screen().root.get_geometry()
        return pixels.of_root(area.intersection(Area(0, 0, size.width, size.height)))


class X11Reader:
    """What the two have in common. The picture without pointer is kept, and mended where something changed."""

    def __init__(self, source: Source, server: display.Display, pixels: Pixels) -> None:
        self._source, self._server, self._pixels = source, server, pixels
        self._pointer = Pointer(server)
        self._clean: Picture | None = None
        self._damaged, self._displaced, self._there = False, True, True
        self._damage: Damage | None = None

    def files(self) -> Sequence[int]:
        try:
            return (self._server.fileno(),)
        except DEAD:
            return ()

    def close(self) -> None:
        with contextlib.suppress(ScreenShotError):
            self._pixels.close()
        with contextlib.suppress(*DEAD):
            self._server.close()

    def look(self, *, whole: bool = False) -> Reading | None:
        try:
            return self._look(whole)
        except DEAD as failure:
            raise CaptureUnavailable("no_display") from failure

    def _look(self, whole: bool) -> Reading | None:
        while self._server.pending_events():
            self._on_event(self._server.next_event())
        before = self._source
        if self._displaced:
            self._displaced = False
            self._place()
        if not self._there:
            return None
        try:
            changed = self._mend()
        except (PixelsUnreadableError, error.XError):
            # It moved, shrank, or vanished since we asked; the next look finds out.
            self._clean, self._displaced = None, True
            return None
        return self._with_pointer(changed, whole, before)

    def _with_pointer(self, changed: list[Area], whole: bool, before: Source) -> Reading | None:
        assert self._clean is not None
        area = self._source.area
        frame = Area(0, 0, area.width, area.height)
        moved = self._pointer.look()
        if moved is not None:
            changed.extend(part for each in moved if (part := each.moved(-area.left, -area.top).intersection(frame)))
        if whole:
            changed = [frame]
        if not changed and self._source == before:
            return None
        picture = self._clean.copy()
        self._pointer.draw(picture, area)
        return Reading(self._source, picture, tuple(changed))

    def _mend(self) -> list[Area]:
        """Reads again what changed, in pixels of the picture. Raises PixelsUnreadableError, XError."""
        parts = self._take_damage()
        frame = Area(0, 0, self._source.area.width, self._source.area.height)
        if self._clean is None or self._clean.shape[:2] != (frame.height, frame.width):
            self._clean = self._read(frame).copy()
            return [frame]
        parts = [inner for part in parts if (inner := part.intersection(frame))]
        for part in parts:
            part_of(self._clean, part)[:] = self._read(part)
        return parts

    def _take_damage(self) -> list[Area]:
        if not self._damaged or self._damage is None:
            return []
        self._damaged = False
        left, top = self._origin()
        return [part.moved(-left, -top) for part in self._damage.take()]

    def _on_event(self, event: rq.Event) -> None:
        match type(event).__name__:
            case "DamageNotify":
                self._damaged = True
            case "DisplayCursorNotify":
                self._pointer.reshaped()

    def _origin(self) -> tuple[int, int]:
        """Where the picture begins, in pixels of the drawable that is watched."""
        raise NotImplementedError

    def _place(self) -> None:
        """Find out where the source is. Raises CaptureUnavailable `gone` when it just vanished."""
        raise NotImplementedError

    def _read(self, part: Area) -> Picture:
        """`part` in pixels of the picture. Raises PixelsUnreadableError."""
        raise NotImplementedError


class MonitorReader(X11Reader):
    def __init__(self, source: Source, server: display.Display, pixels: Pixels, ink: Ink | None) -> None:
        super().__init__(source, server, pixels)
        self._root = server.screen().root
        # Not all changes of monitors have an event of their own in RandR: some are told as those of the root window.
        self._root.change_attributes(event_mask=X.StructureNotifyMask | X.SubstructureNotifyMask)
        if server.has_extension(randr.extname):
            told = randr.RRScreenChangeNotifyMask | randr.RRCrtcChangeNotifyMask | randr.RROutputChangeNotifyMask
            randr.select_input(self._root, told)
        self._damage = Damage(server, self._root)
        self._ink: Ink = ink or Cover
        self._beneath = Beneath(server, pixels) if ink is not None and Beneath.is_offered(server) else None
        self._inked: set[Area] = set()
        """Where ink may be seen, in pixels of the picture."""
        self._windows: frozenset[int] = frozenset()
        self._look_beneath_at = 0.0

    def _on_event(self, event: rq.Event) -> None:
        match type(event).__name__:
            case "ScreenChangeNotify" | "CrtcChangeNotify" | "OutputChangeNotify":
                self._displaced = True
            case "ConfigureNotify" if event.window == self._root:
                self._displaced = True
            case _:
                super()._on_event(event)
                if self._beneath is not None:
                    self._beneath.on_event(event)

    def _origin(self) -> tuple[int, int]:
        return self._source.area.left, self._source.area.top

    def _place(self) -> None:
        found = next((each for each in monitors(self._server) if each.key == self._source.key), None)
        was_there, self._there = self._there, found is not None
        if found is not None:
            if found != self._source or not was_there:
                self._pixels.renew()
                self._source, self._clean = found, None
                self._inked.clear()
        elif was_there:
            raise CaptureUnavailable("gone")

    def _read(self, part: Area) -> Picture:
        return self._pixels.of_root(part.moved(*self._origin()))

    def _mend(self) -> list[Area]:
        area = self._source.area
        frame = Area(0, 0, area.width, area.height)
        suspects = self._suspects()
        if self._clean is None:
            self._clean = np.zeros((area.height, area.width, 4), np.uint8)
            suspects = [frame]
        parts = joined(inner for suspect in suspects if (inner := suspect.intersection(frame)))
        if not parts:
            return []
        pixels = [self._read(part) for part in parts]
        # Ink may have come while the pixels were read; it was named before it was drawn.
        self._inked.update(self._named_by_ink())
        inked = [inner for part in parts for each in joined(self._inked) if (inner := each.intersection(part))]
        kept = [part_of(self._clean, each).copy() for each in inked]
        for part, found in zip(parts, pixels, strict=True):
            part_of(self._clean, part)[:] = found
        for each, before in zip(inked, kept, strict=True):
            beneath = part_of(self._clean, each)
            beneath[:] = before
            if self._beneath is not None:
                self._beneath.compose(beneath, each.moved(area.left, area.top), self._windows)
        mended = [
            each
            for each, before in zip(inked, kept, strict=True)
            if not np.array_equal(part_of(self._clean, each), before)
        ]
        return mended + [part for part in parts if not any(each.intersection(part) == part for each in inked)]

    def _suspects(self) -> list[Area]:
        """What may look different now. Nobody tells what happens under ink alone: that is looked up by the clock."""
        suspects = self._note_ink() + self._take_damage()
        boxes, now = joined(self._inked), time.monotonic()
        if now < self._look_beneath_at:
            return suspects + [box for box in boxes if any(box.intersection(each) for each in suspects)]
        self._look_beneath_at = now + BENEATH
        return suspects + boxes

    def _named_by_ink(self) -> set[Area]:
        area, cover = self._source.area, self._ink()
        self._windows = cover.windows
        inside = (each.intersection(area) for each in cover.areas)
        return {each.moved(-area.left, -area.top) for each in inside if each}

    def _note_ink(self) -> list[Area]:
        """Gives where no ink is any more: that is read from the screen again."""
        before, self._inked = self._inked, self._named_by_ink()
        return list(before - self._inked)


class WindowReader(X11Reader):
    """A window by itself, without what lies over it: the X server keeps it whole (COMPOSITE)."""

    def __init__(self, source: Source, server: display.Display, pixels: Pixels) -> None:
        super().__init__(source, server, pixels)
        if source.window is None or not Beneath.is_offered(server):
            self.close()
            raise CaptureUnavailable("unsupported")
        self._window = server.create_resource_object("window", source.window)
        self._border, self._margin = 0, (0, 0)
        update: Any = composite.RedirectAutomatic
        composite.redirect_window(self._window, update)
        self._window.change_attributes(event_mask=X.StructureNotifyMask)
        self._damage = Damage(server, self._window)

    def _on_event(self, event: rq.Event) -> None:
        match type(event).__name__:
            case "ConfigureNotify" | "ReparentNotify" | "UnmapNotify" | "DestroyNotify":
                self._displaced = True
            case "MapNotify":
                self._displaced, self._clean = True, None
            case _:
                super()._on_event(event)

    def _origin(self) -> tuple[int, int]:
        return self._margin

    def _place(self) -> None:
        try:
            self._there = self._window.get_attributes().map_state == X.IsViewable
            area, (left, _, top, _) = area_of(self._window), margins(self._window)
            self._border, self._margin = self._window.get_geometry().border_width, (left, top)
        except error.XError as failure:
            self._there = False
            raise CaptureUnavailable("gone") from failure
        if self._there:
            self._source = replace(self._source, area=area, title=title_of(self._window) or self._source.title)

    def _read(self, part: Area) -> Picture:
        return self._pixels.of_window(self._window, self._border, part.moved(*self._margin))


def part_of(picture: Picture, area: Area) -> Picture:
    """A view."""
    return picture[area.top : area.bottom, area.left : area.right]


def joined(areas: Iterable[Area]) -> list[Area]:
    """The same in boxes that don't overlap: areas that do are taken as the box around them."""
    boxes: list[Area] = []
    for area in areas:
        box = area
        while (other := next((each for each in boxes if each.intersection(box)), None)) is not None:
            boxes.remove(other)
            box = box.around(other)
        boxes.append(box)
    return boxes
