"""Commands: what a session can be told. Those of participants are the durable messages of the protocol."""

import msgspec

from signaling import messages as m
from signaling.state import Participant


class Open(msgspec.Struct, frozen=True):
    organization: str
    subject: str
    ask_recording: bool
    strict_recording: bool = False
    allow_control: bool = False


class Assign(msgspec.Struct, frozen=True):
    """A member of staff takes the session, or takes it over."""

    user: str
    name: str


class Join(msgspec.Struct, frozen=True):
    """A participant's connection was accepted."""

    participant: Participant


class Depart(msgspec.Struct, frozen=True):
    """A participant has been without a connection for longer than the grace."""

    participant: str
    reason: m.Reason


class StoreSnapshot(msgspec.Struct, frozen=True):
    """A picture that the sender uploaded is safely on disk."""

    surface: m.Surface
    requested_by: str | None
    digest: str


class LoseRecorder(msgspec.Struct, frozen=True):
    """The recorder is gone or cannot write; the reason is a short code."""

    reason: str


SystemCommand = Open | Assign | Join | Depart | StoreSnapshot | LoseRecorder
Command = m.DurableMessage | SystemCommand
