"""The bar that is always there while sharing: who is watching, Pause, Stop, and the ways to everything else."""

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from tkinter import ttk

from customer_client.capture.surfaces import Area
from customer_client.faces.face import Answer, Apart, Standing
from customer_client.faces.status import Status, asked_of, status_of
from customer_client.window.widgets import Paragraph, Stage, button, set_icon

WIDTH = 640
TOLD_FOR_MS = 6_000
OPENS = {"chat": "chat", "cover": "cover", "switch": "switch", "picture": "camera", "details": "details"}
"""What can be opened, and its icon."""


@dataclass(frozen=True)
class Deeds:
    """What the bar's buttons do."""

    pause: Callable[[], None]
    """Pauses, or goes on."""
    stop: Callable[[], None]
    open: Callable[[str], None]


class Bar(tk.Toplevel):
    """Small, always on top, to be dragged anywhere."""

    def __init__(self, stage: Stage, standing: Standing, deeds: Deeds) -> None:
        theme = stage.theme
        super().__init__(theme.root, background=theme.palette.line_strong)
        self.withdraw()
        self.title(stage.words("bar.title"))
        self.stage, self._deeds = stage, deeds
        self._standing = standing
        self._grabbed = (0, 0)
        self._seen_lines = len(standing.lines)
        self._asked: dict[Apart, ttk.Frame] = {}
        self._told: str | None = None
        self._build()
        self.refresh(standing)
        self._float()

    # --- Building ---

    def _build(self) -> None:
        px, palette = self.stage.theme.px, self.stage.theme.palette
        edge = max(1, px(1))
        whole = tk.Frame(self, background=palette.surface)
        whole.pack(fill="both", expand=True, padx=edge, pady=edge)
        self._stripe = tk.Frame(whole, height=px(4), background=palette.accent)
        self._stripe.pack(fill="x")
        self._rows = ttk.Frame(whole, style="Plain.Card.TFrame", padding=(px(12), px(8)))
        self._rows.pack(fill="both", expand=True)
        self._rows.columnconfigure(0, minsize=px(WIDTH), weight=1)
        self._build_status()
        self._build_control()
        self._notice = self._row("Warning", 2)
        self._notice_text = Paragraph(self._notice, style="Warning.body.TLabel")
        self._notice_text.pack(fill="x")
        self._build_buttons()

    def _build_status(self) -> None:
        """Who sees it, the passing sentences below that, and whether it is recorded."""
        theme = self.stage.theme
        top = ttk.Frame(self._rows, style="Plain.Card.TFrame")
        top.grid(row=0, sticky="ew")
        top.columnconfigure(2, weight=1)
        grip = ttk.Label(top, image=theme.icon("grip", theme.palette.muted, 20), style="Card.body.TLabel")
        grip.configure(cursor="fleur")
        grip.grid(row=0, column=0, rowspan=2, padx=(0, theme.px(6)))
        self._dot = ttk.Label(top, style="Card.body.TLabel")
        self._dot.grid(row=0, column=1, padx=(0, theme.px(8)))
        self._headline = Paragraph(top, style="Card.strong.TLabel")
        self._headline.grid(row=0, column=2, sticky="ew")
        self._aside = Paragraph(top, style="Card.muted.small.TLabel")
        self._aside.grid(row=1, column=2, columnspan=2, sticky="ew")
        self._recording = ttk.Label(top, style="Card.danger.strong.TLabel", compound="left")
        self._recording.grid(row=0, column=3, padx=(theme.px(12), theme.px(4)))
        for widget in (top, grip, self._dot, self._headline, self._aside, self._stripe):
            widget.bind("<Button-1>", self._grab)
            widget.bind("<B1-Motion>", self._drag)

    def _build_control(self) -> None:
        """Who holds mouse and keyboard, and the way to take them back."""
        theme, words = self.stage.theme, self.stage.words
        row = self._control = self._row("Danger", 1)
        row.columnconfigure(1, weight=1)
        pointer = theme.icon("pointer", theme.palette.danger_text, 22)
        picture = ttk.Label(row, image=pointer, style="Danger.body.TLabel")
        picture.grid(row=0, column=0, rowspan=2, padx=theme.px(8))
        self._controller = Paragraph(row, style="Danger.danger.strong.TLabel")
        self._controller.grid(row=0, column=1, sticky="ew")
        Paragraph(row, words("bar.control.hint"), "Danger.small.TLabel").grid(row=1, column=1, sticky="ew")
        back = button(
            row, self.stage, words("bar.control.end"), partial(self._answer, "control", False), "Danger.Plain"
        )
        back.grid(row=0, column=2, rowspan=2)

    def _build_buttons(self) -> None:
        words = self.stage.words
        row = ttk.Frame(self._rows, style="Plain.Card.TFrame")
        row.grid(row=5, sticky="ew", pady=(self.stage.theme.px(6), 0))
        self.pause = button(row, self.stage, words("bar.pause"), self._deeds.pause, "Card.Plain", "pause")
        self.stop = button(row, self.stage, words("bar.stop"), self._deeds.stop, "Card.Danger", "stop")
        self.stop.configure(style="Stop.Card.Danger.TButton")
        self.pause.grid(row=0, column=0, sticky="nsew")
        self.stop.grid(row=0, column=1, sticky="nsew")
        widest = max(self.stage.theme.fonts["body"].measure(words(f"bar.{name}")) for name in ("pause", "resume"))
        row.columnconfigure(0, minsize=widest + self.stage.theme.px(84))
        row.columnconfigure(1, weight=1)
        self.opens: dict[str, ttk.Button] = {}
        for column, (name, icon) in enumerate(OPENS.items(), 2):
            opens = button(row, self.stage, words(f"bar.{name}"), partial(self._open, name), "Small.Card.Quiet", icon)
            opens.configure(compound="top")
            opens.grid(row=0, column=column, sticky="nsew")
            self.opens[name] = opens

    def _row(self, look: str, row: int) -> ttk.Frame:
        made = ttk.Frame(self._rows, style=f"{look}.Card.TFrame", padding=self.stage.theme.px(8))
        made.grid(row=row, sticky="ew", pady=(self.stage.theme.px(6), 0))
        return made

    def _float(self) -> None:
        """On top of all, on every desktop, and in no list of windows."""
        if self.tk.call("tk", "windowingsystem") == "x11":
            self.wm_attributes("-type", "dock")
        else:
            self.wm_overrideredirect(True)
        self.wm_attributes("-topmost", True)

    def place_upon(self, area: Area | None) -> None:
        """Shows it at the upper edge of what is shared, in the middle."""
        self.update_idletasks()
        theme = self.stage.theme
        place = area or Area(0, 0, self.winfo_screenwidth(), self.winfo_screenheight())
        left = place.left + (place.width - self.winfo_reqwidth()) // 2
        self._move(left, place.top + theme.px(8))
        # No window manager gives the keyboard to such a window by itself.
        self.bind("<Map>", lambda _: self._take_keyboard())
        self.bind("<Button-1>", lambda _: self._take_keyboard(), add=True)
        self.deiconify()
        self.lift()

    def _take_keyboard(self) -> None:
        if self.focus_displayof() is None and self.winfo_viewable():
            self.stop.focus_force()

    # --- Dragging ---

    def _grab(self, event: "tk.Event[tk.Misc]") -> None:
        self._grabbed = event.x_root - self.winfo_x(), event.y_root - self.winfo_y()

    def _drag(self, event: "tk.Event[tk.Misc]") -> None:
        self._move(event.x_root - self._grabbed[0], event.y_root - self._grabbed[1])

    def _move(self, left: int, top: int) -> None:
        """Never out of reach: Stop is on it."""
        first_x, first_y = self.winfo_vrootx(), self.winfo_vrooty()
        last_x = first_x + self.winfo_vrootwidth() - self.winfo_reqwidth()
        last_y = first_y + self.winfo_vrootheight() - self.winfo_reqheight()
        left, top = max(first_x, min(left, last_x)), max(first_y, min(top, last_y))
        self.geometry(f"+{left}+{top}")

    # --- What is so ---

    def refresh(self, standing: Standing) -> None:
        """Shows what is so now."""
        self._standing = standing
        words, theme, palette = self.stage.words, self.stage.theme, self.stage.theme.palette
        status = status_of(standing, words)
        color = {"seen": palette.accent, "unseen": palette.line_strong, "controlled": palette.danger}[status.tone]
        self._stripe.configure(background=color)
        self._dot.configure(image=theme.dot(color))
        self._headline.say(status.headline)
        self._recording.configure(text=f" {status.recording}" if status.recording else "")
        self._recording.configure(image=theme.dot(palette.danger) if status.recording else "")
        self._controller.say(status.control)
        self._notice_text.say(status.notice)
        for row, text in ((self._control, status.control), (self._notice, status.notice)):
            if text:
                row.grid()
            else:
                row.grid_remove()
        self._say_aside(status)
        live = standing.source is not None
        for name, opens in self.opens.items():
            # Whoever holds the mouse can take back what was agreed to, and agree to nothing more.
            there = not standing.control and (live or name not in ("cover", "switch"))
            opens.state(["!disabled" if there else "disabled"])
        self.pause.state(["!disabled" if live and not standing.held else "disabled"])
        self.pause.configure(text=words("bar.resume" if standing.paused else "bar.pause"))
        set_icon(self.pause, self.stage, "play" if standing.paused else "pause", "Plain")
        self._ask(standing)
        self._count(standing)
        self.lift()

    def tell(self, text: str) -> None:
        """Shows a passing sentence for a while."""
        self._told = text
        self._aside.configure(style="Card.small.TLabel")
        self._aside.say(text)
        self.after(TOLD_FOR_MS, lambda: self._forget(text))

    def read(self) -> None:
        """The chat is open: nothing in it is new."""
        self._seen_lines = len(self._standing.lines)
        self._count(self._standing)

    def _forget(self, text: str) -> None:
        if self._told == text:
            self._told = None
            self._say_aside(status_of(self._standing, self.stage.words))

    def _say_aside(self, status: Status) -> None:
        if self._told is None:
            self._aside.configure(style="Card.muted.small.TLabel")
            self._aside.say(status.aside)

    def _ask(self, standing: Standing) -> None:
        asked = dict(asked_of(standing, self.stage.words))
        for scope in [scope for scope in self._asked if scope not in asked]:
            self._asked.pop(scope).destroy()
        for scope, text in asked.items():
            if scope not in self._asked:
                self._asked[scope] = self._question(scope, text)
            for answer in self._asked[scope].winfo_children():
                if isinstance(answer, ttk.Button):
                    answer.state(["disabled" if standing.control else "!disabled"])

    def _question(self, scope: Apart, text: str) -> ttk.Frame:
        words = self.stage.words
        row = self._row("Warning", 3 if scope == "record" else 4)
        row.columnconfigure(0, weight=1)
        Paragraph(row, text, "Warning.strong.TLabel").grid(row=0, column=0, sticky="ew")
        for column, granted in ((1, True), (2, False)):
            label = words(f"bar.{scope}.{'allow' if granted else 'refuse'}")
            run = partial(self._answer, scope, granted)
            button(row, self.stage, label, run, "Warning.Plain").grid(row=0, column=column)
        return row

    def _count(self, standing: Standing) -> None:
        words = self.stage.words
        unread = sum(not line.mine for line in standing.lines[self._seen_lines :])
        self.opens["chat"].configure(text=f"{words('bar.chat')} ({unread})" if unread else words("bar.chat"))

    def _answer(self, scope: Apart, granted: bool) -> None:
        self.stage.put(Answer(scope, granted))

    def _open(self, name: str) -> None:
        if name == "chat":
            self.read()
        self._deeds.open(name)
