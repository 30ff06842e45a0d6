"""The session machine, told as stories: no event loop, no clock, nothing but commands and what becomes of them."""

import msgspec
import pytest

from annotate.board import AnnotationAdded, AnnotationsErased, AnnotationsRestored
from annotate.shapes import Annotation, Box
from signaling import messages as m
from signaling.session import (
    MAX_DIRECT_VIEWERS,
    MAX_SURFACES,
    MAX_VIEWERS,
    PERMISSIONS,
    WHEN,
    Assign,
    Depart,
    IllegalEvent,
    Join,
    Participant,
    StoreSnapshot,
    apply,
    fold,
    may_see,
)
from tests.signaling.story import ALICE, BOB, DANA, PICTURE, RECORDER, SCREEN, Story, code


def mark(name: str = "box", surface: str = "screen") -> Annotation:
    return Annotation(name, surface, "#e5484d", 0.003, False, Box((0.1, 0.1), (0.2, 0.2)))


def test_the_customer_is_asked_as_soon_as_both_are_there() -> None:
    story = Story()
    before = story.state
    assert before.phase == "waiting"
    story.system(Assign("alice", "Alice"))
    bodies = story.system(Join(DANA))
    assert bodies == [m.Joined("dana", "customer", "Dana"), m.ConsentAsked("view"), m.ConsentAsked("record")]
    assert story.state.phase == "consent_asked"
    assert story.state.recording == "asked"


def test_a_customer_who_came_unasked_waits_until_an_agent_takes_the_session() -> None:
    story = Story(ask_recording=False)
    assert story.system(Join(DANA)) == [m.Joined("dana", "customer", "Dana")]
    assert code(story.says(DANA, m.GiveConsent, scope="view", granted=True)) == "no_agent"
    assert story.system(Assign("alice", "Alice")) == [m.AgentAssigned("alice", "Alice"), m.ConsentAsked("view")]


def test_yes_and_a_chosen_screen_make_a_live_session() -> None:
    story = Story().share()
    assert story.state.phase == "sharing"
    assert story.state.recording == "refused"
    assert story.state.surface == SCREEN


def test_nobody_shares_without_having_agreed() -> None:
    story = Story().begin()
    assert code(story.says(DANA, m.StartSharing, surface=SCREEN)) == "no_consent"


def test_no_means_no_and_may_be_asked_again() -> None:
    story = Story().begin()
    assert story.says(DANA, m.GiveConsent, scope="view", granted=False) == [m.ConsentRefused("view")]
    refused = story.state
    assert refused.phase == "joined"
    assert code(story.says(DANA, m.StartSharing, surface=SCREEN)) == "wrong_phase"
    assert story.says(ALICE, m.AskConsent, scope="view") == [m.ConsentAsked("view")]
    assert story.state.phase == "consent_asked"


def test_recording_starts_only_with_its_own_consent() -> None:
    story = Story().share()
    before = story.state
    assert before.recording == "refused"
    assert story.says(ALICE, m.AskConsent, scope="record") == [m.ConsentAsked("record")]
    given = story.says(DANA, m.GiveConsent, scope="record", granted=True)
    assert given == [m.ConsentGiven("record"), m.RecordingStarted()]
    assert story.state.recording == "on"


def test_consent_given_beforehand_starts_the_recording_with_the_sharing() -> None:
    story = Story().share(record=True)
    assert [type(e.body) for e in story.events[-2:]] == [m.SharingStarted, m.RecordingStarted]


def test_taking_back_consent_to_recording_stops_the_recording_and_not_the_sharing() -> None:
    story = Story().share(record=True)
    story.system(Join(RECORDER))
    back = story.says(DANA, m.GiveConsent, scope="record", granted=False)
    assert back == [m.RecordingStopped(), m.ConsentWithdrawn("record")]
    assert (story.state.phase, story.state.recording) == ("sharing", "off")
    assert code(story.relays(DANA, m.Offer("recorder", "c", "sdp"))) == "not_relayed"


def test_stop_ends_every_consent() -> None:
    story = Story().share(record=True)
    assert story.says(DANA, m.StopSharing) == [m.RecordingStopped(), m.SharingStopped()]
    assert (story.state.phase, story.state.consents) == ("joined", {})
    assert code(story.relays(DANA, m.Offer("alice", "c", "sdp"))) == "wrong_phase"


