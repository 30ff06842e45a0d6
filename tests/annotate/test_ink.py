"""The ink layer in a real browser: in its place, in time, and at rest when nothing changes."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.annotate.stages import BLUE, LOOKS, RED, annotated, drag, ink_at, is_color, picture_box, sent, spot, stage


@pytest.mark.parametrize("drawn", LOOKS)
def test_ink_lands_where_it_was_drawn_whatever_the_look_of_either_side(page: Page, drawn: str) -> None:
    stage(page, "alice", drawn)
    page.evaluate("alice.take('pen')")
    drag(page, "alice", drawn, (0.3, 0.3), (0.5, 0.3), (0.5, 0.6))
    (annotation,) = annotated(page, "alice")
    for seen in LOOKS:
        stage(page, "dana", seen)
        page.evaluate("annotation => dana.add(annotation, 'alice')", annotation)
        left, top, width, height = picture_box(page, "dana", seen)
        for (x, y), (dx, dy) in [((0.4, 0.3), (0, 1)), ((0.5, 0.45), (1, 0))]:
            at, reach = (left + x * width, top + y * height), 0.04 * width
            ends = [[at[0] - dx * reach, at[1] - dy * reach], [at[0] + dx * reach, at[1] + dy * reach]]
            middle = page.evaluate("([from, to]) => dana.inkMiddle(from, to)", ends)
            assert middle - reach == pytest.approx(0, abs=0.005 * width), (seen, x, y)
            assert is_color(ink_at(page, "dana", at), RED), (seen, x, y)
        assert ink_at(page, "dana", (left + 0.4 * width, top + 0.45 * height))[3] == 0


def test_others_see_a_shape_while_it_is_drawn(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    stage(page, "dana", "pillarboxed")
    page.evaluate("alice.take('box')")
    start, middle = spot(page, "alice", "letterboxed", 0.2, 0.2), spot(page, "alice", "letterboxed", 0.6, 0.6)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*middle, steps=4)
    page.wait_for_function(
        "alice.sent.some(({type, annotation}) => type === 'drawing' && annotation.shape.end[0] > .59)"
    )
    preview = sent(page, "alice", "drawing")[-1]["annotation"]
    page.evaluate("preview => dana.layer.setDrawing('alice', preview)", preview)
    corner = spot(page, "dana", "pillarboxed", 0.6, 0.4)
    assert is_color(ink_at(page, "dana", corner), RED)
    page.evaluate("dana.layer.setDrawing('alice', null)")
    assert ink_at(page, "dana", corner)[3] == 0
    page.mouse.up()
    (annotation,) = annotated(page, "alice")
    assert annotation["id"] == preview["id"]


def test_a_finished_shape_stays_in_sight_until_the_board_has_it(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pen')")
    drag(page, "alice", "letterboxed", (0.2, 0.5), (0.8, 0.5))
    at = spot(page, "alice", "letterboxed", 0.5, 0.5)
    assert is_color(ink_at(page, "alice", at), RED)
    page.evaluate("alice.add(alice.annotated()[0])")
    assert is_color(ink_at(page, "alice", at), RED)
    page.evaluate("alice.change({type: 'annotations_erased', annotations: [alice.annotated()[0].id]})")
    assert ink_at(page, "alice", at)[3] == 0


def test_a_refused_shape_goes_away(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pen')")
    drag(page, "alice", "letterboxed", (0.2, 0.5), (0.8, 0.5))
    page.evaluate("alice.gestures.refuse(alice.annotated()[0].id)")
    assert ink_at(page, "alice", spot(page, "alice", "letterboxed", 0.5, 0.5))[3] == 0
    assert page.evaluate("alice.gestures.history.canUndo") is False


def test_a_pointer_is_drawn_with_its_owners_color_and_name(page: Page) -> None:
    stage(page, "dana", "letterboxed")
    page.evaluate("dana.layer.setPointer('alice', 'screen', {at: [.5, .5], name: 'Alice', color: '#2f6fed'})")
    x, y = spot(page, "dana", "letterboxed", 0.5, 0.5)
    assert is_color(ink_at(page, "dana", (x, y)), BLUE)
    assert is_color(ink_at(page, "dana", (x + 17, y)), BLUE)
    page.evaluate("dana.layer.surface = 'snapshot'")
    assert ink_at(page, "dana", (x, y))[3] == 0
    page.evaluate("dana.layer.surface = 'screen'; dana.layer.forget('alice')")
    assert ink_at(page, "dana", (x, y))[3] == 0


def test_a_layer_at_rest_does_not_draw(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    two_frames = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    for _ in range(3):
        page.evaluate(two_frames)
    before = page.evaluate("alice.drawn")
    for _ in range(5):
        page.evaluate(two_frames)
    assert page.evaluate("alice.drawn") == before


def test_a_fade_is_drawn_to_its_end_and_then_rests(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.gestures.fade = true; alice.take('pen')")
    drag(page, "alice", "letterboxed", (0.2, 0.5), (0.8, 0.5))
    page.evaluate("alice.add(alice.annotated()[0])")
    at = spot(page, "alice", "letterboxed", 0.5, 0.5)
    assert is_color(ink_at(page, "alice", at), RED)
    page.evaluate("alice.now += 5500; alice.layer.refresh()")
    assert ink_at(page, "alice", at)[3] == pytest.approx(127, abs=6)
    drawn = page.evaluate("alice.drawn")
    page.wait_for_function("drawn => alice.drawn > drawn + 3", arg=drawn)
    page.evaluate("alice.now += 1000")
    assert ink_at(page, "alice", at)[3] == 0


def test_a_player_sets_the_time_and_may_switch_the_ink_off(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pen')")
    drag(page, "alice", "letterboxed", (0.2, 0.5), (0.8, 0.5))
    page.evaluate("alice.add(alice.annotated()[0])")
    at = spot(page, "alice", "letterboxed", 0.5, 0.5)
    page.evaluate("alice.now -= 1")
    assert ink_at(page, "alice", at)[3] == 0
    page.evaluate("alice.now += 1")
    assert is_color(ink_at(page, "alice", at), RED)
    page.evaluate("alice.layer.visible = false")
    assert not page.locator("canvas[data-ink]").is_visible()
    page.evaluate("alice.layer.visible = true")
    assert is_color(ink_at(page, "alice", at), RED)


PICTURE = """name => {
  const { layer } = window[name];
  layer.draw();
  return layer.canvas.toDataURL();
}"""


def drawn_over_another(page: Page) -> list[dict[str, Any]]:
    """What alice drew one over another: a pen, a highlight, a box, an arrow."""
    stage(page, "alice", "letterboxed")
    for number, tool in enumerate(["pen", "highlight", "box", "arrow"]):
        page.evaluate("tool => alice.take(tool)", tool)
        drag(page, "alice", "letterboxed", (0.2, 0.3 + number / 10), (0.7, 0.6))
    return annotated(page, "alice")


def test_a_board_looks_the_same_however_it_came_about(page: Page) -> None:
    annotations = drawn_over_another(page)
    assert len(annotations) == 4
    stage(page, "dana", "pillarboxed")
    empty = page.evaluate(PICTURE, "dana")
    for annotation in annotations:
        page.evaluate("annotation => dana.add(annotation, 'alice')", annotation)
        page.evaluate(PICTURE, "dana")
    for name, change in [("erin", "annotations_restored"), ("frank", "annotations_erased")]:
        ids = [annotations[1]["id"]]
        stage(page, name, "pillarboxed")
        page.evaluate("([name, all]) => all.forEach((each) => window[name].add(each, 'alice'))", [name, annotations])
        for viewer in ("dana", name):
            page.evaluate(
                "([viewer, type, annotations]) => window[viewer].change({type, annotations})", [viewer, change, ids]
            )
        assert page.evaluate(PICTURE, "dana") == page.evaluate(PICTURE, name) != empty


def test_a_sketch_over_a_full_board_is_painted_alone(page: Page) -> None:
    annotations = drawn_over_another(page)
    stage(page, "dana", "pillarboxed")
    page.evaluate("all => all.forEach((each) => dana.add(each, 'alice'))", annotations)
    page.evaluate(PICTURE, "dana")
    page.evaluate(
        """annotation => {
          window.strokes = 0;
          const { stroke } = CanvasRenderingContext2D.prototype;
          CanvasRenderingContext2D.prototype.stroke = function (...given) { strokes++; stroke.apply(this, given); };
          dana.layer.setDrawing("alice", { ...annotation, id: "sketch" });
        }""",
        annotations[0],
    )
    page.evaluate(PICTURE, "dana")
    alone = page.evaluate(
        """annotation => {
          strokes = 0;
          const context = document.createElement("canvas").getContext("2d");
          ink.drawAnnotation(context, annotation, { x: 0, y: 0, width: 100, height: 100 });
          return strokes;
        }""",
        annotations[0],
    )
    page.evaluate("strokes = 0; dana.layer.draw()")
    assert page.evaluate("strokes") == alone > 0


def test_ink_follows_a_frame_that_changes_its_size(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pen')")
    drag(page, "alice", "letterboxed", (0.4, 0.5), (0.6, 0.5))
    page.evaluate("alice.add(alice.annotated()[0])")
    drawn = page.evaluate("alice.drawn")
    page.evaluate("alice.frame.style.width = '700px'")
    page.wait_for_function("drawn => alice.drawn > drawn && alice.layer.canvas.width === 700", arg=drawn)
    assert is_color(ink_at(page, "alice", spot(page, "alice", "letterboxed", 0.5, 0.5)), RED)


def test_ink_goes_along_with_its_frame_into_another_window(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('pen')")
    drag(page, "alice", "letterboxed", (0.4, 0.5), (0.6, 0.5))
    page.evaluate(
        """() => {
          const other = document.createElement('iframe');
          other.style.cssText = 'width:600px;height:500px;border:0';
          document.body.append(other);
          other.contentDocument.body.style.margin = '0';
          other.contentDocument.body.append(alice.frame);
          alice.drawn = 0;
          alice.add(alice.annotated()[0]);
        }"""
    )
    page.wait_for_function("alice.drawn > 0")
    assert is_color(ink_at(page, "alice", spot(page, "alice", "letterboxed", 0.5, 0.5)), RED)


@pytest.mark.parametrize("kind", ["video", "img"])
def test_ink_lies_on_a_video_and_on_a_picture_alike(page: Page, kind: str) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.take('arrow')")
    drag(page, "alice", "letterboxed", (0.25, 0.5), (0.75, 0.5))
    page.evaluate("alice.add(alice.annotated()[0])")
    page.evaluate(
        """async kind => {
          const element = document.createElement(kind);
          element.style.cssText = 'width:100%;height:100%;object-fit:contain';
          const tall = document.createElement('canvas');
          [tall.width, tall.height] = [300, 600];
          const context = tall.getContext('2d');
          window.paint = () => context.fillRect(0, 0, 300, 600);
          paint();
          alice.picture.replaceWith(element);
          alice.layer.element = element;
          if (kind === 'img') element.src = tall.toDataURL();
          else {
            element.muted = true;
            element.srcObject = tall.captureStream(10);
            setInterval(paint, 100);
            await element.play();
          }
        }""",
        kind,
    )
    page.wait_for_function("alice.layer.box()?.width === 150")
    left, top, width, height = 125, 0, 150, 300
    assert page.evaluate("alice.layer.box()") == {"x": left, "y": top, "width": width, "height": height}
    assert is_color(ink_at(page, "alice", (left + 0.4 * width, top + 0.5 * height)), RED)
    assert ink_at(page, "alice", (left - 15, top + 0.5 * height))[3] == 0
    assert page.evaluate("alice.layer.locate(124, 150)") is None
    assert page.evaluate("alice.layer.locate(200, 150)") == pytest.approx([0.5, 0.5])


def test_a_closed_layer_leaves_nothing_behind(page: Page) -> None:
    stage(page, "alice", "letterboxed")
    page.evaluate("alice.gestures.close(); alice.layer.close()")
    assert page.locator("canvas[data-ink]").count() == 0


def test_every_icon_is_drawn_and_hidden_from_screen_readers(page: Page) -> None:
    names = page.evaluate("Object.keys(ink.ICONS)")
    assert len(names) >= 38
    for name in names:
        box = page.evaluate(
            """name => {
              const icon = ink.createIcon(name);
              document.body.append(icon);
              const {x, y, width, height} = icon.getBBox();
              return {x, y, width, height, hidden: icon.getAttribute('aria-hidden')};
            }""",
            name,
        )
        assert box["hidden"] == "true"
        assert box["x"] >= 0 and box["y"] >= 0, name
        assert box["x"] + box["width"] <= 24 and box["y"] + box["height"] <= 24, name
        assert max(box["width"], box["height"]) >= 12, name
