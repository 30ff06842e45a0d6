"""A timeline of which words were erased: its chain still holds, and everything that folds it still works."""

import msgspec
from hypothesis import given, strategies as st

from annotate.shapes import Annotation, Stroke
from signaling import messages as m
from signaling.session import INITIAL, Join, decide, fold
from signaling.timeline import GENESIS, Sealed, event_type, seal, verify
from tests.signaling.story import ALICE, DANA, RECORDER, SCREEN, Story


def told() -> list[m.Event]:
    """A session with something of everything, from its opening to its end."""
    story = Story().share(record=True)
    story.system(Join(RECORDER))
    story.says(RECORDER, m.ReportSegmentStarted, segment="s", participant="dana", codec="VP9", started_at=story.now)
    story.says(DANA, m.Say, text="My PIN is 1234")
    ink = Annotation("ink", SCREEN.id, "#d9480f", 0.004, False, Stroke([(0.1, 0.1), (0.2, 0.2)]))
    story.says(ALICE, m.Annotate, annotation=ink)
    story.says(ALICE, m.Erase, annotations=["ink"])
    story.says(DANA, m.PauseSharing)
    story.says(DANA, m.ResumeSharing)
    story.says(DANA, m.Leave)
    story.says(ALICE, m.End, outcome="solved")
    story.says(RECORDER, m.ReportSegmentFinished, segment="s", bytes=1, duration_ms=1000, digest="0" * 64)
    return story.events


EVENTS = told()
KINDS = {type(event.body) for event in EVENTS}
ERASED = st.sets(st.sampled_from([event.seq for event in EVENTS if not isinstance(event.body, m.SessionEnded)]))


def erase(events: list[m.Event], numbers: set[int]) -> list[m.Event]:
    """The events as they are read when the bodies of these numbers are gone."""
    return [
        msgspec.structs.replace(e, body=m.BodyErased(event_type(e.body))) if e.seq in numbers else e for e in events
    ]


@given(ERASED)
def test_an_ended_session_folds_to_its_end_whatever_was_erased(numbers: set[int]) -> None:
    state = fold(erase(EVENTS, numbers))
    assert (state.phase, state.seq, state.outcome) == ("ended", len(EVENTS), "solved")
    assert not state.seen and not state.present
    assert decide(state, ALICE, m.Say("again", "Hello?"), 0) == decide(fold(EVENTS), ALICE, m.Say("again", "Hello?"), 0)


def test_what_is_not_erased_is_folded_as_before() -> None:
    assert {m.SegmentStarted, m.SegmentFinished, m.ChatSaid, m.AnnotationAdded, m.ConsentGiven} <= KINDS
    words = {event.seq for event in EVENTS if isinstance(event.body, m.ChatSaid)}
    state, whole = fold(erase(EVENTS, words)), fold(EVENTS)
    assert state.erased and not whole.erased
    assert state.segments == whole.segments == {"s": True}
    assert fold([], INITIAL) == INITIAL


@given(ERASED)
def test_the_chain_of_an_erased_timeline_holds_and_still_shows_any_other_change(numbers: set[int]) -> None:
    chain: list[Sealed] = []
    previous = GENESIS
    for event in EVENTS:
        link = seal("session", event, previous, bytes(16))
        previous = link.hash
        gone = {"body": None, "salt": None} if event.seq in numbers else {}
        chain.append(msgspec.structs.replace(link, **gone))
    assert verify("session", chain) is None
    for number in numbers:
        forged = list(chain)
        forged[number - 1] = msgspec.structs.replace(chain[number - 1], body='{"type":"chat_said","text":"x"}')
        fault = verify("session", forged)
        assert fault is not None and fault.seq == number
