"""Segments as they are kept: read while they grow, finished after a crash, sought without being read, gone for good."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import av
import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from recorder import ebml, opus, vp8
from recorder.archive import Archive, holds
from recorder.stored import StoredSegment
from recorder.vault import CHUNK, VaultDamaged
from recorder.webm import Block, Track, cluster, header
from recorder.webm_index import SEGMENT, ClusterScanner
from tests.recorder.recording import archive_in, encoded, media, plain, shown
from tests.recorder.test_digest import digest_of

SMALL = (320, 180)
TRACKS = header([Track(vp8, SMALL, b"")])
PICTURES = [(100 * n, plain(*SMALL, (n * 9, 80, 80))) for n in range(20)]


def noisy(sizes: list[int]) -> list[bytes]:
    """A file's header, and clusters of one block each of so many bytes."""
    blocks = (Block(1000 * n, 1, n % 2 == 0, os.urandom(size)) for n, size in enumerate(sizes))
    return [TRACKS, *(cluster([block]) for block in blocks)]


def everything(segment: StoredSegment) -> bytes:
    return segment.read(0, segment.size)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 2 * CHUNK) | st.sampled_from([CHUNK - 8, CHUNK]), min_size=1, max_size=4),
    cuts=st.lists(st.tuples(st.integers(0, 6 * CHUNK), st.integers(0, 3 * CHUNK)), min_size=1, max_size=8),
    end=st.sampled_from(["growing", "crashed", "finished"]),
)
def test_any_part_of_a_segment_is_what_was_written_there(
    sizes: list[int], cuts: list[tuple[int, int]], end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    archive = archive_in(tmp_path_factory.mktemp("archive"))
    pieces, file = noisy(sizes), archive.create("segment")
    for piece in pieces:
        file.append(piece)
    written = b"".join(pieces)
    if end == "finished":
        assert file.finish(1000 * len(sizes)) == (len(written), 1000 * len(sizes), digest_of(written))
    elif end == "crashed":
        file.close()
        assert archive.recover("segment") == (len(written), 1000 * (len(sizes) - 1) + 1, digest_of(written))
    with archive.open("segment") as segment:
        whole = everything(segment)
        if end == "growing":
            assert whole == written
        else:
            assert whole.endswith(written[len(TRACKS) :])
            assert len(whole) - len(written) < 1000
        plaintext = segment.file()
        for start, length in cuts:
            assert segment.read(start, length) == whole[start : start + length]
            assert segment.raw(start, length) == written[start : start + length]
            plaintext.seek(start)
            assert plaintext.read(length) == whole[start : start + length]
    file.close()


def test_a_crash_at_any_byte_leaves_what_plays_up_to_there(tmp_path: Path) -> None:
    whole, archive = media(PICTURES), archive_in(tmp_path)
    file = archive.create("segment")
    file.append(whole)
    file.close()
    tail, seen = (tmp_path / "segment.tail").read_bytes(), []
    assert len(whole) < CHUNK
    (tmp_path / "segment.tail").unlink()
    for size in range(0, len(whole) + 1, 97):  # appends of every length, each followed by a crash
        cut = archive.create(f"cut-{size}")
        cut.append(whole[:size])
        cut.close()
        try:
            recovered = archive.recover(f"cut-{size}")
        except ValueError:
            seen.append(0)
            continue
        assert (recovered.bytes, recovered.digest) == (size, digest_of(whole[:size]))
        with archive.open(f"cut-{size}") as segment:
            frames = shown(segment)
        assert frames[-1][0] + 1 == recovered.duration_ms
        seen.append(len(frames))
    assert seen == sorted(seen)
    assert set(seen) == {0, 5, 10, 15}
    assert tail


def test_only_what_nobody_writes_is_left_over(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    crashed, done, growing = (archive.create(name) for name in ("crashed", "done", "growing"))
    for file in (crashed, done, growing):
        file.append(media(PICTURES[:2]))
    crashed.close()
    done.finish(200)
    assert archive.leftovers() == ["crashed"]
    first = archive.recover("crashed")
    assert archive.recover("crashed") == first  # by the next recorder, which reports it
    assert archive.leftovers() == []
    growing.close()
    assert archive.leftovers() == ["growing"]
    archive.shred("growing")
    assert archive.leftovers() == []


def test_a_segment_without_a_frame_is_left_as_it_is(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    for name, content in {"empty": b"", "noise": b"noise" * 50, "header": TRACKS}.items():
        file = archive.create(name)
        file.append(content)
        file.close()
        with pytest.raises(ValueError, match="holds no frame"):
            archive.recover(name)
    assert not list(tmp_path.glob("*.index*"))


def test_a_reader_who_came_before_the_end_keeps_what_it_saw(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    file = archive.create("segment")
    file.append(media(PICTURES[:5]))
    with archive.open("segment") as early:
        before = everything(early)
        file.append(os.urandom(2 * CHUNK))
        file.finish(500)
        assert everything(early) == before
        assert early.tag is None
    with archive.open("segment") as late:
        assert late.tag


def test_a_flipped_byte_is_named_and_all_else_still_plays(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    file = archive.create("segment")
    for piece in noisy([3 * CHUNK]):
        file.append(piece)
    file.finish(1000)
    path = tmp_path / "segment.vault"
    data = bytearray(path.read_bytes())
    data[44 + 2 * (CHUNK + 16) + 77] ^= 1
    path.write_bytes(data)
    with archive.open("segment") as segment:
        assert len(segment.raw(0, 2 * CHUNK)) == 2 * CHUNK
        for start, length in ((2 * CHUNK, 1), (2 * CHUNK - 5, 10), (0, 3 * CHUNK)):
            with pytest.raises(VaultDamaged, match="chunk 2 of segment segment"):
                segment.raw(start, length)
        with pytest.raises(VaultDamaged):
            everything(segment)
    os.truncate(path, path.stat().st_size - 1)
    with archive.open("segment") as segment, pytest.raises(VaultDamaged, match="chunk 3"):
        segment.raw(3 * CHUNK, 1)


def test_an_index_that_was_made_up_gives_nothing_out_that_was_not_recorded(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    file = archive.create("segment")
    file.append(media(PICTURES[:5]))
    file.finish(500)
    path = tmp_path / "segment.index"
    true = msgspec.json.decode(path.read_bytes())
    for change in (
        {"bytes": 10**9, "end": 10**9},
        {"bytes": true["bytes"] + 1},
        {"header": 1},
        {"header": 0},
        {"end": 0},
        {"clusters": [[2**53, 0, 0]]},
        {"clusters": [[0, 0, 2**53]]},
        {"clusters": [[-1, 0, 0]]},
        {"sealed": False},
        {"bytes": "many"},
    ):
        path.write_bytes(msgspec.json.encode(true | change))
        with contextlib.suppress(VaultDamaged), archive.open("segment") as segment:
            segment.read(0, 1 << 20)
    path.write_bytes(msgspec.json.encode(true))
    with archive.open("segment") as segment:
        assert shown(segment) == [(100 * n, *SMALL) for n in range(5)]


def test_no_word_of_the_media_and_no_key_stands_on_the_disk(tmp_path: Path) -> None:
    archive, canary = archive_in(tmp_path), b"a canary that sings in the clear"
    for name in ("growing", "crashed", "finished"):
        file = archive.create(name)
        file.append(TRACKS)
        for time in range(40):
            file.append(cluster([Block(time, 1, True, canary * 100)]))
        if name == "finished":
            file.finish(40)
        if name == "crashed":
            file.close()
            archive.recover(name)
        with archive.open(name) as segment:
            assert canary in everything(segment)
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert canary not in kept
        assert canary[:8] not in kept
        assert b"V_VP8" not in kept
        assert not any(key in kept for key in archive.keyring.keys().values())
        file.close()


def test_a_shredded_segment_leaves_nothing_and_an_interrupted_shredding_is_repeated(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    for name in ("one", "two"):
        file = archive.create(name)
        file.append(media(PICTURES[:2]))
        file.finish(200)
    (tmp_path / "one.index.12ab34cd").touch()  # what a crash left of making the index
    (tmp_path / "one.key").unlink()
    assert not holds(tmp_path, "one")
    with pytest.raises(FileNotFoundError):
        archive.open("one")
    archive.shred("one")
    archive.shred("one")
    assert {path.name for path in tmp_path.iterdir()} == {"two.vault", "two.key", "two.index", "keys.lock"}


@pytest.fixture
def hour(tmp_path: Path) -> Archive:
    """An hour of a small picture, a keyframe every ten seconds, flushed every second."""
    archive = archive_in(tmp_path)
    ((_, frame),) = encoded([(0, plain(*SMALL, (9, 80, 80)))])
    file = archive.create("hour")
    pieces = [TRACKS]
    for second in range(3600):
        pieces.append(cluster([Block(1000 * second, 1, second % 10 == 0, frame.data + bytes(3000))]))
        if second % 100 == 0:
            file.append(b"".join(pieces))
            pieces = []
    file.append(b"".join(pieces))
    file.finish(3_600_000)
    return archive


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The places at which files are read, as they are read."""
    places: list[int] = []
    pread = os.pread

    def watched(descriptor: int, length: int, place: int) -> bytes:
        places.append(place)
        return pread(descriptor, length, place)

    monkeypatch.setattr(os, "pread", watched)
    yield places


def test_seeking_in_an_hour_reads_no_more_than_the_chunks_it_needs(hour: Archive, reads: list[int]) -> None:
    with hour.open("hour") as segment:
        chunks = segment.size // CHUNK
        assert chunks > 160
        reads.clear()
        part = segment.read(segment.size // 2, CHUNK // 2)
        assert (len(part), len(reads)) == (CHUNK // 2, len(set(reads)))
        assert len(reads) <= 2
        with av.open(segment.file(), "r") as container:
            assert container.duration == 3_600_000_000
            stream = container.streams.video[0]
            opening = len(set(reads))
            assert opening < chunks // 4  # FFmpeg looks at the beginning for streams
            reads.clear()
            for second in (1805, 3595, 15):
                container.seek(second * 1000, stream=stream)
                packet = next(container.demux(stream))
                assert (packet.pts, packet.is_keyframe) == (second // 10 * 10_000, True)
            assert len(reads) <= 9


def test_every_cue_points_at_the_beginning_of_a_cluster(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    file = archive.create("segment")
    file.append(b"".join(noisy([50] * 300)))
    file.finish(300_000)
    with archive.open("segment") as segment:
        whole = everything(segment)
    kind, size, begin = ebml.head(whole, whole.index(bytes.fromhex("18538067"))) or (0, 0, 0)
    assert (kind, begin + (size or 0)) == (SEGMENT, len(whole))
    cues = whole[whole.index(bytes.fromhex("1c53bb6b")) : whole.index(bytes.fromhex("1f43b675"))]
    found = re.findall(rb"\xb3\x88(.{8})\xb7.{4}\xf1\x88(.{8})", cues, re.DOTALL)
    assert [int.from_bytes(time, "big") for time, _ in found] == [2000 * n for n in range(150)]
    for time, place in found:
        at = begin + int.from_bytes(place, "big")
        assert whole[at : at + 4] == bytes.fromhex("1f43b675")
        assert ebml.unsigned(0xE7, int.from_bytes(time, "big")) in whole[at : at + 20]


def test_the_scanner_finds_the_same_however_the_file_is_cut() -> None:
    whole = media(PICTURES) + b"\x1f\x43\xb6\x75\x42\x00half a cluster"
    found = ClusterScanner()
    found.feed(whole)
    assert [(c.time_ms, c.keyframe_ms) for c in found.clusters] == [(0, 0), (500, None), (1000, None), (1500, None)]
    assert whole[found.clusters[1].at :].startswith(b"\x1f\x43\xb6\x75")
    assert (found.header, found.last_ms) == (len(whole[: found.clusters[0].at]), 1900)
    assert found.end == len(whole) - len(b"\x1f\x43\xb6\x75\x42\x00half a cluster")
    for size in (1, 2, 3, 7, 100, 4096):
        piecewise = ClusterScanner()
        for at in range(0, len(whole), size):
            piecewise.feed(whole[at : at + size])
        assert (piecewise.clusters, piecewise.end) == (found.clusters, found.end)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_the_scanner_takes_whatever_comes(noise: bytes, place: int) -> None:
    scanner = ClusterScanner()
    whole = TRACKS + cluster([Block(0, 1, True, bytes(100))])
    scanner.feed(whole[:place] + noise + whole[place:])
    scanner.feed(noise)


def test_a_voice_is_sought_at_every_cluster_and_a_picture_with_a_voice_at_its_keyframes(tmp_path: Path) -> None:
    silence = b"\xfc\xff\xfe"
    both = [Track(vp8, SMALL, b""), Track(opus, (0, 0), opus.private(silence))]
    ((_, frame),) = encoded([(0, plain(*SMALL, (9, 80, 80)))])
    archive = archive_in(tmp_path)
    for name, tracks in {"voice": both[1:], "both": both}.items():
        file = archive.create(name)
        file.append(header(tracks))
        for second in range(30):
            blocks = [Block(1000 * second + 20 * n, len(tracks), True, silence) for n in range(50)]
            if name == "both":
                blocks.insert(1, Block(1000 * second, 1, second % 10 == 0, frame.data))
            file.append(cluster(blocks))
        file.finish(30_000)
        with archive.open(name) as segment:
            assert segment.index is not None
            found = [cluster.keyframe_ms for cluster in segment.index.clusters if cluster.keyframe_ms is not None]
            assert found == list(range(0, 30_000, 1000 if name == "voice" else 10_000))
            with av.open(segment.file(), "r") as container:
                assert container.duration == 30_000_000
                stream = container.streams[0]
                container.seek(17_000, stream=stream)
                found_at = next(container.demux(stream)).pts or 0
                assert 0 <= found_at - (17_000 if name == "voice" else 10_000) < 20
