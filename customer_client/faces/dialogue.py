"""A dialogue in lines: numbered choices, and now and then a text."""

from collections.abc import Callable, Sequence
from typing import TextIO

from customer_client.words import Words

Choice = tuple[str, Callable[[], None]]


class Dialogue:
    """What was offered last, and what becomes of the line that answers it."""

    def __init__(self, words: Words, writes: TextIO) -> None:
        self._words, self._writes = words, writes
        self._choices: Sequence[Choice] = ()
        self._answer: Callable[[str], None] | None = None

    def take(self, line: str) -> None:
        """A line that the person wrote."""
        if self._answer is not None:
            answer, self._answer = self._answer, None
            answer(line)
        elif line.isdecimal() and 1 <= int(line) <= len(self._choices):
            self._choices[int(line) - 1][1]()
        elif line:
            self.say(self._words("terminal.unknown"))
            self.offer(self._choices)

    def say(self, *lines: str) -> None:
        """Writes lines."""
        self._writes.writelines(f"{line}\n" for line in lines)
        self._writes.flush()

    def title(self, text: str) -> None:
        """Writes what comes now, set apart."""
        self.say("", text, "=" * len(text))

    def offer(self, choices: Sequence[Choice], *, aloud: bool = True) -> None:
        """The next line is a number out of these, instead of whatever was asked for before."""
        self._choices, self._answer = choices, None
        if aloud:
            self.say("", *(f"  {number}  {label}" for number, (label, _) in enumerate(choices, 1)))
            self._prompt(self._words("terminal.prompt"))

    def ask(self, question: str, take: Callable[[str], None]) -> None:
        """The next line is a text, which `take` is given."""
        self._answer = take
        self._prompt(question)

    def _prompt(self, text: str) -> None:
        self._writes.write(text)
        self._writes.flush()
