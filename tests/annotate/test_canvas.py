"""The canvas twin in a real browser, held to the same golden boards as annotate.rendering."""

import base64
import json

import numpy as np
import pytest
from playwright.sync_api import Page

from annotate.rendering import Picture, render
from tests.annotate.golden_boards import GOLDEN, NAMES, GoldenBoard, Moment, load
from tests.annotate.test_rendering import assert_inked, assert_probe


def premultiplied(straight: Picture) -> Picture:
    color = straight[..., :3].astype(np.uint16) * straight[..., 3:] // 255
    return np.concatenate([color.astype(np.uint8), straight[..., 3:]], axis=2)


def on_canvas(page: Page, name: str, golden: GoldenBoard, moment: Moment) -> Picture:
    events = json.loads((GOLDEN / f"{name}.json").read_text())["events"]
    width, height = golden.size
    encoded = page.evaluate(
        "([events, surface, now, width, height]) => ink.renderGolden(events, surface, now, width, height)",
        [events, moment.surface, moment.now, width, height],
    )
    pixels = np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(height, width, 4)
    return premultiplied(pixels)


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_board_looks_as_it_must_on_a_canvas(page: Page, name: str) -> None:
    golden = load(name)
    for moment in golden.moments:
        picture = on_canvas(page, name, golden, moment)
        for probe in moment.probes:
            assert_probe(picture, probe)
        for x, y in moment.untouched:
            assert picture[y, x].tolist() == [0, 0, 0, 0], (moment.now, x, y)
        for inked in moment.inked:
            assert_inked(picture, inked)


@pytest.mark.parametrize("name", ["undo", "fading", "surfaces"])
def test_both_twins_draw_the_same_picture(page: Page, name: str) -> None:
    golden = load(name)
    for moment in golden.moments:
        ours = render(golden.until(moment.now), moment.surface, moment.now, *golden.size).astype(int)
        theirs = on_canvas(page, name, golden, moment).astype(int)
        far = np.abs(ours - theirs).max(axis=2) > 110
        assert far.mean() < 0.002, (moment.now, int(far.sum()))
