"""Feedback to the sender, statistics, and packets made of noise. Time is an argument here."""

import random
import struct

from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, unpack_remb_fci
from hypothesis import given, settings, strategies as st

from recorder import opus, vp8
from recorder.bandwidth import CEILING, FLOOR, Bandwidth
from recorder.codecs import CODECS
from recorder.frames import Frame
from recorder.multiplexer import Multiplexer
from recorder.reception import FIRST_KEYFRAME_WITHIN, KEYFRAME_EVERY, Reception
from signaling import rtp
from signaling.aiortc_internals import Negotiated
from signaling.rtp import Packet
from tests.recorder.packets import SSRC, delta, keyframe, packets, retransmission, wire

LOCAL = 99
TERMS = Negotiated({96: "VP8", 98: "VP9", 100: "H264", 102: "AV1", 111: "OPUS"}, {97: 96, 99: 98}, 3, LOCAL)


class Wire:
    """A reception whose frames and RTCP are kept; RTCP is read by aiortc's own parser."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.sent: list[object] = []
        self.reception = Reception(TERMS, self._send, lambda frame, now: self.frames.append(frame))

    def _send(self, packet: bytes) -> None:
        self.sent += RtcpPacket.parse(packet)

    def of(self, kind: type, fmt: int | None = None) -> list[object]:
        return [p for p in self.sent if isinstance(p, kind) and (fmt is None or getattr(p, "fmt", None) == fmt)]

    @property
    def keyframe_requests(self) -> int:
        return len(self.of(RtcpPsfbPacket, 1))


def test_a_loss_is_reported_at_once_and_mended_by_a_retransmission_stream() -> None:
    line, sent = Wire(), packets([keyframe(450), delta(450), delta(90)])
    for packet in [*sent[:6], *sent[7:]]:
        line.reception.rtp(wire(packet), 1.0)
    assert [nack.lost for nack in line.of(RtcpRtpfbPacket)] == [[6]]  # type: ignore[attr-defined]
    assert line.reception.urgent
    assert line.reception.tick(1.031) == 0.03
    assert len(line.of(RtcpRtpfbPacket)) == 2
    line.reception.rtp(retransmission(sent[6], 4000), 1.05)
    assert [frame.data for frame in line.frames] == [keyframe(450), delta(450), delta(90)]
    assert not line.reception.urgent


@given(st.randoms(use_true_random=False), st.sampled_from((0.0, 0.02, 0.2)))
@settings(max_examples=40, deadline=None)
def test_packets_that_go_on_without_a_gap_make_the_same_of_a_stream_as_those_seen_one_by_one(
    fate: random.Random, spoiled: float
) -> None:
    short, full = Wire(), Wire()
    full.reception.on_packet = lambda packet, now: None  # each packet is read whole
    sent = [wire(packet) for packet in packets([keyframe(450), *[delta(450)] * 12], first_sequence=65_500)]
    for n, data in enumerate(sent):
        came = [data]
        if fate.random() < spoiled:
            came = fate.choice(([], [data, data], [sent[n - 2]], [data[: fate.randrange(20)]], [b"\xb0" + data[1:]]))
        for line in (short, full):
            for each in came:
                line.reception.rtp(each, n / 100)
            line.reception.tick(n / 100)
    assert short.frames == full.frames
    assert list(map(str, short.sent)) == list(map(str, full.sent))
    assert short.frames or spoiled


def test_a_voice_is_never_asked_for_again_and_waits_a_tenth_of_a_second_for_what_comes_late() -> None:
    line = Wire()
    packet = Packet(111, False, 10, 0, SSRC, opus.silence(1), None)
    for number, at in ((10, 1.0), (12, 1.04), (11, 1.05), (14, 1.08)):
        line.reception.rtp(wire(packet._replace(sequence=number, timestamp=number * 960)), at)
    assert len(line.frames) == 3
    line.reception.tick(1.15)
    assert len(line.frames) == 3
    line.reception.tick(1.2)
    assert [round(frame.time, 6) for frame in line.frames] == [1.0, 1.02, 1.04, 1.08]
    assert line.of(RtcpRtpfbPacket) == line.of(RtcpPsfbPacket) == []
    assert len(line.of(RtcpRrPacket)) == 1


def test_losses_far_apart_stand_in_one_packet() -> None:
    [parsed] = RtcpPacket.parse(rtp.nack(1, 2, [65534, 65535, 0, 5, 40, 41]))
    assert isinstance(parsed, RtcpRtpfbPacket)
    assert [number & 0xFFFF for number in parsed.lost] == [65534, 65535, 0, 5, 40, 41]


def test_no_keyframe_is_asked_for_when_the_stream_begins_with_one() -> None:
    line = Wire()
    for n, packet in enumerate(packets([keyframe(450), delta(90)])):
        line.reception.rtp(wire(packet), n / 100)
    line.reception.tick(1.0)
    assert line.keyframe_requests == 0


def test_a_keyframe_is_asked_for_soon_and_again_when_the_stream_begins_without_one() -> None:
    line, sent = Wire(), packets([delta(90)] * 40)
    line.reception.rtp(wire(sent[0]), 0.0)
    assert line.keyframe_requests == 0
    line.reception.rtp(wire(sent[1]), FIRST_KEYFRAME_WITHIN + 0.01)
    line.reception.rtp(wire(sent[2]), FIRST_KEYFRAME_WITHIN + 0.02)
    assert line.keyframe_requests == 1
    line.reception.tick(1.5)
    assert line.keyframe_requests == 2
    assert line.frames == []


def test_a_keyframe_is_asked_for_when_a_loss_was_not_mended() -> None:
    line, sent = Wire(), packets([keyframe(250), delta(250), delta(250)])
    for packet in [*sent[:4], *sent[5:]]:
        line.reception.rtp(wire(packet), 10.0)
    line.reception.tick(10.3)
    assert line.keyframe_requests == 0
    line.reception.tick(10.7)
    assert line.keyframe_requests == 1
    assert not line.reception.urgent


def test_keyframes_come_every_ten_seconds_while_the_picture_moves_and_not_while_it_stands() -> None:
    line = Wire()
    sent = packets([keyframe(90), *[delta(90)] * 600])
    for n in range(300):  # 30 s at 10 frames a second, and the sender ignores every request
        line.reception.rtp(wire(sent[n]), n / 10)
        line.reception.tick(n / 10)
    moving = line.keyframe_requests
    assert moving >= 2
    first = Wire()
    for n in range(60):  # one frame a second is a screen that stands still
        first.reception.rtp(wire(sent[n]), float(n))
        first.reception.tick(float(n))
    assert first.keyframe_requests == 0
    assert KEYFRAME_EVERY == 10


def test_receiver_reports_count_losses_and_repeat_the_sender_report() -> None:
    line, sent = Wire(), packets([keyframe(90), *[delta(90)] * 99], first_sequence=65_500)
    line.reception.rtp(wire(sent[0]), 5.0)
    sender_report = struct.pack("!BBHLLLLLL", 0x80, 200, 6, SSRC, 0x11112222, 0x33334444, 0, 0, 0)
    line.reception.rtcp(sender_report, 5.0)
    line.reception.tick(5.0)
    for n, packet in enumerate(sent[1:], 1):
        if n % 4:
            line.reception.rtp(wire(packet), 5.0)
    line.reception.tick(5.5)
    [report] = line.of(RtcpRrPacket)[-1].reports  # type: ignore[attr-defined]
    assert report.ssrc == SSRC
    assert report.packets_lost == 24
    assert abs(report.fraction_lost - 256 * 24 / 99) <= 1
    assert report.highest_sequence == 65_500 + 99
    assert (report.lsr, report.dlsr) == (0x22223333, 32768)


def test_a_quiet_screen_keeps_its_whole_bitrate() -> None:
    bandwidth = Bandwidth()
    for second in range(60):
        bandwidth.bytes += 200
        assert bandwidth.report(0.0, float(second)) == CEILING


def test_loss_lowers_the_bitrate_to_a_floor_and_it_comes_back() -> None:
    bandwidth = Bandwidth()
    for n in range(40):
        bandwidth.report(0.3, n / 2)
    assert bandwidth.bitrate == FLOOR
    for n in range(40, 70):
        bandwidth.report(0.0, n / 2)
    assert bandwidth.bitrate == CEILING


def test_a_growing_queue_lowers_the_bitrate_below_what_came() -> None:
    bandwidth = Bandwidth()
    for n in range(40):  # 1 Mbit/s in 20 frames a second, each 40 ms later than the one before
        bandwidth.bytes += 6250
        sent_at = n * 0.05
        bandwidth.frame(int(sent_at * (1 << 18)) & 0xFFFFFF, sent_at + n * 0.04)
        if n % 10 == 9:
            bandwidth.report(0.0, n * 0.05)
    assert bandwidth.bitrate < 1_200_000


def test_the_bitrate_stands_in_a_remb_that_others_understand() -> None:
    for bitrate in (FLOOR, 1_234_567, CEILING):
        [parsed] = RtcpPacket.parse(rtp.maximum_bitrate(LOCAL, SSRC, bitrate))
        assert isinstance(parsed, RtcpPsfbPacket)
        understood, ssrcs = unpack_remb_fci(parsed.fci)
        assert ssrcs == [SSRC]
        assert bitrate * 0.999 <= understood <= bitrate


def test_another_stream_is_ignored_until_the_first_falls_silent() -> None:
    line, sent = Wire(), packets([keyframe(90), delta(90)])
    other = packets([keyframe(80), delta(80)], first_sequence=900)
    line.reception.rtp(wire(sent[0]), 1.0)
    line.reception.rtp(wire(other[0], ssrc=7), 1.1)
    assert len(line.frames) == 1
    line.reception.rtp(wire(other[0], ssrc=7), 9.0)
    assert [frame.data for frame in line.frames] == [keyframe(90), keyframe(80)]
    assert line.frames[1].time - line.frames[0].time == 8.0


def test_vp8_descriptors_of_every_length_are_stripped() -> None:
    data = b"\x01frame"
    for head in (b"\x10", b"\x90\x80\x05", b"\x90\x80\x85\x05", b"\x90\xc0\x05\x09", b"\x90\xf0\x85\x05\x09\x20"):
        assert vp8.strip(head + data) == (data, True)
    assert vp8.strip(b"\x00" + data) == (data, False)
    assert vp8.strip(b"\x11" + data) == (data, False)  # the start of another partition of the same frame


def test_a_send_time_is_read_out_of_the_header_extensions() -> None:
    head = struct.pack("!BBHLL", 0x90, 0xE0, 1, 2, 3) + b"\xbe\xde\x00\x02" + b"\x10\xaa\x32\x01\x02\x03\x00\x00"
    packet = rtp.parse(head + b"payload", 3)
    assert (packet.payload, packet.marker, packet.send_time) == (b"payload", True, 0x010203)


noise = st.binary(max_size=80)
heads = st.builds(
    lambda flags, second, sequence, timestamp, ssrc, rest: (
        struct.pack("!BBHLL", 0x80 | flags, second, sequence, timestamp, ssrc) + rest
    ),
    st.sampled_from([0, 0, 0, 0x10, 0x20, 0x3F, 0x0F]),
    st.sampled_from([96, 97, 98, 100, 102, 111, 5]).flatmap(lambda kind: st.sampled_from([kind, kind | 128])),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.sampled_from([SSRC, SSRC, 8]),
    noise | st.just(b"\x10" + keyframe(30)) | st.just(b"\x10" + delta(12)) | st.just(b""),
)


@given(st.lists(st.tuples(noise | heads, st.booleans(), st.floats(0, 0.5)), max_size=80))
@settings(max_examples=300, deadline=None)
def test_no_packet_whatever_is_in_it_raises_an_error(sent: list[tuple[bytes, bool, float]]) -> None:
    line, now, files = Wire(), 0.0, {name: Multiplexer((codec,)) for name, codec in CODECS.items()}
    for data, is_rtp, passed in sent:
        now += passed
        (line.reception.rtp if is_rtp else line.reception.rtcp)(data, now)
        line.reception.tick(now)
    for frame in line.frames:
        files[frame.codec.CODEC].add(frame)
    for file in files.values():
        file.take(now)
    times = [frame.time for frame in line.frames]
    assert times == sorted(times)
