"""Pictures and voice in one file, read back by FFmpeg's demuxer."""

import io
from itertools import pairwise

import av

from recorder import opus, vp8, webm
from recorder.frames import Frame
from recorder.multiplexer import VOICE_LATE, Multiplexer
from tests.recorder.recording import encoded, plain

PACKET = opus.silence(1)
SIZE = (320, 180)


def pictures(*times: int) -> list[Frame]:
    """Real frames at these times in ms, the first of them a keyframe."""
    return [frame for _, frame in encoded((time, plain(*SIZE, (time % 250, 9, 9))) for time in times)]


def voice(begin: float, seconds: float) -> list[Frame]:
    return [Frame(PACKET, begin + n * 0.02, None, opus) for n in range(round(seconds * 50))]


def packets(file: bytes, kind: str) -> list[tuple[int, int]]:
    """(pts in ms, size) of one kind."""
    with av.open(io.BytesIO(file), "r") as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [(packet.pts, packet.size) for packet in container.demux(stream) if packet.pts is not None]


def test_picture_and_voice_stand_at_their_times_whatever_their_order_of_arrival() -> None:
    multiplexer = Multiplexer((vp8, opus))
    first, *others = pictures(0, 100, 200, 300)
    for frame in [first, *others[:2], *voice(0, 0.2), others[2], *voice(0.2, 0.2)]:
        assert multiplexer.add(frame)
    file = b"".join(multiplexer.take(0.4))
    assert [time for time, _ in packets(file, "video")] == [0, 100, 200, 300]
    assert [time for time, _ in packets(file, "audio")] == [20 * n for n in range(20)]
    with av.open(io.BytesIO(file), "r") as container:
        times = [packet.dts for packet in container.demux() if packet.dts is not None]
    assert times == sorted(times)
    with av.open(io.BytesIO(file), "r") as container:
        assert len(list(container.decode(video=0))) == 4
    with av.open(io.BytesIO(file), "r") as container:
        assert container.streams.audio[0].codec_context.sample_rate == 48_000
        assert sum(frame.samples for frame in container.decode(audio=0)) == 19_200 - opus.PRE_SKIP


def test_a_file_begins_with_a_keyframe_and_takes_its_own_codecs_alone() -> None:
    key, delta = pictures(0, 100)
    multiplexer = Multiplexer((vp8,))
    assert not multiplexer.add(delta)
    assert multiplexer.take(0.1) == []
    assert multiplexer.add(key)
    assert not multiplexer.add(voice(0, 0.02)[0])
    assert multiplexer.last_ms == 0


def test_a_keyframe_in_the_middle_begins_a_cluster_and_comes_before_what_is_heard_with_it() -> None:
    multiplexer = Multiplexer((vp8, opus))
    for frame in [*pictures(0, 100), *voice(0, 0.3), *pictures(200)]:
        multiplexer.add(frame)
    pieces = multiplexer.take(0.3)
    assert [piece[:4].hex() for piece in pieces] == ["1a45dfa3", "1f43b675", "1f43b675"]
    assert pieces[2].count(b"\xa3") == 1


def test_a_voice_alone_is_a_file_too() -> None:
    multiplexer = Multiplexer((opus,))
    for frame in voice(50.0, 0.5):
        assert multiplexer.add(frame)
    assert [time for time, _ in packets(b"".join(multiplexer.take(50.5)), "audio")] == [20 * n for n in range(25)]


def test_a_voice_that_falls_silent_for_an_hour_holds_up_no_player_and_no_writer() -> None:
    multiplexer = Multiplexer((vp8, opus))
    hour = 3_600_000
    first, last = pictures(0, hour)
    for frame in [first, *voice(0, 0.5), last, *voice(hour / 1000, 0.1)]:
        multiplexer.add(frame)
    pieces = multiplexer.take(hour / 1000 + 0.1)
    heard = packets(b"".join(pieces), "audio")
    assert max(after - before for (before, _), (after, _) in pairwise(heard)) <= 120
    assert heard[-1][0] == hour + 80
    assert max(map(len, pieces)) < 3 * 8 * webm.MAX_CLUSTER_MS / 20
    assert VOICE_LATE < 2


def test_frames_of_one_moment_and_far_apart_keep_their_order() -> None:
    multiplexer = Multiplexer((vp8,))
    times = [0.0, 0.00001, 0.00002, 70.0, 70.00001]
    for time, frame in zip(times, pictures(0, 100, 200, 300, 400), strict=True):
        multiplexer.add(frame._replace(time=time))
    file = b"".join(multiplexer.take(70.0))
    assert [time for time, _ in packets(file, "video")] == [0, 1, 2, 70_000, 70_001]
