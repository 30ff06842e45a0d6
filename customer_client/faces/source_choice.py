"""In the terminal: which screen or window is meant, and what is covered on it."""

from collections.abc import Callable, Sequence

from customer_client.capture.masks import Mask, Masks
from customer_client.capture.surfaces import CaptureUnavailable, Source
from customer_client.faces.dialogue import Choice, Dialogue
from customer_client.faces.face import Screens
from customer_client.faces.status import name_of
from customer_client.words import Words

Take = Callable[[Source, Masks], None]


class SourceChoice:
    """Ends with `take`, under the label `yes`, or goes back."""

    def __init__(self, dialogue: Dialogue, words: Words, screens: Screens, yes: str, take: Take) -> None:
        self._dialogue, self._words, self._screens = dialogue, words, screens
        self._yes, self._take = yes, take
        self._back: Choice = words("window.back"), lambda: None

    def begin(self, back: Callable[[], None]) -> None:
        """Offers all that can be shared, windows first."""
        self._back = self._back[0], back
        found: Sequence[Source] = []
        try:
            found = self._screens.sources()
        except CaptureUnavailable as error:
            self._dialogue.say(self._words(f"trouble.{error.code}"))
        ordered = sorted(found, key=lambda source: source.kind, reverse=True)
        self._dialogue.offer([*map(self._offered, ordered), self._back])

    def _offered(self, source: Source) -> Choice:
        label = f"{name_of(source, self._words)} ({source.area.width} x {source.area.height})"
        return label, lambda: self._covered(source, Masks())

    def _covered(self, source: Source, masks: Masks) -> None:
        """What is covered on `source`, and the way on."""
        words, count = self._words, len(masks.rectangles)
        self._dialogue.say(
            "", name_of(source, words), words("cover.count", count=count) if count else words("cover.none")
        )

        def changed(others: Masks) -> None:
            self._covered(source, others)

        more: Choice = words("cover.add"), lambda: ask_part(self._dialogue, words, masks, changed)
        none: list[Choice] = [(words("cover.clear"), lambda: changed(Masks()))] if count else []
        self._dialogue.offer([(self._yes, lambda: self._take(source, masks)), more, *none, self._back])


def ask_part(dialogue: Dialogue, words: Words, masks: Masks, take: Callable[[Masks], None]) -> None:
    """Asks for one more part to be covered, until it is a part; an empty line adds none."""

    def answered(line: str) -> None:
        mask = mask_of(line)
        if line and mask is None:
            dialogue.say(words("terminal.cover.wrong"))
            dialogue.ask(words("terminal.cover.how"), answered)
        else:
            take(Masks.of([*masks.rectangles, mask]) if mask is not None else masks)

    dialogue.ask(words("terminal.cover.how"), answered)


def mask_of(line: str) -> Mask | None:
    """A part out of four percentages: left, top, right and bottom; None where they make none."""
    try:
        left, top, right, bottom = (float(number) / 100 for number in line.replace("%", " ").replace(",", ".").split())
        return Mask(left, top, right, bottom)
    except ValueError:
        return None
