"""The terminal form of consent and sharing, written to and read from as a person would."""

import io
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from customer_client.capture.masks import Mask, Masks
from customer_client.capture.surfaces import Area, Source
from customer_client.faces.face import (
    Agree,
    Answer,
    Close,
    Connect,
    Decline,
    Destination,
    Farewell,
    Intent,
    Intents,
    Line,
    Pause,
    Question,
    Rate,
    Say,
    SendPicture,
    Standing,
    Stop,
)
from customer_client.faces.terminal import Terminal
from customer_client.words import Words

PATIENCE = 20.0
SCREEN = Source("screen", "monitor", "1", Area(0, 0, 1920, 1080), 1.0)
LETTER = Source("letter", "window", "Letter", Area(10, 10, 800, 600), 1.0, 7)
QUESTION = Question("ACME", "Alice", "No sound", "https://help.example", frozenset({"record", "control"}))
STANDING = Standing("ACME", "Alice", ("Alice",), SCREEN)


class Desk:
    """Two things to share."""

    def sources(self) -> list[Source]:
        return [SCREEN, LETTER]

    def thumbnail(self, source: Source, width: int) -> Image.Image:
        raise AssertionError("a terminal shows no pictures")


class Paper(io.StringIO):
    """What was written, for another thread to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = threading.Condition()

    def flush(self) -> None:
        with self.changed:
            self.changed.notify_all()


class Sitting:
    """Dana in front of a terminal."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self.keyboard = os.fdopen(writing, "w", buffering=1)
        self.paper = Paper()
        self.put: list[Intent] = []
        self.halted = 0
        intents = Intents()
        intents.put = self.put.append  # type: ignore[method-assign, assignment]
        reads = os.fdopen(reading)
        self.terminal = Terminal(intents, Desk(), self._halt, words=Words("en"), reads=reads, writes=self.paper)
        self._running = threading.Thread(target=self.terminal.run, daemon=True)
        self._running.start()
        self._read = 0

    def _halt(self) -> None:
        self.halted += 1

    def reads(self, *texts: str) -> str:
        """Waits until all of this has come, in this order, since what was read last; gives it."""
        ends = time.monotonic() + PATIENCE
        start = self._read
        with self.paper.changed:
            for text in texts:
                while (at := self.paper.getvalue().find(text, self._read)) < 0:
                    if not self.paper.changed.wait(ends - time.monotonic()):
                        raise AssertionError(f"{text!r} not in {self.paper.getvalue()[self._read :]!r}")
                self._read = at + len(text)
            return self.paper.getvalue()[start : self._read]

    def chooses(self, label: str) -> None:
        """Reads the choices up to the question, and answers with the number of this one."""
        menu = self.reads("Your choice: ")
        [number] = [line.split()[0] for line in menu.splitlines() if line.strip().partition("  ")[2] == label]
        self.writes(number)

    def writes(self, line: str) -> None:
        self.keyboard.write(f"{line}\n")

    def wanted(self, count: int) -> list[Intent]:
        """Waits for so many intents, and takes them."""
        ends = time.monotonic() + PATIENCE
        while len(self.put) < count and time.monotonic() < ends:
            time.sleep(0.005)
        taken, self.put[:] = self.put[:], []
        return taken

    def ends(self) -> None:
        self.terminal.close()
        self._running.join(PATIENCE)
        assert not self._running.is_alive()
        self.keyboard.close()


@pytest.fixture
def dana() -> Iterator[Sitting]:
    sitting = Sitting()
    yield sitting
    sitting.ends()


