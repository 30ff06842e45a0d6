"""The protocol: every message between a participant and the server, and every event of a timeline.

`ClientMessage` and `ServerMessage` are the two unions, `PROTOCOL_VERSION` their one version, and `EventBody` what a
timeline may hold. `browser/messages.ts` is generated from here; `docs/protocol.md` says what each side owes the other.

A message with an `id` is *durable*: it becomes events on the timeline, is acknowledged once they are committed, and
may be repeated with the same id at will. All others are *ephemeral*: passed on, never stored, and may be lost.
Who sent a message is known from the connection and never stands in it.
"""

from typing import Annotated

import msgspec

from annotate.board import (
    AnnotationAdded as AnnotationAdded,
    AnnotationsErased as AnnotationsErased,
    AnnotationsRestored as AnnotationsRestored,
    Identifiers,
)
from annotate.shapes import Annotation, Identifier
from signaling.control import (
    Input as Input,
    MovePointer as MovePointer,
    PressButton as PressButton,
    PressKey as PressKey,
    ReleaseButton as ReleaseButton,
    ReleaseKey as ReleaseKey,
    TurnWheel as TurnWheel,
    TypeText as TypeText,
)
from signaling.ephemeral import (
    Answer as Answer,
    AskTiles as AskTiles,
    Candidate as Candidate,
    Control as Control,
    Drawing as Drawing,
    Message as Message,
    Offer as Offer,
    Pointer as Pointer,
    Relayed as Relayed,
    Reoffer as Reoffer,
    RequestSnapshot as RequestSnapshot,
    Tiles as Tiles,
)
from signaling.events import (
    AgentAssigned as AgentAssigned,
    BodyErased as BodyErased,
    BookmarkAdded as BookmarkAdded,
    ChatSaid as ChatSaid,
    ConsentAsked as ConsentAsked,
    ConsentGiven as ConsentGiven,
    ConsentRefused as ConsentRefused,
    ConsentWithdrawn as ConsentWithdrawn,
    Event as Event,
    EventBody as EventBody,
    Joined as Joined,
    Left as Left,
    NoteAdded as NoteAdded,
    Outcome as Outcome,
    Path as Path,
    PathChanged as PathChanged,
    Pixels as Pixels,
    Reason as Reason,
    RecordingFailed as RecordingFailed,
    RecordingRestored as RecordingRestored,
    RecordingStarted as RecordingStarted,
    RecordingStopped as RecordingStopped,
    Role as Role,
    Scope as Scope,
    SegmentFinished as SegmentFinished,
    SegmentGrown as SegmentGrown,
    SegmentStarted as SegmentStarted,
    SessionEnded as SessionEnded,
    SessionOpened as SessionOpened,
    SharingPaused as SharingPaused,
    SharingResumed as SharingResumed,
    SharingStarted as SharingStarted,
    SharingStopped as SharingStopped,
    SnapshotTaken as SnapshotTaken,
    Surface as Surface,
    SurfaceChanged as SurfaceChanged,
    SurfaceKind as SurfaceKind,
    SurfaceShown as SurfaceShown,
    Title as Title,
)
from signaling.tiles import Tile as Tile

PROTOCOL_VERSION = 1
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


# --- From a participant to the server ---


class Durable(Message, frozen=True):
    """The base of every message that becomes events; `id` is the sender's own, unique among its messages."""

    id: Identifier


class Hello(Message, frozen=True):
    """The first message on a connection: the participant's token, and the last event it has (0 for none)."""

    version: int
    token: Annotated[str, msgspec.Meta(max_length=200)]
    last_seq: Annotated[int, msgspec.Meta(ge=0)]


class Ping(Message, frozen=True):
    """Asks for a `pong` with the same number; every 5 s, so that a dead link is noticed on both sides."""

    number: int


class GiveConsent(Durable, frozen=True):
    """The customer's yes or no to a scope; false takes back what was given."""

    scope: Scope
    granted: bool


class AskConsent(Durable, frozen=True):
    scope: Scope


class ReleaseControl(Durable, frozen=True):
    """An agent gives control back, or asks no longer for it."""


class StartSharing(Durable, frozen=True):
    surface: Surface
    controllable: bool = False


