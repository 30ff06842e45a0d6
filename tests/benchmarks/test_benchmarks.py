"""The benchmarks still measure the product as it is; how fast that is they say, not the tests."""

from typing import Any

import pytest

from tests.benchmarks import first_frame, ink
from tests.benchmarks.browsers import Missing, program
from tests.benchmarks.figures import median, percentile


@pytest.fixture
def browsers() -> None:
    try:
        program("chromium", "chromium-browser", "google-chrome")
        program("Xvfb")
    except Missing as missing:
        pytest.skip(str(missing))


def positive(figures: dict[str, Any], *names: str) -> bool:
    return all(figures[name] > 0 for name in names)


@pytest.mark.usefixtures("browsers")
async def test_first_frame_measures_the_product_and_the_reference_with_one_codec() -> None:
    figures: dict[str, Any] = await first_frame.measure(1)
    assert positive(figures, "median_ms", "p95_ms", "bare_median_ms", "ratio")
    assert positive(figures["steps"], "capture_ms", "connect_ms", "decode_ms")
    assert figures["codec"].startswith("video/")


@pytest.mark.usefixtures("browsers")
async def test_ink_measures_pointers_and_committed_strokes() -> None:
    figures: dict[str, Any] = await ink.measure(20, 4)
    assert positive(figures, "pointer_p95_ms", "stroke_p95_ms")
    assert figures["strokes"] >= 3


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([5, 1, 3, 2, 4], 95) == 5
    assert percentile(list(range(1, 101)), 95) == 95
    assert median([1, 3, 2]) == 2
