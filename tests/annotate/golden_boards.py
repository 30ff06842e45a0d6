"""The golden boards, for the Python tests; tests/annotate/golden.test.ts reads the same files.

`python -m tests.annotate.golden_boards` writes golden/marks.json anew from annotate.marks, after the look of the ink
was changed on purpose; the twin must then be made to agree. The boards are written by hand.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from annotate.board import Board, BoardChange
from annotate.marks import marks
from annotate.shapes import Annotation

GOLDEN = Path(__file__).parent / "golden"
MARKS = GOLDEN / "marks.json"
SIZES = [(1920, 1080), (300, 600)]


class Change(msgspec.Struct):
    at: int
    actor: str
    body: BoardChange


class Probe(msgspec.Struct):
    """A pixel that carries `color` with `alpha`."""

    at: tuple[int, int]
    color: str
    alpha: float


class Inked(msgspec.Struct):
    """An area (left, top, right, bottom) with so many pixels of about `color`."""

    area: tuple[int, int, int, int]
    color: str
    least: int
    most: int


class Moment(msgspec.Struct):
    surface: str
    now: int
    visible: list[tuple[str, float]]
    probes: list[Probe]
    untouched: list[tuple[int, int]]
    inked: list[Inked]


class GoldenBoard(msgspec.Struct):
    about: str
    size: tuple[int, int]
    events: list[Change]
    moments: list[Moment]

    def until(self, now: int) -> Board:
        """The board as it was at `now`."""
        board = Board()
        for change in self.events:
            if change.at <= now:
                board = board.apply(change.body, change.actor, change.at)
        return board


def load(name: str) -> GoldenBoard:
    return msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes(), type=GoldenBoard)


NAMES = sorted(path.stem for path in GOLDEN.glob("*.json") if path != MARKS)


def annotations() -> list[Annotation]:
    """Every annotation of every golden board."""
    return [
        change.body.annotation for name in NAMES for change in load(name).events if hasattr(change.body, "annotation")
    ]


def drawn() -> list[dict[str, Any]]:
    """What each of them is made of, at each size."""
    return [
        {
            "annotation": msgspec.to_builtins(annotation),
            "size": [width, height],
            "marks": msgspec.to_builtins(_plain(marks(annotation, width, height))),
        }
        for annotation in annotations()
        for width, height in SIZES
    ]


def _plain(value: Any) -> Any:
    """Named tuples as objects, numbers to a millionth of a pixel."""
    if hasattr(value, "_asdict"):
        return {key: _plain(item) for key, item in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


if __name__ == "__main__":
    MARKS.write_text("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in drawn()) + "\n]\n")
