"""What a clip shows when: parts of segments joined without gaps, the state of the session at each moment, chapters."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from annotate.board import FADE_AFTER_MS, FADE_FOR_MS, AnnotationAdded, AnnotationsErased, AnnotationsRestored
from annotate.shapes import Step
from recorder.stored import StoredSegment
from signaling import messages as m
from signaling.session import INITIAL, State, apply

FADE_STEP_MS = 100
TAKEN_BACK_WITHIN_MS = 3_000
"""A step erased so soon was a slip of the hand, and no chapter."""


class Source(NamedTuple):
    """A segment of the recording; `started_at` is its first frame's time in ms since 1970."""

    media: StoredSegment
    started_at: int
    duration_ms: int


class Part(NamedTuple):
    """What a clip takes from a source: from `begin` to `end` (ms since 1970), shown from `at_ms` of the clip on."""

    source: Source
    begin: int
    end: int
    at_ms: int


class Chapter(NamedTuple):
    """A moment to jump to, in ms from the clip's beginning."""

    at_ms: int
    title: str


def parts_of(sources: Iterable[Source], in_ms: int, out_ms: int) -> list[Part]:
    """The parts of a clip between two moments (ms since 1970), in order; what was not recorded is left out."""
    ordered = sorted(sources, key=lambda source: source.started_at)
    parts: list[Part] = []
    at_ms = 0
    for place, source in enumerate(ordered):
        until = ordered[place + 1].started_at if place + 1 < len(ordered) else out_ms
        begin = max(in_ms, source.started_at)
        end = min(out_ms, until, source.started_at + source.duration_ms)
        if begin < end:
            parts.append(Part(source, begin, end, at_ms))
            at_ms += end - begin
    return parts


def clip_time(parts: Sequence[Part], moment: int) -> int | None:
    """Where a moment (ms since 1970) lies in the clip; None when it is not in it."""
    return next((part.at_ms + moment - part.begin for part in parts if part.begin <= moment < part.end), None)


class Story:
    """The session as it stood at each moment of the recording."""

    def __init__(self, events: Sequence[m.Event]) -> None:
        self._times: list[int] = []
        self._states: list[State] = []
        changes: set[int] = set()
        state = INITIAL
        for event in events:
            before, state = state, apply(state, event)
            seen = (state.board, state.surface, state.shown)
            if seen != (before.board, before.surface, before.shown):
                changes.add(event.at)
            if isinstance(event.body, AnnotationAdded) and event.body.annotation.fade:
                faded = event.at + FADE_AFTER_MS
                changes.update(range(faded, faded + FADE_FOR_MS + 1, FADE_STEP_MS))
            self._times.append(event.at)
            self._states.append(state)
        self._changes = sorted(changes)

    def at(self, moment: int) -> State:
        """The state at a moment, ms since 1970."""
        place = bisect_right(self._times, moment)
        return self._states[place - 1] if place else INITIAL

    def changes(self, after: int, before: int) -> list[int]:
        """The moments strictly between two at which something else is to be seen."""
        return self._changes[bisect_right(self._changes, after) : bisect_right(self._changes, before - 1)]


def chapters_of(events: Sequence[m.Event], parts: Sequence[Part]) -> list[Chapter]:
    """Bookmarks and numbered steps in order, at the places where they lie in the clip."""
    erased: dict[str, int] = {}
    for event in events:
        if isinstance(event.body, AnnotationsErased):
            erased |= dict.fromkeys(event.body.annotations, event.at)
        elif isinstance(event.body, AnnotationsRestored):
            erased = {i: at for i, at in erased.items() if i not in event.body.annotations}
    chapters: list[Chapter] = []
    for event in events:
        title = _title(event, erased)
        moment = event.body.at if isinstance(event.body, m.BookmarkAdded) else event.at
        at_ms = clip_time(parts, moment) if title else None
        if title and at_ms is not None:
            chapters.append(Chapter(at_ms, title))
    return sorted(chapters, key=lambda chapter: chapter.at_ms)


def _title(event: m.Event, erased: dict[str, int]) -> str | None:
    match event.body:
        case m.BookmarkAdded(title):
            return title or None
        case AnnotationAdded(annotation) if isinstance(annotation.shape, Step):
            if erased.get(annotation.id, event.at + TAKEN_BACK_WITHIN_MS) - event.at < TAKEN_BACK_WITHIN_MS:
                return None
            step = annotation.shape
            return f"{step.number}. {step.text}" if step.text else str(step.number)
        case _:
            return None
