"""The benchmarks still measure the product as it is; how fast that is they say, not the tests."""

import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import first_frame, ink, native, recording
from tests.benchmarks.browsers import THE_DESK, Missing, pair, program
from tests.benchmarks.figures import median, percentile
from tests.benchmarks.process_time import Reading, marked, reading
from tests.benchmarks.relay import longest
from tests.benchmarks.workspace import workspace
from tests.recorder.replay import drawn


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
async def test_the_first_frame_is_measured_beside_the_reference_with_one_codec_and_so_is_ink() -> None:
    async with pair(THE_DESK) as browsers, workspace() as place:
        figures: dict[str, Any] = await first_frame.measured(browsers, place, 1, uncounted=0)
        assert positive(figures, "median_ms", "p95_ms", "bare_median_ms", "ratio")
        assert positive(figures["steps"], "capture_ms", "connect_ms", "decode_ms")
        assert figures["codec"].startswith("video/")
        inked: dict[str, Any] = await ink.measured(browsers, place, 20, 4)
        assert positive(inked, "pointer_p95_ms", "stroke_p95_ms")
        assert inked["strokes"] >= 3


def test_a_gap_is_the_longest_time_without_a_new_frame_that_touches_the_time_in_question() -> None:
    frames = [0.0, 300.0, 330.0, 420.0, 450.0, 1000.0]
    assert longest(frames, 310, 460) == 550
    assert longest(frames, 310, 440) == 90
    assert longest([], 310, 460) == 150


def test_the_time_of_a_process_holds_that_of_its_children() -> None:
    marker = f"--{secrets.token_hex(8)}"
    waiting = "import subprocess, sys; subprocess.run([sys.executable, '-c', '{}; input()'])"
    busy = "import time; [None for _ in iter(lambda: time.process_time() < 0.3, False)]"
    with subprocess.Popen([sys.executable, "-c", waiting.format(busy), marker], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        while reading([process.pid]).cpu < 0.3:
            assert process.poll() is None
        assert marked(marker) == process.pid
        process.stdin.write(b"\n")
        process.stdin.close()
    assert Reading(1.0, 10.0).cores_until(Reading(3.0, 14.0)) == 0.5


async def test_recording_is_measured_by_what_really_arrives(tmp_path: Path) -> None:
    plan = recording.Plan(drawn(), 1.0, 1, 1, warm_up=0.5)
    assert (await recording.recorded_by_us(plan, tmp_path)).cpu > 0
    cost, [said] = await recording.received("watched", plan, 1, tmp_path, loss=0.05)
    assert cost.cpu > 0
    assert said["longest_gap_ms"] > 0


@pytest.mark.usefixtures("browsers")
async def test_native_measures_the_client_and_what_is_seen_of_a_scene() -> None:
    figures: dict[str, Any] = await native.measure(1.0, ("scrolling",), glass_too=False, warm_up=0.5)
    scene = figures["scenes"]["scrolling"]
    assert positive(scene, *(f"{name}_{kind}" for name in native.Seen._fields for kind in native.SHARERS))


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([5, 1, 3, 2, 4], 95) == 5
    assert percentile(list(range(1, 101)), 95) == 95
    assert median([1, 3, 2]) == 2
