"""The state of a session, and how each event changes it.

What may follow what stands in `PHASES` and `RECORDING`: an event that has no entry there cannot be applied, so
recording without consent, or a picture after the end, is not forbidden but impossible.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from annotate.board import AnnotationAdded, AnnotationsErased, AnnotationsRestored, Board
from signaling import messages as m

Phase = Literal["waiting", "joined", "consent_asked", "sharing", "paused", "ended"]
Recording = Literal["off", "asked", "on", "refused"]
Answered = Literal["asked", "given", "refused"]


class Participant(msgspec.Struct, frozen=True):
    """Who a connection speaks for."""

    id: str
    role: m.Role
    name: str


class IllegalEvent(ValueError):
    """An event that no table allows here: the timeline is not one that this machine wrote."""


class State(msgspec.Struct, frozen=True):
    """A session as it stands after its events up to `seq`."""

    seq: int = 0
    opened_at: int = 0
    phase: Phase = "waiting"
    recording: Recording = "off"
    consents: Mapping[m.Scope, Answered] = {}
    organization: str = ""
    subject: str = ""
    ask_recording: bool = False
    strict_recording: bool = False
    allow_control: bool = False
    recording_failed: str | None = None
    """Why the recorder cannot write at the moment, as a short code."""
    held: bool = False
    """Sharing is paused because recording failed, and goes on with it."""
    agent: str | None = None
    agent_name: str | None = None
    participants: Mapping[str, Participant] = {}
    present: frozenset[str] = frozenset()
    surface: m.Surface | None = None
    surfaces: Mapping[str, m.Surface] = {}
    snapshots: Mapping[str, m.Surface] = {}
    shown: str | None = None
    controllable: bool = False
    """Whether the customer's program could pass input on to the surface."""
    controller: str | None = None
    """The agent who asked for control last."""
    segments: Mapping[str, bool] = {}
    paths: Mapping[str, m.Path] = {}
    board: Board = Board()
    outcome: m.Outcome | None = None
    erased: bool = False
    """Whether bodies are missing: what they said is not known, so the tables cannot be held against what remains."""

    @property
    def customer(self) -> str | None:
        """The id of the customer who is present."""
        return next(iter(self.those_present("customer")), None)

    @property
    def seen(self) -> bool:
        """Whether view consent is live and something is shared: the one condition of everything about the picture."""
        return self.phase in ("sharing", "paused") and self.consents.get("view") == "given"

    @property
    def may_be_controlled(self) -> bool:
        """Whether an agent may ask for control, and the customer grant it: only of a desktop that is seen right now."""
        desktop = self.surface is not None and self.surface.kind in ("monitor", "window")
        return self.phase == "sharing" and self.seen and self.allow_control and self.controllable and desktop

    @property
    def controlled_by(self) -> str | None:
        """The agent whose input goes to what is shared."""
        return self.controller if self.may_be_controlled and self.consents.get("control") == "given" else None

    @property
    def relayed(self) -> bool:
        """Whether the customer's picture goes to its viewers through the recorder.

        For what is recorded it goes there anyway, and for two viewers it is encoded once. One to one and not recorded,
        it stays between the two.
        """
        live = self.seen and self.surface is not None and self.surface.kind != "picture"
        return live and self.wants_recorder and bool(self.those_present("recorder"))

    @property
    def must_hold(self) -> bool:
        """Whether nothing may be shared now, because it would not be recorded."""
        return self.strict_recording and self.recording == "on" and self.recording_failed is not None

    @property
    def wants_recorder(self) -> bool:
        """Whether there is anything for a recorder to do: to write, or to hand on to several agents."""
        return self.recording == "on" or len(self.those_present("agent")) > 1

    def those_present(self, *roles: m.Role) -> tuple[str, ...]:
        """Ids of the participants of these roles who are present, in the order in which they first came."""
        return tuple(p.id for p in self.participants.values() if p.id in self.present and p.role in roles)


INITIAL = State()

