"""The session machine: what a command makes true.

`decide(state, sender, command, now)` answers with events, or with a refusal. `apply(state, event)` is the state after
an event, and a session is nothing but `fold(events)`. `relay(state, sender, message)` says to whom an ephemeral message
goes. None of them does I/O; time comes in as an argument.

Who may send what stands in `PERMISSIONS`, and when in `WHEN`. Consent is live only between the customer's yes and the
end of that sharing: a stop, a customer who is gone past the grace, and the end of the session all clear it, and nothing
but a new yes brings it back. Voice is agreed to only while a live screen is shared, so it ends with that. Control is
given to the one agent who asked, for what is shared at that moment: a pause and another surface end it as well.
"""

from annotate.board import AnnotationAdded, AnnotationsErased, AnnotationsRestored
from signaling import messages as m
from signaling.commands import (
    Assign as Assign,
    Command as Command,
    Depart as Depart,
    Join as Join,
    LoseRecorder as LoseRecorder,
    Open as Open,
    StoreSnapshot as StoreSnapshot,
    SystemCommand as SystemCommand,
)
from signaling.permissions import (
    ENDED,
    PERMISSIONS as PERMISSIONS,
    SEEN,
    WHEN as WHEN,
    Refusal as Refusal,
    may_see as may_see,
    permitted as permitted,
)
from signaling.relaying import relay as relay
from signaling.state import (
    INITIAL as INITIAL,
    IllegalEvent as IllegalEvent,
    Participant as Participant,
    Phase as Phase,
    State as State,
    apply as apply,
    fold as fold,
    has_media,
)

MAX_DIRECT_VIEWERS = 4
"""Agents whom a customer's browser can serve by itself."""
MAX_VIEWERS = 25
"""Agents whom a recorder can pass the picture on to."""
MAX_ANNOTATIONS = 5_000
MAX_SNAPSHOTS = 500
MAX_SURFACES = 1_000
"""Of all kinds, snapshots among them: no more can have been shared one after the other by hand."""


def decide(state: State, sender: Participant | None, command: Command, now: int) -> tuple[m.EventBody, ...] | Refusal:
    """What `command` makes true, in order, or why it does nothing.

    `sender` is None for the server itself; `now` is ms since 1970. An empty tuple means that all is as the command
    wants it already.
    """
    if sender is not None and (refusal := permitted(state, sender, command)):
        return refusal
    if state.phase == "ended" and isinstance(command, SystemCommand):
        return () if isinstance(command, Depart) else ENDED
    match command:
        case Open(organization, subject, ask_recording, strict, allow_control):
            opened = m.SessionOpened(organization, subject, ask_recording, strict, allow_control)
            return () if state.seq else (opened,)
        case Assign(user, name):
            assigned = () if state.agent == user else (m.AgentAssigned(user, name),)
            return (*assigned, *(_asking(state) if state.agent is None else ()))
        case Join(participant):
            return _join(state, participant)
        case Depart(participant, reason):
            return _depart(state, participant, reason)
        case m.Leave():
            return _depart(state, sender.id if sender else "", "left")
        case LoseRecorder(reason) | m.ReportRecordingFailed(reason=reason):
            holds = _pause(state) if state.strict_recording and state.phase == "sharing" else ()
            return (m.RecordingFailed(reason), *holds) if state.recording == "on" else ()
        case m.ReportRecordingRestored():
            goes_on = (m.SharingResumed(),) if state.held and state.phase == "paused" else ()
            return (m.RecordingRestored(), *goes_on) if state.recording_failed is not None else ()
        case m.End(outcome=outcome):
            return (*_stop(state), m.SessionEnded(outcome))
        case m.Say(text=text):
            return (m.ChatSaid(text),)
        case m.AddNote(text=text):
            return (m.NoteAdded(text),)
        case m.AddBookmark(title=title, at=at):
            return (m.BookmarkAdded(title, max(state.opened_at, min(at, now))),)
        case m.AskConsent() | m.GiveConsent():
            return _consent(state, sender, command)
        case m.ReleaseControl():
            return _uncontrol(state)
        case m.Annotate() | m.Erase() | m.Restore() | m.ShowSurface() | StoreSnapshot():
            return _surface(state, sender, command)
        case m.ReportPath(path=path):
            return _path(state, sender, path)
        case m.ReportSegmentStarted() | m.ReportSegmentGrown() | m.ReportSegmentFinished() | m.StopRecording():
            return _record(state, command)
        case _:
            return _share(state, command)


def _asking(state: State) -> tuple[m.EventBody, ...]:
    """What is asked as soon as both are there."""
    if state.customer is None or state.phase != "joined":
        return ()
    return (m.ConsentAsked("view"), *((m.ConsentAsked("record"),) if state.ask_recording else ()))


def _stop(state: State) -> tuple[m.EventBody, ...]:
    recording = (m.RecordingStopped(),) if state.recording == "on" else ()
    return (*_uncontrol(state), *recording, *((m.SharingStopped(),) if state.phase in SEEN else ()))


