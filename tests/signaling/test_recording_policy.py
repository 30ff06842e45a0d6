"""What becomes of the sharing when recording fails: it goes on, or is held back until recording is possible again."""

import pytest

from signaling import messages as m
from signaling.session import Join, LoseRecorder, Refusal
from tests.signaling.story import DANA, RECORDER, Story


def recorded(*, strict: bool) -> Story:
    story = Story(strict_recording=strict).share(record=True)
    story.system(Join(RECORDER))
    return story


def test_a_session_goes_on_while_recording_fails_and_says_so() -> None:
    story = recorded(strict=False)
    assert story.says(RECORDER, m.ReportRecordingFailed, reason="disk_slow") == [m.RecordingFailed("disk_slow")]
    assert (story.state.phase, story.state.recording_failed) == ("sharing", "disk_slow")
    assert story.says(RECORDER, m.ReportRecordingRestored) == [m.RecordingRestored()]
    assert story.state.recording_failed is None
    assert story.says(RECORDER, m.ReportRecordingRestored) == []


def test_under_a_strict_policy_the_sharing_is_held_back_and_goes_on_by_itself() -> None:
    story = recorded(strict=True)
    failed = story.says(RECORDER, m.ReportRecordingFailed, reason="disk_full")
    assert failed == [m.RecordingFailed("disk_full"), m.SharingPaused()]
    refusal = story.says(DANA, m.ResumeSharing)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "recording_failed"
    assert story.says(RECORDER, m.ReportRecordingRestored) == [m.RecordingRestored(), m.SharingResumed()]
    assert (story.state.phase, story.state.held) == ("sharing", False)


def test_a_recorder_that_is_lost_holds_a_strict_session_back_as_well() -> None:
    story = recorded(strict=True)
    assert story.system(LoseRecorder("lost")) == [m.RecordingFailed("lost"), m.SharingPaused()]
    assert story.system(LoseRecorder("no_recorder")) == [m.RecordingFailed("no_recorder")]
    assert story.state.held


def test_what_the_customer_paused_herself_stays_paused_when_recording_works_again() -> None:
    story = recorded(strict=True)
    story.says(DANA, m.PauseSharing)
    assert story.says(RECORDER, m.ReportRecordingFailed, reason="disk_error") == [m.RecordingFailed("disk_error")]
    assert isinstance(story.says(DANA, m.ResumeSharing), Refusal)
    assert story.says(RECORDER, m.ReportRecordingRestored) == [m.RecordingRestored()]
    assert story.says(DANA, m.ResumeSharing) == [m.SharingResumed()]


@pytest.mark.parametrize("strict", [False, True])
def test_without_a_recording_nothing_fails_and_nothing_is_held_back(strict: bool) -> None:
    story = recorded(strict=strict)
    story.says(RECORDER, m.ReportRecordingFailed, reason="disk_full")
    story.says(DANA, m.GiveConsent, scope="record", granted=False)
    assert (story.state.recording_failed, story.state.held) == (None, False)
    if strict:
        assert story.says(DANA, m.ResumeSharing) == [m.SharingResumed()]
    assert story.says(RECORDER, m.ReportRecordingFailed, reason="disk_full") == []
