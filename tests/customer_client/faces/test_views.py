"""What a person sees out of what is so, and what is told of the session at its end."""

from dataclasses import replace

from customer_client.capture.surfaces import Area, Source
from customer_client.chronicle import Chronicle
from customer_client.faces.face import Farewell, Question, Standing, Trouble, View, Waiting
from customer_client.faces.views import Situation, view_of
from customer_client.words import Words
from signaling import messages as m
from signaling.session import INITIAL, State, apply

DANA, ALICE = "dana", "alice"
SCREEN = Source("monitor:1", "monitor", "Screen 1", Area(0, 0, 1920, 1080), 1.0)
SURFACE = m.Surface("surface", "monitor", "Screen", 1920, 1080)
OPENED = (
    m.SessionOpened("ACME", "Printer", True),
    m.Joined(DANA, "customer", "Dana"),
)
ASKED = (m.AgentAssigned("user", "Alice"), m.Joined(ALICE, "agent", "Alice"), m.ConsentAsked("view"))
SHARED = (m.ConsentGiven("view"), m.SharingStarted(SURFACE))


def after(*bodies: m.EventBody) -> tuple[State, Chronicle]:
    """The session after these events, each a second after the one before."""
    state, chronicle = INITIAL, Chronicle()
    for seq, body in enumerate(bodies, 1):
        event = m.Event(seq, seq * 1000, DANA if isinstance(body, m.ChatSaid) else ALICE, body)
        chronicle = chronicle.after(event, state, DANA)
        state = apply(state, event)
    return state, chronicle


def situation(*bodies: m.EventBody) -> Situation:
    state, chronicle = after(*bodies)
    return Situation(state, chronicle, "https://help.example.org")


def seen(now: Situation) -> View:
    return view_of(now, 60_000, lambda _: ("receipt",))


def test_who_comes_waits_is_asked_and_shares() -> None:
    waiting = replace(situation(*OPENED), position=2)
    assert seen(replace(waiting, caught_up=False)) == Waiting("connecting")
    assert seen(waiting) == Waiting("in_line", "ACME", 2)
    asked = situation(*OPENED, *ASKED)
    assert seen(asked) == Question("ACME", "Alice", "Printer", "https://help.example.org", frozenset({"record"}))
    sharing = replace(situation(*OPENED, *ASKED, *SHARED), sharing=True, source=SCREEN, present=frozenset({ALICE}))
    standing = seen(sharing)
    assert isinstance(standing, Standing)
    assert (standing.watching, standing.dark, standing.source) == (("Alice",), True, SCREEN)


def test_who_still_gets_the_picture_watches_although_the_link_is_gone() -> None:
    sharing = replace(situation(*OPENED, *ASKED, *SHARED), sharing=True, source=SCREEN, online=False)
    alone, fed = seen(sharing), seen(replace(sharing, fed=frozenset({ALICE})))
    assert isinstance(alone, Standing)
    assert isinstance(fed, Standing)
    assert (alone.watching, fed.watching, fed.dark) == ((), ("Alice",), False)


def test_what_the_agent_asks_for_meanwhile_is_shown_and_no_more_once_it_is_answered() -> None:
    before = (*OPENED, *ASKED, *SHARED, m.ConsentAsked("record"))
    asked = seen(replace(situation(*before), sharing=True))
    answered = seen(replace(situation(*before, m.ConsentRefused("record")), sharing=True))
    assert isinstance(asked, Standing)
    assert isinstance(answered, Standing)
    assert asked.asked == {"record"}
    assert not answered.asked


def test_a_stop_is_a_farewell_even_before_the_server_knows_of_it() -> None:
    stopped_here = seen(situation(*OPENED, *ASKED, *SHARED))
    assert isinstance(stopped_here, Farewell)
    assert stopped_here.unsent
    stopped = situation(*OPENED, *ASKED, *SHARED, m.SharingStopped())
    farewell = seen(stopped)
    assert isinstance(farewell, Farewell)
    assert (farewell.unsent, farewell.here, farewell.viewers, farewell.seconds) == (False, True, ("Alice",), 1.0)
    assert isinstance(seen(replace(stopped, again=True)), Question)


def test_the_server_says_why_it_will_not_have_this_client_any_more() -> None:
    asked = situation(*OPENED, *ASKED)
    assert seen(replace(asked, closed="replaced")) == Trouble("replaced")
    assert seen(replace(asked, closed="signed_out")) == Trouble("removed")


def test_the_receipt_says_who_saw_for_how_long_and_what_happened() -> None:
    state, chronicle = after(*OPENED, *ASKED, *SHARED, m.ChatSaid("Hello"), m.SharingStopped(), m.SessionEnded(None))
    assert [(line.name, line.text, line.mine) for line in chronicle.lines] == [("Dana", "Hello", True)]
    receipt = chronicle.receipt(Words("en"), 60_000, state, "session-1")
    assert "With: ACME" in receipt
    assert "Shared for: 2 seconds" in receipt
    assert "Seen by: Alice" in receipt
    happened = [line[10:] for line in receipt[receipt.index("What happened") + 1 : -2]]
    assert happened == [
        "You came in",
        "Alice came in",
        "You allowed your screen to be seen",
        "Sharing began",
        "Sharing stopped",
        "The session ended",
    ]


def test_every_word_of_a_receipt_is_in_the_dictionaries() -> None:
    scopes: tuple[m.Scope, ...] = ("view", "record", "voice", "control")
    words = Words("en")
    for scope in scopes:
        for verb in ("consent", "refused", "withdrawn"):
            assert words.known(f"event.{verb}_{scope}")


def test_who_asks_for_control_is_named_and_not_whose_session_it_is() -> None:
    state, chronicle = after(*OPENED, *ASKED, m.Joined("bob", "agent", "Bob"), *SHARED)
    asked = m.Event(state.seq + 1, 99_000, "bob", m.ConsentAsked("control"))
    now = Situation(apply(state, asked), chronicle, "https://help.example.org", sharing=True, source=SCREEN)
    standing = seen(now)
    assert isinstance(standing, Standing)
    assert (standing.agent, standing.controller, standing.asked) == ("Alice", "Bob", frozenset({"control"}))
