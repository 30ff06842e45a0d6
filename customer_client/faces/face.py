"""What the person who shares sees and wants, as data: `native` shows views, `window` and `terminal` put intents.

A face shows one view at a time, whole: whoever shows it again says everything that is so now. What the person wants
comes back as intents, in order. Stop and Pause do not wait for anybody: the face itself closes the tap first.
"""

import asyncio
import contextlib
import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from PIL import Image

from customer_client.capture.masks import Masks
from customer_client.capture.surfaces import Cover as Unseen, Source
from signaling.messages import Path

Apart = Literal["record", "control"]
"""The scopes that are asked apart from being seen."""


# --- What is shown ---


@dataclass(frozen=True)
class Destination:
    """Step nought: the server that this program was told to talk to, to be confirmed before anything is sent.

    `server` is its origin, such as https://help.example.com; `code` the spoken code or "" when there is a link.
    """

    server: str
    code: str


@dataclass(frozen=True)
class Waiting:
    """Nobody to agree with yet: connecting to `server`, or in the line of `organization`."""

    state: Literal["connecting", "in_line"]
    organization: str = ""
    position: int | None = None
    """1 is next; None when there is no line."""


@dataclass(frozen=True)
class Question:
    """Step one: who would like to see what, and why. `apart` are the scopes that are asked beside being seen."""

    organization: str
    agent: str
    subject: str
    server: str
    apart: frozenset[Apart] = frozenset()
    live: bool = True
    """Whether a screen can be shown live here; else only pictures can be sent."""
    notice: str = ""
    """Why it is asked once more: a key under `notice.` in the dictionaries, such as "returned", or ""."""


@dataclass(frozen=True)
class Line:
    """One line of the chat; `mine` is the customer's own."""

    name: str
    text: str
    mine: bool


@dataclass(frozen=True)
class Standing:
    """Step three: sharing, and all that is so at this moment."""

    organization: str
    agent: str
    watching: tuple[str, ...]
    """The names of those who can see it; the recorder is none of them."""
    source: Source | None
    """What is shared live; None when only pictures are."""
    paused: bool = False
    held: bool = False
    """Paused because it could not be recorded; goes on by itself."""
    recording: Literal["off", "on", "failed"] = "off"
    control: bool = False
    """Whether an agent holds mouse and keyboard."""
    controller: str = ""
    """The name of who holds them, or asks for them: a colleague of `agent`, it may be."""
    asked: frozenset[Apart] = frozenset()
    """What the agent asks for at this moment, beside being seen."""
    online: bool = True
    """Whether the server is reached."""
    dark: bool = False
    """Whether nobody can see it, whatever was agreed: no connection carries the picture."""
    path: Path | None = None
    phrase: str | None = None
    """The verification phrase, to be compared by voice; None where there is none."""
    lines: tuple[Line, ...] = ()
    masks: Masks = field(default_factory=Masks)


@dataclass(frozen=True)
class Farewell:
    """Afterwards: what was. `here` is whether the session is still open and the agent in it."""

    organization: str
    agent: str
    seconds: float
    """How long it was shared; 0 when nothing was."""
    viewers: tuple[str, ...] = ()
    recorded: bool = False
    pictures: int = 0
    declined: bool = False
    """Whether the answer was no, and nothing was shared."""
    unasked: bool = False
    """Whether the person said that it did not ask for help."""
    here: bool = False
    unsent: bool = False
    """Whether the server does not know of the stop yet."""
    rated: int | None = None
    """The answer to the one question, 1 to 5, once it was taken."""
    receipt: tuple[str, ...] = ()
    """The receipt's lines, to be kept as a text file by who wishes."""


@dataclass(frozen=True)
class Trouble:
    """It cannot go on. `code` is a key under `trouble.` in the dictionaries, which `values` fill in."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)
    again: bool = False
    """Whether trying again may help."""
    browser: str | None = None
    """The address of the browser's page with the same invitation, where that is the way out."""


