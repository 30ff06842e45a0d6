"""Control on a real X server: a program of its own is clicked and typed into, and the person's own hand ends it."""

import queue
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

import pytest
from Xlib import X, display

from customer_client.capture.surfaces import Area, Source
from customer_client.control.control import BURST, Control, Rate
from customer_client.control.touch import Attention, Touch, watch_touches
from signaling import messages as m
from tests.customer_client.controlled import CAPS, ESCAPE, Person, Window, open_program
from tests.virtual_screen import virtual_screen

WIDTH, HEIGHT = 640, 480


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    if find_spec("pynput") is None:
        pytest.skip("pynput is not installed: it needs a C compiler here")
    pytest.importorskip("tkinter")
    with virtual_screen(WIDTH, HEIGHT) as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", name)
        patch.delenv("XDG_SESSION_TYPE", raising=False)
        yield name


@pytest.fixture(scope="module")
def program(screen: str) -> Iterator[Window]:
    with open_program() as opened:
        yield opened


at_once = partial(watch_touches, still_ms=0)


@pytest.fixture
def taken() -> "queue.SimpleQueue[Touch]":
    return queue.SimpleQueue()


@pytest.fixture
def control(screen: str, taken: "queue.SimpleQueue[Touch]") -> Iterator[Control]:
    """Control of the whole screen, granted."""
    monitor = Source("screen", "monitor", "Screen", Area(0, 0, WIDTH, HEIGHT), 1.0)
    granted = Control(lambda: monitor, taken.put, watch=at_once)
    granted.start()
    yield granted
    granted.revoke()
    granted.join(10)


def click(x: float, y: float) -> list[m.Input]:
    return [m.MovePointer(x / WIDTH, y / HEIGHT), m.PressButton("left"), m.ReleaseButton("left")]


def stroke(code: str, key: str) -> list[m.Input]:
    return [m.PressKey(code, key), m.ReleaseKey(code, key)]


def layout(*arguments: str) -> None:
    if not shutil.which("setxkbmap"):
        pytest.skip("setxkbmap is not installed")
    subprocess.run(["setxkbmap", *arguments], check=True)


def test_it_clicks_and_turns_the_wheel_where_the_agent_does(program: Window, control: Control) -> None:
    control.apply(click(200, 150))
    assert program.hear(lambda said: "clicked" in said) == {"clicked": 1, "at": [200, 150]}
    control.apply([m.MovePointer(0.5, 0.5), m.PressButton("right"), m.ReleaseButton("right"), m.TurnWheel(0, 2)])
    assert program.hear(lambda said: "clicked" in said) == {"clicked": 3, "at": [320, 240]}
    assert [program.hear(lambda said: "turned" in said)["turned"] for _ in range(2)] == [1, 1]


def empty(program: Window, control: Control) -> None:
    """Puts the cursor into it, and deletes what stands in it."""
    select = [m.PressKey("ControlLeft", "Control"), *stroke("KeyA", "a"), m.ReleaseKey("ControlLeft", "Control")]
    control.apply([*click(200, 150), *select, *stroke("Delete", "Delete")])
    program.hear(lambda said: "selected" in said)
    program.reads("")


@pytest.mark.parametrize("name", ["us", "fr", "de", "us,ru"])
def test_it_types_what_the_agent_means_on_any_layout_of_the_customers(
    program: Window, control: Control, name: str
) -> None:
    layout("-option", "", "-option", "grp:caps_toggle", "-layout", name)
    person = Person()
    if "," in name:
        person.presses(CAPS)
    empty(program, control)
    control.apply([m.PressKey("ShiftLeft", "Shift"), *stroke("KeyA", "A"), *stroke("Digit2", "@")])
    control.apply([m.ReleaseKey("ShiftLeft", "Shift"), *stroke("Digit7", "7"), *stroke("KeyQ", "q")])
    control.apply([*stroke("KeyF", "ф"), *stroke("KeyL", "λ"), *stroke("Enter", "Enter")])
    control.apply([m.TypeText("Жена: {née} 12 €\n漢字")])
    program.reads("A@7qфλ\nЖена: {née} 12 €\n漢字")
    if "," in name:
        person.presses(CAPS)


def test_capitals_stay_capitals_under_the_customers_caps_lock(program: Window, control: Control) -> None:
    layout("-option", "", "-layout", "us")
    person = Person()
    empty(program, control)
    person.presses(CAPS)
    control.apply([m.TypeText("aB")])
    program.reads("aB")
    person.presses(CAPS)


def test_it_leaves_the_layout_as_it_found_it(screen: str, program: Window, taken: "queue.SimpleQueue[Touch]") -> None:
    layout("-option", "", "-layout", "us")
    connection = display.Display()

    def keys() -> list[list[int]]:
        return [list(row) for row in connection.get_keyboard_mapping(8, 248)]

    before = [[k for k in row if k] for row in keys()]
    monitor = Source("screen", "monitor", "Screen", Area(0, 0, WIDTH, HEIGHT), 1.0)
    granted = Control(lambda: monitor, taken.put, watch=at_once)
    granted.start()
    empty(program, granted)
    granted.apply([m.PressKey("ShiftLeft", "Shift"), m.TypeText("終")])
    program.reads("終")
    granted.revoke()
    granted.join(10)
    assert [[k for k in row if k] for row in keys()] == before
    assert connection.screen().root.query_pointer().mask == 0
    connection.close()


