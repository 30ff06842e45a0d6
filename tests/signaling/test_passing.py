"""A stream passed on to viewers over paths that lose, delay and choke; each viewer is the recorder's own reception."""

import heapq
import itertools
import random
from collections.abc import Callable, Iterator

import pytest

from recorder.frames import Frame
from recorder.keyframes import begins_keyframe
from recorder.reception import Reception
from signaling import feedback, rtp
from signaling.aiortc_internals import Negotiated
from signaling.pace import CEILING, FLOOR, Pace
from signaling.passing import History, Passing, Terms
from signaling.rtp import Packet
from tests.recorder.packets import delta, keyframe, packets

TERMS = Terms(110, 0x9999, 111, 0xAAAA, 3)
STEP = 0.005
FRAME_EVERY = 1 / 30
ONE_WAY = 0.02


class Path:
    """One direction to or from a viewer: loses what it is told to, and takes `rate` bits per second at most."""

    def __init__(self, loses: Callable[[], bool], rate: float | None = None, room: int = 64_000) -> None:
        self._loses, self._rate, self._room = loses, rate, room
        self._under_way: list[tuple[float, int, bytes]] = []
        self._free_at = 0.0
        self._count = 0

    def send(self, data: bytes, now: float) -> None:
        begins = max(now, self._free_at)
        full = self._rate is not None and (begins - now) * self._rate / 8 > self._room
        if self._loses() or full:
            return
        self._free_at = begins + (len(data) * 8 / self._rate if self._rate else 0.0)
        self._count += 1
        heapq.heappush(self._under_way, (self._free_at + ONE_WAY, self._count, data))

    def arrived(self, now: float) -> Iterator[bytes]:
        while self._under_way and self._under_way[0][0] <= now:
            yield heapq.heappop(self._under_way)[2]


class Viewer:
    """Who sees: what comes out of its path goes into a reception, whose RTCP goes back."""

    def __init__(self, stage: "Stage", down: Path) -> None:
        self.frames: list[tuple[float, Frame]] = []
        self.sent: list[Packet] = []
        self.most_waiting = 0
        self._down, self._up = down, Path(lambda: False)
        self._stage = stage
        self.passing = Passing(TERMS, self._rtp, self._rtcp, stage.want_keyframe)
        self.reception = Reception(
            Negotiated({110: "VP8"}, {111: 110}, 3, 0x7777),
            lambda data: self._up.send(data, stage.now),
            lambda frame, now: self.frames.append((now, frame)),
        )

    def _rtp(self, data: bytes) -> None:
        self.sent.append(rtp.parse(data, 3))
        self._down.send(data, self._stage.now)

    def _rtcp(self, data: bytes) -> None:
        self._down.send(data, self._stage.now)

    def step(self, now: float) -> None:
        for data in self._down.arrived(now):
            if data[1] in range(192, 224):
                self.reception.rtcp(data, now)
            else:
                self.reception.rtp(data, now)
        self.reception.tick(now)
        for data in self._up.arrived(now):
            self.passing.rtcp(data, now)
        self.passing.tick(now)
        self.most_waiting = max(self.most_waiting, len(self.passing._waiting))

    def shown(self, since: float = 0.0) -> set[bytes]:
        return {frame.data for at, frame in self.frames if at >= since}