def _pause(state: State) -> tuple[m.EventBody, ...]:
    return (*_uncontrol(state), m.SharingPaused())


def _uncontrol(state: State) -> tuple[m.EventBody, ...]:
    """Ends control, or the question for it."""
    return (m.ConsentWithdrawn("control"),) if state.consents.get("control") in ("asked", "given") else ()


def _join(state: State, participant: Participant) -> tuple[m.EventBody, ...] | Refusal:
    if participant.id in state.present:
        return ()
    before: tuple[m.EventBody, ...] = ()
    limit = MAX_VIEWERS if state.those_present("recorder") else MAX_DIRECT_VIEWERS
    if participant.role == "agent" and len(state.those_present("agent")) >= limit:
        return Refusal("full", f"{limit} agents are here already; one of them must leave first.")
    if participant.role != "agent":
        others = state.those_present(participant.role)
        if others and participant.role == "recorder" and participant.id in state.participants:
            return ()  # another took over while this one was away, which hears of it now and finishes what it has
        before = tuple(body for other in others for body in _depart(state, other, "replaced"))
    joined = m.Joined(participant.id, participant.role, participant.name)
    if participant.role != "customer" or state.agent is None:
        return (*before, joined)
    record = (m.ConsentAsked("record"),) if state.ask_recording else ()
    return (*before, joined, m.ConsentAsked("view"), *record)


def _depart(state: State, participant: str, reason: m.Reason) -> tuple[m.EventBody, ...]:
    if participant not in state.present:
        return ()
    stops = _stop(state) if participant == state.customer else ()
    gone = _uncontrol(state) if participant == state.controller else ()
    return (*stops, *gone, m.Left(participant, reason))


def _consent(
    state: State, sender: Participant | None, command: m.AskConsent | m.GiveConsent
) -> tuple[m.EventBody, ...] | Refusal:
    scope, answered = command.scope, state.consents.get(command.scope)
    if scope != "view" and state.phase == "joined":
        return Refusal("view_first", "Only who agreed to be seen, or is being asked, can be asked for more.")
    if scope == "voice" and _has_no_voice(state, command):
        return Refusal("no_media", "Voice goes along with a live screen, and none is shared.")
    if scope == "control" and (refusal := _has_no_control(state, sender, command)):
        return refusal
    if isinstance(command, m.AskConsent):
        return () if answered in ("asked", "given") else (m.ConsentAsked(scope),)
    if command.granted and scope != "control" and state.controlled_by is not None:
        return Refusal("in_control", "Take mouse and keyboard back first, so that nobody else can say yes.")
    if state.agent is None:
        return Refusal("no_agent", "Nobody is here yet to see anything.")
    if command.granted:
        if answered == "given":
            return ()
        asked = () if answered == "asked" else (m.ConsentAsked(scope),)
        records = scope == "record" and state.phase in SEEN and has_media(state.surface)
        return (*asked, m.ConsentGiven(scope), *((m.RecordingStarted(),) if records else ()))
    if answered == "asked":
        return (m.ConsentRefused(scope),)
    if answered != "given":
        return ()
    if scope == "view" and state.phase in SEEN:
        return _stop(state)
    stops = (m.RecordingStopped(),) if scope == "record" and state.recording == "on" else ()
    return (*stops, m.ConsentWithdrawn(scope))


def _too_many_surfaces() -> Refusal:
    return Refusal("too_many_surfaces", f"A session holds {MAX_SURFACES} surfaces; start a new one.")


def _has_no_voice(state: State, command: m.AskConsent | m.GiveConsent) -> bool:
    """Whether voice has no connection to go over: it may be asked for before one stands, but not be agreed to."""
    if isinstance(command, m.AskConsent):
        return state.seen and not has_media(state.surface)
    return command.granted and not (state.seen and has_media(state.surface))


def _has_no_control(state: State, sender: Participant | None, command: m.AskConsent | m.GiveConsent) -> Refusal | None:
    """Why control may be neither asked for nor granted now; to refuse it and to take it back is always possible."""
    answered = state.consents.get("control")
    if isinstance(command, m.GiveConsent):
        if not command.granted or (answered in ("asked", "given") and state.may_be_controlled):
            return None
        return Refusal("not_asked", "Nobody asks for control.")
    if not state.allow_control:
        return Refusal("control_off", "Control is switched off on this server.")
    if not state.may_be_controlled:
        return Refusal("not_controllable", "Only a desktop or a window that is shared right now can be controlled.")
    if answered in ("asked", "given") and sender is not None and sender.id != state.controller:
        return Refusal("control_taken", "Another agent has control, or asked for it first.")
    return None


