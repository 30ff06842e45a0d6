"""Messages that are passed on to other participants and never stored: they may be lost, and nothing stands on them."""

from typing import Annotated

import msgspec

from annotate.board import snake_case
from annotate.shapes import Annotation, Fraction, Identifier
from signaling.control import Inputs
from signaling.tiles import FrameNumber, Part, Side, TileList

Sdp = Annotated[str, msgspec.Meta(max_length=65536)]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag=snake_case):
    """The base of every message."""


class Offer(Message, frozen=True):
    """An SDP offer of who sends media to who receives it; `connection` tells one peer connection from its successor."""

    to: str
    connection: Identifier
    sdp: Sdp


class Answer(Message, frozen=True):
    to: str
    connection: Identifier
    sdp: Sdp


class Candidate(Message, frozen=True):
    """An ICE candidate, as in RTCIceCandidateInit; an empty `candidate` is end-of-candidates (RFC 8838)."""

    to: str
    connection: Identifier
    candidate: Annotated[str, msgspec.Meta(max_length=1024)]
    sdp_mid: Annotated[str, msgspec.Meta(max_length=64)] | None
    sdp_m_line_index: Annotated[int, msgspec.Meta(ge=0, le=64)] | None


class Reoffer(Message, frozen=True):
    """Who receives asks who sends for a new peer connection: its own is broken, or is to be replaced."""

    to: str


class Pointer(Message, frozen=True):
    """Where the sender points on a surface; `visible` false takes the pointer away."""

    surface: Identifier
    x: Fraction
    y: Fraction
    visible: bool


class Drawing(Message, frozen=True):
    """A shape in progress, for all to see while it is drawn; `annotate` with the same id ends it, or null drops it."""

    annotation: Annotation | None


class RequestSnapshot(Message, frozen=True):
    """Asks the customer's page for a picture of the shared surface in full resolution."""


class Control(Message, frozen=True):
    """What the agent who has control does, in order, on the surface that is shared.

    An empty list says that the agent is still there: who hears nothing while something is held lets go of it.
    """

    surface: Identifier
    inputs: Inputs


class AskTiles(Message, frozen=True):
    """Asks the customer for live snapshots; said again with each frame that is shown, and every second.

    `shown` is the frame that the viewer shows, and the next one holds what changed since; with null, all of it.
    """

    shown: FrameNumber | None


class Tiles(Message, frozen=True):
    """A part of a frame of live snapshots, `width` by `height` pixels; parts count from 0 to the `last` one.

    It is to be drawn upon frame `after`, or with null upon nothing. The next frame is sent when this one was shown.
    """

    to: str
    surface: Identifier
    frame: FrameNumber
    after: FrameNumber | None
    part: Part
    last: bool
    width: Side
    height: Side
    tiles: TileList


Relayed = Offer | Answer | Candidate | Reoffer | Pointer | Drawing | RequestSnapshot | Control | AskTiles | Tiles