def test_a_wary_person_agrees_to_one_window_with_a_part_covered(dana: Sitting) -> None:
    dana.terminal.show(Destination("https://help.example", "4F7K-2M9Q"))
    dana.reads("Connect to https://help.example?", "4F7K-2M9Q")
    dana.chooses("Connect")
    assert dana.wanted(1) == [Connect()]

    dana.terminal.show(QUESTION)
    dana.reads("Alice from ACME would like to see your screen", "Did you ask ACME for help?", "https://help.example")
    dana.chooses("Turn on: Also record it for the staff of ACME")
    dana.reads("Also record it for the staff of ACME: on", "Let Alice use my mouse and keyboard: off")
    dana.chooses("Choose what to share")
    dana.chooses("Letter (800 x 600)")
    dana.chooses("Cover a part")
    dana.writes("50 20 10 40")
    dana.reads("Four numbers between 0 and 100 are needed")
    dana.writes("10 20 50 40")
    dana.reads("1 part is covered")
    dana.chooses("Share this")
    assert dana.wanted(1) == [Agree(frozenset({"record"}), LETTER, Masks.of([Mask(0.1, 0.2, 0.5, 0.4)]))]


def test_a_picture_is_sent_without_anything_live(dana: Sitting) -> None:
    dana.terminal.show(QUESTION)
    dana.chooses("Send a picture instead")
    dana.chooses("Screen 1 (1920 x 1080)")
    dana.chooses("Send this picture")
    assert dana.wanted(2) == [Agree(frozenset(), None, Masks()), SendPicture(SCREEN, Masks())]


def test_who_did_not_ask_for_help_can_say_so(dana: Sitting) -> None:
    dana.terminal.show(QUESTION)
    dana.chooses("I did not ask for help")
    assert dana.wanted(1) == [Decline(unasked=True)]
    dana.terminal.show(Farewell("ACME", "Alice", 0, declined=True, unasked=True))
    dana.reads("You did the right thing", "hang up")


def test_sharing_is_told_paused_and_answered_by_number(dana: Sitting) -> None:
    dana.terminal.show(STANDING)
    dana.reads("Alice can see Screen 1")
    dana.chooses("Pause")
    assert dana.wanted(1) == [Pause()]
    assert dana.halted == 1, "the tap is closed before anybody is told"
    dana.reads("Paused. Nobody sees your screen now.", "Your choice: ")

    dana.terminal.show(
        replace(STANDING, paused=True, asked=frozenset({"record"}), lines=(Line("Alice", "Ok?", False),))
    )
    dana.reads("Alice: Ok?", "Alice asks to record this")
    dana.chooses("No recording")
    dana.writes("3")
    dana.reads("Your message")
    dana.writes("One moment")
    assert dana.wanted(2) == [Answer("record", False), Say("One moment")]


def test_the_numbers_of_what_is_there_stay_when_something_is_asked(dana: Sitting) -> None:
    dana.terminal.show(STANDING)
    before = dana.reads("Your choice: ").splitlines()
    dana.terminal.show(replace(STANDING, asked=frozenset({"record", "control"})))
    after = dana.reads("Your choice: ").splitlines()
    choices = [line for line in before if line.startswith("  ")]
    assert len(choices) > 4
    assert [line for line in after if line.startswith("  ")][: len(choices)] == choices


def test_stop_does_not_wait_for_anybody(dana: Sitting) -> None:
    dana.terminal.show(STANDING)
    dana.chooses("Stop sharing")
    dana.reads("Sharing has stopped. Nothing is visible any more.")
    assert dana.halted == 1
    dana.terminal.show(replace(STANDING, online=False))  # said before the stop was heard
    dana.terminal.show(Farewell("ACME", "Alice", 65, ("Alice",), unsent=True, receipt=("Receipt", "of it")))
    said = dana.reads("Thank you", "as soon as the connection is back", "Seen by: Alice")
    assert "Reconnecting" not in said
    dana.chooses("How was it? Good")
    assert dana.wanted(2) == [Stop(), Rate(4)]


def test_when_nobody_can_answer_any_more_nothing_is_shared_any_more(dana: Sitting) -> None:
    dana.terminal.show(STANDING)
    dana.reads("Your choice: ")
    dana.keyboard.close()
    assert dana.wanted(2) == [Stop(), Close()]
    assert dana.halted == 1
