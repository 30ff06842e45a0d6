"""The session machine and its recorders: what they report, and who takes over from whom."""

from signaling import messages as m
from signaling.session import Depart, Join, LoseRecorder, Participant
from tests.signaling.story import ALICE, DANA, RECORDER, Story, code


def test_a_segment_is_reported_only_while_recording() -> None:
    story = Story().share(record=True)
    story.system(Join(RECORDER))
    at = story.now
    started = story.says(
        RECORDER, m.ReportSegmentStarted, segment="one", participant="dana", codec="vp8", started_at=at
    )
    assert started == [m.SegmentStarted("one", "dana", "vp8", at)]
    whose = {"segment": "two", "participant": "charlie", "codec": "vp8", "started_at": at}
    assert code(story.says(RECORDER, m.ReportSegmentStarted, **whose)) == "unknown_participant"
    story.says(DANA, m.GiveConsent, scope="record", granted=False)
    late = story.says(
        RECORDER, m.ReportSegmentStarted, segment="two", participant="dana", codec="vp8", started_at=story.now
    )
    assert code(late) == "not_recording"


def test_a_segment_may_be_finished_after_the_end() -> None:
    story = Story().share(record=True)
    story.system(Join(RECORDER))
    story.says(RECORDER, m.ReportSegmentStarted, segment="one", participant="dana", codec="vp8", started_at=story.now)
    story.says(ALICE, m.End, outcome="solved")
    finished = {"segment": "one", "bytes": 10, "duration_ms": 1000, "digest": "0" * 64}
    assert story.says(RECORDER, m.ReportSegmentFinished, **finished) == [m.SegmentFinished("one", 10, 1000, "0" * 64)]
    assert story.says(RECORDER, m.ReportSegmentFinished, **finished) == []


def test_what_a_growing_segment_holds_is_told_until_it_is_finished() -> None:
    story = Story().share(record=True)
    story.system(Join(RECORDER))
    story.says(RECORDER, m.ReportSegmentStarted, segment="one", participant="dana", codec="vp8", started_at=story.now)
    grown = {"segment": "one", "bytes": 65536, "digest": "1" * 64}
    assert story.says(RECORDER, m.ReportSegmentGrown, **grown) == [m.SegmentGrown("one", 65536, "1" * 64)]
    assert code(story.says(RECORDER, m.ReportSegmentGrown, **grown | {"segment": "two"})) == "unknown_segment"
    story.says(RECORDER, m.ReportSegmentFinished, segment="one", bytes=70000, duration_ms=1, digest="0" * 64)
    assert story.says(RECORDER, m.ReportSegmentGrown, **grown) == []


def test_a_recorder_that_dies_is_told_and_the_session_goes_on() -> None:
    story = Story().share(record=True)
    story.system(Join(RECORDER))
    assert story.system(LoseRecorder("lost")) == [m.RecordingFailed("lost")]
    assert (story.state.phase, story.state.recording) == ("sharing", "on")
    another = Participant("recorder-2", "recorder", "Recorder")
    assert story.system(Join(another)) == [
        m.Left("recorder", "replaced"),
        m.Joined("recorder-2", "recorder", "Recorder"),
    ]


def test_a_recorder_that_comes_back_leaves_the_session_to_the_one_that_took_over() -> None:
    story = Story().share(record=True)
    story.system(Join(RECORDER))
    story.says(RECORDER, m.ReportSegmentStarted, segment="one", participant="dana", codec="vp8", started_at=story.now)
    another = Participant("recorder-2", "recorder", "Recorder")
    story.system(Join(another))
    assert story.system(Join(RECORDER)) == []
    assert story.state.those_present("recorder") == ("recorder-2",)
    finished = {"segment": "one", "bytes": 10, "duration_ms": 1000, "digest": "0" * 64}
    assert story.says(RECORDER, m.ReportSegmentFinished, **finished) == [m.SegmentFinished("one", 10, 1000, "0" * 64)]
    story.system(Depart("recorder-2", "lost"))
    assert story.system(Join(RECORDER)) == [m.Joined("recorder", "recorder", "Recorder")]
