"""The window's colors are those of the pages."""

import re
from dataclasses import asdict

import numpy as np
import pytest

from customer_client.window.icons import ICONS, draw_icon
from tests.project.tree import REPOSITORY

theme = pytest.importorskip("customer_client.window.theme")

TOKENS = (REPOSITORY / "annotate/browser/design/tokens.css").read_text("utf-8")


@pytest.mark.parametrize(("palette", "selector"), [("LIGHT", ":root {"), ("DARK", ':root[data-theme="dark"] {')])
def test_each_color_is_the_token_of_its_name(palette: str, selector: str) -> None:
    block = TOKENS[TOKENS.index(selector) :].split("}", 1)[0]
    tokens = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    assert {name: tokens[name.replace("_", "-")] for name in asdict(getattr(theme, palette))} == asdict(
        getattr(theme, palette)
    )


@pytest.mark.parametrize("name", ICONS)
def test_an_icon_is_drawn_inside_its_square(name: str) -> None:
    alpha = draw_icon(name, "#000000", 48).getchannel("A")
    assert np.asarray(alpha).max() > 200
    left, top, right, bottom = alpha.getbbox() or (0, 0, 0, 0)
    assert left > 0 and top > 0 and right < 48 and bottom < 48
