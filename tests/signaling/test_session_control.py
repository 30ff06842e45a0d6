"""Consent to be controlled, as stories: asked for by one agent, granted to that one, and gone with the least doubt."""

from collections.abc import Callable

import msgspec
import pytest

from signaling import messages as m
from signaling.session import Depart, IllegalEvent, Join, LoseRecorder, Refusal, apply
from tests.signaling.story import ALICE, BOB, DANA, PICTURE, SCREEN, Story, code

WITHDRAWN = m.ConsentWithdrawn("control")
CLICK = m.Control("screen", [m.MovePointer(0.5, 0.5), m.PressButton("left"), m.ReleaseButton("left")])


def shared(*, strict_recording: bool = False, record: bool = False) -> Story:
    """Dana shares a desktop through a program that can be controlled; the server allows it; Bob is there as well."""
    story = Story(allow_control=True, strict_recording=strict_recording).share(record=record, controllable=True)
    story.system(Join(BOB))
    return story


def controlled(*, strict_recording: bool = False, record: bool = False) -> Story:
    story = shared(strict_recording=strict_recording, record=record)
    assert story.says(ALICE, m.AskConsent, scope="control") == [m.ConsentAsked("control")]
    assert story.says(DANA, m.GiveConsent, scope="control", granted=True) == [m.ConsentGiven("control")]
    return story


def test_control_is_asked_for_by_an_agent_and_granted_to_that_one_alone() -> None:
    story = shared()
    assert code(story.says(DANA, m.GiveConsent, scope="control", granted=True)) == "not_asked"
    assert code(story.relays(ALICE, CLICK)) == "no_control"
    story.says(ALICE, m.AskConsent, scope="control")
    assert code(story.relays(ALICE, CLICK)) == "no_control"
    assert code(story.says(BOB, m.AskConsent, scope="control")) == "control_taken"
    assert story.says(ALICE, m.AskConsent, scope="control") == []
    story.says(DANA, m.GiveConsent, scope="control", granted=True)
    assert story.state.controlled_by == "alice"
    assert story.relays(ALICE, CLICK) == ("dana",)
    assert code(story.relays(BOB, CLICK)) == "no_control"
    assert code(story.relays(DANA, CLICK)) == "forbidden"


def test_a_no_stands_until_somebody_asks_again() -> None:
    story = shared()
    story.says(ALICE, m.AskConsent, scope="control")
    assert story.says(DANA, m.GiveConsent, scope="control", granted=False) == [m.ConsentRefused("control")]
    assert code(story.says(DANA, m.GiveConsent, scope="control", granted=True)) == "not_asked"
    story.says(BOB, m.AskConsent, scope="control")
    story.says(DANA, m.GiveConsent, scope="control", granted=True)
    assert story.state.controlled_by == "bob"


def test_input_reaches_only_what_is_shared_now() -> None:
    story = controlled()
    assert code(story.relays(ALICE, m.Control("other", []))) == "unknown_surface"
    smaller = msgspec.structs.replace(SCREEN, width=1280, height=720)
    assert story.says(DANA, m.ChangeSurface, surface=smaller, controllable=True) == [m.SurfaceChanged(smaller, True)]
    assert story.relays(ALICE, CLICK) == ("dana",)


@pytest.mark.parametrize(
    ("end", "becomes"),
    [
        (lambda s: s.says(DANA, m.GiveConsent, scope="control", granted=False), [WITHDRAWN]),
        (lambda s: s.says(ALICE, m.ReleaseControl), [WITHDRAWN]),
        (lambda s: s.says(BOB, m.ReleaseControl), [WITHDRAWN]),
        (lambda s: s.says(DANA, m.PauseSharing), [WITHDRAWN, m.SharingPaused()]),
        (lambda s: s.says(DANA, m.StopSharing), [WITHDRAWN, m.SharingStopped()]),
        (lambda s: s.says(ALICE, m.Leave), [WITHDRAWN, m.Left("alice", "left")]),
        (lambda s: s.system(Depart("alice", "lost")), [WITHDRAWN, m.Left("alice", "lost")]),
        (lambda s: s.says(DANA, m.Leave), [WITHDRAWN, m.SharingStopped(), m.Left("dana", "left")]),
        (lambda s: s.says(ALICE, m.End, outcome=None), [WITHDRAWN, m.SharingStopped(), m.SessionEnded(None)]),
        (
            lambda s: s.says(DANA, m.ChangeSurface, surface=PICTURE, controllable=True),
            [WITHDRAWN, m.SurfaceChanged(PICTURE, True)],
        ),
        (lambda s: s.says(DANA, m.ChangeSurface, surface=SCREEN), [WITHDRAWN, m.SurfaceChanged(SCREEN)]),
    ],
)
def test_whatever_interrupts_the_sharing_ends_control_and_the_timeline_says_so(
    end: Callable[[Story], object], becomes: list[m.EventBody]
) -> None:
    story = controlled()
    assert end(story) == becomes
    assert "control" not in story.state.consents
    assert isinstance(story.relays(ALICE, CLICK), Refusal)


def test_a_question_that_nobody_answered_ends_the_same_way() -> None:
    story = shared()
    story.says(ALICE, m.AskConsent, scope="control")
    assert story.says(DANA, m.PauseSharing) == [WITHDRAWN, m.SharingPaused()]
    story.says(DANA, m.ResumeSharing)
    assert code(story.says(DANA, m.GiveConsent, scope="control", granted=True)) == "not_asked"


def test_a_recording_that_must_not_fail_ends_control_with_the_pause() -> None:
    story = controlled(strict_recording=True, record=True)
    failed = story.system(LoseRecorder("disk_full"))
    assert failed == [m.RecordingFailed("disk_full"), WITHDRAWN, m.SharingPaused()]
    assert story.says(ALICE, m.ReleaseControl) == []


def test_nothing_is_agreed_to_while_an_agent_has_the_keyboard() -> None:
    story = controlled()
    story.says(ALICE, m.AskConsent, scope="record")
    assert code(story.says(DANA, m.GiveConsent, scope="record", granted=True)) == "in_control"
    story.says(DANA, m.GiveConsent, scope="control", granted=False)
    agreed = story.says(DANA, m.GiveConsent, scope="record", granted=True)
    assert agreed == [m.ConsentGiven("record"), m.RecordingStarted()]


def test_a_reconnect_keeps_control_and_another_agents_leave_does_not_end_it() -> None:
    story = controlled()
    assert story.system(Join(ALICE)) == []
    assert story.says(BOB, m.Leave) == [m.Left("bob", "left")]
    assert story.state.controlled_by == "alice"


def test_nothing_but_a_desktop_that_is_shared_right_now_can_be_asked_for() -> None:
    off = Story().share(controllable=True)
    assert code(off.says(ALICE, m.AskConsent, scope="control")) == "control_off"
    browser = Story(allow_control=True).share()
    assert code(browser.says(ALICE, m.AskConsent, scope="control")) == "not_controllable"
    paused = shared()
    paused.says(DANA, m.PauseSharing)
    assert code(paused.says(ALICE, m.AskConsent, scope="control")) == "not_controllable"
    assert code(paused.relays(ALICE, CLICK)) == "wrong_phase"
    early = Story(allow_control=True).begin()
    assert code(early.says(ALICE, m.AskConsent, scope="control")) == "not_controllable"


def test_a_timeline_with_control_of_nothing_is_none() -> None:
    story = Story(allow_control=True).begin()
    with pytest.raises(IllegalEvent):
        apply(story.state, m.Event(story.state.seq + 1, story.now, "dana", m.ConsentGiven("control")))