View = Destination | Waiting | Question | Standing | Farewell | Trouble


# --- What the person wants ---


@dataclass(frozen=True)
class Connect:
    """Yes, that is the server."""


@dataclass(frozen=True)
class Agree:
    """Yes to being seen, and to each of `apart`; `source` None agrees to pictures alone. `masks` cover it."""

    apart: frozenset[Apart]
    source: Source | None
    masks: Masks


@dataclass(frozen=True)
class Decline:
    """No; `unasked` when the person said that it did not ask for help, which is to be reported."""

    unasked: bool = False


@dataclass(frozen=True)
class Pause:
    """The tap is closed already."""


@dataclass(frozen=True)
class Resume:
    """Go on."""


@dataclass(frozen=True)
class Stop:
    """The tap is closed already."""


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True)
class Switch:
    """Share `source` instead; masks are those of the new source."""

    source: Source
    masks: Masks


@dataclass(frozen=True)
class Cover:
    """These parts of what is shared, and no others, are covered."""

    masks: Masks


@dataclass(frozen=True)
class Answer:
    """Yes or no to what was asked apart; no also takes back what was given."""

    scope: Apart
    granted: bool


@dataclass(frozen=True)
class SendPicture:
    """One picture of `source` in full resolution, with `masks` painted over."""

    source: Source
    masks: Masks


@dataclass(frozen=True)
class Report:
    """Something is wrong with who is on the other side: the person did not ask for help, or is asked for money."""


@dataclass(frozen=True)
class ShareAgain:
    """From the farewell back to the question."""


@dataclass(frozen=True)
class Again:
    """Try once more what was in trouble."""


@dataclass(frozen=True)
class OpenBrowser:
    """Go on in the browser, with the same invitation."""


@dataclass(frozen=True)
class Rate:
    """How it was, from 1 (very bad) to 5."""

    face: int


@dataclass(frozen=True)
class Close:
    """Done: the program ends, and leaves the session."""


Intent = (
    Connect
    | Agree
    | Decline
    | Pause
    | Resume
    | Stop
    | Say
    | Switch
    | Cover
    | Answer
    | SendPicture
    | Report
    | ShareAgain
    | Again
    | OpenBrowser
    | Rate
    | Close
)


class Intents:
    """What the person wants, in order: put from any thread, taken in one event loop."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Intent] = queue.SimpleQueue()
        self._wake: Callable[[], object] = lambda: None

    def put(self, intent: Intent) -> None:
        """Never waits and never fails: without a loop that listens (any more), it is kept."""
        self._queue.put(intent)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._wake()

    async def take(self) -> Intent:
        """The next one; waits for it."""
        loop, there = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(there.set)
        while True:
            try:
                return self._queue.get_nowait()
            except queue.Empty:
                await there.wait()
                there.clear()


# --- Who shows and asks ---


class Screens(Protocol):
    """What there is to share, as `capture.surfaces` has it; both may take a while and are asked in a thread."""

    def sources(self) -> Sequence[Source]: ...

    def thumbnail(self, source: Source, width: int) -> Image.Image: ...


class Face(Protocol):
    """A window or a terminal. `show`, `tell` and `close` may be used from any thread; `run` belongs to the main one.

    It is made with `Intents` to fill, `Screens` to choose from, and `halt`: what closes the tap at once and without
    a network, run in the face's own thread before `Pause` or `Stop` is put.
    """

    guarded: bool
    """Whether it is in windows of its own, so that no input of an agent who has control reaches it."""

    def show(self, view: View) -> None:
        """Shows this now, instead of what was shown."""

    def tell(self, key: str, **values: str) -> None:
        """A passing sentence, such as `tell("snapshot")`: a key under `told.` in the dictionaries."""

    def covers(self) -> Unseen:
        """What of it is to be left out of the picture; asked in any thread."""

    def run(self) -> None:
        """Returns when the face was closed, by `close` or by the person (`Close` is put then)."""

    def close(self) -> None: ...
