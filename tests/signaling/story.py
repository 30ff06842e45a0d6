"""A session told step by step: every line is a command, what it made true is folded at once."""

from signaling import messages as m
from signaling.session import (
    INITIAL,
    Assign,
    Command,
    Join,
    Open,
    Participant,
    Refusal,
    State,
    apply,
    decide,
    relay,
)

ALICE = Participant("alice", "agent", "Alice")
BOB = Participant("bob", "agent", "Bob")
DANA = Participant("dana", "customer", "Dana")
RECORDER = Participant("recorder", "recorder", "Recorder")
SCREEN = m.Surface("screen", "monitor", "Screen 1", 1920, 1080)
PICTURE = m.Surface("photo", "picture", "photo.png", 800, 600)


def code(answer: object) -> str:
    """The code of a refusal; anything else fails the test."""
    assert isinstance(answer, Refusal), answer
    return answer.code


class Story:
    """The one session of a test. `now` grows by a second with each step."""

    def __init__(
        self, *, ask_recording: bool = True, strict_recording: bool = False, allow_control: bool = False
    ) -> None:
        self.state: State = INITIAL
        self.events: list[m.Event] = []
        self.now = 1_700_000_000_000
        self.sent = 0
        self.system(Open("ACME Support", "Printer on fire", ask_recording, strict_recording, allow_control))

    def step(self, sender: Participant | None, command: Command) -> list[m.EventBody] | Refusal:
        self.now += 1000
        decision = decide(self.state, sender, command, self.now)
        if isinstance(decision, Refusal):
            return decision
        for body in decision:
            event = m.Event(self.state.seq + 1, self.now, sender.id if sender else "system", body)
            self.state = apply(self.state, event)
            self.events.append(event)
        return list(decision)

    def system(self, command: Command) -> list[m.EventBody] | Refusal:
        return self.step(None, command)

    def says(self, sender: Participant, kind: type[m.Durable], **fields: object) -> list[m.EventBody] | Refusal:
        self.sent += 1
        return self.step(sender, kind(id=f"message-{self.sent}", **fields))  # type: ignore[arg-type]

    def relays(self, sender: Participant, message: m.Relayed) -> tuple[str, ...] | Refusal:
        return relay(self.state, sender, message)

    def begin(self) -> "Story":
        """Alice has the session and is in it, and Dana came in by the link."""
        self.system(Assign("alice", "Alice"))
        self.system(Join(ALICE))
        self.system(Join(DANA))
        return self

    def share(self, *, record: bool = False, controllable: bool = False) -> "Story":
        """From the beginning to a live picture."""
        self.begin()
        self.says(DANA, m.GiveConsent, scope="view", granted=True)
        self.says(DANA, m.GiveConsent, scope="record", granted=record)
        self.says(DANA, m.StartSharing, surface=SCREEN, controllable=controllable)
        return self
