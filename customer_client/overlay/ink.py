"""The ink of a session on this desktop: what the timeline and the others' hands say, given to the overlay."""

from collections.abc import Callable

import structlog

from annotate.board import Board
from annotate.pointers import PointerMark
from annotate.shapes import Annotation
from customer_client.capture.surfaces import Cover, Source
from customer_client.overlay.overlay import Overlay, OverlayUnavailable
from customer_client.overlay.sheet import Sheet
from signaling.state import State

log = structlog.get_logger()

PALETTE = ("#e5322d", "#2f6fed", "#1f8a3a", "#d1620a", "#8b4be8", "#0b8490", "#d12f8c", "#8f6a00")
"""Colors by author, in the order of coming in: those of `annotate/browser/palette.ts`."""


class Ink:
    """What is kept while nothing is shared is shown once `place` says where, if this desktop can have an overlay."""

    def __init__(self, now: Callable[[], int]) -> None:
        """`now` is the server's clock, ms since 1970."""
        self._now = now
        self._sheet = Sheet()
        self._placed: tuple[Source | None, str | None] = (None, None)
        self._overlay: Overlay | None = None
        self._missing = False

    def covers(self) -> Cover:
        """What the overlay puts on the desktop now; for the capture's thread."""
        overlay = self._overlay
        return overlay.covers() if overlay is not None else Cover()

    def clear(self) -> None:
        """Takes everything off the desktop at once, in any thread; `place` brings it back."""
        overlay = self._overlay
        if overlay is not None:
            overlay.clear()

    def place(self, source: Source | None, surface: str | None) -> None:
        """What is drawn on `surface` lies over `source` from now on; over nothing for None."""
        if source is not None and self._overlay is None and not self._missing:
            try:
                self._overlay = Overlay(self._now)
            except OverlayUnavailable as missing:
                self._missing = True
                log.warning("no ink on this desktop", code=missing.code)
        before, self._placed = self._placed, (source, surface)
        if self._overlay is None:
            return
        if before[0] != source:
            self._overlay.place(source)
        self._change(self._sheet.on(surface if source is not None else None))

    def board(self, board: Board) -> None:
        """The board as the timeline has it now."""
        if board is not self._sheet.board:
            self._change(self._sheet.with_board(board))

    def draw(self, sender: str, annotation: Annotation | None) -> None:
        """What somebody draws at the moment."""
        self._change(self._sheet.drawing(sender, annotation, self._now()))

    def point(self, sender: str, surface: str, mark: PointerMark | None) -> None:
        """Where somebody points."""
        self._change(self._sheet.pointing(sender, surface, mark))

    def forget(self, participant: str) -> None:
        """Somebody has left."""
        self._change(self._sheet.without(participant))

    def close(self) -> None:
        """Takes the overlay away for good."""
        if self._overlay is not None:
            self._overlay.close()

    @staticmethod
    def color(state: State, participant: str) -> str:
        """The color of who came in as the how-manieth of those who draw."""
        people = [each.id for each in state.participants.values() if each.role != "recorder"]
        return PALETTE[people.index(participant) % len(PALETTE) if participant in people else 0]

    def _change(self, sheet: Sheet) -> None:
        self._sheet = sheet
        if self._overlay is not None:
            self._overlay.show(sheet)
