"""The depacketisers on what Chromium really sent, and on what nobody would.

tests/recorder/captured holds packets of Chromium for each codec, with a voice beside it; tests/recorder/capture.py
makes them anew.
"""

import io
import json
from functools import cache
from types import ModuleType

import av
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from recorder import av1, h264, opus, vp8, vp9
from recorder.frames import Codec, Frame
from recorder.multiplexer import Multiplexer
from recorder.reception import Reception
from recorder.synchronization import SenderClock
from signaling import rtp
from signaling.aiortc_internals import Negotiated
from tests.recorder.capture import FOLDER
from tests.recorder.rtpdump import Record, read

VIDEO: tuple[Codec, ...] = (vp9, h264, vp8, av1)
ALL: tuple[Codec, ...] = (*VIDEO, opus)
BEFORE, AFTER = (320, 180), (240, 180)


@cache
def captured(codec: str) -> tuple[dict[str, Negotiated], list[Record]]:
    """What was agreed for each kind, and the packets."""
    agreed = json.loads((FOLDER / "terms.json").read_text())[codec]
    terms = {
        kind: Negotiated(
            {int(number): name for number, name in codecs.items()},
            {int(number): repeated for number, repeated in retransmissions.items()},
            send_time,
            1,
        )
        for kind, (codecs, retransmissions, send_time) in agreed.items()
    }
    return terms, read(FOLDER / f"{codec.lower()}.rtpdump")


def received(codec: str) -> list[Frame]:
    """The frames of a capture, picture and voice as they came."""
    terms, records = captured(codec)
    frames, sender = list[Frame](), SenderClock()
    receptions = {
        kind: Reception(agreed, lambda _: None, lambda frame, _: frames.append(frame), sender)
        for kind, agreed in terms.items()
    }
    for ms, is_rtp, data in records:
        for kind, reception in receptions.items():
            if not is_rtp:
                reception.rtcp(data, ms / 1000)
            elif data[1] & 0x7F in {*terms[kind].codecs, *terms[kind].retransmissions}:
                reception.rtp(data, ms / 1000)
    return frames


def written(frames: list[Frame], codecs: tuple[Codec, ...]) -> io.BytesIO:
    multiplexer = Multiplexer(codecs)
    for frame in frames:
        multiplexer.add(frame)
    return io.BytesIO(b"".join(multiplexer.take(frames[-1].time)))


@pytest.mark.parametrize("codec", VIDEO, ids=lambda codec: codec.CODEC)
def test_what_chromium_sent_is_decoded_whole_with_its_change_of_size_and_its_voice(codec: Codec) -> None:
    frames = received(codec.CODEC)
    pictures = [frame for frame in frames if frame.codec is codec]
    assert pictures[0].size == BEFORE
    assert {frame.size for frame in pictures} == {BEFORE, AFTER, None}
    file = written(frames, (codec, opus))
    with av.open(file, "r") as container:
        shown = [frame for frame in container.decode(video=0) if isinstance(frame, av.VideoFrame)]
        assert not any(frame.is_corrupt for frame in shown)
    assert len(shown) == len(pictures)
    assert ((shown[0].width, shown[0].height), (shown[-1].width, shown[-1].height)) == (BEFORE, AFTER)
    flash = next(frame.time for frame in shown if frame.time and frame.to_ndarray(format="gray").mean() > 160)
    file.seek(0)
    with av.open(file, "r") as container:
        heard = [frame for frame in container.decode(audio=0) if isinstance(frame, av.AudioFrame)]
    beep = next(frame.time for frame in heard if np.abs(frame.to_ndarray()).max() > 0.1)
    assert flash is not None and beep is not None
    assert abs(flash - beep) < 0.1


