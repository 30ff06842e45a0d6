"""The demo's finished session: a timeline that the session machine allows, and a recording of real frames."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import av
from av.video.codeccontext import VideoCodecContext

from annotate.shapes import Annotation, Arrow, Box, Shape, Step
from customer_client.simulation.desktop import HEIGHT, WIDTH, draw_desktop
from recorder import vp8
from recorder.archive import Archive, Finished
from recorder.frames import Frame
from recorder.segment_writer import SegmentWriter
from signaling import messages as m
from signaling.session import INITIAL, Assign, Command, Join, Open, Participant, Refusal, apply, decide

FRAMES_PER_SECOND = 3
RECORDED_S = 22
STARTED_S = 9
"""When sharing begins, in seconds from the session's beginning."""
_AGENT_COLOR = "#d9480f"
_SURFACE = m.Surface("desktop", "monitor", "Desktop", WIDTH, HEIGHT)


class Cast(NamedTuple):
    """Who takes part; `user` is the agent's account."""

    user: str
    agent: Participant
    customer: Participant
    recorder: Participant


def _ink(name: str, shape: Shape) -> m.Annotate:
    annotation = Annotation(id=name, surface=_SURFACE.id, color=_AGENT_COLOR, width=0.004, fade=False, shape=shape)
    return m.Annotate(f"draw-{name}", annotation)


def _script(
    cast: Cast, organization: str, subject: str, segment: str, begun_at: int
) -> list[tuple[float, Participant | None, Command]]:
    """(second, who, what), in order."""
    started_at = begun_at + STARTED_S * 1000
    agent, customer, recorder = cast.agent, cast.customer, cast.recorder
    choose, front, sided = (0.245, 0.205), (0.235, 0.223), (0.328, 0.672)
    return [
        (0, None, Open(organization, subject, True)),
        (0, None, Assign(cast.user, agent.name)),
        (2, None, Join(agent)),
        (5, None, Join(customer)),
        (7, customer, m.GiveConsent("yes-view", "view", True)),
        (8, customer, m.GiveConsent("yes-record", "record", True)),
        (STARTED_S, customer, m.StartSharing("share", _SURFACE)),
        (STARTED_S, None, Join(recorder)),
        (STARTED_S, recorder, m.ReportSegmentStarted("seg", segment, cast.customer.id, "VP8", started_at)),
        (10, agent, m.AddBookmark("mark-1", "Choose the printer", begun_at + 10_000)),
        (11, customer, m.Say("say-1", "Every second page comes out blank, and I don't know why.")),
        (12, agent, m.Say("say-2", "I see your printers. Let me show you where to look.")),
        (12.9, agent, _ink("front", Box((0.063, 0.162), (0.469, 0.249)))),
        (13, agent, _ink("one", Step((choose[0] + 0.2, front[1] - 0.02), 1, "Choose the front office printer"))),
        (17, agent, m.AddBookmark("mark-2", "Switch two-sided off", begun_at + 17_000)),
        (18, agent, _ink("arrow", Arrow((0.62, 0.86), (0.445, 0.69)))),
        (19, agent, _ink("two", Step((sided[0] + 0.135, sided[1]), 2, "Set two-sided printing to off"))),
        (21, customer, m.Say("say-3", "Two-sided is on! I never chose that.")),
        (23, agent, m.Say("say-4", "The update did. Switch it off and print again.")),
        (25, agent, m.Erase("wipe", ["front", "one", "arrow"])),
        (26, agent, m.AddNote("note-1", "Driver update 4.2 turns duplex on; seen with two other customers.")),
        (28, customer, m.Say("say-5", "Now every page is printed. Thank you!")),
        (STARTED_S + RECORDED_S, agent, m.End("end", "solved")),
    ]


def timeline(
    cast: Cast, organization: str, subject: str, segment: str, begun_at: int, finished: Finished
) -> list[m.Event]:
    """The session's events; `begun_at` is ms since 1970. Raises ValueError when the machine refuses the script."""
    script = _script(cast, organization, subject, segment, begun_at)
    last = m.ReportSegmentFinished("fin", segment, finished.bytes, finished.duration_ms, finished.digest)
    script.append((script[-1][0] + 0.4, cast.recorder, last))
    state, events = INITIAL, list[m.Event]()
    for second, sender, command in script:
        at = begun_at + round(second * 1000)
        decided = decide(state, sender, command, at)
        if isinstance(decided, Refusal):
            raise ValueError(f"{type(command).__name__} at {second} s: {decided.text}")
        for body in decided:
            events.append(m.Event(state.seq + 1, at, sender.id if sender else "system", body))
            state = apply(state, events[-1])
    return events


def _frames(seconds: float) -> Iterator[Frame]:
    """The desktop from a moment on (seconds since 1970), encoded as a browser would."""
    encoder = VideoCodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 1000), Fraction(FRAMES_PER_SECOND)
    encoder.bit_rate, encoder.gop_size = 1_500_000, FRAMES_PER_SECOND * 5
    encoder.thread_count = 1
    encoder.options = {"deadline": "realtime", "cpu-used": "16", "lag-in-frames": "0"}
    for number in range(RECORDED_S * FRAMES_PER_SECOND):
        passed = number / FRAMES_PER_SECOND
        frame = av.VideoFrame.from_ndarray(draw_desktop(seconds + passed), format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = round(passed * 1000), Fraction(1, 1000)
        for packet in encoder.encode(frame):
            data = bytes(packet)
            yield Frame(data, (packet.pts or 0) / 1000, vp8.keyframe_size(data), vp8)


async def record(archive: Archive, segment: str, begun_at: int) -> Finished:
    """Write the recording of a session that began at `begun_at` (ms since 1970); raises `WritingFailed`."""
    failures = list[str]()
    with ThreadPoolExecutor(1, thread_name_prefix="demo recording") as threads:
        writer = SegmentWriter(partial(archive.create, segment), (vp8,), threads, failures.append)
        frames = _frames(begun_at / 1000 + STARTED_S)
        while (frame := await asyncio.to_thread(next, frames, None)) is not None:
            writer.write(frame, frame.time)
        return await writer.finish(float(RECORDED_S))
