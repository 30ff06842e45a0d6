"""The board: what has been drawn in a session, as a fold over its annotation events.

Undo and clear are `AnnotationsErased`, redo is `AnnotationsRestored`: nothing is ever forgotten, so a recording can be
shown as it looked at any moment. `browser/board.ts` is this file's twin; both are held to tests/annotate/golden.
"""

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from annotate.shapes import Annotation, Identifier

FADE_AFTER_MS = 5_000
"""How long an annotation with `fade` stays fully visible."""
FADE_FOR_MS = 1_000
"""How long it then takes to vanish, linearly."""

Identifiers = Annotated[list[Identifier], msgspec.Meta(min_length=1, max_length=1000)]


def snake_case(name: str) -> str:
    """`AnnotationAdded` as it stands on the wire: `annotation_added`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag=snake_case):
    """The base of every body that an event can have; its tag is the class's name in snake case."""


class AnnotationAdded(Fact, frozen=True):
    """A shape was finished and put on the board."""

    annotation: Annotation


class AnnotationsErased(Fact, frozen=True):
    """Annotations were taken off the board: undo, clear mine, clear all."""

    annotations: Identifiers


class AnnotationsRestored(Fact, frozen=True):
    """Erased annotations were put back: redo."""

    annotations: Identifiers


BoardChange = AnnotationAdded | AnnotationsErased | AnnotationsRestored


class Placed(msgspec.Struct, frozen=True):
    """An annotation on the board with its author, the moment it was added (ms since 1970), and whether it is erased."""

    annotation: Annotation
    author: str
    at: int
    erased: bool = False

    def opacity(self, now: int) -> float:
        """0..1 at the moment `now` (ms since 1970)."""
        if self.erased or now < self.at:
            return 0.0
        if not self.annotation.fade:
            return 1.0
        return min(1.0, max(0.0, 1 - (now - self.at - FADE_AFTER_MS) / FADE_FOR_MS))


class Board(msgspec.Struct, frozen=True):
    """Every annotation of a session by its id, in the order of drawing."""

    placed: dict[str, Placed] = {}

    def apply(self, change: BoardChange, author: str, at: int) -> "Board":
        """The board after `change`; an id that is unknown, or added twice, changes nothing."""
        match change:
            case AnnotationAdded(annotation):
                if annotation.id in self.placed:
                    return self
                return Board(self.placed | {annotation.id: Placed(annotation, author, at)})
            case AnnotationsErased(ids) | AnnotationsRestored(ids):
                erased = isinstance(change, AnnotationsErased)
                changed = {
                    i: msgspec.structs.replace(self.placed[i], erased=erased)
                    for i in ids
                    if i in self.placed and self.placed[i].erased != erased
                }
                return Board(self.placed | changed) if changed else self

    def visible(self, surface: str, now: int) -> Iterator[tuple[Placed, float]]:
        """What is to be seen on `surface` at `now` (ms since 1970), lowest first, each with its opacity above 0."""
        for placed in self.placed.values():
            if placed.annotation.surface == surface and (opacity := placed.opacity(now)) > 0:
                yield placed, opacity