def test_to_share_again_is_to_agree_again() -> None:
    story = Story().share()
    story.says(DANA, m.StopSharing)
    assert code(story.says(DANA, m.StartSharing, surface=PICTURE)) == "wrong_phase"
    again = story.says(DANA, m.GiveConsent, scope="view", granted=True)
    assert again == [m.ConsentAsked("view"), m.ConsentGiven("view")]
    assert story.says(DANA, m.StartSharing, surface=PICTURE) == [m.SharingStarted(PICTURE)]


def test_a_customer_who_is_gone_past_the_grace_takes_all_consent_along() -> None:
    story = Story().share(record=True)
    gone = story.system(Depart("dana", "lost"))
    assert gone == [m.RecordingStopped(), m.SharingStopped(), m.Left("dana", "lost")]
    assert (story.state.phase, story.state.consents) == ("waiting", {})


def test_a_reconnect_within_the_grace_changes_nothing() -> None:
    story = Story().share()
    before = story.state
    assert story.system(Join(DANA)) == []
    assert story.state == before


def test_a_second_customer_replaces_the_first_and_is_asked_anew() -> None:
    story = Story(ask_recording=False).share()
    bodies = story.system(Join(Participant("dana-2", "customer", "Dana")))
    assert bodies == [
        m.SharingStopped(),
        m.Left("dana", "replaced"),
        m.Joined("dana-2", "customer", "Dana"),
        m.ConsentAsked("view"),
    ]
    assert story.state.customer == "dana-2"


def test_pause_and_resume_keep_the_consent() -> None:
    story = Story().share()
    assert story.says(DANA, m.PauseSharing) == [m.SharingPaused()]
    assert code(story.says(DANA, m.PauseSharing)) == "wrong_phase"
    assert story.says(DANA, m.ResumeSharing) == [m.SharingResumed()]
    assert story.state.consents["view"] == "given"


def test_only_the_customer_shares_and_only_staff_takes_notes() -> None:
    story = Story().share()
    assert code(story.says(ALICE, m.StopSharing)) == "forbidden"
    assert code(story.says(DANA, m.AddNote, text="hm")) == "forbidden"
    assert code(story.says(RECORDER, m.Say, text="hello")) == "forbidden"


def test_notes_and_bookmarks_are_never_sent_to_the_customer() -> None:
    assert not may_see("customer", m.NoteAdded("difficult"))
    assert not may_see("customer", m.BookmarkAdded("the trick", 1))
    assert may_see("agent", m.NoteAdded("difficult"))
    assert may_see("customer", m.ChatSaid("hello"))


def test_a_bookmark_keeps_the_moment_that_was_meant_if_it_can_have_been() -> None:
    story = Story().share()
    opened, meant = story.events[0].at, story.now - 1500
    for at, kept in ((meant, meant), (1, opened), (2**53, story.now + 3000)):
        assert story.says(ALICE, m.AddBookmark, title="Here", at=at) == [m.BookmarkAdded("Here", kept)]


def test_ink_goes_on_what_is_shared_and_is_undone_by_its_author() -> None:
    story = Story().share()
    story.system(Join(BOB))
    assert story.says(ALICE, m.Annotate, annotation=mark()) == [AnnotationAdded(mark())]
    assert code(story.says(ALICE, m.Annotate, annotation=mark())) == "annotation_known"
    assert code(story.says(ALICE, m.Annotate, annotation=mark("other", "elsewhere"))) == "unknown_surface"
    assert story.says(DANA, m.Erase, annotations=["box"]) == []
    assert story.says(ALICE, m.Erase, annotations=["box", "nothing"]) == [AnnotationsErased(["box"])]
    assert story.says(ALICE, m.Restore, annotations=["box"]) == [AnnotationsRestored(["box"])]


def test_any_agent_may_clear_all() -> None:
    story = Story().share()
    story.system(Join(BOB))
    story.says(DANA, m.Annotate, annotation=mark("hers"))
    assert story.says(BOB, m.Erase, annotations=["hers"]) == [AnnotationsErased(["hers"])]


