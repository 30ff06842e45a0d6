"""A recording of several segments, made in seconds without a browser: two pictures with a gap between, and a voice.

The first picture is dark and the second bright, so that one sees from which file a moment comes.
"""

import asyncio
import math
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext

from recorder import opus, vp8
from recorder.archive import Finished
from recorder.frames import Codec, Frame
from recorder.segment_writer import SegmentWriter
from server.database import new_id, now_ms, sessions
from server.participants import admit
from server.sessions import tell
from signaling import messages as m
from signaling.session import Join, Participant
from tests.server.desk import Desk
from tests.server.recorded_session import settled

SIZE = (320, 180)
SECONDS = 3
GAP_S = 4
VOICE_S = 8
"""Alice speaks from the first second on: over the end of the first picture, the gap, and into the second picture."""


class SegmentedSession(NamedTuple):
    """What was made; `start` is the first frame's time, ms since 1970."""

    id: str
    ticket: str
    start: int


def pictures(brightness: int) -> Iterator[Frame]:
    """So many seconds of one brightness, ten pictures a second."""
    encoder = VideoCodecContext.create("libvpx", "w")
    (encoder.width, encoder.height), encoder.pix_fmt = SIZE, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 1000), Fraction(10)
    encoder.options = {"deadline": "realtime", "cpu-used": "16", "lag-in-frames": "0"}
    for number in range(SECONDS * 10):
        picture = np.full((SIZE[1], SIZE[0], 3), brightness, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number * 100, Fraction(1, 1000)
        for packet in encoder.encode(frame):
            data = bytes(packet)
            yield Frame(data, (packet.pts or 0) / 1000, vp8.keyframe_size(data), vp8)


def tone() -> Iterator[Frame]:
    """A voice that says one long a, in packets of 20 ms."""
    encoder = AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", av.AudioFormat("s16")
    for number in range(VOICE_S * 50):
        at = np.arange(number * 960, (number + 1) * 960) / 48_000
        wave = (np.sin(2 * math.pi * 440 * at) * 8000).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, number * 960, Fraction(1, 48_000)
        for packet in encoder.encode(frame):
            yield Frame(bytes(packet), number / 50, None, opus)


async def write(
    desk: Desk, threads: Executor, codec: Codec, frames: Iterator[Frame], lasts: int
) -> tuple[str, Finished]:
    """A segment with these frames; its id."""
    segment = new_id()
    writer = SegmentWriter(partial(desk.app.archive.create, segment), (codec,), threads, print)
    for frame in await asyncio.to_thread(list, frames):
        writer.write(frame, frame.time)
    return segment, await writer.finish(float(lasts))


async def segmented_session(desk: Desk, days_ago: int = 0) -> SegmentedSession:
    """Dana is recorded in two files while Alice talks; the recorder was lost in between; ended `days_ago` days ago."""
    dana, alice = await desk.sharing()
    session = dana["session"]
    async with desk.app.database.write() as connection:
        admitted, _ = await admit(connection, session, "recorder", "Recorder")
        row = (await connection.execute(sessions.select().where(sessions.c.id == session))).one()
    recorder = Participant(admitted.id, "recorder", "Recorder")
    await tell(desk.app, session, Join(recorder))
    files = (
        (dana["participant"], vp8, pictures(30), 0, SECONDS),
        (alice["participant"], opus, tone(), 1, VOICE_S),
        (dana["participant"], vp8, pictures(220), SECONDS + GAP_S, SECONDS),
    )
    with ThreadPoolExecutor(1) as threads:
        written = [await write(desk, threads, codec, frames, lasts) for _, codec, frames, _, lasts in files]
    await desk.say(alice, m.Say(new_id(), "The invoice is in the second window"))
    start = now_ms() - (SECONDS + 1) * 1000
    for (participant, codec, _, second, _), (segment, finished) in zip(files, written, strict=True):
        begun = m.ReportSegmentStarted(new_id(), segment, participant, codec.CODEC, start + second * 1000)
        over = m.ReportSegmentFinished(new_id(), segment, finished.bytes, finished.duration_ms, finished.digest)
        await tell(desk.app, session, begun, recorder)
        await tell(desk.app, session, over, recorder)
    await tell(desk.app, session, m.ReportRecordingFailed(new_id(), "lost"), recorder)
    await desk.say(alice, m.End(new_id(), "solved"))
    await settled(desk, session)
    async with desk.app.database.write() as connection:
        ended = now_ms() - days_ago * 86_400_000
        await connection.execute(sessions.update().where(sessions.c.id == session).values(ended_at=ended))
    return SegmentedSession(session, row.ticket_id, start)
