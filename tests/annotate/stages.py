"""People's views of one picture in a page, and a hand in them; where things must be is worked out here anew."""

from typing import Any

from playwright.sync_api import Page

RED, BLUE = "#e5322d", "#2f6fed"
LOOKS: dict[str, dict[str, Any]] = {
    "letterboxed": {"frame": "width:400px;height:300px", "picture": "width:100%;height:100%;object-fit:contain"},
    "pillarboxed": {"frame": "width:600px;height:200px", "picture": "width:100%;height:100%;object-fit:contain"},
    "bordered": {
        "frame": "width:420px;height:260px;margin:7px;border:3px solid #444",
        "picture": "width:100%;height:100%;object-fit:contain;border:9px solid #abc;box-sizing:border-box",
    },
    "zoomed": {
        "frame": "width:400px;height:300px",
        "picture": "position:absolute;left:-180px;top:-90px;width:1000px;height:500px",
    },
    "transformed": {
        "frame": "width:500px;height:250px",
        "picture": "width:500px;height:250px;transform:translate(13px,21px) scale(0.62);transform-origin:0 0",
    },
}
SIZE = (1600, 800)


def stage(page: Page, name: str, look: str, color: str = RED) -> None:
    """A person's view of the same picture; kept as `window[name]`."""
    page.evaluate(
        "([name, look, color]) => { window[name] = new ink.Stage(name, look, color) }",
        [name, {**LOOKS[look], "size": list(SIZE)}, color],
    )


def picture_box(page: Page, name: str, look: str) -> tuple[float, float, float, float]:
    """Where the picture is seen, worked out here from the look alone."""
    outer = page.evaluate("name => window[name].picture.getBoundingClientRect().toJSON()", name)
    border = 9 if look == "bordered" else 0
    x, y = outer["x"] + border, outer["y"] + border
    width, height = outer["width"] - 2 * border, outer["height"] - 2 * border
    scale = min(width / SIZE[0], height / SIZE[1])
    shown = (SIZE[0] * scale, SIZE[1] * scale)
    return x + (width - shown[0]) / 2, y + (height - shown[1]) / 2, *shown


def spot(page: Page, name: str, look: str, x: float, y: float) -> tuple[float, float]:
    left, top, width, height = picture_box(page, name, look)
    return left + x * width, top + y * height


def drag(page: Page, name: str, look: str, *points: tuple[float, float]) -> None:
    """Press at the first point of the picture, move through the others, let go."""
    (x, y), *rest = (spot(page, name, look, *point) for point in points)
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()


def annotated(page: Page, name: str) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = page.evaluate("name => window[name].annotated()", name)
    return made


def sent(page: Page, name: str, kind: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = page.evaluate(
        "([name, kind]) => window[name].sent.filter(({type}) => type === kind)", [name, kind]
    )
    return messages


def ink_at(page: Page, name: str, at: tuple[float, float]) -> list[int]:
    pixel: list[int] = page.evaluate("([name, at]) => window[name].inkAt(at)", [name, list(at)])
    return pixel


def is_color(pixel: list[int], color: str) -> bool:
    near = all(abs(a - b) <= 12 for a, b in zip(pixel[:3], bytes.fromhex(color[1:]), strict=True))
    return near and pixel[3] > 200
