"""A voice without a break, for those who count its samples."""

from itertools import pairwise

import av
import numpy as np
from hypothesis import given, settings, strategies as st

from recorder import opus
from recorder.soundtrack import Soundtrack

PACKET = opus.silence(1)


def ends(blocks: list[tuple[int, bytes]]) -> list[tuple[int, int]]:
    """(beginning, end) in ms of each block."""
    return [(at, at + opus.samples(packet) // 48) for at, packet in blocks]


def without_break(blocks: list[tuple[int, bytes]]) -> bool:
    spans = ends(blocks)
    return all(end == begin for (_, end), (begin, _) in pairwise(spans))


def test_packets_that_come_as_they_should_stand_one_after_the_other() -> None:
    track = Soundtrack()
    blocks = [block for n in range(50) for block in track.place(PACKET, n * 0.02 + 0.007)]
    assert blocks == [(20 * n, PACKET) for n in range(50)]


def test_what_did_not_come_is_silence() -> None:
    track = Soundtrack()
    blocks = [*track.place(PACKET, 0.0), *track.place(PACKET, 1.5), *track.fill(1.8)]
    assert without_break(blocks)
    assert (1500, PACKET) in blocks
    assert ends(blocks)[-1][1] == 1800


def test_silence_of_every_length_is_understood_by_a_decoder() -> None:
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.extradata = opus.private(PACKET)
    for frames in range(1, 7):
        [decoded] = decoder.decode(av.Packet(opus.silence(frames)))
        assert decoded.samples in (960 * frames, 960 * frames - opus.PRE_SKIP)
        assert np.abs(decoded.to_ndarray()).max() < 0.001


@given(st.floats(-300, 300), st.lists(st.floats(0, 0.7), max_size=30))
@settings(max_examples=25, deadline=None)
def test_a_clock_that_runs_apart_and_gaps_leave_each_packet_where_it_was_spoken(
    parts: float, gaps: list[float]
) -> None:
    track, blocks, time = Soundtrack(), list[tuple[int, bytes]](), 0.0
    for number in range(3000):
        time += 0.02 * (1 + parts / 1e5) + (
            gaps[number // 100] if number % 100 == 99 and number // 100 < len(gaps) else 0
        )
        packet = opus.silence(1) + bytes((number >> 8, number & 255))
        placed = track.place(packet, time)
        blocks += placed
        for at, data in placed:
            if data is packet:
                assert abs(at - time * 1000) <= 21
    assert without_break(blocks)
