"""Frames out of packets that come late, twice, out of order, or never."""

import random

from hypothesis import given, settings, strategies as st

from recorder import vp8
from recorder.assembly import ASK_AGAIN_AFTER, GIVE_UP_AFTER, Assembly
from recorder.frames import Codec, Frame
from recorder.synchronization import SenderClock, StreamClock
from signaling.rtp import Packet
from tests.recorder.packets import delta, keyframe, packets

FRAMES = [keyframe(450), *(delta(130 + 40 * n, fill=n) for n in range(9))]


def assembly_of(codec: Codec) -> Assembly:
    return Assembly(codec, StreamClock(codec.CLOCK_RATE, SenderClock()))


def receive(assembly: Assembly, sent: list[Packet], interval: float = 0.001) -> list[Frame]:
    return [frame for n, packet in enumerate(sent) for frame in assembly.add(packet, n * interval)]


def times(frames: list[Frame]) -> list[float]:
    return [round(frame.time - frames[0].time, 6) for frame in frames]


def data(frames: list[Frame]) -> list[bytes]:
    return [frame.data for frame in frames]


def test_frames_come_out_whole_in_order_and_say_which_are_keyframes() -> None:
    frames = receive(assembly_of(vp8), packets(FRAMES))
    assert data(frames) == FRAMES
    assert [frame.size for frame in frames] == [(640, 360)] + [None] * 9
    assert times(frames) == [round(n / 30, 6) for n in range(10)]


def test_the_last_frame_is_let_go_at_its_marker_without_waiting_for_the_next() -> None:
    assembly, sent = assembly_of(vp8), packets([keyframe(250)])
    assert assembly.add(sent[0], 0) == assembly.add(sent[1], 0) == []
    assert len(assembly.add(sent[2], 0)) == 1


def test_packets_in_any_order_within_reach_and_twice_make_the_same_frames() -> None:
    sent = packets(FRAMES)
    shuffled = sent[:1] + random.Random(7).sample(sent[1:] + sent[3:9], len(sent) - 1 + 6)
    assert data(receive(assembly_of(vp8), shuffled)) == FRAMES


def test_sequence_numbers_and_timestamps_wrap_around() -> None:
    frames = receive(assembly_of(vp8), packets(FRAMES, first_sequence=65530, first_timestamp=2**32 - 7000), 0.01)
    assert data(frames) == FRAMES
    assert times(frames) == [round(n / 30, 6) for n in range(10)]


def test_a_missing_packet_is_asked_for_at_once_and_every_30_ms_until_it_comes() -> None:
    assembly, sent = assembly_of(vp8), packets([keyframe(250), delta(250), delta(250)])
    receive(assembly, sent[:3])
    assembly.add(sent[4], 1.0)
    assert assembly.missing(1.0) == [3]
    assert assembly.missing(1.01) == []
    assert assembly.missing(1.0 + ASK_AGAIN_AFTER) == [3]
    assert assembly.incomplete
    assembly.add(sent[3], 1.05)
    assert not assembly.incomplete
    assert assembly.missing(1.2) == []
    assert len(assembly.add(sent[5], 1.06)) == 1


def test_what_stays_missing_is_given_up_and_nothing_comes_before_the_next_keyframe() -> None:
    assembly = assembly_of(vp8)
    sent = packets([keyframe(250), delta(250), delta(250), keyframe(250), delta(90)])
    assert len(receive(assembly, [*sent[:4], *sent[5:9]])) == 1
    assert assembly.expire(GIVE_UP_AFTER / 2) == []
    assert assembly.expire(GIVE_UP_AFTER + 1) == []
    assert assembly.needs_keyframe
    frames = [frame for packet in sent[9:] for frame in assembly.add(packet, 2)]
    assert data(frames) == [keyframe(250), delta(90)]
    assert assembly.lost_frames == 1


def test_a_stream_that_begins_in_the_middle_waits_for_a_keyframe() -> None:
    assembly = assembly_of(vp8)
    frames = receive(assembly, packets([delta(250), delta(250), keyframe(90)])[1:])
    assert data(frames) == [keyframe(90)]


def test_padding_between_frames_is_no_loss() -> None:
    sent = packets([keyframe(90), delta(90), delta(90)])
    padding = sent[1]._replace(payload=b"", marker=False)
    later = [packet._replace(sequence=packet.sequence + 1) for packet in sent[1:]]
    assert len(receive(assembly_of(vp8), [sent[0], padding, *later])) == 3


def test_a_jump_far_ahead_is_a_new_beginning_not_ten_thousand_losses() -> None:
    assembly = assembly_of(vp8)
    receive(assembly, packets([keyframe(90), delta(90)]))
    frames = receive(assembly, packets([delta(90), keyframe(250)], first_sequence=20_000))
    assert assembly.missing(9) == []
    assert data(frames) == [keyframe(250)]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_lost_and_sent_again_in_time_all_frames_come_out(choices: st.DataObject) -> None:
    sent = packets(FRAMES, first_sequence=65_500)
    lost = choices.draw(st.sets(st.integers(1, len(sent) - 2)))
    delay = choices.draw(st.floats(0.005, 0.4))
    assembly, out = assembly_of(vp8), []
    by_sequence = {packet.sequence: packet for packet in sent}
    under_way: list[tuple[float, Packet]] = []
    for tick in range(2000):
        now = tick / 1000
        if tick < len(sent) and tick not in lost:
            out += assembly.add(sent[tick], now)
        under_way += [(now + delay, by_sequence[number]) for number in assembly.missing(now)]
        for _, packet in [item for item in under_way if item[0] <= now]:
            out += assembly.add(packet, now)
        under_way = [item for item in under_way if item[0] > now]
        out += assembly.expire(now)
    assert data(out) == FRAMES


@given(st.sets(st.integers(0, 60)), st.lists(st.integers(0, 6), min_size=61, max_size=61))
@settings(max_examples=100, deadline=None)
def test_whatever_is_lost_for_good_each_frame_comes_with_what_it_needs(lost: set[int], late: list[int]) -> None:
    frames = [keyframe(150, fill=n) if n % 7 == 0 else delta(150, fill=n) for n in range(30)]
    arrivals = sorted((n + late[n % 61], n, packet) for n, packet in enumerate(packets(frames)) if n not in lost)
    assembly, out = assembly_of(vp8), []
    for at, _, packet in arrivals:
        out += assembly.add(packet, at / 10)
        out += assembly.expire(at / 10)
    out += assembly.expire(100)
    came = [frames.index(frame.data) for frame in out]
    assert came == sorted(set(came))
    for before, number in zip([-1, *came], came, strict=False):
        assert number % 7 == 0 or number == before + 1
