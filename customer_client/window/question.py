"""The first step: who would like to see what, and what is agreed to."""

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from customer_client.faces.face import Apart, Decline, Question
from customer_client.faces.status import names_of
from customer_client.window.widgets import Page, Paragraph, Stage, button

Agreed = frozenset[Apart]


class QuestionPage(Page):
    """Separate switches for being seen and for what is asked apart, all that is told before, and the ways to answer."""

    def __init__(
        self,
        parent: tk.Misc,
        stage: Stage,
        question: Question,
        choose: Callable[[Agreed], None],
        picture: Callable[[Agreed], None],
    ) -> None:
        words = stage.words
        self._names = names_of(question, words)
        super().__init__(parent, stage, words("who.title", **self._names))
        self._question = question
        if question.subject:
            self.text(words("who.about", subject=question.subject), "muted.large.TLabel")
        if question.notice:
            self._banner("warning", words(f"notice.{question.notice}", **self._names), "")
        self._scam()
        self._switches: dict[str, ttk.Checkbutton] = {}
        scopes = self.card()
        self._switch(scopes, "view", True)
        for scope in ("record", "control"):
            if scope in question.apart:
                self._switch(scopes, scope, False)
        self._sides()
        self.text(words("who.server", server=question.server), "muted.small.TLabel", above=16)
        self._hint = self.text("", "muted.small.TLabel", above=4)
        ttk.Frame(self.body, height=stage.theme.px(12)).pack()

        self._ways: list[ttk.Button] = []
        if question.live:
            self._ways.append(self.action(words("who.choose"), lambda: choose(self.agreed), "Primary"))
        only = "who.picture" if question.live else "who.picture.only"
        look = "Plain" if question.live else "Primary"
        self._ways.append(self.action(words(only), lambda: picture(self.agreed), look))
        self.action(words("who.no"), lambda: stage.put(Decline()), "Quiet")
        self._changed()

    @property
    def agreed(self) -> Agreed:
        """What is agreed to beside being seen."""
        apart: tuple[Apart, ...] = ("record", "control")
        return frozenset(scope for scope in apart if scope in self._switches and self._on(scope))

    def _scam(self) -> None:
        words = self.stage.words
        banner = self._banner("warning", words("who.scam.title", **self._names), words("who.scam.text"))
        no = button(banner, self.stage, words("who.scam.no"), lambda: self.stage.put(Decline(True)), "Warning.Plain")
        no.grid(row=0, column=2, rowspan=2, sticky="e", padx=(self.stage.theme.px(12), 0))

    def _banner(self, icon: str, title: str, text: str) -> ttk.Frame:
        theme = self.stage.theme
        banner = self.card("Warning")
        banner.columnconfigure(1, weight=1)
        picture = ttk.Label(banner, image=theme.icon(icon, theme.palette.accent_text, 26), style="Warning.body.TLabel")
        picture.grid(row=0, column=0, sticky="n", padx=(0, theme.px(12)), rowspan=2)
        Paragraph(banner, title, "Warning.strong.TLabel").grid(row=0, column=1, sticky="ew")
        if text:
            Paragraph(banner, text, "Warning.body.TLabel").grid(row=1, column=1, sticky="ew")
        return banner

    def _switch(self, card: ttk.Frame, scope: str, on: bool) -> None:
        theme, words = self.stage.theme, self.stage.words
        row = ttk.Frame(card, style="Plain.Card.TFrame")
        row.pack(fill="x", pady=(0 if not self._switches else theme.px(14), 0))
        row.columnconfigure(1, weight=1)
        # Without a tkinter variable, for the reason given at `Tile.destroy`.
        switch = ttk.Checkbutton(row, command=self._changed, style="Switch.TCheckbutton")
        switch.state(["!alternate", "selected" if on else "!selected"])
        self._switches[scope] = switch
        switch.grid(row=0, column=0, rowspan=2, sticky="n")
        switch.bind("<Return>", lambda _: switch.invoke())
        title = Paragraph(row, words(f"who.{scope}", **self._names), "Card.strong.TLabel")
        title.grid(row=0, column=1, sticky="ew")
        hint = Paragraph(row, words(f"who.{scope}.hint", **self._names), "Card.muted.body.TLabel")
        hint.grid(row=1, column=1, sticky="ew")
        for label in (title, hint):
            label.bind("<Button-1>", lambda _: switch.invoke())

    def _sides(self) -> None:
        theme, words = self.stage.theme, self.stage.words
        sides = ttk.Frame(self.body)
        sides.pack(fill="x", pady=(theme.px(18), 0))
        unseen = ["files", "windows", "covered"]
        if "control" not in self._question.apart:
            unseen.append("control")
        for column, (icon, head, points) in enumerate(
            [("check", "who.sees", ["chosen", "pictures", "chat"]), ("cross", "who.unseen", unseen)]
        ):
            sides.columnconfigure(column, weight=1, uniform="sides")
            side = ttk.Frame(sides)
            side.grid(row=0, column=column, sticky="new", padx=(0 if column == 0 else theme.px(20), 0))
            side.columnconfigure(1, weight=1)
            Paragraph(side, words(head, **self._names), "strong.TLabel").grid(row=0, columnspan=2, sticky="ew")
            for row, point in enumerate(points, 1):
                mark = ttk.Label(side, image=theme.icon(icon, theme.palette.muted, 16))
                mark.grid(row=row, column=0, sticky="n", pady=(theme.px(7), 0), padx=(0, theme.px(8)))
                line = Paragraph(side, words(f"{head}.{point}", **self._names), "muted.body.TLabel")
                line.grid(row=row, column=1, sticky="ew", pady=(theme.px(5), 0))

    def _on(self, scope: str) -> bool:
        return self._switches[scope].instate(["selected"])

    def _changed(self) -> None:
        words, ready = self.stage.words, self._on("view")
        for way in self._ways:
            way.state(["!disabled" if ready else "disabled"])
        off = words("who.off", switch=words("who.view", **self._names))
        self._hint.say(words("who.next") if ready else off)
