"""Covering parts of what is shared: rectangles dragged, or moved by keys, upon a live preview."""

import contextlib
import threading
import tkinter as tk
from collections.abc import Callable
from functools import partial
from tkinter import ttk
from typing import Literal

from PIL import Image, ImageTk

from customer_client.capture.masks import PAINT, Mask, Masks
from customer_client.capture.surfaces import CaptureUnavailable, Source
from customer_client.window.widgets import Page, Paragraph, Stage, button

LOOK_EVERY_S = 1.0
WIDTH, HEIGHT = 680, 430
AROUND = 350
"""What the page needs of the window's height beside the preview."""
LEAST_HEIGHT = 160
STEP, LEAST = 0.01, 0.01
NEW = (0.35, 0.4, 0.65, 0.6)

Held = tuple[Literal["draw", "move", "size"], float, float, Mask | None]


class CoverPage(Page):
    """A preview of `source` with what is covered; every change is told at once."""

    def __init__(
        self,
        parent: tk.Misc,
        stage: Stage,
        source: Source,
        masks: Masks,
        changed: Callable[[Masks], None],
        done: tuple[str, Callable[[], None]],
        back: Callable[[], None] | None,
    ) -> None:
        """Without `back` it is shared already, and each change holds at once."""
        words, theme = stage.words, stage.theme
        super().__init__(parent, stage, words("cover.title"))
        self._source, self._changed = source, changed
        self.masks = list(masks.rectangles)
        self._selected: int | None = None
        self._held: Held | None = None
        self._image: ImageTk.PhotoImage | None = None
        self.text(words("cover.text"), "muted.body.TLabel")
        palette = theme.palette
        self.preview = tk.Canvas(
            self.body,
            background=palette.sunken,
            highlightthickness=theme.px(2),
            highlightbackground=palette.line,
            highlightcolor=palette.accent_text,
            cursor="crosshair",
            takefocus=True,
        )
        self.preview.pack(pady=(theme.px(14), 0), anchor="w")
        self._size = self._fitted(source.area.width, source.area.height)
        row = ttk.Frame(self.body)
        row.pack(fill="x", pady=(theme.px(8), 0))
        row.columnconfigure(0, weight=1)
        self._count = Paragraph(row, style="strong.TLabel")
        self._count.grid(row=0, column=0, sticky="ew")
        add = button(row, stage, words("cover.add"), self._add)
        self._remove = button(row, stage, words("cover.remove"), self._delete)
        self._clear = button(row, stage, words("cover.clear"), self._delete_all)
        for column, each in enumerate((add, self._remove, self._clear), 1):
            each.grid(row=0, column=column)
        live = "" if back else f"{words('cover.live')} "
        self.text(live + words("cover.keys"), "muted.small.TLabel", above=4)

        self._done = self.action(done[0], lambda: self._end(done[1]), "Primary")
        if back:
            self.action(words("window.back"), back, "Quiet")
        self._bind()
        self._draw()
        self._closed = threading.Event()
        threading.Thread(target=self._look, name="preview", daemon=True).start()

    def begin(self) -> None:
        self.preview.focus_set()

    def _end(self, done: Callable[[], None]) -> None:
        self._done.state(["disabled"])  # it is not to be said twice
        done()

    def close(self) -> None:
        self._closed.set()
        super().close()
        self._image = None  # not left to the garbage collector: see `Tile.destroy`

    def _fitted(self, width: int, height: int) -> tuple[int, int]:
        px = self.stage.theme.px
        there = max(px(LEAST_HEIGHT), min(px(HEIGHT), self.winfo_toplevel().winfo_height() - px(AROUND)))
        share = min(px(WIDTH) / max(1, width), there / max(1, height))
        size = max(1, round(width * share)), max(1, round(height * share))
        self.preview.configure(width=size[0], height=size[1])
        return size

    def _look(self) -> None:
        """In a thread of its own: how the source looks now, uncovered, until the page is closed."""
        while not self._closed.is_set():
            with contextlib.suppress(CaptureUnavailable):
                image = self.stage.screens.thumbnail(self._source, self.stage.theme.px(WIDTH))
                self.stage.post(partial(self._show, image))
            self._closed.wait(LOOK_EVERY_S)

    def _show(self, image: Image.Image) -> None:
        if self._closed.is_set():
            return
        self._size = self._fitted(*image.size)
        self._image = ImageTk.PhotoImage(image.resize(self._size, Image.Resampling.LANCZOS), master=self)
        self._draw()

    # --- Changing ---

    def _bind(self) -> None:
        on = self.preview.bind
        on("<Button-1>", self._press)
        on("<B1-Motion>", self._drag)
        on("<ButtonRelease-1>", self._release)
        on("<Insert>", lambda _: self._add())
        for key in ("<Delete>", "<BackSpace>"):
            on(key, lambda _: self._delete())
        on("<Tab>", lambda _: self._next(1))
        on(
            "<Shift-Tab>" if self.tk.call("tk", "windowingsystem") != "x11" else "<ISO_Left_Tab>",
            lambda _: self._next(-1),
        )
        for key, x, y in (("Left", -STEP, 0.0), ("Right", STEP, 0.0), ("Up", 0.0, -STEP), ("Down", 0.0, STEP)):
            on(f"<{key}>", lambda _, x=x, y=y: self._nudge(x, y, False))  # type: ignore[misc]
            on(f"<Shift-{key}>", lambda _, x=x, y=y: self._nudge(x, y, True))  # type: ignore[misc]

    def _at(self, event: "tk.Event[tk.Canvas]") -> tuple[float, float]:
        edge = int(self.preview.cget("highlightthickness"))
        return (event.x - edge) / self._size[0], (event.y - edge) / self._size[1]

    def _press(self, event: "tk.Event[tk.Canvas]") -> None:
        self.preview.focus_set()
        x, y = self._at(event)
        near = self.stage.theme.px(10) / self._size[0], self.stage.theme.px(10) / self._size[1]
        self._held = ("draw", x, y, None)
        for place, mask in reversed(list(enumerate(self.masks))):
            if abs(x - mask.right) <= near[0] and abs(y - mask.bottom) <= near[1]:
                self._selected, self._held = place, ("size", mask.left, mask.top, mask)
                break
            if mask.left <= x <= mask.right and mask.top <= y <= mask.bottom:
                self._selected, self._held = place, ("move", x, y, mask)
                break
        else:
            self._selected = None
        self._draw()

    def _drag(self, event: "tk.Event[tk.Canvas]") -> None:
        if self._held is None:
            return
        x, y = self._at(event)
        how, from_x, from_y, mask = self._held
        if how == "move" and mask is not None and self._selected is not None:
            self.masks[self._selected] = moved(mask, x - from_x, y - from_y)
        elif (new := Mask.between(from_x, from_y, x, y)) is not None:
            if self._selected is None:
                self.masks.append(new)
                self._selected = len(self.masks) - 1
            self.masks[self._selected] = new
        self._draw()

    def _release(self, _: object) -> None:
        held, self._held = self._held, None
        if held is None or self._selected is None:
            return
        mask = self.masks[self._selected]
        if held[0] == "draw" and min(mask.right - mask.left, mask.bottom - mask.top) < LEAST:
            self._delete()
            return
        self._tell()

    def _add(self) -> None:
        """A new one in the middle, a little beside those that stand there."""
        shift = 0.03 * (len(self.masks) % 8)
        self.masks.append(moved(Mask(*NEW), shift, shift))
        self._selected = len(self.masks) - 1
        self.preview.focus_set()
        self._tell()

    def _delete(self) -> None:
        if self._selected is not None:
            self.masks.pop(self._selected)
            self._selected = len(self.masks) - 1 if self.masks else None
            self._tell()

    def _delete_all(self) -> None:
        self.masks.clear()
        self._selected = None
        self._tell()

    def _nudge(self, x: float, y: float, size: bool) -> None:
        if self._selected is None:
            return
        mask = self.masks[self._selected]
        if size:
            right, bottom = max(mask.left + LEAST, mask.right + x), max(mask.top + LEAST, mask.bottom + y)
            self.masks[self._selected] = Mask(mask.left, mask.top, min(1.0, right), min(1.0, bottom))
        else:
            self.masks[self._selected] = moved(mask, x, y)
        self._tell()

    def _next(self, step: int) -> str | None:
        """The next part; past the last one the focus goes on to the buttons."""
        place = step - 1 if self._selected is None else self._selected + step
        if self._selected is None and step < 0:
            place = len(self.masks) - 1
        if not 0 <= place < len(self.masks):
            self._selected = None
            self._draw()
            return None
        self._selected = place
        self._draw()
        return "break"

    def _tell(self) -> None:
        self._draw()
        self._changed(Masks.of(self.masks))

    # --- Drawing ---

    def _draw(self) -> None:
        words, theme, canvas = self.stage.words, self.stage.theme, self.preview
        edge = int(canvas.cget("highlightthickness"))
        width, height = self._size
        canvas.delete("all")
        if self._image is not None:
            canvas.create_image(edge, edge, image=self._image, anchor="nw")
        paint = f"#{PAINT[2]:02x}{PAINT[1]:02x}{PAINT[0]:02x}"
        for place, mask in enumerate(self.masks):
            left, right = edge + mask.left * width, edge + mask.right * width
            top, bottom = edge + mask.top * height, edge + mask.bottom * height
            chosen = place == self._selected
            line = theme.palette.accent if chosen else "#ffffff"
            canvas.create_rectangle(
                left, top, right, bottom, fill=paint, outline=line, width=theme.px(3 if chosen else 1)
            )
            label = words("cover.label")
            if right - left > theme.fonts["small"].measure(label) + theme.px(8) and bottom - top > theme.px(20):
                middle = (left + right) / 2, (top + bottom) / 2
                canvas.create_text(*middle, text=label, fill="#ffffff", font=theme.fonts["small"])
            if chosen:
                half = theme.px(5)
                box = (right - half, bottom - half, right + half, bottom + half)
                canvas.create_rectangle(*box, fill="#ffffff", outline=line, width=theme.px(2))
        count = len(self.masks)
        self._count.say(words("cover.count", count=count) if count else words("cover.none"))
        self._remove.state(["disabled" if self._selected is None else "!disabled"])
        self._clear.state(["!disabled" if count else "disabled"])


def moved(mask: Mask, x: float, y: float) -> Mask:
    """The same rectangle elsewhere, kept inside the surface."""
    width, height = mask.right - mask.left, mask.bottom - mask.top
    left, top = min(max(0.0, mask.left + x), 1 - width), min(max(0.0, mask.top + y), 1 - height)
    return Mask(left, top, min(1.0, left + width), min(1.0, top + height))
