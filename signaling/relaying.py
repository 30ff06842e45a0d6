"""To whom an ephemeral message is passed on. It says nothing that lasts, so no state changes."""

from collections.abc import Mapping

from signaling import messages as m
from signaling.permissions import Refusal, permitted
from signaling.state import Participant, State, has_media

DOWNSTREAM: Mapping[m.Role, int] = {"customer": 0, "recorder": 1, "agent": 2}
"""Media flows from a lower one to a higher one."""

Addressed = tuple[str, ...] | Refusal
"""The ids of those to whom a message goes, or why to nobody."""


def relay(state: State, sender: Participant, message: m.Relayed) -> Addressed:
    """The ids of the participants to whom an ephemeral message is passed on."""
    if refusal := permitted(state, sender, message):
        return refusal
    match message:
        case m.Offer() | m.Answer() | m.Candidate() | m.Reoffer():
            return _peer(state, sender, message)
        case m.RequestSnapshot():
            return state.those_present("customer")
        case m.Control(surface=surface):
            if state.controlled_by != sender.id:
                return Refusal("no_control", "The customer has not given you control.")
            if state.surface and surface == state.surface.id:
                return state.those_present("customer")
            known = False
        case m.AskTiles():
            return _no_live_snapshots(state) or state.those_present("customer")
        case m.Tiles(to=viewer, surface=surface):
            if viewer not in state.those_present("agent"):
                return Refusal("gone", "That participant is not here.")
            if refusal := _no_live_snapshots(state):
                return refusal
            if state.surface and surface == state.surface.id:
                return (viewer,)
            known = False
        case m.Pointer(surface=surface):
            known = surface in state.surfaces
        case m.Drawing(annotation=annotation):
            known = annotation is None or annotation.surface in state.surfaces
    if not known:
        return Refusal("unknown_surface", "That is not shared any more.")
    return tuple(i for i in state.those_present("customer", "agent") if i != sender.id)


def _peer(state: State, sender: Participant, message: m.Offer | m.Answer | m.Candidate | m.Reoffer) -> Addressed:
    """Media flows from the customer to the agents, or from the customer to the recorder and from there to the agents.

    Only who sends offers, and only who receives answers.
    """
    if message.to not in state.present:
        return Refusal("gone", "That participant is not here.")
    downstream = DOWNSTREAM[state.participants[message.to].role] - DOWNSTREAM[sender.role]
    turned = downstream < 0 if isinstance(message, m.Offer) else downstream > 0
    if not downstream or (turned and not isinstance(message, m.Candidate)):
        return Refusal("forbidden", "Media flows from the customer to a viewer, and only its sender offers.")
    if "recorder" in (sender.role, state.participants[message.to].role) and not state.relayed:
        return Refusal("not_relayed", "Nothing goes through the recorder now.")
    return (message.to,)


def _no_live_snapshots(state: State) -> Refusal | None:
    if not has_media(state.surface):
        return Refusal("no_media", "No live screen is shared.")
    if state.strict_recording and state.recording == "on":
        return Refusal("unrecorded", "Nothing may be shared unrecorded, and live snapshots are not recorded.")
    return None
