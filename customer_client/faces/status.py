"""What is so while sharing, in sentences: the same in the bar and in the terminal."""

from dataclasses import dataclass
from typing import Literal

from customer_client.capture.surfaces import Source
from customer_client.faces.face import Farewell, Question, Standing
from customer_client.words import Words


def names_of(view: Question | Standing | Farewell, words: Words) -> dict[str, str]:
    """The agent and the organization, as the dictionaries' texts want them."""
    organization = view.organization or words("name.organization")
    return {"agent": view.agent or words("name.staff"), "organization": organization}


def name_of(source: Source, words: Words) -> str:
    """What a person calls it: a window's title, or a screen with the name that the system has for it, if any."""
    if source.kind == "window":
        return source.title
    return words("surface.monitor.named", name=source.title) if _is_numbered(source) else words("surface.monitor")


def _is_numbered(source: Source) -> bool:
    return any(letter.isdigit() for letter in source.title)


@dataclass(frozen=True)
class Status:
    """`tone`: whether somebody sees it, nobody does, or somebody else holds mouse and keyboard."""

    tone: Literal["seen", "unseen", "controlled"]
    headline: str
    notice: str
    """What is to be known beside it, or ""."""
    recording: str
    """"" while nothing is recorded."""
    control: str
    """"" while mouse and keyboard are the person's own."""
    aside: str
    """The phrase, and how much is covered; or ""."""


def status_of(standing: Standing, words: Words) -> Status:
    """Reads a standing."""
    agent = standing.agent or words("name.staff")
    names = words.listed(standing.watching)
    reached = standing.online or not standing.dark
    seen = bool(names) and not standing.paused and not standing.dark and reached
    if standing.paused:
        headline = words("bar.paused")
    elif standing.source is None:
        headline = words("bar.seen.picture", names=names) if names else words("bar.nobody")
    elif seen and standing.source.kind == "monitor" and not _is_numbered(standing.source):
        headline = words("bar.seen.screen", names=names)
    elif seen:
        headline = words("bar.seen", names=names, source=name_of(standing.source, words))
    elif standing.dark and standing.online and names:
        headline = words("bar.dark")
    else:
        headline = words("bar.nobody")
    control = words("bar.control", agent=standing.controller or agent) if standing.control else ""
    covered = len(standing.masks.rectangles)
    aside = [words("bar.phrase", phrase=standing.phrase)] if standing.phrase else []
    if covered and standing.source is not None:
        aside.append(words("bar.covered", count=covered))
    return Status(
        tone="controlled" if control and not standing.paused else "seen" if seen else "unseen",
        headline=headline,
        notice=_notice(standing, words, names or agent),
        recording=_recording(standing, words),
        control=control,
        aside=" · ".join(aside),
    )


def _notice(standing: Standing, words: Words, names: str) -> str:
    if not standing.online:
        if standing.paused:
            return words("bar.lost.paused")
        return words("bar.lost.dark") if standing.dark else words("bar.lost.seen", names=names)
    return words("bar.held") if standing.held else ""


def _recording(standing: Standing, words: Words) -> str:
    match standing.recording:
        case "off":
            return ""
        case "failed":
            return words("bar.recording.failed")
        case "on":
            return words("bar.recording.paused" if standing.paused else "bar.recording")


def asked_of(standing: Standing, words: Words) -> list[tuple[Literal["record", "control"], str]]:
    """What the agent asks for now, each as a sentence."""
    names = names_of(standing, words)
    askers = {"record": names, "control": names | {"agent": standing.controller or names["agent"]}}
    scopes: tuple[Literal["record", "control"], ...] = ("record", "control")
    return [(scope, words(f"bar.{scope}.asked", **askers[scope])) for scope in scopes if scope in standing.asked]