PHASES: Mapping[Phase, Mapping[str, Phase]] = {
    "waiting": {"customer_joined": "joined", "session_ended": "ended"},
    "joined": {"view_asked": "consent_asked", "customer_left": "waiting", "session_ended": "ended"},
    "consent_asked": {
        "view_given": "consent_asked",
        "view_refused": "joined",
        "view_withdrawn": "joined",
        "sharing_started": "sharing",
        "customer_left": "waiting",
        "session_ended": "ended",
    },
    "sharing": {"sharing_paused": "paused", "sharing_stopped": "joined"},
    "paused": {"sharing_resumed": "sharing", "sharing_stopped": "joined"},
    "ended": {},
}
"""Phase, what happens → the next phase. Leaving and ending first stop what is shared."""

RECORDING: Mapping[Recording, Mapping[str, Recording]] = {
    "off": {"record_asked": "asked", "record_withdrawn": "off", "sharing_stopped": "off", "customer_left": "off"},
    "asked": {
        "record_asked": "asked",
        "record_given": "asked",
        "record_refused": "refused",
        "record_withdrawn": "off",
        "recording_started": "on",
        "sharing_stopped": "off",
        "customer_left": "off",
    },
    "on": {"recording_stopped": "off"},
    "refused": {"record_asked": "asked", "sharing_stopped": "off", "customer_left": "off"},
}
"""Recording, what happens → recording. It starts from `asked` alone, and only with consent (see `apply`)."""


def trigger(state: State, body: m.EventBody) -> str | None:
    """The name under which an event stands in `PHASES` and `RECORDING`; None when it changes neither."""
    match body:
        case m.Joined(role="customer"):
            return "customer_joined"
        case m.Left(participant) if participant == state.customer:
            return "customer_left"
        case m.ConsentAsked(scope) if scope in ("view", "record"):
            return f"{scope}_asked"
        case m.ConsentGiven(scope) if scope in ("view", "record"):
            return f"{scope}_given"
        case m.ConsentRefused(scope) if scope in ("view", "record"):
            return f"{scope}_refused"
        case m.ConsentWithdrawn(scope) if scope in ("view", "record"):
            return f"{scope}_withdrawn"
        case m.SharingStarted():
            return "sharing_started"
        case m.SharingPaused():
            return "sharing_paused"
        case m.SharingResumed():
            return "sharing_resumed"
        case m.SharingStopped():
            return "sharing_stopped"
        case m.RecordingStarted():
            return "recording_started"
        case m.RecordingStopped():
            return "recording_stopped"
        case m.SessionEnded():
            return "session_ended"
        case _:
            return None


_PHASE_TRIGGERS = frozenset(name for row in PHASES.values() for name in row)
_RECORDING_TRIGGERS = frozenset(name for row in RECORDING.values() for name in row)


_LASTING = (m.Joined, m.SegmentStarted, m.SegmentFinished, m.SessionEnded)
"""What can be folded without knowing what was before; the session has ended anyway."""


def apply(state: State, event: m.Event) -> State:
    """The state after `event`; raises `IllegalEvent` when the tables have no place for it."""
    if event.seq != state.seq + 1:
        raise IllegalEvent(f"event {event.seq} after {state.seq}")
    if isinstance(event.body, m.BodyErased):
        return msgspec.structs.replace(state, seq=event.seq, erased=True)
    name = trigger(state, event.body)
    phase, recording = state.phase, state.recording
    if state.erased:
        phase = "ended" if name == "session_ended" else phase
        kept = _changes(state, event) if isinstance(event.body, _LASTING) else {}
        return msgspec.structs.replace(state, seq=event.seq, phase=phase, **kept)
    try:
        if name in _PHASE_TRIGGERS:
            phase = PHASES[phase][name]
        if name in _RECORDING_TRIGGERS:
            recording = RECORDING[recording][name]
    except KeyError:
        raise IllegalEvent(f"{name} while {state.phase}, recording {state.recording}") from None
    if name == "sharing_started" and state.consents.get("view") != "given":
        raise IllegalEvent("sharing without consent")
    if name == "recording_started" and not (state.seen and state.consents.get("record") == "given"):
        raise IllegalEvent("recording without consent")
    if event.body == m.ConsentGiven("voice") and not state.seen:
        raise IllegalEvent("voice without a live picture")
    if event.body == m.ConsentGiven("control") and not state.may_be_controlled:
        raise IllegalEvent("control of what is not shared")
    changed = _changes(state, event)
    return msgspec.structs.replace(state, seq=event.seq, phase=phase, recording=recording, **changed)


