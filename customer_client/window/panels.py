"""What the bar opens while sharing: the chat, and what is so at this moment in words."""

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from customer_client.faces.face import Answer, Line, Say, Standing
from customer_client.faces.status import name_of, names_of
from customer_client.window.widgets import Page, Paragraph, Stage, button

LONGEST = 2000


class ChatPage(Page):
    """The lines so far, the newest in sight, and a field for one more."""

    def __init__(self, parent: tk.Misc, stage: Stage, standing: Standing, back: Callable[[], None]) -> None:
        words, theme = stage.words, stage.theme
        super().__init__(parent, stage, words("chat.title"))
        self._agent = standing.agent or words("name.staff")
        self._shown: tuple[Line, ...] = ()
        palette = theme.palette
        self.scroller.pack_forget()  # a text widget scrolls by itself
        self.lines = tk.Text(
            self,
            wrap="word",
            font=theme.fonts["body"],
            background=palette.canvas,
            foreground=palette.ink,
            relief="flat",
            highlightthickness=0,
            borderwidth=0,
            padx=theme.px(32),
            pady=theme.px(8),
            spacing3=theme.px(3),
            takefocus=False,
            cursor="arrow",
        )
        self.lines.pack(fill="both", expand=True)
        self.lines.tag_configure("name", font=theme.fonts["strong"], spacing1=theme.px(10))
        self.lines.tag_configure("mine", foreground=palette.accent_text)
        self.lines.tag_configure("empty", foreground=palette.muted)
        self.field = ttk.Entry(self.footer, font=theme.fonts["body"])
        close = self.action(words("window.close"), back, "Quiet")
        send = self.action(words("chat.send"), self._say, "Primary")
        close.pack_configure(side="right")
        send.pack_configure(side="right")
        label = ttk.Label(self.footer, text=words("chat.label"), style="muted.small.TLabel")
        label.pack(side="top", anchor="w", before=close, padx=theme.px(6))
        self.field.pack(side="left", fill="x", expand=True, padx=(0, theme.px(8)))
        for key in ("<Return>", "<KP_Enter>"):
            self.field.bind(key, lambda _: self._say())
        self.refresh(standing)

    def begin(self) -> None:
        self.field.focus_set()

    def refresh(self, standing: Standing) -> None:
        """Shows the lines that came since."""
        if standing.lines == self._shown and self._shown:
            return
        self._shown = standing.lines
        self.lines.configure(state="normal")
        self.lines.delete("1.0", "end")
        if not standing.lines:
            self.lines.insert("end", self.stage.words("chat.empty", agent=self._agent), "empty")
        for line in standing.lines:
            name = self.stage.words("chat.you") if line.mine else line.name
            self.lines.insert("end", f"{name}\n", ("name", "mine") if line.mine else ("name",))
            self.lines.insert("end", f"{line.text}\n")
        self.lines.configure(state="disabled")
        self.lines.see("end")

    def _say(self) -> None:
        text = self.field.get().strip()[:LONGEST]
        if text:
            self.stage.put(Say(text))
            self.field.delete(0, "end")


class DetailsPage(Page):
    """Who watches what, by which way, the phrase to compare, and the way out when something is wrong."""

    def __init__(
        self, parent: tk.Misc, stage: Stage, standing: Standing, report: Callable[[], None], back: Callable[[], None]
    ) -> None:
        super().__init__(parent, stage, stage.words("details.title"))
        self._report = report
        self._shown: Standing | None = None
        self._content: ttk.Frame | None = None
        self.action(stage.words("window.close"), back)
        self.refresh(standing)

    def refresh(self, standing: Standing) -> None:
        """Shows what is so now."""
        if standing == self._shown:
            return
        self._shown = standing
        if self._content is not None:
            self._content.destroy()
        content = self._content = ttk.Frame(self.body)
        content.pack(fill="x")
        words, theme = self.stage.words, self.stage.theme
        names = names_of(standing, words)
        card = self._card(content)
        card.columnconfigure(1, weight=1)
        source = name_of(standing.source, words) if standing.source else words("details.pictures")
        facts = [
            ("details.watching", words.listed(standing.watching) or words("details.nobody")),
            ("details.source", source),
            ("details.path", words(f"details.path.{standing.path or 'none'}", **names)),
            ("details.recording", words(f"details.recording.{standing.recording}")),
        ]
        for row, (name, value) in enumerate(facts):
            label = Paragraph(card, words(name), "Card.muted.body.TLabel")
            label.grid(row=row, column=0, sticky="new", padx=(0, theme.px(20)), pady=theme.px(4))
            Paragraph(card, value, "Card.body.TLabel").grid(row=row, column=1, sticky="ew", pady=theme.px(4))
        card.columnconfigure(0, minsize=theme.px(190))
        if standing.recording != "off":
            stop = button(card, self.stage, words("details.recording.stop"), self._stop_recording, "Card.Plain")
            stop.grid(row=len(facts), column=1, sticky="w")

        card = self._card(content)
        Paragraph(card, words("details.phrase"), "Card.muted.body.TLabel").pack(fill="x")
        if standing.phrase:
            Paragraph(card, standing.phrase, "Card.code.TLabel").pack(fill="x")
        hint = "details.phrase.hint" if standing.phrase else "details.phrase.none"
        Paragraph(card, words(hint, **names), "Card.body.TLabel").pack(fill="x")

        card = self._card(content, "Warning")
        Paragraph(card, words("details.wrong"), "Warning.strong.TLabel").pack(fill="x")
        Paragraph(card, words("details.wrong.text"), "Warning.body.TLabel").pack(fill="x", pady=(0, theme.px(8)))
        button(card, self.stage, words("details.report"), self._report, "Warning.Plain").pack(anchor="w")

    def _card(self, content: ttk.Frame, look: str = "Card") -> ttk.Frame:
        card = ttk.Frame(content, style=f"{look}.TFrame", padding=self.stage.theme.px(18))
        card.pack(fill="x", pady=(0, self.stage.theme.px(12)))
        return card

    def _stop_recording(self) -> None:
        self.stage.put(Answer("record", False))
