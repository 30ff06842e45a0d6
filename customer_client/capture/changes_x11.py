"""What changed on an X11 screen, told by the X server (DAMAGE, XFIXES): a still screen costs next to nothing."""

from typing import Any

import numpy as np
from Xlib import display
from Xlib.ext import damage, xfixes
from Xlib.protocol import rq, structs
from Xlib.xobject.drawable import Window

from customer_client.capture.surfaces import Area, Picture

FEW = 6
"""Up to so many rectangles are read one by one; the box around all of them otherwise."""


class _CreateRegion(rq.Request):
    """XFIXES 2.0, section 7: python-xlib leaves regions out."""

    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(5),
        rq.RequestLength(),
        rq.Card32("region"),
        rq.List("rectangles", structs.Rectangle),
    )


class _FetchRegion(rq.ReplyRequest):
    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(19), rq.RequestLength(), rq.Card32("region"))
    _reply = rq.Struct(
        rq.ReplyCode(),
        rq.Pad(1),
        rq.Card16("sequence_number"),
        rq.ReplyLength(),
        rq.Object("extents", structs.Rectangle),
        rq.Pad(16),
        rq.List("rectangles", structs.Rectangle),
    )


class Damage:
    """Watches one drawable. It ends with its connection."""

    def __init__(self, server: display.Display, window: Window) -> None:
        self._server = server
        self.number = damage.damage_create(window, damage.DamageReportNonEmpty)
        self._region = server.display.allocate_resource_id()
        opcode = server.display.get_extension_major(xfixes.extname)
        _CreateRegion(display=server.display, opcode=opcode, region=self._region, rectangles=[])
        self._opcode = opcode
        self.take()  # a window counts as changed when it begins to be watched

    @staticmethod
    def is_offered(server: display.Display) -> bool:
        """Asks for the versions as well, without which the server refuses everything else."""
        if not all(server.has_extension(name) for name in (damage.extname, xfixes.extname)):
            return False
        xfixes.query_version(server)
        damage.query_version(server)
        return True

    def take(self) -> list[Area]:
        """Where the drawable changed since the last time, in its own pixels. Raises XError when it is gone."""
        damage.damage_subtract(self._server, self.number, 0, self._region)
        fetched = _FetchRegion(display=self._server.display, opcode=self._opcode, region=self._region)
        found = [Area(each.x, each.y, each.width, each.height) for each in fetched.rectangles]
        if len(found) <= FEW:
            return found
        box = fetched.extents
        return [Area(box.x, box.y, box.width, box.height)]


class Pointer:
    """The mouse pointer: where it is, and what it looks like. The X server leaves it out of what it lets be read."""

    def __init__(self, server: display.Display) -> None:
        self._server = server
        self._root = server.screen().root
        self._image: Picture | None = None
        self._outdated = True
        self._place = (0, 0)
        self._hot = (0, 0)
        xfixes.select_cursor_input(server, self._root, xfixes.XFixesDisplayCursorNotifyMask)

    def reshaped(self) -> None:
        """To be told of each event that says so: the image is asked for when it is needed next."""
        self._outdated = True

    def look(self) -> tuple[Area, Area] | None:
        """Where it was and where it is on the virtual desktop; none when it has not moved. Raises XError."""
        place = self._root.query_pointer()
        if not self._outdated and (place.root_x, place.root_y) == self._place:
            return None
        before = self.area
        if self._outdated:
            self._outdated = False
            self._fetch()
        self._place = (place.root_x, place.root_y)
        return before, self.area

    def _fetch(self) -> None:
        cursor: Any = xfixes.get_cursor_image(self._server, self._root)
        pixels = np.array(cursor.cursor_image, np.uint32)
        self._image = pixels.view(np.uint8).reshape(cursor.height, cursor.width, 4)
        self._hot = (cursor.xhot, cursor.yhot)

    @property
    def area(self) -> Area:
        """On the virtual desktop."""
        if self._image is None:
            return Area(0, 0, 0, 0)
        height, width = self._image.shape[:2]
        return Area(self._place[0] - self._hot[0], self._place[1] - self._hot[1], width, height)

    def draw(self, picture: Picture, of: Area) -> None:
        """Lay it upon a picture of that part of the virtual desktop, in place."""
        if self._image is not None:
            lay_over(picture, of, self._image, self.area)


def lay_over(picture: Picture, of: Area, image: Picture, at: Area) -> None:
    """Blend `image` (BGRA, premultiplied alpha) into `picture`, in place; both areas on the virtual desktop."""
    part = of.intersection(at)
    if not part:
        return
    upper = image[part.top - at.top : part.bottom - at.top, part.left - at.left : part.right - at.left]
    lower = picture[part.top - of.top : part.bottom - of.top, part.left - of.left : part.right - of.left]
    clear = 255 - upper[:, :, 3:].astype(np.uint16)
    lower[:] = np.minimum(upper + (lower * clear + 127) // 255, 255)
