from annotate.board import AnnotationAdded, Board
from annotate.pointers import PointerMark
from annotate.shapes import Annotation, Stroke
from customer_client.overlay.sheet import COMMIT_PATIENCE_MS, Sheet


def stroke(name: str, *, surface: str = "s", fade: bool = False) -> Annotation:
    return Annotation(id=name, surface=surface, color="#e5322d", width=0.01, fade=fade, shape=Stroke([(0.5, 0.5)]))


def seen(sheet: Sheet, now: int) -> list[str]:
    return [annotation.id for annotation, _ in sheet.visible(now)]


def test_what_somebody_draws_is_seen_until_the_board_has_it() -> None:
    sheet = Sheet("s").drawing("alice", stroke("one"), 1_000)
    assert seen(sheet, 9_000) == ["one"]
    sheet = sheet.drawing("alice", stroke("two"), 9_000)
    assert seen(sheet, 9_000) == ["one", "two"]
    sheet = sheet.with_board(Board().apply(AnnotationAdded(stroke("one")), "alice", 9_100))
    assert seen(sheet, 9_200) == ["one", "two"]
    assert [unfinished.annotation.id for unfinished in sheet.drawings.values()] == ["two"]


def test_a_finished_drawing_that_never_comes_onto_the_board_goes_away() -> None:
    sheet = Sheet("s").drawing("alice", stroke("one"), 0).drawing("alice", stroke("two"), 1_000)
    assert seen(sheet, 1_000 + COMMIT_PATIENCE_MS - 1) == ["one", "two"]
    assert seen(sheet, 1_000 + COMMIT_PATIENCE_MS) == ["two"]


def test_a_dropped_drawing_is_gone_but_not_the_one_before_that_was_finished() -> None:
    sheet = Sheet("s").drawing("alice", stroke("one"), 0).drawing("alice", stroke("two"), 10)
    assert seen(sheet.drawing("alice", None, 20), 20) == ["one"]


def test_a_late_repetition_of_what_the_board_has_is_not_drawn_twice() -> None:
    board = Board().apply(AnnotationAdded(stroke("one")), "alice", 0)
    assert not Sheet("s").with_board(board).drawing("alice", stroke("one"), 5).drawings


def test_what_fades_does_not_begin_to_while_it_is_drawn() -> None:
    sheet = Sheet("s").drawing("alice", stroke("one", fade=True), 0)
    assert [opacity for _, opacity in sheet.visible(60_000)] == [1.0]


def test_nothing_of_another_surface_is_seen() -> None:
    mark = PointerMark((0.1, 0.1), "Alice", "#2f6fed")
    sheet = Sheet("s").drawing("alice", stroke("one", surface="t"), 0).pointing("alice", "t", mark)
    assert (seen(sheet, 0), sheet.pointed()) == ([], [])
    assert (seen(sheet.on("t"), 0), sheet.on("t").pointed()) == (["one"], [mark])
    assert seen(sheet.on(None), 0) == []


def test_who_leaves_takes_the_pointer_and_the_unfinished_drawing_along() -> None:
    mark = PointerMark((0.1, 0.1), "Alice", "#2f6fed")
    sheet = Sheet("s").with_board(Board().apply(AnnotationAdded(stroke("kept")), "alice", 0))
    sheet = sheet.drawing("alice", stroke("one"), 1).pointing("alice", "s", mark)
    sheet = sheet.drawing("bob", stroke("two"), 1).without("alice")
    assert (seen(sheet, 2), sheet.pointed()) == (["kept", "two"], [])
