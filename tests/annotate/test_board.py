"""The board: golden boards, and what holds for any board."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from annotate.board import (
    FADE_AFTER_MS,
    FADE_FOR_MS,
    AnnotationAdded,
    AnnotationsErased,
    AnnotationsRestored,
    Board,
    BoardChange,
)
from annotate.shapes import Annotation, Stroke
from tests.annotate.golden_boards import NAMES, load

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
IDS = st.sampled_from(["a", "b", "c", "d"])
SURFACES = st.sampled_from(["screen", "snapshot"])


def line(identifier: str, surface: str = "screen", fade: bool = False) -> Annotation:
    return Annotation(identifier, surface, "#e5322d", 0.003, fade, Stroke([(0.1, 0.1), (0.9, 0.9)]))


ADDED = st.builds(AnnotationAdded, st.builds(line, IDS, SURFACES, st.booleans()))
ERASED = st.builds(AnnotationsErased, st.lists(IDS, min_size=1, max_size=4))
RESTORED = st.builds(AnnotationsRestored, st.lists(IDS, min_size=1, max_size=4))
CHANGES = st.lists(st.one_of(ADDED, ERASED, RESTORED), max_size=20)


def fold(changes: list[BoardChange]) -> Board:
    board = Board()
    for at, change in enumerate(changes):
        board = board.apply(change, "alice", at)
    return board


def seen(board: Board, now: int = 100) -> list[str]:
    return [p.annotation.id for surface in ("screen", "snapshot") for p, _ in board.visible(surface, now)]


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_board_shows_what_it_must_at_each_moment(name: str) -> None:
    golden = load(name)
    for moment in golden.moments:
        visible = golden.until(moment.now).visible(moment.surface, moment.now)
        shown = [(placed.annotation.id, round(opacity, 6)) for placed, opacity in visible]
        assert shown == moment.visible, moment.now - golden.events[0].at


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_later_is_not_seen_before(name: str) -> None:
    golden = load(name)
    begun = golden.events[0].at
    assert list(golden.until(begun + 10**6).visible(golden.moments[0].surface, begun - 1)) == []


@UNHURRIED
@given(CHANGES, ERASED)
def test_redo_takes_back_what_undo_did(changes: list[BoardChange], undo: AnnotationsErased) -> None:
    board = fold(changes)
    visible = [i for i in dict.fromkeys(undo.annotations) if i in board.placed and not board.placed[i].erased]
    undone = board.apply(undo, "alice", 50)
    assert not set(seen(undone)) & set(undo.annotations)
    if visible:
        assert undone.apply(AnnotationsRestored(visible), "alice", 51) == board
    else:
        assert undone is board


@UNHURRIED
@given(CHANGES)
def test_the_order_of_drawing_is_the_order_of_lying_above(changes: list[BoardChange]) -> None:
    first_seen = list(dict.fromkeys(c.annotation.id for c in changes if isinstance(c, AnnotationAdded)))
    board = fold(changes)
    assert list(board.placed) == first_seen
    for surface in ("screen", "snapshot"):
        shown = [p.annotation.id for p, _ in board.visible(surface, 100)]
        assert shown == [i for i in first_seen if i in shown]


@UNHURRIED
@given(CHANGES, st.lists(st.sampled_from(["x", "y"]), min_size=1))
def test_an_unknown_id_is_harmless(changes: list[BoardChange], unknown: list[str]) -> None:
    board = fold(changes)
    assert board.apply(AnnotationsErased(unknown), "alice", 50) is board
    assert board.apply(AnnotationsRestored(unknown), "alice", 50) is board


@UNHURRIED
@given(CHANGES)
def test_repeating_any_change_changes_nothing(changes: list[BoardChange]) -> None:
    board = Board()
    for at, change in enumerate(changes):
        board = board.apply(change, "alice", at)
        assert board.apply(change, "bob", at + 1) is board


@UNHURRIED
@given(CHANGES)
def test_an_earlier_board_is_never_touched(changes: list[BoardChange]) -> None:
    board = fold(changes)
    before = dict(board.placed)
    board.apply(AnnotationAdded(line("new")), "alice", 50)
    board.apply(AnnotationsErased(["a", "b", "c", "d"]), "alice", 50)
    assert board.placed == before


@UNHURRIED
@given(st.integers(0, FADE_AFTER_MS + FADE_FOR_MS + 1000), st.integers(0, 2000))
def test_a_fade_only_ever_loses_strength(since: int, step: int) -> None:
    board = Board().apply(AnnotationAdded(line("a", fade=True)), "alice", 0)
    now, later = board.placed["a"].opacity(since), board.placed["a"].opacity(since + step)
    assert 0 <= later <= now <= 1