def test_what_an_agent_holds_is_let_go_when_nothing_is_heard_any_more(
    program: Window, taken: "queue.SimpleQueue[Touch]"
) -> None:
    monitor = Source("screen", "monitor", "Screen", Area(0, 0, WIDTH, HEIGHT), 1.0)
    granted = Control(lambda: monitor, taken.put, watch=at_once, let_go_after_s=0.05)
    granted.start()
    empty(program, granted)
    granted.apply([m.TypeText("x")])
    program.reads("x")
    granted.apply([m.PressKey("ShiftLeft", "Shift")])
    program.reads("x")  # which it says when a key is released
    assert not granted.over
    granted.revoke()
    granted.join(10)


def test_what_is_outside_the_shared_window_is_not_clicked_nor_typed_into(
    program: Window, taken: "queue.SimpleQueue[Touch]"
) -> None:
    area = Area(100, 50, 400, 300)
    shared: list[Source] = [Source("other", "window", "Other", area, 1.0, window=program.id + 0x1000)]
    granted = Control(lambda: shared[0], taken.put, watch=at_once)
    granted.start()
    granted.apply([m.MovePointer(0.5, 0.5), m.PressButton("left"), m.ReleaseButton("left"), m.TypeText("unseen")])
    granted.apply([m.MovePointer(0.25, 0.25)])
    person = Person()
    while person.pointer() != (200, 125):
        assert not granted.over
    shared[0] = Source("program", "window", "Program", area, 1.0, window=program.id)
    granted.apply([m.MovePointer(0.75, 0.5), m.PressButton("left"), m.ReleaseButton("left"), m.TypeText("seen")])
    assert program.hear(lambda said: "clicked" in said) == {"clicked": 1, "at": [400, 200]}
    said = program.hear(lambda said: "seen" in said.get("text", ""))
    assert "unseen" not in said["text"]
    granted.revoke()
    granted.join(10)


def test_no_agent_answers_for_the_person_in_a_window_of_this_program(program: Window, control: Control) -> None:
    connection = display.Display()
    root = connection.screen().root
    ours = root.create_window(
        0, 0, WIDTH, HEIGHT, 0, X.CopyFromParent, event_mask=X.ButtonPressMask | X.KeyPressMask, override_redirect=True
    )
    ours.map()
    ours.set_input_focus(X.RevertToPointerRoot, X.CurrentTime)
    connection.sync()
    person = Person()
    control.apply([*click(200, 150), *stroke("Enter", "Enter"), m.TypeText("yes"), m.MovePointer(0, 0)])
    while person.pointer() != (0, 0):
        assert not control.over
    connection.sync()
    kinds = [connection.next_event().type for _ in range(connection.pending_events())]
    assert not {X.ButtonPress, X.KeyPress} & set(kinds)
    connection.close()
    empty(program, control)


def test_the_persons_own_mouse_takes_it_back_and_the_agents_does_not(
    program: Window, control: Control, taken: "queue.SimpleQueue[Touch]"
) -> None:
    control.apply([m.MovePointer(step / 40, 0.5) for step in range(40)])
    control.apply(click(200, 150))
    program.hear(lambda said: "clicked" in said)
    assert taken.empty()
    assert not control.over
    Person().moves()
    assert taken.get(timeout=10) == "mouse"
    assert control.over
    control.join(10)
    control.apply(click(300, 150))
    assert control.over


def test_the_persons_own_escape_twice_takes_it_back_and_the_agents_does_not(
    program: Window, control: Control, taken: "queue.SimpleQueue[Touch]"
) -> None:
    empty(program, control)
    control.apply([*stroke("Escape", "Escape"), *stroke("Escape", "Escape"), *stroke("KeyX", "x")])
    program.reads("x")
    assert taken.empty()
    person = Person()
    person.presses(ESCAPE)
    person.presses(ESCAPE)
    assert taken.get(timeout=10) == "escape"
    assert control.over


def test_only_a_hand_that_really_moves_takes_control_back() -> None:
    attention = Attention(0, still_ms=0)
    assert [attention.moved(at) for at in (0, 400, 800, 1200, 1600)] == [None] * 5
    assert [attention.moved(at) for at in (1700, 2200, 2210, 2220, 2230)] == [None, None, None, None, "mouse"]
    assert attention.pressed(2240) == "mouse"


def test_the_hand_that_has_just_allowed_it_may_first_let_go_of_the_mouse() -> None:
    attention = Attention(0)
    assert [attention.moved(at) for at in range(10, 3000, 10)] == [None] * 299
    assert attention.pressed(3010) is None
    assert [attention.moved(at) for at in (4000, 4010, 4020, 4030)] == [None, None, None, "mouse"]
    assert attention.pressed(4040) == "mouse"


def test_only_two_escapes_in_a_row_take_control_back() -> None:
    attention = Attention(0)
    assert attention.typed(True, 0) is None
    assert attention.typed(True, 2000) is None
    assert attention.typed(False, 2100) is None
    assert attention.typed(True, 2200) is None
    assert attention.typed(True, 2600) == "escape"


def test_more_than_anybody_can_do_is_not_done() -> None:
    rate = Rate(0.0)
    text = [m.TypeText("x" * 400)]
    assert [rate.take(text, 0.0) for _ in range(4)] == [True, True, True, False]
    assert rate.take([m.TurnWheel(-20, 20)], 0.1)
    assert not rate.take(text, 0.1)
    assert rate.take([m.TypeText("x" * int(BURST))], 100.0)
