"""What lies upon the shared surface: its board, what people draw at the moment, and their pointers.

The twin of what `annotate/browser/ink.ts` keeps; a value, so that it can be handed to a thread that draws.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from annotate.board import Board, Placed
from annotate.pointers import PointerMark
from annotate.shapes import Annotation

COMMIT_PATIENCE_MS = 3_000
"""How long a finished drawing is shown while its event is on the way."""


class Unfinished(NamedTuple):
    """What `sender` draws; `expires` (ms since 1970) is None as long as it still does."""

    sender: str
    annotation: Annotation
    expires: int | None


@dataclass(frozen=True)
class Sheet:
    """Each change gives a new sheet; all times are ms since 1970 on the server's clock."""

    surface: str | None = None
    """The id of the surface that is shown; None when there is nothing to draw on."""
    board: Board = field(default_factory=Board)
    drawings: Mapping[str, Unfinished] = field(default_factory=dict)
    pointers: Mapping[str, tuple[str, PointerMark]] = field(default_factory=dict)

    def on(self, surface: str | None) -> "Sheet":
        return replace(self, surface=surface)

    def with_board(self, board: Board) -> "Sheet":
        """What is on the board is no longer in progress."""
        drawings = {i: unfinished for i, unfinished in self.drawings.items() if i not in board.placed}
        return replace(self, board=board, drawings=drawings)

    def drawing(self, sender: str, annotation: Annotation | None, now: int) -> "Sheet":
        """What `sender` draws at the moment; None drops it. A new one says that the one before is finished."""
        drawings = dict(self.drawings)
        for i, unfinished in self.drawings.items():
            if unfinished.sender != sender or unfinished.expires is not None:
                continue
            if annotation is None:
                del drawings[i]
            elif i != annotation.id:
                drawings[i] = unfinished._replace(expires=now + COMMIT_PATIENCE_MS)
        if annotation is not None and annotation.id not in self.board.placed:
            drawings[annotation.id] = Unfinished(sender, annotation, None)
        return replace(self, drawings=drawings)

    def pointing(self, sender: str, surface: str, mark: PointerMark | None) -> "Sheet":
        """Where `sender` points on `surface`; None takes the pointer away."""
        others = {who: pointer for who, pointer in self.pointers.items() if who != sender}
        return replace(self, pointers=others if mark is None else others | {sender: (surface, mark)})

    def without(self, sender: str) -> "Sheet":
        """After `sender` left: its pointer and its drawing in progress are gone, what is on the board stays."""
        return self.drawing(sender, None, 0).pointing(sender, "", None)

    def board_at(self, now: int) -> Board:
        """The board, and upon it what is in progress."""
        upon = {
            i: Placed(unfinished.annotation, unfinished.sender, now)
            for i, unfinished in self.drawings.items()
            if unfinished.expires is None or unfinished.expires > now
        }
        return Board(self.board.placed | upon) if upon else self.board

    def visible(self, now: int) -> Iterator[tuple[Annotation, float]]:
        """What is to be seen, lowest first, each with its opacity above 0."""
        if self.surface is None:
            return
        for placed, opacity in self.board_at(now).visible(self.surface, now):
            yield placed.annotation, opacity

    def pointed(self) -> list[PointerMark]:
        """The pointers on the surface that is shown."""
        return [mark for surface, mark in self.pointers.values() if surface == self.surface]
