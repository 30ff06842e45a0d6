"""The tools in a real browser: what a hand makes of them."""

import pytest
from playwright.sync_api import Page

from tests.annotate.stages import RED, SIZE, annotated, drag, sent, spot, stage


@pytest.mark.parametrize(("tool", "kind"), [("arrow", "arrow"), ("box", "box"), ("ellipse", "ellipse")])
def test_a_drag_makes_the_shape_of_the_tool_in_hand(page: Page, tool: str, kind: str) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("tool => alice.take(tool)", tool)
    drag(page, "alice", "letterboxed", (0.2, 0.25), (0.6, 0.75))
    (annotation,) = annotated(page, "alice")
    assert annotation["shape"]["kind"] == kind
    assert annotation["shape"]["start"] == pytest.approx([0.2, 0.25], abs=0.004)
    assert annotation["shape"]["end"] == pytest.approx([0.6, 0.75], abs=0.004)
    assert annotation["surface"] == "screen"
    assert annotation["color"] == RED


def test_undo_and_redo_ask_for_ones_own_latest(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('arrow')")
    for y in (0.3, 0.6):
        drag(page, "alice", "letterboxed", (0.2, y), (0.8, y))
    first, second = (annotation["id"] for annotation in annotated(page, "alice"))
    page.evaluate("alice.gestures.undo(); alice.gestures.undo(); alice.gestures.redo()")
    assert [m["ids"] for m in sent(page, "alice", "erase")] == [[second], [first]]
    assert [m["ids"] for m in sent(page, "alice", "restore")] == [[first]]


def test_clearing_ones_own_leaves_what_others_drew(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pen')")
    for y in (0.3, 0.6):
        drag(page, "alice", "letterboxed", (0.2, y), (0.8, y))
    page.evaluate("const [mine, bobs] = alice.annotated(); alice.add(mine); alice.add(bobs, 'bob')")
    mine, bobs = (annotation["id"] for annotation in annotated(page, "alice"))
    page.evaluate("alice.gestures.clearMine()")
    assert sent(page, "alice", "erase")[-1]["ids"] == [mine]
    page.evaluate("alice.gestures.clear()")
    assert sent(page, "alice", "erase")[-1]["ids"] == [mine, bobs]
    page.evaluate("alice.gestures.undo()")
    assert sent(page, "alice", "restore")[-1]["ids"] == [mine, bobs]


def test_undo_passes_over_what_others_have_cleared(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pen')")
    for y in (0.3, 0.6):
        drag(page, "alice", "letterboxed", (0.2, y), (0.8, y))
    page.evaluate("for (const annotation of alice.annotated()) alice.add(annotation)")
    first, second = (annotation["id"] for annotation in annotated(page, "alice"))
    page.evaluate("id => alice.change({type: 'annotations_erased', annotations: [id]}, 'bob')", second)
    page.evaluate("alice.gestures.undo()")
    assert [m["ids"] for m in sent(page, "alice", "erase")] == [[first]]


def test_text_is_written_in_place(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('text')")
    page.mouse.click(*spot(page, "alice", "letterboxed", 0.25, 0.4))
    page.keyboard.type("Нажмите")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("here")
    page.keyboard.press("Enter")
    (annotation,) = annotated(page, "alice")
    assert annotation["shape"]["text"] == "Нажмите\nhere"
    assert annotation["shape"]["at"] == pytest.approx([0.25, 0.4], abs=0.004)
    assert page.locator("textarea").count() == 0


def test_escape_drops_a_text_and_a_click_beside_puts_it_down(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('text')")
    page.mouse.click(*spot(page, "alice", "letterboxed", 0.25, 0.4))
    page.keyboard.type("never mind")
    page.keyboard.press("Escape")
    assert annotated(page, "alice") == []
    assert sent(page, "alice", "drawing")[-1]["annotation"] is None
    page.mouse.click(*spot(page, "alice", "letterboxed", 0.25, 0.4))
    page.keyboard.type("kept")
    page.mouse.click(*spot(page, "alice", "letterboxed", 0.7, 0.8))
    assert [annotation["shape"]["text"] for annotation in annotated(page, "alice")] == ["kept"]
    assert page.locator("textarea").count() == 0


def test_the_field_for_a_text_has_a_name(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('text')")
    page.mouse.click(*spot(page, "alice", "letterboxed", 0.25, 0.4))
    assert page.get_by_role("textbox", name="Text").evaluate("field => field === document.activeElement")


def test_steps_count_by_themselves(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('step')")
    page.mouse.click(*spot(page, "alice", "letterboxed", 0.2, 0.3))
    page.keyboard.type("Open the menu")
    page.mouse.click(*spot(page, "alice", "letterboxed", 0.5, 0.6))
    page.keyboard.press("Enter")
    first, second = annotated(page, "alice")
    assert first["shape"] == {"kind": "step", "at": first["shape"]["at"], "number": 1, "text": "Open the menu"}
    assert (second["shape"]["number"], second["shape"]["text"]) == (2, "")
    for annotation in (first, second):
        page.evaluate("annotation => alice.add(annotation)", annotation)
    page.evaluate("id => alice.change({type: 'annotations_erased', annotations: [id]})", second["id"])
    page.mouse.click(*spot(page, "alice", "letterboxed", 0.6, 0.6))
    page.keyboard.press("Enter")
    assert annotated(page, "alice")[-1]["shape"]["number"] == 2


def test_the_pointer_follows_the_hand_and_leaves_with_it(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pointer')")
    page.mouse.move(*spot(page, "alice", "letterboxed", 0.25, 0.5))
    page.mouse.move(*spot(page, "alice", "letterboxed", 0.75, 0.5), steps=5)
    page.wait_for_function("alice.sent.some(({type, at}) => type === 'pointer' && at[0] > .74)")
    assert sent(page, "alice", "pointer")[-1]["at"] == pytest.approx([0.75, 0.5], abs=0.004)
    page.mouse.move(900, 690)
    assert sent(page, "alice", "pointer")[-1]["visible"] is False


def test_a_press_beside_the_picture_draws_nothing(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pen')")
    drag(page, "alice", "letterboxed", (0.5, -0.2), (0.5, 0.5))
    assert annotated(page, "alice") == []


def test_a_stroke_that_leaves_the_picture_ends_at_its_edge(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pen')")
    drag(page, "alice", "letterboxed", (0.5, 0.5), (0.5, 1.3))
    points = annotated(page, "alice")[0]["shape"]["points"]
    assert points[-1] == pytest.approx([0.5, 1.0], abs=0.004)
    assert all(0 <= coordinate <= 1 for point in points for coordinate in point)


def test_a_click_with_a_shape_tool_draws_nothing(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('box')")
    page.mouse.click(*spot(page, "alice", "letterboxed", 0.5, 0.5))
    assert annotated(page, "alice") == []


def test_shift_makes_a_square(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('box')")
    page.keyboard.down("Shift")
    drag(page, "alice", "letterboxed", (0.2, 0.2), (0.4, 0.3))
    page.keyboard.up("Shift")
    shape = annotated(page, "alice")[0]["shape"]
    width, height = ((shape["end"][i] - shape["start"][i]) * SIZE[i] for i in (0, 1))
    assert width == pytest.approx(height, abs=4)


def test_without_a_tool_the_hand_reaches_what_lies_below(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.clicked = 0; alice.picture.addEventListener('click', () => alice.clicked++)")
    at = spot(page, "alice", "letterboxed", 0.5, 0.5)
    page.evaluate("alice.take('pen')")
    page.mouse.click(*at)
    assert page.evaluate("alice.clicked") == 0
    page.evaluate("alice.take(null)")
    page.mouse.click(*at)
    assert page.evaluate("alice.clicked") == 1


def test_a_finger_draws_as_a_mouse_does(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pen')")
    x, y = spot(page, "alice", "letterboxed", 0.3, 0.5)
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": px, "y": py} for px, py in points]})

    send("touchStart", (x, y))
    for moved in range(10, 110, 10):
        send("touchMove", (x + moved, y))
    send("touchEnd")
    (annotation,) = annotated(page, "alice")
    points = annotation["shape"]["points"]
    assert points[0] == pytest.approx([0.3, 0.5], abs=0.005)
    assert points[-1][0] == pytest.approx(0.3 + 100 / 400, abs=0.01)
