"""What the window's pages are made of."""

import sys
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import ttk
from tkinter.font import Font
from typing import Any

from customer_client.faces.face import Intent, Screens
from customer_client.window.theme import Theme
from customer_client.words import LANGUAGES, Words


@dataclass(frozen=True)
class Stage:
    """What every page needs: how it looks and speaks, whom it tells, and what there is to share."""

    theme: Theme
    words: Words
    screens: Screens
    put: Callable[[Intent], None]
    post: Callable[[Callable[[], None]], None]
    """Runs something in the window's thread, soon; may be called from any."""
    redraw: Callable[[], None]
    """Draws the page anew, after the language was changed."""


class Paragraph(ttk.Label):
    """Text that wraps at the width that it is given; it asks for none, or the two would chase each other."""

    def __init__(self, parent: tk.Misc, text: str = "", style: str = "body.TLabel") -> None:
        super().__init__(parent, text=text, style=style, justify="left", anchor="w", width=1)
        self.bind("<Configure>", lambda event: self.configure(wraplength=max(1, event.width - 4)))

    def say(self, text: str) -> None:
        """Shows `text`."""
        if self.cget("text") != text:
            self.configure(text=text)


def clipped(text: str, chosen: Font, width: int) -> str:
    """`text` in one line of `width` pixels, with an ellipsis where it is too long."""
    if chosen.measure(text) <= width:
        return text
    while text and chosen.measure(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


class Scroller(ttk.Frame):
    """A column that scrolls when it is higher than its place; what has the focus is scrolled into view."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(parent)
        self._canvas = tk.Canvas(self, background=theme.palette.canvas, highlightthickness=0, borderwidth=0)
        self._bar = ttk.Scrollbar(self, orient="vertical", command=self._canvas.yview)
        self._canvas.configure(yscrollcommand=self._scrolled, yscrollincrement=theme.px(8))
        self._canvas.pack(side="left", fill="both", expand=True)
        self.inner = ttk.Frame(self._canvas)
        item = self._canvas.create_window(0, 0, window=self.inner, anchor="nw")
        self._canvas.bind("<Configure>", lambda event: self._canvas.itemconfigure(item, width=event.width))
        self.inner.bind("<Configure>", lambda _: self._canvas.configure(scrollregion=self._canvas.bbox("all")))
        window = self.winfo_toplevel()
        for wheel in ("<MouseWheel>", "<Button-4>", "<Button-5>"):
            window.bind(wheel, self._wheel)
        window.bind("<FocusIn>", self._reveal)

    def _scrolled(self, first: str | float, last: str | float) -> None:
        self._bar.set(first, last)
        if float(first) <= 0 and float(last) >= 1:
            self._bar.pack_forget()
        else:
            self._bar.pack(side="right", fill="y", before=self._canvas)

    def _fits(self) -> bool:
        first, last = self._canvas.yview()
        return first <= 0 and last >= 1

    def _wheel(self, event: "tk.Event[tk.Misc]") -> None:
        if not self.winfo_exists() or self._fits():
            return
        if event.num in (4, 5):
            steps = -6 if event.num == 4 else 6
        else:
            steps = -event.delta * (6 if sys.platform == "darwin" else 1) // (1 if sys.platform == "darwin" else 20)
        self._canvas.yview_scroll(steps, "units")

    def _reveal(self, event: "tk.Event[tk.Misc]") -> None:
        if not self.winfo_exists() or self._fits() or not str(event.widget).startswith(f"{self.inner}."):
            return
        height = max(1, self.inner.winfo_height())
        top = event.widget.winfo_rooty() - self.inner.winfo_rooty()
        bottom = top + event.widget.winfo_height()
        first, last = (share * height for share in self._canvas.yview())
        if top < first:
            self._canvas.yview_moveto(top / height)
        elif bottom > last:
            self._canvas.yview_moveto((bottom - (last - first)) / height)


def button(
    parent: tk.Misc,
    stage: Stage,
    text: str,
    run: Callable[[], object],
    look: str = "Plain",
    icon: str | None = None,
) -> ttk.Button:
    """A button that Enter presses as well as Space."""
    made = ttk.Button(parent, text=text, command=run, style=f"{look}.TButton", cursor="hand2")
    if icon is not None:
        set_icon(made, stage, icon, look)
    made.bind("<Return>", lambda _: made.invoke())
    made.bind("<KP_Enter>", lambda _: made.invoke())
    return made


def set_icon(made: ttk.Button, stage: Stage, icon: str, look: str) -> None:
    """Puts an icon beside a button's text."""
    palette = stage.theme.palette
    color = {"Primary": palette.on_accent, "Danger": palette.on_danger}.get(look.rpartition(".")[2], palette.ink)
    # Without one of its own for "disabled" Tk would dither the picture.
    pictures: Any = stage.theme.icon(icon, color), "disabled", stage.theme.icon(icon, palette.muted)
    made.configure(image=pictures, compound="left")


class Page(ttk.Frame):
    """One step: a title, a column that scrolls, and the actions below it, which are always in sight."""

    def __init__(self, parent: tk.Misc, stage: Stage, title: str) -> None:
        super().__init__(parent)
        self.stage = stage
        px = stage.theme.px
        head = ttk.Frame(self)
        head.pack(fill="x", padx=px(32), pady=(px(24), px(8)))
        self._languages(head)
        self.title = Paragraph(head, title, "title.TLabel")
        self.title.pack(side="left", fill="x", expand=True)
        self.footer = ttk.Frame(self)
        self.footer.pack(side="bottom", fill="x", padx=px(28), pady=px(16))
        ttk.Frame(self, height=1, style="Line.TFrame").pack(side="bottom", fill="x")
        self.scroller = Scroller(self, stage.theme)
        self.scroller.pack(fill="both", expand=True, padx=(px(32), px(8)))
        self.body = ttk.Frame(self.scroller.inner)
        self.body.pack(fill="both", expand=True, padx=(0, px(24)))
        self.footer.lift()  # Tab comes to it last

    def _languages(self, head: ttk.Frame) -> None:
        words = self.stage.words
        chooser = ttk.Menubutton(head, text=f"{LANGUAGES[words.language]} ▾", style="Quiet.TMenubutton")
        palette = self.stage.theme.palette
        menu = tk.Menu(chooser, tearoff=False, background=palette.surface, foreground=palette.ink)
        menu.configure(activebackground=palette.accent, activeforeground=palette.on_accent, borderwidth=1)

        def choose(language: str) -> None:
            words.language = language
            self.stage.redraw()

        for code, name in LANGUAGES.items():
            menu.add_command(label=name, command=lambda code=code: choose(code))  # type: ignore[misc]
        chooser.configure(menu=menu)
        chooser.pack(side="right", anchor="n")

    def text(self, text: str, style: str = "body.TLabel", above: int = 0) -> Paragraph:
        """A paragraph in the column, `above` apart from what is before it."""
        made = Paragraph(self.body, text, style)
        made.pack(fill="x", pady=(self.stage.theme.px(above), 0))
        return made

    def card(self, look: str = "Card", above: int = 16) -> ttk.Frame:
        """A card across the column; it is filled with labels of the style `look`."""
        made = ttk.Frame(self.body, style=f"{look}.TFrame", padding=self.stage.theme.px(18))
        made.pack(fill="x", pady=(self.stage.theme.px(above), 0))
        return made

    def action(self, text: str, run: Callable[[], object], look: str = "Plain", icon: str | None = None) -> ttk.Button:
        """A button in the row of actions, from the left."""
        made = button(self.footer, self.stage, text, run, look, icon)
        made.pack(side="left", padx=(0, self.stage.theme.px(4)))
        return made

    def begin(self) -> None:
        """Puts the focus where it belongs; called once the page is shown."""
        self.footer.winfo_children()[0].focus_set()

    def close(self) -> None:
        """The page goes."""
        self.destroy()
