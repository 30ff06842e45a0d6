"""Consent to be heard, told as stories: asked for, offered, refused, taken back, and gone with the picture."""

import msgspec
import pytest

from signaling import messages as m
from signaling.session import IllegalEvent, Join, apply
from tests.signaling.story import ALICE, DANA, PICTURE, SCREEN, Story, code


def test_voice_needs_a_yes_of_its_own_and_ends_when_it_is_taken_back() -> None:
    story = Story(ask_recording=False).share()
    assert story.says(ALICE, m.AskConsent, scope="voice") == [m.ConsentAsked("voice")]
    assert story.says(ALICE, m.AskConsent, scope="voice") == []
    assert story.says(DANA, m.GiveConsent, scope="voice", granted=True) == [m.ConsentGiven("voice")]
    assert story.says(DANA, m.GiveConsent, scope="voice", granted=False) == [m.ConsentWithdrawn("voice")]
    assert (story.state.phase, story.state.consents) == ("sharing", {"view": "given"})


def test_a_customer_offers_voice_unasked_and_no_agent_gives_it_for_her() -> None:
    story = Story().share()
    assert code(story.says(ALICE, m.GiveConsent, scope="voice", granted=True)) == "forbidden"
    offered = story.says(DANA, m.GiveConsent, scope="voice", granted=True)
    assert offered == [m.ConsentAsked("voice"), m.ConsentGiven("voice")]


def test_voice_asked_for_before_sharing_waits_for_it_and_a_no_stands() -> None:
    story = Story(ask_recording=False).begin()
    assert story.says(ALICE, m.AskConsent, scope="voice") == [m.ConsentAsked("voice")]
    assert code(story.says(DANA, m.GiveConsent, scope="voice", granted=True)) == "no_media"
    story.says(DANA, m.GiveConsent, scope="view", granted=True)
    story.says(DANA, m.StartSharing, surface=SCREEN)
    assert story.state.consents["voice"] == "asked"
    assert story.says(DANA, m.GiveConsent, scope="voice", granted=False) == [m.ConsentRefused("voice")]
    assert story.says(DANA, m.GiveConsent, scope="voice", granted=False) == []


def test_pictures_carry_no_voice() -> None:
    story = Story(ask_recording=False).begin()
    story.says(ALICE, m.AskConsent, scope="voice")
    story.says(DANA, m.GiveConsent, scope="view", granted=True)
    assert story.says(DANA, m.StartSharing, surface=PICTURE) == [m.SharingStarted(PICTURE), m.ConsentRefused("voice")]
    assert code(story.says(ALICE, m.AskConsent, scope="voice")) == "no_media"
    assert code(story.says(DANA, m.GiveConsent, scope="voice", granted=True)) == "no_media"


def test_voice_ends_with_the_sharing_and_no_reconnect_brings_it_back() -> None:
    story = Story().share()
    story.says(DANA, m.GiveConsent, scope="voice", granted=True)
    assert story.system(Join(DANA)) == []
    assert story.state.consents["voice"] == "given"
    story.says(DANA, m.StopSharing)
    story.says(DANA, m.GiveConsent, scope="view", granted=True)
    story.says(DANA, m.StartSharing, surface=msgspec.structs.replace(SCREEN, id="again"))
    assert "voice" not in story.state.consents


def test_a_timeline_with_voice_and_no_picture_is_none() -> None:
    story = Story().begin()
    with pytest.raises(IllegalEvent):
        apply(story.state, m.Event(story.state.seq + 1, story.now, "dana", m.ConsentGiven("voice")))
