"""What the person is told of the session: its chat, who saw what for how long, and the receipt at the end.

A fold over the timeline beside `signaling.state`, which keeps what counts for the session and nothing for reading.
"""

import datetime
from dataclasses import dataclass, replace

from customer_client.faces.face import Line
from customer_client.words import Words
from signaling import messages as m
from signaling.state import State

MAX_LINES = 500


@dataclass(frozen=True)
class Entry:
    """A line of the receipt: when (ms since 1970), and a key of the dictionaries with its name."""

    at: int
    key: str
    name: str = ""


@dataclass(frozen=True)
class Chronicle:
    """Each event gives a new one; times are ms since 1970 on the server's clock."""

    lines: tuple[Line, ...] = ()
    entries: tuple[Entry, ...] = ()
    shared_ms: int = 0
    since: int | None = None
    """When the present sharing began."""
    viewers: tuple[str, ...] = ()
    recorded: bool = False
    pictures: int = 0

    def after(self, event: m.Event, before: State, me: str) -> "Chronicle":
        """After `event`; `before` is the session as it stood, `me` the customer's own id."""
        chronicle = self
        if (entry := _entry(event, before)) is not None:
            chronicle = replace(chronicle, entries=(*self.entries, entry))
        match event.body:
            case m.ChatSaid(text=text):
                author = before.participants.get(event.actor)
                line = Line(author.name if author else "", text, event.actor == me)
                return replace(chronicle, lines=(*self.lines, line)[-MAX_LINES:])
            case m.Joined(role="agent", name=name) if name not in self.viewers:
                return replace(chronicle, viewers=(*self.viewers, name))
            case m.SharingStarted():
                return replace(chronicle, since=event.at)
            case m.SharingStopped():
                shared = event.at - self.since if self.since is not None else 0
                return replace(chronicle, since=None, shared_ms=self.shared_ms + shared)
            case m.RecordingStarted():
                return replace(chronicle, recorded=True)
            case m.SnapshotTaken():
                return replace(chronicle, pictures=self.pictures + 1)
            case _:
                return chronicle

    def seconds(self, now: int) -> float:
        """How long was shared until `now`, all sharings together."""
        running = now - self.since if self.since is not None else 0
        return (self.shared_ms + max(0, running)) / 1000

    def receipt(self, words: Words, now: int, state: State, session: str) -> tuple[str, ...]:
        """Who saw, for how long, whether it was recorded, and what happened when, in the person's language."""
        facts = (
            (words("receipt.with"), state.organization),
            (words("receipt.about"), state.subject),
            (words("receipt.date"), _local(self.entries[0].at if self.entries else now).strftime("%x")),
            (words("receipt.duration"), words.duration(self.seconds(now))),
            (words("receipt.viewers"), words.listed(self.viewers) or words("receipt.viewers.none")),
            (words("receipt.recorded"), words("receipt.recorded.yes" if self.recorded else "receipt.recorded.no")),
            (words("receipt.session"), session),
        )
        told = (f"{_local(entry.at):%H:%M:%S}  {words(entry.key, name=entry.name)}" for entry in self.entries)
        head = (f"{name}: {value}" for name, value in facts if value)
        return (words("receipt.title"), "", *head, "", words("receipt.events"), *told, "", words("receipt.kept"))


def _local(at: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at / 1000).astimezone()


def _entry(event: m.Event, before: State) -> Entry | None:
    """The event as a line of the receipt; None for what is no concern of one."""
    key, name = "", ""
    match event.body:
        case m.Joined(role="customer"):
            key = "customer_joined"
        case m.Joined(role="agent", name=name):
            key = "agent_joined"
        case m.Left(participant=participant):
            gone = before.participants.get(participant)
            key, name = ("agent_left", gone.name) if gone and gone.role == "agent" else ("", "")
        case m.ConsentGiven(scope=scope):
            key = f"consent_{scope}"
        case m.ConsentRefused(scope=scope):
            key = f"refused_{scope}"
        case m.ConsentWithdrawn(scope=scope):
            key = f"withdrawn_{scope}"
        case m.SharingStarted():
            key = "started"
        case m.SharingPaused():
            key = "paused"
        case m.SharingResumed():
            key = "resumed"
        case m.SharingStopped():
            key = "stopped"
        case m.SurfaceChanged(surface=surface) if before.surface is None or surface.id != before.surface.id:
            key = "switched"
        case m.RecordingStarted():
            key = "recording"
        case m.RecordingStopped():
            key = "recording_stopped"
        case m.SnapshotTaken():
            key = "snapshot"
        case m.SessionEnded():
            key = "ended"
    return Entry(event.at, f"event.{key}", name) if key else None
