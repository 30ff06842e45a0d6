"""Whatever three actors send, in whatever order: what must never be true of a session never is."""

from typing import Any

import msgspec
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from annotate.shapes import Annotation, Box
from signaling import messages as m
from signaling.session import PERMISSIONS, Assign, Depart, Join, LoseRecorder, Refusal, StoreSnapshot, fold
from tests.signaling.story import ALICE, BOB, DANA, PICTURE, RECORDER, SCREEN, Story

ACTORS = (ALICE, BOB, DANA, RECORDER)
SCOPES = st.sampled_from(["view", "record", "voice", "control"])
MEDIA = (m.SharingStarted, m.SharingPaused, m.SharingResumed, m.SurfaceChanged, m.SnapshotTaken, m.AnnotationAdded)

messages: st.SearchStrategy[m.DurableMessage] = st.one_of(
    st.builds(m.GiveConsent, id=st.just("m"), scope=SCOPES, granted=st.booleans()),
    st.builds(m.AskConsent, id=st.just("m"), scope=SCOPES),
    st.builds(m.ChangeSurface, id=st.just("m"), surface=st.just(SCREEN), controllable=st.booleans()),
    st.builds(
        m.ReportSegmentStarted,
        id=st.just("m"),
        segment=st.sampled_from("st"),
        participant=st.just("dana"),
        codec=st.just("vp8"),
        started_at=st.just(1),
    ),
    st.builds(m.ShowSurface, id=st.just("m"), surface=st.sampled_from([None, "photo", "screen"])),
    st.builds(
        m.Annotate,
        id=st.just("m"),
        annotation=st.builds(
            lambda name, surface: Annotation(name, surface, "#000000", 0.01, False, Box((0, 0), (1, 1))),
            st.sampled_from("abc"),
            st.sampled_from(["screen", "photo", "nothing"]),
        ),
    ),
    st.builds(m.Erase, id=st.just("m"), annotations=st.lists(st.sampled_from("abc"), min_size=1)),
    st.builds(m.Restore, id=st.just("m"), annotations=st.lists(st.sampled_from("abc"), min_size=1)),
    st.sampled_from(
        [
            m.StartSharing("m", SCREEN),
            m.StartSharing("m", PICTURE),
            m.ReleaseControl("m"),
            m.PauseSharing("m"),
            m.ResumeSharing("m"),
            m.StopSharing("m"),
            m.StopRecording("m"),
            m.Say("m", "hello"),
            m.AddNote("m", "note"),
            m.AddBookmark("m", "here", 1),
            m.ReportPath("m", "turn"),
            m.ReportPath("m", "recorder"),
            m.ReportRecordingFailed("m", "disk_full"),
            m.ReportSegmentGrown("m", "s", 1, "0" * 64),
            m.ReportSegmentFinished("m", "s", 1, 1, "0" * 64),
            m.Leave("m"),
        ]
    ),
)
relayed: list[m.Relayed] = [
    *(m.Offer(actor.id, "c", "sdp") for actor in ACTORS),
    *(m.Answer(actor.id, "c", "sdp") for actor in ACTORS),
    *(m.Candidate(actor.id, "c", "", None, None) for actor in ACTORS),
    *(m.Reoffer(actor.id) for actor in ACTORS),
    m.Pointer("screen", 0.5, 0.5, True),
    m.Drawing(None),
    m.RequestSnapshot(),
    m.Control("screen", []),
    m.AskTiles(None),
    *(m.Tiles(actor.id, "screen", 1, None, 0, True, 1, 1, []) for actor in ACTORS),
]


