"""The second step: which screen or window, chosen from live pictures of them all."""

import contextlib
import threading
import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from tkinter import ttk

from PIL import Image, ImageTk

from customer_client.capture.surfaces import CaptureUnavailable, Source
from customer_client.faces.status import name_of
from customer_client.window.widgets import Page, Paragraph, Stage, clipped

COLUMNS = 3
PICTURE = (208, 118)
LOOK_EVERY_S = 2.0

Chosen = Callable[[Source], None]


class ChoicePage(Page):
    """Tiles with live pictures: windows first, since one of them shows the least."""

    def __init__(
        self,
        parent: tk.Misc,
        stage: Stage,
        title: tuple[str, str],
        yes: tuple[str, Chosen],
        cover: Chosen,
        back: Callable[[], None],
        now: str | None = None,
    ) -> None:
        """`title` is that and the sentence below it, `yes` the main action, `now` the key of what is shared."""
        super().__init__(parent, stage, title[0])
        words, px = stage.words, stage.theme.px
        self._now = now
        self._lead = self.text(title[1], "muted.large.TLabel")
        self._state = self.text(words("choose.none"), "muted.body.TLabel", above=24)
        self._groups: dict[str, tuple[ttk.Frame, ttk.Frame]] = {}
        for kind, hint in (("window", ""), ("monitor", words("choose.monitor.hint"))):
            group = ttk.Frame(self.body)
            Paragraph(group, words(f"choose.{kind}s"), "heading.TLabel").pack(fill="x", pady=(px(18), 0))
            if hint:
                Paragraph(group, hint, "muted.body.TLabel").pack(fill="x")
            grid = ttk.Frame(group)
            grid.pack(fill="x", pady=(px(4), px(8)))
            self._groups[kind] = (group, grid)
        self._tiles: dict[str, Tile] = {}
        self._chosen: str | None = None
        self._yes = self.action(yes[0], lambda: self._act(yes[1]), "Primary")
        self._cover = self.action(words("choose.cover"), lambda: self._act(cover))
        self.action(words("window.back"), back, "Quiet")
        self._settle()
        self._closed = threading.Event()
        threading.Thread(target=self._look, name="thumbnails", daemon=True).start()

    def begin(self) -> None:
        tiles = self._in_order()
        (tiles[0] if tiles else self.footer.winfo_children()[-1]).focus_set()

    def close(self) -> None:
        self._closed.set()
        super().close()

    def _act(self, run: Chosen) -> None:
        if self._chosen is not None:
            self._yes.state(["disabled"])  # until the next choice: it is not to be said twice
            run(self._tiles[self._chosen].source)

    def _look(self) -> None:
        """In a thread of its own: what there is, and how it looks now, until the page is closed."""
        wide, high = (self.stage.theme.px(side) for side in PICTURE)
        while not self._closed.is_set():
            try:
                found = self._ours_apart(self.stage.screens.sources())
            except CaptureUnavailable as error:
                self._post(partial(self._fail, error.code))
                return
            self._post(partial(self._arrange, found))
            for source in found:
                if self._closed.is_set():
                    return
                picture = None
                with contextlib.suppress(CaptureUnavailable):
                    picture = self._fit(self.stage.screens.thumbnail(source, wide), wide, high)
                self._post(partial(self._picture, source.key, picture))
            self._closed.wait(LOOK_EVERY_S)

    def _post(self, run: Callable[[], None]) -> None:
        self.stage.post(lambda: None if self._closed.is_set() else run())

    def _ours_apart(self, found: Sequence[Source]) -> list[Source]:
        ours = {self.stage.words("window.title"), self.stage.words("bar.title")}
        return [source for source in found if source.kind == "monitor" or source.title not in ours]

    def _fit(self, image: Image.Image, wide: int, high: int) -> Image.Image:
        image.thumbnail((wide, high), Image.Resampling.LANCZOS)
        whole = Image.new("RGB", (wide, high), self.stage.theme.palette.sunken)
        whole.paste(image, ((wide - image.width) // 2, (high - image.height) // 2))
        return whole

    def _fail(self, code: str) -> None:
        self._state.say(self.stage.words(f"trouble.{code}"))
        self._state.pack(fill="x")

    def _arrange(self, found: Sequence[Source]) -> None:
        """Keeps the tiles of what is still there, in their order, so that nothing moves below the pointer."""
        known = {source.key: source for source in found}
        for key in [key for key in self._tiles if key not in known]:
            self._tiles.pop(key).destroy()
            if key == self._chosen:
                self._chosen = None
                self._lead.say(self.stage.words("choose.lost"))
        first = not self._tiles
        for source in found:
            if source.key in self._tiles:
                self._tiles[source.key].rename(source)
            else:
                grid = self._groups[source.kind][1]
                tile = Tile(grid, self.stage, source, source.key == self._now, self._choose, self._move)
                self._tiles[source.key] = tile
        for kind, (group, grid) in self._groups.items():
            tiles = [tile for tile in self._tiles.values() if tile.source.kind == kind]
            for place, tile in enumerate(tiles):
                tile.grid(row=place // COLUMNS, column=place % COLUMNS, sticky="nw")
                grid.columnconfigure(place % COLUMNS, weight=0)
            if tiles:
                group.pack(fill="x")
            else:
                group.pack_forget()
        if self._tiles:
            self._state.pack_forget()
        else:
            self._state.pack(fill="x")
        self._settle()
        if first and self._tiles:
            self.begin()

    def _picture(self, key: str, picture: Image.Image | None) -> None:
        if key in self._tiles:
            self._tiles[key].show(picture)

    def _choose(self, key: str) -> None:
        self._chosen = key
        for each, tile in self._tiles.items():
            tile.choose(each == key)
        self._settle()

    def _move(self, key: str, step: int) -> None:
        tiles = self._in_order()
        tiles[(tiles.index(self._tiles[key]) + step) % len(tiles)].focus_set()

    def _in_order(self) -> list["Tile"]:
        """As they are read."""
        return [tile for kind in self._groups for tile in self._tiles.values() if tile.source.kind == kind]

    def _settle(self) -> None:
        for each in (self._yes, self._cover):
            each.state(["disabled" if self._chosen is None else "!disabled"])


class Tile(ttk.Frame):
    """One screen or window: its picture, its name, and whether it is the chosen one."""

    def __init__(
        self,
        parent: tk.Misc,
        stage: Stage,
        source: Source,
        now: bool,
        choose: Callable[[str], None],
        move: Callable[[str, int], None],
    ) -> None:
        theme = stage.theme
        super().__init__(parent, style="Tile.TFrame", padding=theme.px(9), takefocus=True, cursor="hand2")
        self.source = source
        self._stage, self._now, self._is_chosen = stage, now, False
        self._image: ImageTk.PhotoImage | None = None
        blank = Image.new("RGB", (theme.px(PICTURE[0]), theme.px(PICTURE[1])), theme.palette.sunken)
        self._blank: ImageTk.PhotoImage | None = ImageTk.PhotoImage(blank, master=self)
        self._picture = ttk.Label(self, image=self._blank, style="Card.muted.small.TLabel", compound="center")
        self._picture.pack()
        row = ttk.Frame(self, style="Plain.Card.TFrame", width=theme.px(PICTURE[0]), height=theme.px(24))
        row.pack(fill="x", pady=(theme.px(6), 0))
        row.pack_propagate(False)
        self._check = ttk.Label(row, image=theme.icon("check", theme.palette.accent_text, 18), style="Card.body.TLabel")
        self._title = ttk.Label(row, style="Card.body.TLabel", anchor="w")
        self._title.pack(side="left", fill="x", expand=True)
        self.rename(source)
        self.bind("<FocusIn>", lambda _: self._look(), add=True)
        self.bind("<FocusOut>", lambda _: self._look(), add=True)
        for key, step in (("Right", 1), ("Down", COLUMNS), ("Left", -1), ("Up", -COLUMNS)):
            self.bind(f"<{key}>", lambda _, step=step: move(self.source.key, step))  # type: ignore[misc]
        for widget in (self, self._picture, row, self._title, self._check):
            widget.bind("<Button-1>", lambda _: self._press(choose))
        for event in ("<space>", "<Return>"):
            self.bind(event, lambda _: choose(self.source.key))

    def destroy(self) -> None:
        """Drops its pictures here and now.

        Left to the garbage collector, which runs in any thread, they would have that thread wait for the window's,
        and the window's waits for others when it closes the tap.
        """
        super().destroy()
        self._image = self._blank = None

    def _press(self, choose: Callable[[str], None]) -> None:
        self.focus_set()
        choose(self.source.key)

    def rename(self, source: Source) -> None:
        """Takes over what may change of a source: its title, and its place."""
        self.source = source
        self._say()

    def choose(self, chosen: bool) -> None:
        """Marks it as the one, or not."""
        self._is_chosen = chosen
        if chosen:
            self._check.pack(side="right", before=self._title)
        else:
            self._check.pack_forget()
        self._say()
        self._look()

    def _say(self) -> None:
        theme, words = self._stage.theme, self._stage.words
        name = "strong" if self._is_chosen else "body"
        now = f"{words('choose.now')}: " if self._now else ""
        wide = theme.px(PICTURE[0] - (26 if self._is_chosen else 4))
        text = clipped(f"{now}{name_of(self.source, words)}", theme.fonts[name], wide)
        self._title.configure(text=text, style=f"Card.{name}.TLabel")

    def show(self, picture: Image.Image | None) -> None:
        """Its picture now; None where none could be taken."""
        if picture is None:
            self._picture.configure(image=self._blank or "", text=self._stage.words("choose.preview"))
            return
        self._image = ImageTk.PhotoImage(picture, master=self)
        self._picture.configure(image=self._image, text="")

    def _look(self) -> None:
        focused = self.focus_get() is self
        style = {(True, True): "Held", (True, False): "Chosen", (False, True): "Focused"}
        self.configure(style=f"{style.get((self._is_chosen, focused), 'Tile')}.TFrame")