class Stage:
    """A sender at 30 frames a second, each frame different, and those who see it; all of it on a clock of its own."""

    def __init__(self, frame_bytes: int = 3000, keyframe_bytes: int | None = None) -> None:
        self.now = 100.0
        self.viewers: list[Viewer] = []
        self.frames: list[tuple[float, bytes]] = []
        self.keyframes = 0
        self._bytes, self._keyframe_bytes = frame_bytes, keyframe_bytes or 4 * frame_bytes
        self._wanted = False
        self._due = self.now
        self._sequence = 65_000
        self.history = History(lambda payload: begins_keyframe("VP8", payload))

    def add(self, loses: Callable[[], bool] = lambda: False, **limits: float) -> Viewer:
        viewer = Viewer(self, Path(loses, **limits))  # type: ignore[arg-type]
        self.viewers.append(viewer)
        return viewer

    def want_keyframe(self, now: float) -> None:
        self._wanted = True

    def begin_anew(self) -> None:
        """The sender's connection is replaced: another SSRC, other numbers, another time."""
        self.history = History(lambda payload: begins_keyframe("VP8", payload))
        self._sequence = 7

    def play(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            if self.now >= self._due:
                self._due += FRAME_EVERY
                self._send_frame()
            for viewer in self.viewers:
                viewer.step(self.now)
            self.now += STEP

    def _send_frame(self) -> None:
        number = len(self.frames)
        whole, self._wanted = self._wanted or not number, False
        self.keyframes += whole
        data = (keyframe(self._keyframe_bytes, fill=number % 256) if whole else delta(self._bytes, fill=number % 256))[
            :-2
        ]
        data += number.to_bytes(2, "big")
        self.frames.append((self.now, data))
        made = packets([data], self._sequence, number * 3000 + 0xFFFF0000, share=1100)
        self._sequence += len(made)
        for packet in made:
            self.pass_on(packet)

    def pass_on(self, packet: Packet) -> None:
        index = self.history.add(packet)
        if index is not None:
            for viewer in self.viewers:
                viewer.passing.packet(self.history, index, packet, self.now)


def test_a_viewer_is_let_in_at_a_keyframe_and_then_gets_every_frame_at_once() -> None:
    stage = Stage()
    stage.play(1)
    viewer = stage.add()
    stage.play(2)
    first = viewer.frames[0][1]
    assert first.size == (640, 360)
    began = next(place for place, (_, data) in enumerate(stage.frames) if data == first.data)
    assert [frame.data for _, frame in viewer.frames] == [data for _, data in stage.frames[began:-1]] or [
        frame.data for _, frame in viewer.frames
    ] == [data for _, data in stage.frames[began:]]
    delays = {at - sent for (at, _), (sent, _) in zip(viewer.frames, stage.frames[began:], strict=False)}
    assert max(delays) <= ONE_WAY + 2 * STEP
    assert stage.keyframes == 2
    numbers = [packet.sequence for packet in viewer.sent]
    assert [(b - a) & 0xFFFF for a, b in itertools.pairwise(numbers)] == [1] * (len(numbers) - 1)
    assert {(packet.ssrc, packet.payload_type) for packet in viewer.sent} == {(0x9999, 110)}
    assert all(packet.send_time is not None for packet in viewer.sent if packet.marker)


def test_a_viewer_that_knows_how_is_told_to_show_each_picture_at_once() -> None:
    sent, history = list[bytes](), History(lambda _: True)
    passing = Passing(TERMS._replace(playout_delay=14), sent.append, sent.append, lambda _: None)
    [packet] = packets([keyframe(50)])
    index = history.add(packet)
    assert index is not None
    passing.packet(history, index, packet, 1.0)
    [data] = sent
    assert data[12:16] == b"\xbe\xde\0\2" and data[20:24] == b"\xe2\0\0\0"
    assert (rtp.parse(data, 3).payload, rtp.parse(data, 3).send_time) == (packet.payload, 1 << 18)


def test_what_a_viewer_loses_is_sent_again_to_it_alone() -> None:
    stage, fate = Stage(), random.Random(7)
    lossy = stage.add(lambda: fate.random() < 0.05)
    other = stage.add()
    stage.play(20)
    assert {data for _, data in stage.frames[:-10]} <= lossy.shown()
    assert stage.keyframes <= 3
    again = [packet for packet in lossy.sent if packet.payload_type == 111]
    assert len(again) > 50
    assert {packet.ssrc for packet in again} == {0xAAAA}
    assert all(packet.payload_type == 110 for packet in other.sent)


def test_packets_that_the_sender_sends_again_reach_the_viewer_in_their_place() -> None:
    stage = Stage()
    viewer = stage.add()
    stage.play(0.5)
    held: list[Packet] = []
    pass_on = stage.pass_on
    stage.pass_on = held.append  # type: ignore[method-assign, assignment]
    stage.play(0.04)
    stage.pass_on = pass_on  # type: ignore[method-assign]
    stage.play(0.05)
    for packet in [*held, *held]:
        stage.pass_on(packet)
    stage.play(0.5)
    assert {data for _, data in stage.frames[:-2]} <= viewer.shown()
    assert stage.keyframes == 1
    numbers = [packet.sequence for packet in viewer.sent if packet.payload_type == 110]
    assert len(set(numbers)) == len(numbers)


def test_what_comes_late_of_the_frames_before_a_viewer_was_let_in_is_not_for_it() -> None:
    stage = Stage()
    viewer = stage.add()
    before, first = packets([delta(500), keyframe(500)], 40, share=600)
    for packet in (first, before):
        stage.pass_on(packet)
    assert [packet.payload for packet in viewer.sent] == [first.payload]


def test_a_viewer_that_cannot_keep_up_sees_whole_frames_now_and_then_and_holds_up_nobody() -> None:
    stage = Stage(frame_bytes=8000)  # 2 Mbit/s
    slow = stage.add(rate=600_000.0)
    fast = stage.add()
    stage.play(40)
    assert slow.passing.pace.strained
    assert FLOOR <= slow.passing.pace.bitrate < 1_200_000
    assert len(slow.shown(since=stage.now - 20)) >= 5
    assert slow.most_waiting < 256
    assert not fast.passing.pace.strained
    began = next(place for place, (_, data) in enumerate(stage.frames) if data == fast.frames[0][1].data)
    delays = [at - sent for (at, _), (sent, _) in zip(fast.frames, stage.frames[began:], strict=False)]
    assert len(delays) >= len(stage.frames) - began - 1
    assert max(delays) <= ONE_WAY + 2 * STEP
    assert stage.keyframes <= 40 / 3 + 2


def test_a_keyframe_that_overruns_a_narrow_path_is_sent_again_no_faster_than_the_path_bears() -> None:
    stage = Stage(frame_bytes=5000, keyframe_bytes=165_000)  # 1.2 Mbit/s
    narrow = stage.add(rate=3_000_000.0, room=56_000)
    stage.play(5)
    for _ in range(3):
        before, since = len(narrow.sent), stage.now
        stage.want_keyframe(stage.now)
        stage.play(8)
        times = [since, *(at for at, _ in narrow.frames if at >= since), stage.now]
        assert max(b - a for a, b in itertools.pairwise(times)) < 2
        again = [packet for packet in narrow.sent[before:] if packet.payload_type == 111]
        assert sum(len(packet.payload) for packet in again) < 2 * 165_000


def test_a_viewer_whose_path_is_free_again_gets_everything_again() -> None:
    stage = Stage(frame_bytes=8000)
    viewer = stage.add(rate=600_000.0)
    stage.play(15)
    assert viewer.passing.pace.strained
    viewer._down._rate = None
    stage.play(25)
    assert not viewer.passing.pace.strained
    recent = {data for at, data in stage.frames if at > stage.now - 1}
    assert len(recent - viewer.shown()) <= 1


def test_the_viewers_stream_goes_on_without_a_break_when_the_senders_begins_anew() -> None:
    stage = Stage()
    viewer = stage.add()
    stage.play(1)
    stage.begin_anew()
    stage.play(2)
    numbers = [packet.sequence for packet in viewer.sent]
    assert [(b - a) & 0xFFFF for a, b in itertools.pairwise(numbers)] == [1] * (len(numbers) - 1)
    times = [packet.timestamp for packet in viewer.sent]
    steps = [(b - a) & 0xFFFFFFFF for a, b in itertools.pairwise(times)]
    assert max(steps) < 90_000
    assert {data for _, data in stage.frames if _ > stage.now - 1} - viewer.shown() <= {stage.frames[-1][1]}


def test_a_quiet_screen_does_not_draw_a_viewers_bitrate_down() -> None:
    pace = Pace()
    for second in range(60):
        pace.sent(1000, second)
        pace.granted(12_000)
        pace.report(feedback.Block(0, second, 0, 0), second)
    assert pace.bitrate == CEILING


def test_one_lost_burst_after_a_quiet_time_halves_a_viewers_bitrate_at_most() -> None:
    pace = Pace()
    for second in range(10):
        pace.sent(1000, second)
        pace.granted(12_000)
        pace.report(feedback.Block(0, second, 0, 0), second)
    pace.sent(60_000, 10)
    pace.report(feedback.Block(20, 60, 0, 0), 10)
    after_the_burst = pace.bitrate
    assert CEILING / 4 <= after_the_burst <= CEILING / 2
    for second in range(11, 16):
        pace.sent(1000, second)
        pace.report(feedback.Block(20, 50 + second, 0, 0), second)
    assert pace.bitrate >= after_the_burst


def test_a_viewer_that_loses_all_the_time_comes_down_to_what_its_path_bears() -> None:
    pace = Pace()
    for second in range(8):
        pace.sent(250_000, second)
        pace.report(feedback.Block(90 * second, 200 * second, 0, 0), second)
    assert pace.bitrate < CEILING / 8


def test_feedback_is_read_as_it_is_written() -> None:
    numbers = [65_534, 65_535, 3, 400]
    report = rtp.Report(10, 5, 70_000, 1, 0x11223344, 77)
    compound = rtp.receiver_report(1, 2, report) + rtp.nack(1, 2, numbers) + rtp.picture_loss(1, 2)
    said = feedback.read(compound + rtp.maximum_bitrate(1, 2, 1_500_000), 2)
    assert said.missing == numbers
    assert said.keyframe
    assert said.bitrate is not None
    assert abs(said.bitrate - 1_500_000) < 10
    assert said.report == feedback.Block(5, 70_000, 0x11223344, 77)
    assert feedback.read(compound, 3) == feedback.Feedback([], False, None, None)


def test_whatever_a_viewer_sends_as_feedback_hurts_nothing() -> None:
    stage, fate = Stage(), random.Random(3)
    viewer = stage.add()
    stage.play(1)
    honest = rtp.nack(1, 0x9999, range(0, 600, 3)) + rtp.maximum_bitrate(1, 0x9999, 90_000)
    for _ in range(10_000):
        data = bytearray(honest[: fate.randrange(len(honest))])
        for _ in range(fate.randrange(4)):
            if data:
                data[fate.randrange(len(data))] = fate.randrange(256)
        viewer.passing.rtcp(bytes(data), stage.now)
    assert viewer.most_waiting == 0


@pytest.mark.parametrize(
    ("codec", "begins", "goes_on"),
    [
        ("VP8", "9080ab1200000009d012a", "9080ab1201"),
        ("VP9", "8881230a", "c881230a"),
        ("AV1", "1800", "1000"),
        ("H264", "7c85", "7c05"),
        ("H264", "67", "61"),
        ("H264", "180002674d0002685a", "180002415a"),
    ],
)
def test_a_keyframes_beginning_is_told_from_what_follows(codec: str, begins: str, goes_on: str) -> None:
    assert begins_keyframe(codec, bytes.fromhex(begins.ljust(len(begins) + len(begins) % 2, "0")))
    assert not begins_keyframe(codec, bytes.fromhex(goes_on))
    assert not begins_keyframe(codec, b"")
