"""What the person is to see, out of what is so: a pure function, as the browser's page chooses its screens."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from customer_client.capture.masks import Masks
from customer_client.capture.surfaces import Source
from customer_client.chronicle import Chronicle
from customer_client.faces.face import Apart, Farewell, Question, Standing, Trouble, View, Waiting
from signaling.state import State


@dataclass(frozen=True)
class Situation:
    """All that a view is made of: the session, the link and the connections, and what the person chose."""

    state: State
    chronicle: Chronicle
    server: str
    closed: str | None = None
    """Why the server will not have this client any more."""
    caught_up: bool = True
    online: bool = True
    present: frozenset[str] = frozenset()
    """Who has a link to the server."""
    fed: frozenset[str] = frozenset()
    """To whom a connection carries the picture."""
    verification: tuple[str, str] | None = None
    position: int | None = None
    sharing: bool = False
    source: Source | None = None
    masks: Masks = field(default_factory=Masks)
    paused: bool = False
    again: bool = False
    declined: bool = False
    unasked: bool = False
    notice: str = ""
    rated: int | None = None


def view_of(now: Situation, at: int, receipt: Callable[[int], tuple[str, ...]]) -> View:
    """What there is to see `at` this moment (ms since 1970); `receipt` is asked only where one is shown."""
    state = now.state
    if state.phase == "ended":
        return _farewell(now, at, receipt)
    if now.closed is not None:
        return Trouble(now.closed if now.closed in ("replaced", "version") else "removed")
    if not now.caught_up:
        return Waiting("connecting")
    if now.sharing:
        return _standing(now)
    if state.agent is None:
        return Waiting("in_line", state.organization, now.position)
    shared = now.chronicle.shared_ms > 0 or now.chronicle.since is not None
    if now.declined or (shared and not now.again):
        return _farewell(now, at, receipt)
    apart: frozenset[Apart] = frozenset({"record"} if state.ask_recording else ())
    agent = state.agent_name or ""
    return Question(state.organization, agent, state.subject, now.server, apart, notice=now.notice)


def _standing(now: Situation) -> Standing:
    state = now.state
    recording: Literal["off", "on", "failed"] = "on" if state.recording == "on" else "off"
    paths = [state.paths[agent] for agent in state.those_present("agent") if agent in state.paths]
    asked: frozenset[Apart] = frozenset(s for s in ("record", "control") if state.consents.get(s) == "asked")
    return Standing(
        organization=state.organization,
        agent=state.agent_name or "",
        watching=_watching(now),
        source=now.source,
        paused=now.paused,
        held=now.paused and state.must_hold,
        recording="failed" if state.recording_failed is not None else recording,
        control=state.consents.get("control") == "given",
        controller=controller_of(state),
        asked=asked,
        online=now.online,
        dark=now.source is not None and not now.fed,
        path=paths[0] if paths else None,
        phrase=now.verification[0] if now.verification else None,
        lines=now.chronicle.lines,
        masks=now.masks,
    )


def controller_of(state: State) -> str:
    """The name of the agent who last asked for mouse and keyboard; "" when nobody did."""
    asker = state.participants.get(state.controller or "")
    return asker.name if asker else ""


def _watching(now: Situation) -> tuple[str, ...]:
    """Agents who have a link to the server, or still see this screen without it."""
    state = now.state
    through = bool(now.fed.intersection(state.those_present("recorder")))
    return tuple(
        state.participants[agent].name
        for agent in state.those_present("agent")
        if agent in now.fed
        or (through and state.paths.get(agent) == "recorder")
        or (now.online and agent in now.present)
    )


def _farewell(now: Situation, at: int, receipt: Callable[[int], tuple[str, ...]]) -> Farewell:
    state, chronicle = now.state, now.chronicle
    return Farewell(
        organization=state.organization,
        agent=state.agent_name or "",
        seconds=chronicle.seconds(at),
        viewers=chronicle.viewers,
        recorded=chronicle.recorded,
        pictures=chronicle.pictures,
        declined=now.declined,
        unasked=now.unasked,
        here=state.phase != "ended" and state.agent is not None,
        unsent=state.phase in ("sharing", "paused"),
        rated=now.rated,
        receipt=receipt(at),
    )