def test_a_frozen_frame_is_a_surface_of_its_own() -> None:
    story = Story().share()
    assert code(story.says(ALICE, m.ShowSurface, surface="frozen")) == "unknown_surface"
    frozen = m.Surface("frozen", "picture", "", 1920, 1080)
    assert story.step(ALICE, StoreSnapshot(frozen, None, "d")) == [m.SnapshotTaken(frozen, None, "d")]
    assert story.says(ALICE, m.ShowSurface, surface="frozen") == [m.SurfaceShown("frozen")]
    assert story.says(ALICE, m.Annotate, annotation=mark("on-it", "frozen")) == [
        AnnotationAdded(mark("on-it", "frozen"))
    ]
    assert story.says(ALICE, m.ShowSurface, surface=None) == [m.SurfaceShown(None)]


def test_a_picture_is_shared_without_media_and_without_recording() -> None:
    story = Story().begin()
    story.says(DANA, m.GiveConsent, scope="view", granted=True)
    story.says(DANA, m.GiveConsent, scope="record", granted=True)
    assert story.says(DANA, m.StartSharing, surface=PICTURE) == [m.SharingStarted(PICTURE)]
    assert story.state.recording == "asked"


def test_a_snapshot_needs_live_consent() -> None:
    story = Story().begin()
    assert code(story.step(DANA, StoreSnapshot(PICTURE, None, ""))) == "wrong_phase"


def test_media_flows_only_between_the_customer_and_a_viewer() -> None:
    story = Story().share(record=True)
    story.system(Join(BOB))
    story.system(Join(RECORDER))
    assert story.relays(DANA, m.Offer("alice", "c", "sdp")) == ("alice",)
    assert story.relays(DANA, m.Offer("recorder", "c", "sdp")) == ("recorder",)
    assert story.relays(ALICE, m.Answer("dana", "c", "sdp")) == ("dana",)
    assert code(story.relays(ALICE, m.Offer("dana", "c", "sdp"))) == "forbidden"
    assert code(story.relays(ALICE, m.Answer("bob", "c", "sdp"))) == "forbidden"
    assert code(story.relays(ALICE, m.Candidate("bob", "c", "", None, None))) == "forbidden"
    assert code(story.relays(DANA, m.Offer("charlie", "c", "sdp"))) == "gone"


def test_one_to_one_and_not_recorded_nothing_goes_through_a_recorder() -> None:
    story = Story().share()
    story.system(Join(RECORDER))
    before = story.state
    assert not before.relayed
    assert code(story.relays(DANA, m.Offer("recorder", "c", "sdp"))) == "not_relayed"
    assert code(story.relays(RECORDER, m.Offer("alice", "c", "sdp"))) == "not_relayed"
    assert code(story.says(ALICE, m.ReportPath, path="recorder")) == "not_relayed"
    story.system(Join(BOB))
    assert story.state.relayed
    story.says(DANA, m.ChangeSurface, surface=PICTURE)
    assert not story.state.relayed


def test_the_recorder_passes_on_what_the_customer_sends_it_and_offers_to_agents_alone() -> None:
    story = Story().share(record=True)
    assert not story.state.relayed
    story.system(Join(RECORDER))
    assert story.relays(RECORDER, m.Answer("dana", "c", "sdp")) == ("dana",)
    assert story.relays(RECORDER, m.Offer("alice", "d", "sdp")) == ("alice",)
    assert story.relays(ALICE, m.Answer("recorder", "d", "sdp")) == ("recorder",)
    assert story.relays(ALICE, m.Reoffer("recorder")) == ("recorder",)
    assert story.relays(RECORDER, m.Candidate("alice", "d", "", None, None)) == ("alice",)
    assert code(story.relays(RECORDER, m.Offer("dana", "c", "sdp"))) == "forbidden"
    assert code(story.relays(RECORDER, m.Answer("alice", "c", "sdp"))) == "forbidden"
    assert code(story.relays(DANA, m.Reoffer("recorder"))) == "forbidden"