@pytest.mark.parametrize("codec", VIDEO, ids=lambda codec: codec.CODEC)
def test_a_loss_that_is_not_mended_costs_what_depends_on_it_and_no_more(codec: Codec) -> None:
    frames = received(codec.CODEC)
    terms, records = captured(codec.CODEC)
    pictures = [record for record in records if record.is_rtp and record.data[1] & 0x7F in terms["video"].codecs]
    lost = [record for record in pictures if rtp.parse(record.data).payload][12]
    came: list[Frame] = []
    reception = Reception(terms["video"], lambda _: None, lambda frame, _: came.append(frame))
    for record in pictures:
        if record is not lost:
            reception.rtp(record.data, record.ms / 1000)
            reception.tick(record.ms / 1000)
    whole = [frame.data for frame in frames if frame.codec is codec]
    kept = [whole.index(frame.data) for frame in came]
    gap = next(number for number, place in enumerate(kept) if number != place)
    after = next(number for number in range(gap + 1, len(whole)) if codec.keyframe_size(whole[number]))
    assert kept == [*range(gap), *range(after, len(whole))]


@cache
def payloads(codec: ModuleType) -> list[bytes]:
    """Real payloads to spoil."""
    name = codec.CODEC
    terms, records = captured("VP9" if codec is opus else name)
    wanted = {number for agreed in terms.values() for number, agreed_on in agreed.codecs.items() if agreed_on == name}
    packets = [rtp.parse(record.data) for record in records if record.is_rtp]
    return [packet.payload for packet in packets if packet.payload_type in wanted and packet.payload][:200]


@st.composite
def spoiled(draw: st.DrawFn, codec: ModuleType) -> list[bytes]:
    """Payloads of a frame that are real, cut off, changed in a byte, or noise."""
    chosen = list[bytes]()
    for payload in draw(st.lists(st.sampled_from(payloads(codec)), min_size=1, max_size=5)):
        data = bytearray(payload)
        how = draw(st.integers(0, 4))
        if how == 1:
            del data[draw(st.integers(0, min(len(data), 60))) :]
        elif how == 2:
            for _ in range(draw(st.integers(1, 4))):
                data[draw(st.integers(0, min(len(data), 60) - 1))] = draw(st.integers(0, 255))
        elif how == 3:
            data = bytearray(draw(st.binary(max_size=40)))
        chosen.append(bytes(data))
    return chosen


@pytest.mark.parametrize("codec", ALL, ids=lambda codec: codec.CODEC)
@given(st.data())
@settings(max_examples=80, deadline=None)
def test_whatever_comes_is_a_frame_or_a_value_error(codec: ModuleType, data: st.DataObject) -> None:
    try:
        frame = codec.join([codec.strip(payload)[0] for payload in data.draw(spoiled(codec))])
    except ValueError:
        return
    if codec.keyframe_size(frame) is not None:
        assert isinstance(codec.private(frame), bytes)  # a file can begin with each keyframe
    raw = data.draw(st.binary(max_size=60))
    assert codec.keyframe_size(raw) is None or isinstance(codec.private(raw), bytes)


@pytest.mark.parametrize("codec", [h264, av1], ids=lambda codec: codec.CODEC)
def test_a_frame_in_more_pieces_than_any_has_is_refused(codec: Codec) -> None:
    piece = b"\x18" + b"\x00\x01\x06" * 400 if codec is h264 else b"\x00" + b"\x01\x08" * 600
    codec.join([piece])
    with pytest.raises(ValueError, match="pieces"):
        codec.join([piece] * 8)


def test_vp9_descriptors_of_every_shape_are_stripped() -> None:
    data = b"frame"
    structure = b"\x38" + b"\x01\x40\x00\xb4" * 2 + b"\x02\x04\x01\x08\x01\x02"
    shapes = {
        b"\x08": True,  # begins, without a picture id
        b"\x8c\x05": True,  # picture id of 7 bits
        b"\x8c\x81\x05": True,  # of 15 bits
        b"\xa8\x81\x05\x20\x09": True,  # layer indices, TL0PICIDX behind them
        b"\xa8\x81\x05\x22\x09": False,  # the second spatial layer of the same picture
        b"\xf8\x81\x05\x20\x03\x05\x04": True,  # flexible mode, three references
        b"\x8a\x81\x05" + structure: True,
        b"\x80\x81\x05": False,
    }
    for head, begins in shapes.items():
        assert vp9.strip(head + data) == (data, begins), head.hex()
        for cut in range(len(head)):
            with pytest.raises(ValueError, match="cut off"):
                vp9.strip(head[: cut + 1])


