"""The design tokens: both themes keep WCAG 2.2 AA contrast (1.4.3 for text, 1.4.11 for controls)."""

import re
from pathlib import Path

import pytest

DESIGN = Path(__file__).parents[2] / "annotate/browser/design"
CSS = (DESIGN / "tokens.css").read_text()
TEXT = [
    *((text, ground) for text in ("ink", "muted") for ground in ("canvas", "surface", "sunken")),
    *((text, ground) for text in ("accent-text", "danger-text") for ground in ("canvas", "surface")),
    ("accent-text", "accent-soft"),
    ("danger-text", "danger-soft"),
    ("ink", "accent-soft"),
    ("ink", "danger-soft"),
    ("muted", "accent-soft"),
    ("canvas", "ink"),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-danger", "danger"),
    ("on-danger", "danger-hover"),
]
CONTROLS = [
    ("line-strong", "canvas"),
    ("line-strong", "surface"),
    ("accent-text", "canvas"),
    ("accent-text", "sunken"),
    ("accent", "surface"),
    ("danger", "surface"),
]


def tokens(selector: str) -> dict[str, str]:
    """The custom properties that the first rule of `selector` sets."""
    start = CSS.index(selector + " {")
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", CSS[start : CSS.index("}", start)]))


LIGHT = tokens(":root")
DARK_BY_SYSTEM = tokens(':root:not([data-theme="light"])')
DARK_BY_CHOICE = tokens(':root[data-theme="dark"]')


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK_BY_SYSTEM], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read_on_its_ground(theme: dict[str, str], text: str, ground: str) -> None:
    assert contrast(theme[text], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK_BY_SYSTEM], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), CONTROLS)
def test_the_edge_of_a_control_stands_out(theme: dict[str, str], edge: str, ground: str) -> None:
    assert contrast(theme[edge], theme[ground]) >= 3


def test_the_dark_theme_is_the_same_by_system_and_by_choice() -> None:
    assert DARK_BY_SYSTEM == DARK_BY_CHOICE
    assert {name for name, value in LIGHT.items() if value.startswith(("#", "rgb"))} <= DARK_BY_SYSTEM.keys()


def test_every_token_in_use_is_defined() -> None:
    used = {name for file in DESIGN.glob("*.css") for name in re.findall(r"var\(--([\w-]+)\)", file.read_text())}
    assert used <= LIGHT.keys() | {"height"}
