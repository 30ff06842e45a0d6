"""Events: the facts that a session's timeline may hold, and the words they are made of."""

from typing import Annotated, Literal

import msgspec

from annotate.board import AnnotationAdded, AnnotationsErased, AnnotationsRestored, Fact
from annotate.shapes import Identifier

Role = Literal["customer", "agent", "recorder"]
Scope = Literal["view", "record", "voice", "control"]
Path = Literal["direct", "turn", "recorder", "snapshots"]
SurfaceKind = Literal["monitor", "window", "browser", "picture", "camera"]
Reason = Literal["left", "lost", "replaced", "removed"]
Outcome = Literal["solved", "unsolved", "escalated", "abandoned"]
Title = Annotated[str, msgspec.Meta(max_length=200)]
Pixels = Annotated[int, msgspec.Meta(ge=1, le=16384)]


class Surface(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is looked at and drawn on: a monitor, a window, a tab, or a picture; width and height in pixels."""

    id: Identifier
    kind: SurfaceKind
    label: Title
    width: Pixels
    height: Pixels


class SessionOpened(Fact, frozen=True):
    """The first event of every timeline, with the ticket's policy.

    `ask_recording`: whether the customer is asked. `strict_recording`: nothing is shared while recording fails.
    `allow_control`: whether an agent may ask to control the customer's computer.
    """

    organization: str
    subject: str
    ask_recording: bool
    strict_recording: bool = False
    allow_control: bool = False


class AgentAssigned(Fact, frozen=True):
    """A member of staff took the session: at its opening, or by accepting it from the waiting list."""

    user: str
    name: str


class Joined(Fact, frozen=True):
    """A participant came in; `participant` is the name by which later events call it as actor."""

    participant: str
    role: Role
    name: str


class Left(Fact, frozen=True):
    """A participant is gone: said goodbye, was lost for longer than the grace, or was replaced."""

    participant: str
    reason: Reason


class ConsentAsked(Fact, frozen=True):
    """Who asks for `control` is who will have it."""

    scope: Scope


class ConsentGiven(Fact, frozen=True):
    scope: Scope


class ConsentRefused(Fact, frozen=True):
    scope: Scope


class ConsentWithdrawn(Fact, frozen=True):
    scope: Scope


class SharingStarted(Fact, frozen=True):
    """`controllable`: whether the customer's program could pass an agent's input on to what is shared."""

    surface: Surface
    controllable: bool = False


class SurfaceChanged(Fact, frozen=True):
    """The shared surface has another size, or another surface is shared instead."""

    surface: Surface
    controllable: bool = False


class SharingPaused(Fact, frozen=True):
    pass


class SharingResumed(Fact, frozen=True):
    pass


class SharingStopped(Fact, frozen=True):
    """Sharing ended, and with it every consent: to share again is to be asked again."""


class SnapshotTaken(Fact, frozen=True):
    """A picture was stored; it is a surface of its own, of the same id, and can be drawn on.

    `digest` is its SHA-256 in hex.
    """

    surface: Surface
    requested_by: str | None
    digest: str


class SurfaceShown(Fact, frozen=True):
    """All now look at this surface: a snapshot (a frozen frame), or null for what is shared live."""

    surface: str | None


class ChatSaid(Fact, frozen=True):
    text: str


class NoteAdded(Fact, frozen=True):
    """A note among staff; never sent to the customer."""

    text: str


class BookmarkAdded(Fact, frozen=True):
    """A moment worth finding again, `at` ms since 1970; a chapter of what is published later.

    Never sent to the customer.
    """

    title: str
    at: int


class PathChanged(Fact, frozen=True):
    """How the customer's picture reaches `participant` now."""

    participant: str
    path: Path


class RecordingStarted(Fact, frozen=True):
    """From now on the recorder writes what is shared."""


class RecordingStopped(Fact, frozen=True):
    pass


class SegmentStarted(Fact, frozen=True):
    """The first frame of a file with the media of `participant` was written, at `started_at`, ms since 1970."""

    segment: str
    participant: str
    codec: str
    started_at: int


class SegmentGrown(Fact, frozen=True):
    """So far a file that is being written holds `bytes` bytes in full chunks, with this digest in hex."""

    segment: str
    bytes: int
    digest: str


class SegmentFinished(Fact, frozen=True):
    """A file is complete: its length in bytes and ms, and its digest in hex (`recorder/digest.py`)."""

    segment: str
    bytes: int
    duration_ms: int
    digest: str


class RecordingFailed(Fact, frozen=True):
    """The recorder cannot write at the moment (`disk_full`, `lost`, ...); the session goes on."""

    reason: str


class RecordingRestored(Fact, frozen=True):
    """The recorder can write again."""


class SessionEnded(Fact, frozen=True):
    outcome: Outcome | None


class BodyErased(Fact, frozen=True):
    """In the place of what an event said: its recording was deleted, and nothing but its type, `was`, is left.

    It is never stored, but read where a body is missing.
    """

    was: str


EventBody = (
    SessionOpened
    | AgentAssigned
    | Joined
    | Left
    | ConsentAsked
    | ConsentGiven
    | ConsentRefused
    | ConsentWithdrawn
    | SharingStarted
    | SurfaceChanged
    | SharingPaused
    | SharingResumed
    | SharingStopped
    | SnapshotTaken
    | SurfaceShown
    | AnnotationAdded
    | AnnotationsErased
    | AnnotationsRestored
    | ChatSaid
    | NoteAdded
    | BookmarkAdded
    | PathChanged
    | RecordingStarted
    | RecordingStopped
    | SegmentStarted
    | SegmentGrown
    | SegmentFinished
    | RecordingFailed
    | RecordingRestored
    | SessionEnded
    | BodyErased
)


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fact of a session: `seq` counts from 1, `at` is ms since 1970, `actor` a participant's id or `system`."""

    seq: int
    at: int
    actor: str
    body: EventBody