def _share(state: State, command: Command) -> tuple[m.EventBody, ...] | Refusal:
    match command:
        case m.StartSharing(surface=surface):
            if state.consents.get("view") != "given":
                return Refusal("no_consent", "Agree to be seen first.")
            if surface.id in state.surfaces:
                return Refusal("surface_known", "Give the shared surface an id of its own.")
            started = m.SharingStarted(surface, command.controllable)
            if len(state.surfaces) >= MAX_SURFACES:
                return _too_many_surfaces()
            if not has_media(surface):
                unheard = (m.ConsentRefused("voice"),) if state.consents.get("voice") == "asked" else ()
                return (started, *unheard)
            records = state.consents.get("record") == "given"
            return (started, *((m.RecordingStarted(),) if records else ()))
        case m.ChangeSurface(surface=surface):
            if surface.id in state.snapshots:
                return Refusal("surface_known", "That id is a snapshot's.")
            if surface.id not in state.surfaces and len(state.surfaces) >= MAX_SURFACES:
                return _too_many_surfaces()
            if surface == state.surface and command.controllable == state.controllable:
                return ()
            stays = state.surface and surface.id == state.surface.id and command.controllable
            return (*(() if stays else _uncontrol(state)), m.SurfaceChanged(surface, command.controllable))
        case m.PauseSharing():
            return _pause(state)
        case m.ResumeSharing():
            if state.must_hold:
                return Refusal("recording_failed", "Nothing may be shared unrecorded; it goes on with the recording.")
            return (m.SharingResumed(),)
        case m.StopSharing():
            return _stop(state)
        case _:
            raise TypeError(f"{type(command).__name__} is not a command")


def _surface(
    state: State,
    sender: Participant | None,
    command: m.Annotate | m.Erase | m.Restore | m.ShowSurface | StoreSnapshot,
) -> tuple[m.EventBody, ...] | Refusal:
    match command:
        case m.Annotate(annotation=annotation):
            if annotation.surface not in state.surfaces:
                return Refusal("unknown_surface", "That is not shared any more.")
            if annotation.id in state.board.placed:
                return Refusal("annotation_known", "Give the annotation an id of its own.")
            if len(state.board.placed) >= MAX_ANNOTATIONS:
                return Refusal("board_full", f"A session holds {MAX_ANNOTATIONS} annotations; start a new one.")
            return (AnnotationAdded(annotation),)
        case m.Erase(annotations=ids) | m.Restore(annotations=ids):
            erase = isinstance(command, m.Erase)
            mine = [
                i
                for i in dict.fromkeys(ids)
                if (placed := state.board.placed.get(i))
                and placed.erased != erase
                and (sender is None or sender.role == "agent" or placed.author == sender.id)
            ]
            return ((AnnotationsErased(mine) if erase else AnnotationsRestored(mine)),) if mine else ()
        case m.ShowSurface(surface=surface):
            if surface is not None and surface not in state.snapshots:
                return Refusal("unknown_surface", "There is no such snapshot.")
            return () if surface == state.shown else (m.SurfaceShown(surface),)
        case StoreSnapshot(surface, requested_by, digest):
            if len(state.snapshots) >= MAX_SNAPSHOTS:
                return Refusal("too_many_snapshots", f"A session holds {MAX_SNAPSHOTS} snapshots; start a new one.")
            if surface.id in state.surfaces:
                return Refusal("surface_known", "Give the snapshot an id of its own.")
            return (m.SnapshotTaken(surface, requested_by, digest),)


def _record(
    state: State,
    command: m.ReportSegmentStarted | m.ReportSegmentGrown | m.ReportSegmentFinished | m.StopRecording,
) -> tuple[m.EventBody, ...] | Refusal:
    match command:
        case m.StopRecording():
            return (m.RecordingStopped(),) if state.recording == "on" else ()
        case m.ReportSegmentStarted(segment=segment, participant=participant, codec=codec, started_at=started_at):
            if state.recording != "on":
                return Refusal("not_recording", "Nothing is to be recorded now; delete what was written.")
            if participant not in state.participants:
                return Refusal("unknown_participant", "Nobody of that name ever took part.")
            known = segment in state.segments
            return () if known else (m.SegmentStarted(segment, participant, codec, started_at),)
        case m.ReportSegmentGrown(segment=segment) | m.ReportSegmentFinished(segment=segment):
            if segment not in state.segments:
                return Refusal("unknown_segment", "That segment was never started.")
            if state.segments[segment]:
                return ()
            if isinstance(command, m.ReportSegmentGrown):
                return (m.SegmentGrown(segment, command.bytes, command.digest),)
            return (m.SegmentFinished(segment, command.bytes, command.duration_ms, command.digest),)


def _path(state: State, sender: Participant | None, path: m.Path) -> tuple[m.EventBody, ...] | Refusal:
    if path == "recorder" and not state.relayed:
        return Refusal("not_relayed", "Nothing goes through the recorder now.")
    return (m.PathChanged(sender.id, path),) if sender and state.paths.get(sender.id) != path else ()
