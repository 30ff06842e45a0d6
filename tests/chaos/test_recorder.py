"""A short run of the recorder's chaos; the long one is `python -m tests.chaos.recorder --kills 200`."""

from pathlib import Path
from typing import Any

import pytest

from recorder.steps import STEPS
from tests.chaos.recorder import measure


@pytest.mark.timeout(300)
async def test_what_killed_recorders_leave_can_be_played_and_nothing_that_was_acknowledged_is_lost() -> None:
    figures: dict[str, Any] = await measure(3, 2, 7, ("chunks_stored", "end_written"))
    assert figures["kills"] == 3
    assert figures["unplayable"] == figures["acked_events_lost"] == 0
    assert figures["acked_events"] > 0
    assert figures["segments"] >= 3


def test_every_named_step_is_passed_by_somebody() -> None:
    """One that nobody passes would be a kill that never happens."""
    sources = (path.read_text() for path in Path(__file__).parents[2].joinpath("recorder").glob("*.py"))
    passed = "".join(sources)
    assert [step for step in STEPS if f'steps.reached("{step}")' not in passed] == []