def test_opus_packets_say_how_long_they_sound() -> None:
    lengths = {
        b"\x08": 960,
        b"\xf8": 960,
        b"\x80": 120,
        b"\x1b\x02": 5760,
        b"\xf9": 1920,
        b"\xfb\x06": 5760,
        b"\x60": 480,
    }
    assert {packet: opus.samples(packet) for packet in lengths} == lengths
    for packet in (b"", b"\xfb", b"\xfb\x00", b"\xfb\x07"):
        with pytest.raises(ValueError, match="Opus"):
            opus.samples(packet)


def test_av1_units_are_put_together_whatever_way_they_were_aggregated() -> None:
    sequence, frame = b"\x08" + b"S" * 11, b"\x30" + b"F" * 300
    stored = b"\x0a\x0b" + b"S" * 11 + b"\x32\xac\x02" + b"F" * 300
    with_sizes = b"\x0a\x0b" + b"S" * 11
    delimiter, padding = b"\x10", b"\x78" + bytes(4)
    ways = {
        "each with its length": [b"\x00" + b"\x0c" + sequence + b"\xad\x02" + frame],
        "the last without": [b"\x28" + b"\x0c" + sequence + frame],
        "with their sizes": [b"\x28" + b"\x0d" + with_sizes + frame],
        "alone": [b"\x18" + sequence, b"\x10" + frame],
        "split in three": [b"\x68" + b"\x0c" + sequence + frame[:7], b"\xd0" + frame[7:100], b"\x90" + frame[100:]],
        "after what files do without": [b"\x38" + b"\x01" + delimiter + b"\x0c" + sequence + padding, b"\x10" + frame],
    }
    for name, payloads in ways.items():
        assert [av1.strip(payload)[1] for payload in payloads] == [payload[0] < 128 for payload in payloads]
        assert av1.join(payloads) == stored, name
    for wrong in ([b"\x90" + frame], [b"\x50" + frame], [b"\x50" + frame, b"\x10" + frame], [b"\x28\x7f" + sequence]):
        with pytest.raises(ValueError, match="AV1"):
            av1.join(wrong)


def test_h264_units_are_put_together_and_delimiters_left_out() -> None:
    sets, slice_, other = b"\x67\x42\x00\x1f", b"\x65" + b"\x88" * 90, b"\x41" + b"\x9a" * 20
    fragments = [b"\x7c\x85" + slice_[1:40], b"\x7c\x05" + slice_[40:60], b"\x7c\x45" + slice_[60:]]
    stored = b"".join(len(unit).to_bytes(4, "big") + unit for unit in (sets, slice_, other))
    payloads = [b"\x09\x10", b"\x78\x00\x04" + sets, *fragments, other]
    assert h264.join(payloads) == stored
    assert [h264.strip(payload)[1] for payload in payloads] == [True, True, True, False, False, True]
    assert not h264.strip(b"\x41\x1a")[1]  # a slice in the middle of a picture
    for wrong in (fragments[:2], fragments[1:], [fragments[0], other], [b"\x78\x00\x05" + sets]):
        with pytest.raises(ValueError, match=r"H\.264"):
            h264.join(wrong)


@pytest.mark.parametrize("codec", VIDEO, ids=lambda codec: codec.CODEC)
def test_another_size_wants_another_file_where_browsers_go_by_the_header(codec: Codec) -> None:
    keyframes = [frame for frame in received(codec.CODEC) if frame.size]
    file = Multiplexer((codec,))
    file.add(keyframes[0])
    same, other = (next(frame for frame in keyframes if frame.size == size) for size in (BEFORE, AFTER))
    assert file.suits(same)
    assert file.suits(other) == (codec is not h264)
    assert not Multiplexer((opus,)).suits(same)
