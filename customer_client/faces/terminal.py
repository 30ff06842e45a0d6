"""The same as the window for people without a window system, or with a screen reader: choices in a terminal."""

import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TextIO

from customer_client.capture.masks import Masks
from customer_client.capture.surfaces import Cover as Unseen, Source
from customer_client.faces.dialogue import Choice, Dialogue
from customer_client.faces.face import (
    Again,
    Agree,
    Answer,
    Apart,
    Close,
    Connect,
    Cover,
    Decline,
    Destination,
    Farewell,
    Intent,
    Intents,
    OpenBrowser,
    Pause,
    Question,
    Rate,
    Report,
    Resume,
    Say,
    Screens,
    SendPicture,
    ShareAgain,
    Standing,
    Stop,
    Switch,
    Trouble,
    View,
    Waiting,
)
from customer_client.faces.source_choice import SourceChoice, Take, ask_part
from customer_client.faces.status import asked_of, names_of, status_of
from customer_client.words import Words

LONGEST = 2000

Choices = list[Choice]
End = object()
_NAMES: tuple[Apart, ...] = ("record", "control")


class Terminal:
    """A `Face` of lines: each view is read out with numbered choices, and only what changed is said again."""

    guarded = False

    def __init__(
        self,
        intents: Intents,
        screens: Screens,
        halt: Callable[[], None],
        *,
        words: Words | None = None,
        reads: TextIO | None = None,
        writes: TextIO | None = None,
    ) -> None:
        self.intents = intents
        self.words = words or Words()
        self._screens, self._halt = screens, halt
        self._reads = reads or sys.stdin
        self._dialogue = Dialogue(self.words, writes or sys.stdout)
        self._posted: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._view: View | None = None
        self._apart: set[Apart] = set()
        self._stopped = False
        self._server = ""

    # --- A face ---

    def show(self, view: View) -> None:
        """Says this now."""
        self._posted.put(lambda: self._show(view))

    def tell(self, key: str, **values: str) -> None:
        """A passing sentence: a key under `told.`."""
        self._posted.put(lambda: self._dialogue.say(self.words(f"told.{key}", **values)))

    def covers(self) -> Unseen:
        """Nothing: a terminal's window is not ours."""
        return Unseen()

    def run(self) -> None:
        """Returns when it was closed; Ctrl+C stops sharing, and closes when nothing is shared."""
        threading.Thread(target=self._read, name="terminal", daemon=True).start()
        self._dialogue.say(self.words("terminal.hint"))
        while True:
            try:
                if self._posted.get()() is End:
                    return
            except KeyboardInterrupt:
                self._interrupted()

    def close(self) -> None:
        """Ends `run`."""
        self._posted.put(lambda: End)

    # --- Reading ---

    def _read(self) -> None:
        """In a thread of its own, which dies with the program."""
        for line in self._reads:
            self._posted.put(lambda line=line: self._dialogue.take(line.strip()))  # type: ignore[misc]
        self._posted.put(self._ended)

    def _ended(self) -> None:
        """Nobody can answer any more: what is shared must not go on unwatched."""
        if isinstance(self._view, Standing) and not self._stopped:
            self._stop()
        self._put(Close())

    def _interrupted(self) -> None:
        if isinstance(self._view, Standing) and not self._stopped:
            self._stop()
        else:
            self._put(Close())

    def _put(self, intent: Intent) -> None:
        self.intents.put(intent)

    def _choice(self, key: str, intent: Intent) -> Choice:
        return self.words(key), lambda: self._put(intent)

    # --- Views ---

    def _show(self, view: View) -> None:
        if isinstance(view, Standing) and self._stopped:
            return
        before, self._view = self._view, view
        if view == before:
            return
        self._stopped = False
        match view:
            case Standing():
                self._stand(view, before if isinstance(before, Standing) else None)
                return
            case Question():
                self._apart = set()
                self._question(view)
                return
        match view:
            case Destination():
                self._destination(view)
            case Waiting():
                self._waiting(view)
            case Trouble():
                self._trouble(view)
            case Farewell():
                self._farewell(view)

    def _destination(self, view: Destination) -> None:
        self._server = view.server
        self._dialogue.title(self.words("destination.title", server=view.server))
        self._dialogue.say(self.words("destination.text"))
        if view.server.startswith("http://"):
            self._dialogue.say(self.words("destination.plain"))
        if view.code:
            self._dialogue.say(f"{self.words('destination.code')}: {view.code}")
        self._dialogue.offer([self._choice("destination.connect", Connect()), self._choice("destination.no", Close())])

    def _waiting(self, view: Waiting) -> None:
        organization = view.organization or self.words("name.organization")
        self._dialogue.title(self.words(f"waiting.{view.state}.title"))
        if view.position is not None:
            first = view.position <= 1
            self._dialogue.say(
                self.words("waiting.first") if first else self.words("waiting.position", position=view.position)
            )
        self._dialogue.say(self.words(f"waiting.{view.state}.text", organization=organization, server=self._server))
        self._dialogue.offer([self._choice("waiting.leave", Close())])

    def _trouble(self, view: Trouble) -> None:
        self._dialogue.title(self.words("trouble.title"))
        self._dialogue.say(self.words(f"trouble.{view.code}", **view.values))
        choices = [self._choice("trouble.browser", OpenBrowser())] if view.browser else []
        if view.browser:
            self._dialogue.say(view.browser)
        choices += [self._choice("trouble.again", Again())] if view.again else []
        self._dialogue.offer([*choices, self._choice("window.close", Close())])

    def _question(self, view: Question) -> None:
        words, names = self.words, names_of(view, self.words)
        self._dialogue.title(words("who.title", **names))
        if view.subject:
            self._dialogue.say(words("who.about", subject=view.subject))
        if view.notice:
            self._dialogue.say(words(f"notice.{view.notice}", **names))
        self._dialogue.say("", words("who.scam.title", **names), words("who.scam.text"))
        for head, points in (
            ("who.sees", ("chosen", "pictures", "chat")),
            ("who.unseen", ("files", "windows", "covered")),
        ):
            self._dialogue.say(
                "", f"{words(head, **names)}:", *(f"  - {words(f'{head}.{point}', **names)}" for point in points)
            )
        self._dialogue.say("", words("who.server", server=view.server), words("window.nothing"))
        self._consent(view)

    def _consent(self, view: Question) -> None:
        """The choices of the question; the scopes that are asked apart are turned on and off."""
        words, names = self.words, names_of(view, self.words)
        asked = [scope for scope in _NAMES if scope in view.apart]
        for scope in asked:
            state = words(f"terminal.scope.{'on' if scope in self._apart else 'off'}")
            self._dialogue.say("", f"{words(f'who.{scope}', **names)}: {state}", f"  {words(f'who.{scope}.hint')}")
        choices: Choices = []
        if view.live:
            choices.append((words("who.choose"), lambda: self._choose(False, self._agree, view)))
        choices.append((words("who.picture"), lambda: self._choose(True, self._agree_picture, view)))
        for scope in asked:
            turn = "terminal.scope.turn_off" if scope in self._apart else "terminal.scope.turn_on"
            label = words(turn, scope=words(f"who.{scope}", **names))
            choices.append((label, lambda scope=scope: self._turn(scope, view)))  # type: ignore[misc]
        choices.append(self._choice("who.no", Decline()))
        choices.append(self._choice("terminal.unasked", Decline(unasked=True)))
        self._dialogue.offer(choices)

    def _turn(self, scope: Apart, view: Question) -> None:
        self._apart ^= {scope}
        self._consent(view)

    def _agree(self, source: Source, masks: Masks) -> None:
        self._put(Agree(frozenset(self._apart), source, masks))

    def _agree_picture(self, source: Source, masks: Masks) -> None:
        self._put(Agree(frozenset(self._apart), None, masks))
        self._put(SendPicture(source, masks))

    def _choose(self, picture: bool, take: Take, view: Question | Standing) -> None:
        """Asks which screen or window, and what to cover on it."""
        words, names = self.words, names_of(view, self.words)
        title = "choose.picture" if picture else "choose"
        share = "choose.share" if isinstance(view, Question) else "choose.switch"
        self._dialogue.title(words(f"{title}.title", **names))
        self._dialogue.say(words(f"{title}.text", **names))
        choice = SourceChoice(self._dialogue, words, self._screens, words("choose.send" if picture else share), take)
        choice.begin(lambda: self._back(view))

    def _back(self, view: Question | Standing) -> None:
        if isinstance(view, Question):
            self._consent(view)
        elif isinstance(self._view, Standing):
            self._menu(self._view)

    # --- Sharing ---

    def _stand(self, standing: Standing, before: Standing | None) -> None:
        """Says what is new; the choices anew only when they are others."""
        status = status_of(standing, self.words)
        if before is None:
            self._dialogue.title(self.words("bar.title"))
        was = status_of(before, self.words) if before is not None else None
        for name in ("headline", "notice", "recording", "control", "aside"):
            text = getattr(status, name)
            if text and (was is None or getattr(was, name) != text):
                self._dialogue.say(text)
        if standing.path is not None and (before is None or before.path != standing.path):
            self._dialogue.say(f"{self.words('details.path')}: {self._path(standing)}")
        known = len(before.lines) if before is not None else 0
        for line in standing.lines[known:]:
            if not line.mine or before is None:
                self._dialogue.say(f"{self.words('chat.you') if line.mine else line.name}: {line.text}")
        for scope, text in asked_of(standing, self.words):
            if before is None or scope not in before.asked:
                self._dialogue.say(text)
        labels = [label for label, _ in self._deeds(standing)]
        if before is None or labels != [label for label, _ in self._deeds(before)]:
            self._menu(standing)

    def _path(self, standing: Standing) -> str:
        return self.words(f"details.path.{standing.path}", **names_of(standing, self.words))

    def _menu(self, standing: Standing) -> None:
        self._dialogue.offer(self._deeds(standing))

    def _deeds(self, standing: Standing) -> Choices:
        words = self.words
        pausable = standing.source is not None and not standing.held
        deeds: Choices = [(words("bar.stop"), self._stop)]
        if pausable:
            deeds.append((words("bar.resume" if standing.paused else "bar.pause"), self._pause))
        deeds.append((words("terminal.write"), self._write))
        deeds.append((words("who.picture.only"), lambda: self._choose(True, self._send, standing)))
        if standing.source is not None:
            deeds.append((words("bar.switch"), lambda: self._choose(False, self._switch, standing)))
            deeds.append((words("cover.title"), self._cover))
        deeds.append((words("details.report"), self._report))
        # What comes and goes stands last, so that the numbers of all else stay what they were.
        for scope, _ in asked_of(standing, words):
            deeds.append(self._choice(f"bar.{scope}.allow", Answer(scope, True)))
            deeds.append(self._choice(f"bar.{scope}.refuse", Answer(scope, False)))
        if standing.control:
            deeds.append(self._choice("bar.control.end", Answer("control", False)))
        if standing.recording != "off":
            deeds.append(self._choice("details.recording.stop", Answer("record", False)))
        return deeds

    def _pause(self) -> None:
        standing = self._view
        if not isinstance(standing, Standing):
            return
        if not standing.paused:
            self._halt()
        self._put(Resume() if standing.paused else Pause())
        self._show(replace(standing, paused=not standing.paused))

    def _stop(self) -> None:
        """Closes the tap and says so at once: neither waits for a network, nor for who runs the session."""
        self._halt()
        self._put(Stop())
        self._stopped = True
        self._dialogue.say("", self.words("bar.stopped"))
        self._dialogue.offer([self._choice("window.close", Close())])

    def _report(self) -> None:
        self._stop()
        self._put(Report())

    def _write(self) -> None:
        def written(text: str) -> None:
            if text:
                self._put(Say(text[:LONGEST]))
            if isinstance(self._view, Standing):
                self._menu(self._view)

        self._dialogue.ask(self.words("terminal.message"), written)

    def _cover(self) -> None:
        standing = self._view
        if not isinstance(standing, Standing):
            return

        def changed(masks: Masks) -> None:
            self._put(Cover(masks))
            self._menu(standing)

        self._dialogue.offer(
            [
                (self.words("cover.add"), lambda: ask_part(self._dialogue, self.words, standing.masks, changed)),
                (self.words("cover.clear"), lambda: changed(Masks())),
                (self.words("window.back"), lambda: self._back(standing)),
            ]
        )

    def _switch(self, source: Source, masks: Masks) -> None:
        self._put(Switch(source, masks))
        self._back_to_menu()

    def _send(self, source: Source, masks: Masks) -> None:
        self._put(SendPicture(source, masks))
        self._back_to_menu()

    def _back_to_menu(self) -> None:
        if isinstance(self._view, Standing):
            self._menu(self._view)

    # --- Afterwards ---

    def _farewell(self, view: Farewell) -> None:
        words, names = self.words, names_of(view, self.words)
        if view.declined:
            said = "after.unasked" if view.unasked else "after.declined"
            self._dialogue.title(words(f"{said}.title"))
            self._dialogue.say(words(said, **names))
        else:
            self._dialogue.title(words("after.title"))
            self._dialogue.say(words("after.open" if view.here else "after.closed", **names))
        if view.unsent:
            self._dialogue.say(words("after.unsent"))
        choices = [self._choice("after.leave", Close())]
        if view.here and not view.unasked:
            choices.append(self._choice("after.change" if view.declined else "after.again", ShareAgain()))
        if not view.declined:
            self._dialogue.say(
                f"{words('after.duration')}: {words.duration(view.seconds)}",
                f"{words('after.viewers')}: {words.listed(view.viewers) or words('after.viewers.none')}",
                f"{words('after.recorded')}: {words('after.recorded.yes' if view.recorded else 'after.recorded.no')}",
            )
        if view.receipt:
            choices.append((words("after.receipt"), lambda: self._dialogue.say("", *view.receipt, "")))
        if view.rated is not None:
            self._dialogue.say(words("after.thanks"))
        elif not view.declined:
            question = words("after.question")
            choices += [
                (f"{question} {words(f'after.face.{face}')}", partial(self._put, Rate(face))) for face in range(1, 6)
            ]
        self._dialogue.offer(choices)