class Session(RuleBasedStateMachine):
    """Hypothesis plays the three actors, their connections, the server, and a network that reorders and repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.agreed: set[str] = set()
        self.late: list[tuple[Any, Any]] = []

    @initialize(ask_recording=st.booleans())
    def opened(self, ask_recording: bool) -> None:
        self.story = Story(ask_recording=ask_recording, allow_control=True)
        self.agreed = set()
        self.late = []

    def note(self, answer: list[m.EventBody] | Refusal) -> None:
        """Keeps consent by a book of its own, apart from the machine's."""
        for body in () if isinstance(answer, Refusal) else answer:
            match body:
                case m.ConsentGiven(scope):
                    assert "control" not in self.agreed
                    self.agreed.add(scope)
                case m.ConsentWithdrawn(scope) | m.ConsentRefused(scope):
                    self.agreed.discard(scope)
                case m.RecordingStopped():
                    self.agreed.discard("record")
                case m.RecordingStarted() | m.SegmentStarted():
                    assert {"view", "record"} <= self.agreed
                case m.SharingStopped():
                    self.agreed.clear()
                case m.Left("dana") | m.SessionEnded():
                    self.agreed.clear()
                case _ if isinstance(body, MEDIA):
                    assert "view" in self.agreed

    @rule(message=messages)
    def send(self, message: m.DurableMessage) -> None:
        for sender in ACTORS:
            if sender.role in PERMISSIONS[type(message)]:
                self.note(self.story.step(sender, message))

    @rule()
    def stop(self) -> None:
        self.note(self.story.step(DANA, m.StopSharing("m")))

    @rule(sender=st.sampled_from(ACTORS), message=messages)
    def send_out_of_turn(self, sender: Any, message: m.DurableMessage) -> None:
        self.note(self.story.step(sender, message))

    @rule(sender=st.sampled_from(ACTORS), message=messages)
    def delay(self, sender: Any, message: m.DurableMessage) -> None:
        self.late.append((sender, message))

    @rule(which=st.integers(0, 20), keep=st.booleans())
    def deliver_late(self, which: int, keep: bool) -> None:
        if self.late:
            sender, message = self.late[which % len(self.late)]
            if not keep:
                self.late.remove((sender, message))
            self.note(self.story.step(sender, message))

    @rule(sender=st.sampled_from(ACTORS))
    def pass_on_everything(self, sender: Any) -> None:
        for message in relayed:
            self.pass_on(sender, message)

    def pass_on(self, sender: Any, message: m.Relayed) -> None:
        to = self.story.relays(sender, message)
        if not isinstance(to, Refusal):
            assert "view" in self.agreed
            assert self.story.state.phase in ("sharing", "paused")
            assert set(to) <= self.story.state.present - {sender.id}
            if isinstance(message, m.Control):
                assert "control" in self.agreed
                assert (self.story.state.phase, sender.role, to) == ("sharing", "agent", ("dana",))
            if isinstance(message, m.Tiles):
                assert (self.story.state.phase, sender.role, to) == ("sharing", "customer", (message.to,))
            if "recorder" in (*to, sender.id):
                assert "record" in self.agreed or {"alice", "bob"} <= self.story.state.present

    @rule(sender=st.sampled_from([ALICE, DANA]), name=st.sampled_from(["photo", "other"]))
    def upload(self, sender: Any, name: str) -> None:
        self.note(self.story.step(sender, StoreSnapshot(m.Surface(name, "picture", "", 8, 8), None, "")))

    @rule(record=st.booleans(), surface=st.sampled_from([SCREEN, PICTURE]))
    def share(self, record: bool, surface: m.Surface) -> None:
        """The straight way to a picture, so that most runs spend most of their steps around one."""
        for command in (Assign("alice", "Alice"), Join(ALICE), Join(DANA)):
            self.note(self.story.system(command))
        self.note(self.story.step(DANA, m.GiveConsent("m", "view", True)))
        if record:
            self.note(self.story.step(DANA, m.GiveConsent("m", "record", True)))
        fresh = msgspec.structs.replace(surface, id=f"{surface.id}-{self.story.state.seq}")
        self.note(self.story.step(DANA, m.StartSharing("m", fresh, controllable=True)))
        self.note(self.story.system(Join(RECORDER)))

    @rule(actor=st.sampled_from(ACTORS))
    def connect(self, actor: Any) -> None:
        before = self.story.state
        answer = self.story.system(Join(actor))
        self.note(answer)
        if actor.id in before.present:
            assert self.story.state == before
        widened = {s for s, a in self.story.state.consents.items() if a == "given"}
        assert widened <= {s for s, a in before.consents.items() if a == "given"}

    @rule(actor=st.sampled_from(ACTORS))
    def lose(self, actor: Any) -> None:
        self.note(self.story.system(Depart(actor.id, "lost")))

    @rule()
    def take(self) -> None:
        self.note(self.story.system(Assign("alice", "Alice")))

    @rule()
    def lose_recorder(self) -> None:
        self.note(self.story.system(LoseRecorder("lost")))

    @rule(sender=st.sampled_from(ACTORS), really=st.integers(0, 9))
    def end(self, sender: Any, really: int) -> None:
        if not really:
            self.note(self.story.step(sender, m.End("m", None)))

    @invariant()
    def nothing_is_seen_without_consent(self) -> None:
        if self.story.state.phase in ("sharing", "paused"):
            assert "view" in self.agreed
            assert self.story.state.customer is not None

    @invariant()
    def nobody_is_heard_without_consent(self) -> None:
        if self.story.state.consents.get("voice") == "given":
            assert {"view", "voice"} <= self.agreed
            assert self.story.state.phase in ("sharing", "paused")

    @invariant()
    def nothing_is_controlled_but_a_desktop_that_is_seen(self) -> None:
        if self.story.state.consents.get("control") == "given":
            assert {"view", "control"} <= self.agreed
            assert self.story.state.controlled_by in self.story.state.present & {"alice", "bob"}

    @invariant()
    def nothing_is_recorded_without_its_own_consent(self) -> None:
        if self.story.state.recording == "on":
            assert {"view", "record"} <= self.agreed
            assert self.story.state.phase in ("sharing", "paused")

    @invariant()
    def the_state_is_the_fold_of_the_events(self) -> None:
        assert fold(self.story.events) == self.story.state


TestSession = Session.TestCase
TestSession.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