def test_the_timeline_tells_each_change_of_path_once_and_forgets_it_with_the_sharing() -> None:
    story = Story().share(record=True)
    story.system(Join(RECORDER))
    assert story.says(ALICE, m.ReportPath, path="direct") == [m.PathChanged("alice", "direct")]
    assert story.says(ALICE, m.ReportPath, path="recorder") == [m.PathChanged("alice", "recorder")]
    assert story.says(ALICE, m.ReportPath, path="recorder") == []
    before = story.state
    assert before.paths == {"alice": "recorder"}
    story.system(Depart("recorder", "lost"))
    assert story.state.paths == {}
    story.says(ALICE, m.ReportPath, path="direct")
    story.system(Depart("alice", "left"))
    assert story.state.paths == {}
    story.system(Join(ALICE))
    story.says(ALICE, m.ReportPath, path="direct")
    story.says(DANA, m.StopSharing)
    assert story.state.paths == {}


def test_a_customers_browser_serves_four_and_a_recorder_twenty_five() -> None:
    story = Story().share()
    others = [Participant(f"agent-{number}", "agent", "Bob") for number in range(MAX_VIEWERS)]
    for other in others[: MAX_DIRECT_VIEWERS - 1]:
        story.system(Join(other))
    assert code(story.system(Join(others[-1]))) == "full"
    story.system(Join(RECORDER))
    for other in others[MAX_DIRECT_VIEWERS - 1 : -1]:
        assert story.system(Join(other)) == [m.Joined(other.id, "agent", "Bob")]
    assert code(story.system(Join(others[-1]))) == "full"


def test_pointers_reach_everybody_but_the_recorder() -> None:
    story = Story().share(record=True)
    story.system(Join(BOB))
    story.system(Join(RECORDER))
    assert set(story.relays(ALICE, m.Pointer("screen", 0.5, 0.5, True))) == {"bob", "dana"}
    assert code(story.relays(ALICE, m.Pointer("elsewhere", 0.5, 0.5, True))) == "unknown_surface"


def test_the_end_stops_everything_first() -> None:
    story = Story().share(record=True)
    end = story.says(ALICE, m.End, outcome="solved")
    assert end == [m.RecordingStopped(), m.SharingStopped(), m.SessionEnded("solved")]
    assert code(story.says(DANA, m.Say, text="wait")) == "ended"
    assert code(story.system(Join(DANA))) == "ended"


def test_a_fifth_agent_is_turned_away() -> None:
    story = Story().begin()
    for name in ("bob", "carol", "erin"):
        story.system(Join(Participant(name, "agent", name)))
    assert code(story.system(Join(Participant("frank", "agent", "Frank")))) == "full"


def test_who_is_not_in_the_session_says_nothing() -> None:
    story = Story().share()
    assert code(story.says(BOB, m.Say, text="hello")) == "not_present"


def test_the_session_is_the_fold_of_its_timeline() -> None:
    story = Story().share(record=True)
    story.says(ALICE, m.Annotate, annotation=mark())
    assert fold(story.events) == story.state


@pytest.mark.parametrize("body", [m.SharingStarted(SCREEN), m.RecordingStarted(), m.SharingPaused()])
def test_an_event_without_a_place_in_the_tables_cannot_be_applied(body: m.EventBody) -> None:
    story = Story().begin()
    with pytest.raises(IllegalEvent):
        apply(story.state, m.Event(story.state.seq + 1, story.now, "dana", body))


def test_an_event_out_of_order_cannot_be_applied() -> None:
    story = Story().begin()
    with pytest.raises(IllegalEvent):
        apply(story.state, m.Event(story.state.seq + 2, story.now, "dana", m.ChatSaid("hi")))


def test_every_message_has_its_senders_and_its_phases() -> None:
    sent = {*m.DurableMessage.__args__, *m.Relayed.__args__, StoreSnapshot}
    assert set(PERMISSIONS) == set(WHEN) == sent


def test_no_more_surfaces_are_shared_than_a_session_holds() -> None:
    story = Story().share()
    for number in range(MAX_SURFACES):
        answer = story.says(DANA, m.ChangeSurface, surface=msgspec.structs.replace(SCREEN, id=f"window-{number}"))
    assert code(answer) == "too_many_surfaces"
    assert len(story.state.surfaces) == MAX_SURFACES
    assert story.says(DANA, m.ChangeSurface, surface=SCREEN) == [m.SurfaceChanged(SCREEN)]
