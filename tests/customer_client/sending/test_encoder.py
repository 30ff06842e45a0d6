"""The shared picture encoded once: readable, decodable by anybody, and hardly anything while it stands still."""

import itertools
import queue
from collections.abc import Iterator

import av
import cv2
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from customer_client.capture.surfaces import Area
from customer_client.sending.encoder import (
    MAX_PIXELS,
    MOST_SHARPENINGS,
    QUEUE_SECONDS,
    SHARPEN_EVERY,
    SHARPENINGS,
    SMALL_BYTES,
    EncodedFrame,
    Planes,
    Schedule,
    ScreenEncoder,
    fitted,
    level_of,
)
from tests.customer_client.screens import captured, desktop, gray, likeness


class Watched:
    """An encoder with somebody who watches, and a decoder."""

    def __init__(self) -> None:
        self.encoder = ScreenEncoder()
        self.frames: queue.Queue[EncodedFrame] = queue.Queue()
        self.encoder.on_encoded = self.frames.put
        self.decoder = av.CodecContext.create("h264", "r")
        self.decoder.thread_count = 1

    def decoded(self) -> tuple[EncodedFrame, av.VideoFrame]:
        """The next frame, and what is seen of it."""
        assert isinstance(self.decoder, VideoCodecContext)
        frame = self.frames.get(timeout=20)
        [picture] = self.decoder.decode(av.Packet(frame.data))
        return frame, picture


@pytest.fixture
def watched() -> Iterator[Watched]:
    watching = Watched()
    watching.encoder.start()
    yield watching
    watching.encoder.stop()


def test_a_picture_is_readable_at_once_and_sharpens_up_while_it_stands_still(watched: Watched) -> None:
    watched.encoder.feed(captured(1, desktop()))
    shown = [watched.decoded() for _ in range(1 + SHARPENINGS)]
    frames = [frame for frame, _ in shown]
    assert [frame.keyframe for frame in frames] == [True] + [False] * SHARPENINGS
    assert all(later.timestamp > frame.timestamp for frame, later in itertools.pairwise(frames))
    first, last = (likeness(picture.to_ndarray()[:720], gray(desktop())) for _, picture in (shown[0], shown[-1]))
    assert 0.99 < first < last
    assert sum(len(frame.data) for frame in frames[1:]) < len(frames[0].data)
    assert watched.frames.empty()


def test_what_little_changed_costs_little_and_is_seen_in_its_place(watched: Watched) -> None:
    watched.encoder.feed(captured(1, desktop()))
    before, _ = watched.decoded()
    picture = desktop().copy()
    cv2.rectangle(picture, (301, 201), (340, 230), (0, 0, 255, 255), -1)
    watched.encoder.feed(captured(2, picture, [Area(301, 201, 40, 30)]))
    frame, seen = watched.decoded()
    while likeness(seen.to_ndarray()[:720], gray(picture)) < 0.99:
        frame, seen = watched.decoded()
    assert len(frame.data) < len(before.data) / 10


def test_a_wish_for_a_keyframe_is_met_although_nothing_moves(watched: Watched) -> None:
    watched.encoder.feed(captured(1, desktop()))
    assert watched.decoded()[0].keyframe
    watched.encoder.want_keyframe()
    while not watched.decoded()[0].keyframe:
        pass


def test_it_rests_while_nobody_watches_and_begins_anew_with_a_keyframe(watched: Watched) -> None:
    watched.encoder.on_encoded = None
    watched.encoder.feed(captured(1, desktop(0.0)))
    watched.encoder.feed(captured(2, desktop(3.0), []))
    assert watched.frames.empty()
    watched.encoder.on_encoded = watched.frames.put
    frame, seen = watched.decoded()
    assert frame.keyframe
    assert likeness(seen.to_ndarray()[:720], gray(desktop(3.0))) > 0.99


def test_once_it_rests_nothing_is_made_of_what_it_was_fed(watched: Watched) -> None:
    watched.encoder.feed(captured(1, desktop(0.0)))
    assert watched.decoded()[0].keyframe
    watched.encoder.rest()
    while not watched.frames.empty():
        watched.decoded()
    watched.encoder.want_keyframe()
    assert watched.encoder.resting
    watched.encoder.feed(captured(2, desktop(3.0), []))
    frame, seen = watched.decoded()
    assert frame.keyframe
    assert likeness(seen.to_ndarray()[:720], gray(desktop(3.0))) > 0.99


def test_another_size_and_another_bitrate_begin_with_a_keyframe(watched: Watched) -> None:
    watched.encoder.feed(captured(1, desktop()))
    assert watched.decoded()[0].keyframe
    watched.encoder.feed(captured(2, np.ascontiguousarray(desktop()[:601, :901])))
    shown = watched.decoded()
    while not shown[0].keyframe:
        shown = watched.decoded()
    assert (shown[1].width, shown[1].height) == (900, 600)
    watched.encoder.set_bitrate(600_000)
    watched.encoder.feed(captured(3, np.ascontiguousarray(desktop(3.0)[:601, :901])))
    while not (frame := watched.decoded()[0]).keyframe:
        pass
    assert len(frame.data) < 600_000 / 8