def _changes(state: State, event: m.Event) -> dict[str, object]:
    match event.body:
        case m.SessionOpened(organization, subject, ask_recording, strict_recording, allow_control):
            opened: dict[str, object] = {"organization": organization, "subject": subject}
            policy = {"ask_recording": ask_recording, "strict_recording": strict_recording}
            return opened | policy | {"allow_control": allow_control, "opened_at": event.at}
        case m.AgentAssigned(user, name):
            return {"agent": user, "agent_name": name}
        case m.Joined(participant, role, name):
            known = {**state.participants, participant: Participant(participant, role, name)}
            return {"participants": known, "present": state.present | {participant}}
        case m.Left(participant):
            gone: dict[str, object] = {"present": state.present - {participant}}
            # With the recorder goes what it passed on: until they say so again, nobody's picture comes that way.
            ended = "recorder" if state.participants[participant].role == "recorder" else None
            gone |= {"paths": {i: path for i, path in state.paths.items() if i != participant and path != ended}}
            return gone | ({"consents": {}} if participant == state.customer else {})
        case m.ConsentAsked(scope):
            asked: dict[str, object] = {"consents": {**state.consents, scope: "asked"}}
            return asked | ({"controller": event.actor} if scope == "control" else {})
        case m.ConsentGiven(scope):
            return {"consents": {**state.consents, scope: "given"}}
        case m.ConsentRefused(scope):
            return {"consents": {**state.consents, scope: "refused"}}
        case m.ConsentWithdrawn(scope):
            return {"consents": _without(state.consents, scope)}
        case m.RecordingStopped():
            return {"consents": _without(state.consents, "record"), "recording_failed": None, "held": False}
        case m.RecordingFailed(reason):
            return {"recording_failed": reason}
        case m.RecordingRestored():
            return {"recording_failed": None}
        case m.SharingPaused():
            return {"held": state.must_hold}
        case m.SharingResumed():
            return {"held": False}
        case m.SharingStarted(surface, controllable) | m.SurfaceChanged(surface, controllable):
            surfaces = {**state.surfaces, surface.id: surface}
            return {"surface": surface, "surfaces": surfaces, "shown": None, "controllable": controllable}
        case m.SharingStopped():
            stopped: dict[str, object] = {"consents": {}, "surface": None, "shown": None, "paths": {}}
            return stopped | {"recording_failed": None, "held": False}
        case m.PathChanged(participant, path):
            return {"paths": {**state.paths, participant: path}}
        case m.SnapshotTaken(surface):
            known_surfaces = {**state.surfaces, surface.id: surface}
            return {"snapshots": {**state.snapshots, surface.id: surface}, "surfaces": known_surfaces}
        case m.SurfaceShown(shown):
            return {"shown": shown}
        case m.SegmentStarted(segment):
            return {"segments": {**state.segments, segment: False}}
        case m.SegmentFinished(segment):
            return {"segments": {**state.segments, segment: True}}
        case AnnotationAdded() | AnnotationsErased() | AnnotationsRestored() as change:
            return {"board": state.board.apply(change, event.actor, event.at)}
        case m.SessionEnded(outcome):
            return {"outcome": outcome, "present": frozenset(), "consents": {}, "paths": {}}
        case _:
            return {}


def _without(consents: Mapping[m.Scope, Answered], scope: m.Scope) -> dict[m.Scope, Answered]:
    return {key: value for key, value in consents.items() if key != scope}


def fold(events: Iterable[m.Event], state: State = INITIAL) -> State:
    """The state after all of `events`."""
    for event in events:
        state = apply(state, event)
    return state


def has_media(surface: m.Surface | None) -> bool:
    """Whether what is shared is live, and not pictures that are sent one by one."""
    return surface is not None and surface.kind != "picture"
