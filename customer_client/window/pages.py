"""The plain pages around sharing: the server to confirm, waiting, what is wrong, and afterwards."""

import tkinter as tk
from functools import partial
from pathlib import Path
from tkinter import filedialog, ttk

from customer_client.faces.face import (
    Again,
    Close,
    Connect,
    Destination,
    Farewell,
    OpenBrowser,
    Rate,
    ShareAgain,
    Trouble,
    Waiting,
)
from customer_client.faces.status import names_of
from customer_client.window.widgets import Page, Paragraph, Stage, button

TURN_EVERY_MS = 40


class DestinationPage(Page):
    """Which server this program was told to talk to; nothing is sent before the answer."""

    def __init__(self, parent: tk.Misc, stage: Stage, view: Destination) -> None:
        words = stage.words
        address = view.server.removeprefix("https://")
        super().__init__(parent, stage, words("destination.title", server=address))
        self.text(words("destination.text"), "large.TLabel")
        if view.server.startswith("http://"):
            banner = self.card("Warning")
            Paragraph(banner, words("destination.plain"), "Warning.strong.TLabel").pack(fill="x")
        if view.code:
            card = self.card()
            Paragraph(card, words("destination.code"), "Card.muted.body.TLabel").pack(fill="x")
            Paragraph(card, view.code, "Card.code.TLabel").pack(fill="x")
        self.text(words("window.nothing"), "muted.body.TLabel", above=16)
        self.action(words("destination.connect"), lambda: stage.put(Connect()), "Primary")
        self.action(words("destination.no"), lambda: stage.put(Close()), "Quiet")


class WaitingPage(Page):
    """Nobody to agree with yet."""

    def __init__(self, parent: tk.Misc, stage: Stage, view: Waiting, server: str) -> None:
        words = stage.words
        organization = view.organization or words("name.organization")
        super().__init__(parent, stage, words(f"waiting.{view.state}.title"))
        bar = ttk.Progressbar(self.body, mode="indeterminate", style="Horizontal.TProgressbar")
        bar.pack(fill="x", pady=stage.theme.px(8))
        bar.start(TURN_EVERY_MS)
        if view.position is not None:
            first = view.position <= 1
            place = words("waiting.first") if first else words("waiting.position", position=view.position)
            self.text(place, "heading.TLabel", above=8)
        line = words(f"waiting.{view.state}.text", organization=organization, server=server)
        self.text(line, "muted.large.TLabel", above=8)
        self.action(words("waiting.leave"), lambda: stage.put(Close()))


class TroublePage(Page):
    """What happened, and the ways out."""

    def __init__(self, parent: tk.Misc, stage: Stage, view: Trouble) -> None:
        words = stage.words
        super().__init__(parent, stage, words("trouble.title"))
        self.text(words(f"trouble.{view.code}", **view.values), "large.TLabel")
        if view.browser:
            self.action(words("trouble.browser"), lambda: stage.put(OpenBrowser()), "Primary")
        if view.again:
            look = "Plain" if view.browser else "Primary"
            self.action(words("trouble.again"), lambda: stage.put(Again()), look)
        self.action(words("window.close"), lambda: stage.put(Close()))


class FarewellPage(Page):
    """Afterwards: how long, who saw, whether recorded; one question with five faces; the receipt to keep."""

    def __init__(self, parent: tk.Misc, stage: Stage, view: Farewell) -> None:
        words = stage.words
        self._view = view
        self._names = names_of(view, words)
        title, text = self._said()
        super().__init__(parent, stage, words(title))
        self.text(words(text, **self._names), "large.TLabel")
        if view.unsent:
            banner = self.card("Warning")
            Paragraph(banner, words("after.unsent"), "Warning.body.TLabel").pack(fill="x")
        if not view.declined:
            self._facts()
            self._question()
        self._actions()

    def _said(self) -> tuple[str, str]:
        if self._view.unasked:
            return "after.unasked.title", "after.unasked"
        if self._view.declined:
            return "after.declined.title", "after.declined"
        return "after.title", "after.open" if self._view.here else "after.closed"

    def _facts(self) -> None:
        words, theme, view = self.stage.words, self.stage.theme, self._view
        facts = [
            ("duration", words.duration(view.seconds)),
            ("viewers", words.listed(view.viewers) or words("after.viewers.none")),
            ("recorded", words("after.recorded.yes" if view.recorded else "after.recorded.no")),
        ]
        if view.pictures:
            facts.append(("pictures", str(view.pictures)))
        card = self.card()
        card.columnconfigure(1, weight=1)
        for row, (name, value) in enumerate(facts):
            label = ttk.Label(card, text=words(f"after.{name}"), style="Card.muted.body.TLabel")
            label.grid(row=row, column=0, sticky="nw", padx=(0, theme.px(24)), pady=theme.px(3))
            Paragraph(card, value, "Card.strong.TLabel").grid(row=row, column=1, sticky="ew", pady=theme.px(3))

    def _question(self) -> None:
        words, theme, view = self.stage.words, self.stage.theme, self._view
        card = self.card()
        Paragraph(card, words("after.question"), "Card.heading.TLabel").pack(fill="x")
        if view.rated is not None:
            Paragraph(card, words("after.thanks"), "Card.body.TLabel").pack(fill="x", pady=(theme.px(6), 0))
            return
        row = ttk.Frame(card, style="Plain.Card.TFrame")
        row.pack(anchor="w", pady=(theme.px(8), 0))
        for score in range(1, 6):
            run = partial(self.stage.put, Rate(score))
            face = button(row, self.stage, words(f"after.face.{score}"), run, "Small.Card.Quiet")
            picture = theme.icon(f"face.{score}", theme.palette.ink, 36)
            face.configure(image=picture, compound="top")
            face.pack(side="left")

    def _actions(self) -> None:
        words, view = self.stage.words, self._view
        if view.declined and not view.unasked:
            self.action(words("after.change"), lambda: self.stage.put(ShareAgain()))
        elif view.here and not view.unasked:
            self.action(words("after.again"), lambda: self.stage.put(ShareAgain()))
        if view.receipt:
            self.action(words("after.receipt"), self._keep)
        self.action(words("after.leave"), lambda: self.stage.put(Close()), "Primary")

    def begin(self) -> None:
        self.footer.winfo_children()[-1].focus_set()

    def _keep(self) -> None:
        words = self.stage.words
        chosen = filedialog.asksaveasfilename(
            parent=self, initialfile=words("after.receipt.file"), defaultextension=".txt"
        )
        if not chosen:
            return
        try:
            Path(chosen).write_text("\n".join(self._view.receipt) + "\n", encoding="utf-8")
        except OSError:
            self.text(words("after.receipt.failed"), "danger.strong.TLabel", above=12)
