"""What the bar and the terminal say of a moment."""

from dataclasses import replace

from customer_client.capture.masks import Mask, Masks
from customer_client.capture.surfaces import Area, Source
from customer_client.faces.face import Standing
from customer_client.faces.status import asked_of, status_of
from customer_client.words import Words

WORDS = Words("en")
SCREEN = Source("screen", "monitor", "1", Area(0, 0, 1920, 1080), 1.0)
STANDING = Standing("ACME", "Alice", ("Alice",), SCREEN)


def test_who_watches_what_is_said_by_name() -> None:
    status = status_of(replace(STANDING, watching=("Alice", "Bob")), WORDS)
    assert (status.tone, status.headline) == ("seen", "Alice and Bob can see Screen 1")
    assert (status.notice, status.recording, status.control, status.aside) == ("", "", "", "")


def test_the_only_screen_is_called_whole() -> None:
    only = replace(STANDING, source=replace(SCREEN, title="Built-in display"))
    assert status_of(only, WORDS).headline == "Alice can see your whole screen"


def test_nobody_is_said_to_see_what_is_paused() -> None:
    status = status_of(replace(STANDING, paused=True, recording="on"), WORDS)
    assert (status.tone, status.headline) == ("unseen", "Paused. Nobody sees your screen now.")
    assert status.recording == "Recording, paused"


def test_without_the_server_it_says_whether_somebody_still_sees() -> None:
    lost = replace(STANDING, online=False)
    assert status_of(lost, WORDS).tone == "seen"
    assert "Alice may still see your screen directly" in status_of(lost, WORDS).notice
    dark = status_of(replace(lost, dark=True), WORDS)
    assert (dark.tone, dark.notice) == ("unseen", "Reconnecting. Your screen is not visible now.")


def test_a_picture_that_is_on_no_way_yet_is_not_said_to_be_seen() -> None:
    status = status_of(replace(STANDING, dark=True), WORDS)
    assert (status.tone, status.headline) == ("unseen", "Connecting the picture. It is not visible yet.")


def test_pictures_alone_are_called_so() -> None:
    assert status_of(replace(STANDING, source=None), WORDS).headline == "Alice can see the pictures that you send"


def test_control_is_a_state_of_its_own() -> None:
    status = status_of(replace(STANDING, control=True), WORDS)
    assert (status.tone, status.control) == ("controlled", "Alice uses your mouse and keyboard")


def test_a_colleague_who_asks_for_control_is_the_one_who_is_named() -> None:
    bob = replace(STANDING, controller="Bob", asked=frozenset({"control"}))
    assert asked_of(bob, WORDS) == [("control", "Bob asks to use your mouse and keyboard.")]
    assert status_of(replace(bob, control=True), WORDS).control == "Bob uses your mouse and keyboard"


def test_the_phrase_and_what_is_covered_stand_aside() -> None:
    covered = replace(STANDING, phrase="123 456 789 012", masks=Masks.of([Mask(0, 0, 0.5, 0.5)]))
    assert status_of(covered, WORDS).aside == "Security phrase: 123 456 789 012 · 1 part covered"


def test_what_is_asked_is_asked_in_full() -> None:
    asked = asked_of(replace(STANDING, asked=frozenset({"control", "record"})), WORDS)
    assert asked == [
        ("record", "Alice asks to record this for the staff of ACME."),
        ("control", "Alice asks to use your mouse and keyboard."),
    ]
