"""Monitors and windows of an X11 desktop, asked of the X server itself (RandR, EWMH)."""

import os
import re
from typing import Any

from Xlib import X, Xatom, display, error
from Xlib.ext import randr
from Xlib.xobject.drawable import Window

from customer_client.capture.surfaces import Area, CaptureUnavailable, Source

UNSHARED = ("_NET_WM_WINDOW_TYPE_DESKTOP", "_NET_WM_WINDOW_TYPE_DOCK")
"""The wallpaper and the panels of a desktop are windows too, though nobody thinks of them as such."""


def connect() -> display.Display:
    """A connection of one's own, for one thread.

    Raises CaptureUnavailable: `wayland` where X11 is only a part of what is seen.
    """
    try:
        server = display.Display()
    except (error.DisplayError, OSError, ValueError, OverflowError) as failure:
        wayland = "WAYLAND_DISPLAY" in os.environ or os.environ.get("XDG_SESSION_TYPE") == "wayland"
        raise CaptureUnavailable("wayland" if wayland else "no_display") from failure
    # What was asked of a window that is gone by now fails later and elsewhere; the replies say it again.
    server.set_error_handler(lambda *_: None)
    if any(monitor.title.startswith("XWAYLAND") for monitor in monitors(server)):
        server.close()
        raise CaptureUnavailable("wayland")
    return server


def sources() -> list[Source]:
    server = connect()
    try:
        return [*monitors(server), *windows(server)]
    finally:
        server.close()


def monitors(server: display.Display) -> list[Source]:
    """All active monitors, the primary one first; the whole desktop where RandR does not know any."""
    root = server.screen().root
    scale = scale_of(root)
    found: list[Source] = []
    if server.has_extension("RANDR"):
        infos: list[Any] = list(randr.get_monitors(root).monitors)
        infos.sort(key=lambda info: not info.primary)
        for info in infos:
            name = server.get_atom_name(info.name)
            area = Area(info.x, info.y, info.width_in_pixels, info.height_in_pixels)
            if area:
                found.append(Source(f"monitor:{name}", "monitor", name, area, scale))
    if not found:
        size = root.get_geometry()
        found.append(Source("monitor:0", "monitor", "1", Area(0, 0, size.width, size.height), scale))
    return found


def windows(server: display.Display) -> list[Source]:
    """What the window manager lists, in the order of stacking, topmost first; without one, what looks like a window."""
    root = server.screen().root
    scale = scale_of(root)
    listed = _property(root, "_NET_CLIENT_LIST_STACKING") or _property(root, "_NET_CLIENT_LIST")
    if listed is None:
        found = [window for window in root.query_tree().children if _is_bare_window(window)]
    else:
        found = [server.create_resource_object("window", number) for number in listed]
    return [source for window in reversed(found) if (source := describe(window, scale))]


def describe(window: Window, scale: float) -> Source | None:
    """A window as a source; none when it is hidden, gone, a part of the desktop, or our own."""
    try:
        if window.get_attributes().map_state != X.IsViewable:
            return None
        kinds = _property(window, "_NET_WM_WINDOW_TYPE") or []
        if any(window.display.get_atom(kind) in kinds for kind in UNSHARED):
            return None
        if _property(window, "_NET_WM_PID") == [os.getpid()]:
            return None
        title, area = title_of(window), area_of(window)
    except error.XError:
        return None
    return Source(f"window:{window.id:x}", "window", title, area, scale, window.id) if title and area else None


def title_of(window: Window) -> str:
    named = window.get_full_property(window.display.get_atom("_NET_WM_NAME"), X.AnyPropertyType)
    if named is not None and isinstance(named.value, bytes):
        return named.value.decode(errors="replace")
    old = window.get_wm_name()
    return old.decode("latin-1") if isinstance(old, bytes) else old or ""


def area_of(window: Window) -> Area:
    """The window on the virtual desktop, without its border and a shadow of its own. Raises XError."""
    size = window.get_geometry()
    place = window.translate_coords(size.root, 0, 0)
    # The reply says where the root's origin lies in the window: the other way round.
    left, right, top, bottom = margins(window)
    return Area(left - place.x, top - place.y, size.width - left - right, size.height - top - bottom)


def margins(window: Window) -> tuple[int, int, int, int]:
    """Left, right, top, bottom: what a toolkit that decorates its own windows adds for their shadow."""
    extents = _property(window, "_GTK_FRAME_EXTENTS")
    if extents is None or len(extents) != 4:
        return 0, 0, 0, 0
    left, right, top, bottom = extents
    return left, right, top, bottom


def scale_of(root: Window) -> float:
    """From `Xft.dpi`, which every desktop sets when it scales; 96 dots an inch is 1."""
    resources = root.get_full_property(Xatom.RESOURCE_MANAGER, X.AnyPropertyType)
    text = resources.value if resources is not None else b""
    found = re.search(rb"^Xft\.dpi:\s*([0-9.]+)", text, re.MULTILINE) if isinstance(text, bytes) else None
    return float(found[1]) / 96 if found else 1.0


def _property(window: Window, name: str) -> list[int] | None:
    value = window.get_full_property(window.display.get_atom(name), X.AnyPropertyType)
    return None if value is None or isinstance(value.value, (bytes, str)) else list(value.value)


def _is_bare_window(window: Window) -> bool:
    try:
        attributes = window.get_attributes()
    except error.XError:
        return False
    return bool(attributes.win_class == X.InputOutput and not attributes.override_redirect)