def test_what_is_painted_in_parts_is_as_if_painted_at_once() -> None:
    rng = np.random.default_rng(7)
    before, after = (rng.integers(0, 256, (90, 120, 4), np.uint8) for _ in range(2))
    mixed, whole = before.copy(), Planes(120, 90)
    areas = (Area(3, 5, 21, 11), Area(90, 60, 30, 30), Area(0, 0, 1, 1))
    for area in areas:
        rows, columns = slice(area.top & ~1, area.bottom + 1 & ~1), slice(area.left & ~1, area.right + 1 & ~1)
        mixed[rows, columns] = after[rows, columns]
    parts = Planes(120, 90)
    parts.paint(before, None)
    parts.paint(after, areas)
    whole.paint(mixed, None)
    assert (parts.buffer == whole.buffer).all()


def test_a_surface_has_even_sides_and_fits_what_decoders_take() -> None:
    assert fitted(np.zeros((601, 901, 4), np.uint8)).shape == (600, 900, 4)
    height, width = fitted(np.zeros((4320, 7681, 4), np.uint8)).shape[:2]
    assert width * height <= MAX_PIXELS and not width % 2 and not height % 2
    assert width / height == pytest.approx(7681 / 4320, rel=0.002)


def test_the_level_is_that_of_the_size() -> None:
    sizes = ((1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
    assert [level_of(*size) for size in sizes] == [31, 40, 50, 51]


def settled() -> Schedule:
    """A second after the first picture, which was made finer meanwhile."""
    schedule = Schedule()
    schedule.change()
    assert schedule.due(0.0) == 0 and schedule.begin(0.0)
    schedule.made(0, 0.0)
    assert sharpened(schedule) == [SHARPEN_EVERY]
    return schedule


def sharpened(schedule: Schedule, size: int = 0) -> list[float]:
    """Every time, from 0 on, at which the picture is made finer by so many bytes when nothing else happens."""
    times, now = list[float](), 0.0
    while (wait := schedule.due(now)) is not None:
        now += wait
        times.append(round(now, 3))
        assert not schedule.begin(now)
        schedule.made(size, now)
    return times


def test_a_large_change_sharpens_up_within_a_second_and_a_small_one_does_not_interrupt_that() -> None:
    schedule = settled()
    schedule.change()
    assert schedule.due(0.0) == 0
    assert not schedule.begin(0.0)
    schedule.made(SMALL_BYTES, 0.0)
    assert sharpened(schedule) == pytest.approx([SHARPEN_EVERY * (place + 1) for place in range(SHARPENINGS)])
    assert SHARPEN_EVERY * SHARPENINGS < 1
    schedule.change()
    schedule.begin(0.0)
    schedule.made(SMALL_BYTES, 0.0)
    schedule.change()
    schedule.begin(0.0)
    schedule.made(100, 0.0)
    assert len(sharpened(schedule)) == SHARPENINGS


def test_a_screen_full_of_text_is_made_finer_as_long_as_that_adds_something() -> None:
    schedule = settled()
    schedule.change()
    schedule.begin(0.0)
    schedule.made(SMALL_BYTES, 0.0)
    assert len(sharpened(schedule, SMALL_BYTES)) == MOST_SHARPENINGS


def test_a_keyframe_of_a_narrower_encoder_is_made_finer_as_often_as_any_other() -> None:
    schedule = Schedule()
    assert schedule.begin(0.0)
    schedule.made(SMALL_BYTES, 0.0, keyframe=True)
    assert not schedule.begin(0.0)
    schedule.made(SMALL_BYTES, 0.0, keyframe=True)  # the bitrate fell, so that it is another encoder's first
    assert len(sharpened(schedule)) == SHARPENINGS


def test_no_more_is_made_than_the_network_takes_and_then_the_newest() -> None:
    schedule = settled()
    schedule.bitrate = 1_000_000
    schedule.change()
    schedule.begin(1.0)
    schedule.made(50_000, 1.0)
    schedule.change()
    assert schedule.due(1.1) == pytest.approx(0.3 - QUEUE_SECONDS)
    assert schedule.due(1.4) == 0


def test_keyframes_are_not_made_one_after_the_other_however_many_ask() -> None:
    schedule = settled()
    schedule.keyframe = True
    wait = schedule.due(0.1)
    assert wait is not None and wait > 0
    schedule.change()
    assert not schedule.begin(0.2)
    assert schedule.begin(0.1 + wait)
    assert not schedule.keyframe


def test_a_change_or_a_wish_while_a_picture_is_encoded_is_not_forgotten() -> None:
    schedule = settled()
    schedule.change()
    schedule.begin(1.0)
    schedule.change()
    schedule.keyframe = True
    schedule.made(100, 1.01)
    assert schedule.due(1.01) == 0
    assert schedule.begin(1.01)
