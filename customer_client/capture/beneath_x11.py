"""What lies beneath our own ink: a part of an X11 desktop composed of its windows, as if the overlay were not there.

The X server keeps each window whole in a pixmap of its own once it is redirected (COMPOSITE), also what others hide.
"""

from dataclasses import dataclass
from typing import Any

from Xlib import X, display, error
from Xlib.ext import composite, shape
from Xlib.protocol import rq
from Xlib.xobject.drawable import Window

from customer_client.capture.changes_x11 import lay_over
from customer_client.capture.pixels_x11 import Pixels, PixelsUnreadableError
from customer_client.capture.surfaces import Area, Picture


@dataclass(frozen=True)
class Layer:
    """One visible window: `area` on the desktop without its border, `parts` what of it is seen, also on the desktop."""

    window: Window
    area: Area
    border: int
    opaque: bool
    parts: tuple[Area, ...]

    def hides(self, area: Area) -> bool:
        return self.opaque and any(part.intersection(area) == area for part in self.parts)


class Beneath:
    """Needs a connection that hears of the root's children (SubstructureNotify) and hands that to `on_event`."""

    def __init__(self, server: display.Display, pixels: Pixels) -> None:
        self._server = server
        self._root = server.screen().root
        self._pixels = pixels
        self._layers: dict[int, Layer | None] = {}
        """What is known of the windows so far; None for one that is not seen."""
        self._wallpaper_atom = server.get_atom("_XROOTPMAP_ID")
        # A compositor may have done so already, and may end; ours on top of it changes nothing.
        update: Any = composite.RedirectAutomatic
        composite.redirect_subwindows(self._root, update)
        self._order: list[int] = [window.id for window in self._root.query_tree().children]
        """All windows, from the lowest to the topmost."""

    @staticmethod
    def is_offered(server: display.Display) -> bool:
        if not server.has_extension(composite.extname):
            return False
        version = composite.query_version(server)
        return (version.major_version, version.minor_version) >= (0, 2)

    def on_event(self, event: rq.Event) -> None:
        """Follow what becomes of the windows, so that nobody has to be asked about all of them for each picture."""
        match type(event).__name__:
            case "CreateNotify":
                self._put(event.window.id, len(self._order))
            case "DestroyNotify":
                self._take_out(event.window.id)
            case "ReparentNotify":
                self._take_out(event.window.id)
                if event.parent == self._root:
                    self._put(event.window.id, len(self._order))
            case "ConfigureNotify":
                self._take_out(event.window.id)
                below = event.above_sibling.id if event.above_sibling else None
                self._put(event.window.id, self._order.index(below) + 1 if below in self._order else 0)
            case "CirculateNotify":
                self._take_out(event.window.id)
                self._put(event.window.id, len(self._order) if event.place == X.PlaceOnTop else 0)
            case "MapNotify" | "UnmapNotify" | "GravityNotify":
                self._layers.pop(event.window.id, None)

    def _take_out(self, window: int) -> None:
        self._layers.pop(window, None)
        if window in self._order:
            self._order.remove(window)

    def _put(self, window: int, place: int) -> None:
        if window not in self._order:
            self._order.insert(place, window)

    def compose(self, picture: Picture, of: Area, without: frozenset[int]) -> None:
        """Write what is seen of that part of the desktop into its picture, in place, leaving out the windows `without`.

        Where nothing is known of what lies there, the picture stays as it was.
        """
        shown = []
        for window in reversed(self._order):
            layer = None if window in without else self._layer(window)
            if layer is not None and any(part.intersection(of) for part in layer.parts):
                shown.append(layer)
                if layer.hides(of):
                    break
        else:
            self._lay_wallpaper(picture, of)
        for layer in reversed(shown):
            for part in layer.parts:
                self._lay(layer, part.intersection(of), picture, of)

    def _lay(self, layer: Layer, part: Area, picture: Picture, of: Area) -> None:
        if not part:
            return
        try:
            within = part.moved(-layer.area.left, -layer.area.top)
            pixels = self._pixels.of_window(layer.window, layer.border, within)
        except PixelsUnreadableError:
            self._layers.pop(layer.window.id, None)
            return
        if layer.opaque:
            picture[part.top - of.top : part.bottom - of.top, part.left - of.left : part.right - of.left] = pixels
        else:
            lay_over(picture, of, pixels, part)

    def _lay_wallpaper(self, picture: Picture, of: Area) -> None:
        named = self._root.get_full_property(self._wallpaper_atom, X.AnyPropertyType)
        if named is None or not len(named.value):
            return
        pixmap = self._server.create_resource_object("pixmap", named.value[0])
        try:
            size = pixmap.get_geometry()
            part = Area(0, 0, size.width, size.height).intersection(of)
            if part:
                pixels = self._pixels.of_pixmap(pixmap, part)
                picture[part.top - of.top : part.bottom - of.top, part.left - of.left : part.right - of.left] = pixels
        except (error.XError, PixelsUnreadableError):
            return

    def _layer(self, number: int) -> Layer | None:
        if number not in self._layers:
            try:
                self._layers[number] = self._ask(self._server.create_resource_object("window", number))
            except error.XError:
                self._layers[number] = None
        return self._layers[number]

    def _ask(self, window: Window) -> Layer | None:
        attributes = window.get_attributes()
        if attributes.map_state != X.IsViewable or attributes.win_class != X.InputOutput:
            return None
        size = window.get_geometry()
        border = size.border_width
        area = Area(size.x + border, size.y + border, size.width, size.height)
        whole = Area(size.x, size.y, size.width + 2 * border, size.height + 2 * border)
        parts: tuple[Area, ...] = (whole,)
        if self._server.has_extension(shape.extname) and shape.query_extents(window).bounding_shaped:
            found = shape.get_rectangles(window, shape.SK.Bounding).rectangles
            parts = tuple(Area(area.left + each.x, area.top + each.y, each.width, each.height) for each in found)
        return Layer(window, area, border, size.depth < 32, tuple(part.intersection(whole) for part in parts))