class ChangeSurface(Durable, frozen=True):
    surface: Surface
    controllable: bool = False


class PauseSharing(Durable, frozen=True):
    pass


class ResumeSharing(Durable, frozen=True):
    pass


class StopSharing(Durable, frozen=True):
    pass


class ShowSurface(Durable, frozen=True):
    surface: Identifier | None


class Annotate(Durable, frozen=True):
    annotation: Annotation


class Erase(Durable, frozen=True):
    annotations: Identifiers


class Restore(Durable, frozen=True):
    annotations: Identifiers


class Say(Durable, frozen=True):
    text: Line


class AddNote(Durable, frozen=True):
    text: Line


class AddBookmark(Durable, frozen=True):
    """`at` is the moment that is meant, ms since 1970: the title is written later."""

    title: Title
    at: int


class ReportPath(Durable, frozen=True):
    path: Path


class StopRecording(Durable, frozen=True):
    pass


class ReportSegmentStarted(Durable, frozen=True):
    """`participant` is whose media it holds."""

    segment: Identifier
    participant: Identifier
    codec: Annotated[str, msgspec.Meta(max_length=20)]
    started_at: int


class ReportSegmentGrown(Durable, frozen=True):
    segment: Identifier
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    digest: Digest


class ReportSegmentFinished(Durable, frozen=True):
    segment: Identifier
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    duration_ms: Annotated[int, msgspec.Meta(ge=0)]
    digest: Digest


class ReportRecordingFailed(Durable, frozen=True):
    reason: Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,40}$")]


class ReportRecordingRestored(Durable, frozen=True):
    """What failed is possible again."""


class Leave(Durable, frozen=True):
    """The participant goes, and does not mean to come back."""


class End(Durable, frozen=True):
    """An agent or the customer ends the session for all."""

    outcome: Outcome | None


DurableMessage = (
    GiveConsent
    | AskConsent
    | ReleaseControl
    | StartSharing
    | ChangeSurface
    | PauseSharing
    | ResumeSharing
    | StopSharing
    | ShowSurface
    | Annotate
    | Erase
    | Restore
    | Say
    | AddNote
    | AddBookmark
    | ReportPath
    | StopRecording
    | ReportSegmentStarted
    | ReportSegmentGrown
    | ReportSegmentFinished
    | ReportRecordingFailed
    | ReportRecordingRestored
    | Leave
    | End
)
ClientMessage = Hello | Ping | Relayed | DurableMessage


# --- From the server to a participant ---


class IceServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As RTCIceServer; username and credential are null for STUN."""

    urls: list[str]
    username: str | None
    credential: str | None


class Welcome(Message, frozen=True):
    """The answer to `hello`: who the connection speaks for. The missed events follow in `events`, up to `seq`.

    `ice_servers` holds those that need no credential. When `turn` is true, an `ice_servers` message with short-lived
    credentials follows as soon as there is sharing: a sender waits for it before it offers.
    """

    version: int
    session: str
    participant: str
    role: Role
    seq: int
    now: int
    ice_servers: list[IceServer]
    turn: bool


class IceServers(Message, frozen=True):
    """Every ICE server, credentials included; sent while there is sharing, to those who take part in the media."""

    ice_servers: list[IceServer]


class Events(Message, frozen=True):
    """Events in order, those that the receiver may see; a gap in `seq` is what it may not."""

    events: list[Event]


class Ack(Message, frozen=True):
    """The durable message `id` is committed; `seq` is its last event (the same for a repeated message)."""

    id: str
    seq: int


class Refused(Message, frozen=True):
    """A message did nothing: `code` is stable, `text` says what to do; `id` is that of a durable message."""

    id: str | None
    code: str
    text: str


class Presence(Message, frozen=True):
    """Which participants have a live connection at this moment."""

    connected: list[str]


class Relay(Message, frozen=True):
    """An ephemeral message of another participant."""

    sender: str
    message: Relayed


class Pong(Message, frozen=True):
    number: int


class Closing(Message, frozen=True):
    """The server closes this connection: `code` says why; reconnect after `retry_ms`, or not at all when null."""

    code: str
    retry_ms: int | None


ServerMessage = Welcome | IceServers | Events | Ack | Refused | Presence | Relay | Pong | Closing
