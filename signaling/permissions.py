"""Who may send what, and when; and which events are sent to whom."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from signaling import messages as m
from signaling.commands import StoreSnapshot
from signaling.state import Participant, Phase, State

ALIVE: frozenset[Phase] = frozenset({"waiting", "joined", "consent_asked", "sharing", "paused"})
HERE: frozenset[Phase] = frozenset({"joined", "consent_asked", "sharing", "paused"})
SEEN: frozenset[Phase] = frozenset({"sharing", "paused"})
EVER: frozenset[Phase] = ALIVE | {"ended"}

_STAFF: frozenset[m.Role] = frozenset({"agent"})
_CUSTOMER: frozenset[m.Role] = frozenset({"customer"})
_RECORDER: frozenset[m.Role] = frozenset({"recorder"})
_PEOPLE = _STAFF | _CUSTOMER
_VIEWERS = _STAFF | _RECORDER
_ALL = _PEOPLE | _RECORDER

PERMISSIONS: Mapping[type[msgspec.Struct], frozenset[m.Role]] = {
    m.GiveConsent: _CUSTOMER,
    m.AskConsent: _STAFF,
    m.ReleaseControl: _STAFF,
    m.StartSharing: _CUSTOMER,
    m.ChangeSurface: _CUSTOMER,
    m.PauseSharing: _CUSTOMER,
    m.ResumeSharing: _CUSTOMER,
    m.StopSharing: _CUSTOMER,
    m.ShowSurface: _PEOPLE,
    m.Annotate: _PEOPLE,
    m.Erase: _PEOPLE,
    m.Restore: _PEOPLE,
    m.Say: _PEOPLE,
    m.AddNote: _STAFF,
    m.AddBookmark: _STAFF,
    m.ReportPath: _VIEWERS,
    m.StopRecording: _STAFF,
    m.ReportSegmentStarted: _RECORDER,
    m.ReportSegmentGrown: _RECORDER,
    m.ReportSegmentFinished: _RECORDER,
    m.ReportRecordingFailed: _RECORDER,
    m.ReportRecordingRestored: _RECORDER,
    m.Leave: _ALL,
    m.End: _PEOPLE,
    m.Offer: _CUSTOMER | _RECORDER,
    m.Answer: _VIEWERS,
    m.Candidate: _ALL,
    m.Reoffer: _VIEWERS,
    m.Pointer: _PEOPLE,
    m.Drawing: _PEOPLE,
    m.RequestSnapshot: _STAFF,
    m.Control: _STAFF,
    m.AskTiles: _STAFF,
    m.Tiles: _CUSTOMER,
    StoreSnapshot: _PEOPLE,
}
"""Message → the roles that may send it."""

WHEN: Mapping[type[msgspec.Struct], frozenset[Phase]] = {
    m.GiveConsent: HERE,
    m.AskConsent: HERE,
    m.ReleaseControl: SEEN,
    m.StartSharing: frozenset({"consent_asked"}),
    m.ChangeSurface: SEEN,
    m.PauseSharing: frozenset({"sharing"}),
    m.ResumeSharing: frozenset({"paused"}),
    m.StopSharing: SEEN,
    m.ShowSurface: SEEN,
    m.Annotate: SEEN,
    m.Erase: SEEN,
    m.Restore: SEEN,
    m.Say: ALIVE,
    m.AddNote: ALIVE,
    m.AddBookmark: SEEN,
    m.ReportPath: SEEN,
    m.StopRecording: SEEN,
    m.ReportSegmentStarted: SEEN,
    m.ReportSegmentGrown: EVER,
    m.ReportSegmentFinished: EVER,
    m.ReportRecordingFailed: ALIVE,
    m.ReportRecordingRestored: ALIVE,
    m.Leave: EVER,
    m.End: ALIVE,
    m.Offer: SEEN,
    m.Answer: SEEN,
    m.Candidate: SEEN,
    m.Reoffer: SEEN,
    m.Pointer: SEEN,
    m.Drawing: SEEN,
    m.RequestSnapshot: SEEN,
    m.Control: frozenset({"sharing"}),
    m.AskTiles: SEEN,
    m.Tiles: frozenset({"sharing"}),
    StoreSnapshot: SEEN,
}
"""Message → the phases in which it means something."""

STAFF_ONLY: frozenset[type[msgspec.Struct]] = frozenset(
    {m.NoteAdded, m.BookmarkAdded, m.SegmentStarted, m.SegmentGrown, m.SegmentFinished}
)
"""Events that are never sent to the customer."""


def may_see(role: m.Role, body: m.EventBody) -> bool:
    """Whether an event is sent to participants of `role`."""
    return role != "customer" or type(body) not in STAFF_ONLY


class Refusal(NamedTuple):
    """Why a command did nothing: a stable code, and a text that says what to do."""

    code: str
    text: str


ENDED = Refusal("ended", "The session has ended.")


def permitted(state: State, sender: Participant, command: msgspec.Struct) -> Refusal | None:
    """Why this participant may not send this message now, or None when it may."""
    kind = type(command)
    if sender.role not in PERMISSIONS.get(kind, frozenset()):
        return Refusal("forbidden", f"A participant of role {sender.role} may not send this.")
    if state.phase not in WHEN[kind]:
        return ENDED if state.phase == "ended" else Refusal("wrong_phase", f"Not possible while {state.phase}.")
    if sender.id not in state.present and kind not in (m.ReportSegmentGrown, m.ReportSegmentFinished, m.Leave):
        return Refusal("not_present", "Join the session again first.")
    if WHEN[kind] <= SEEN and not state.seen:
        return Refusal("no_consent", "The customer has not agreed to be seen.")
    return None
