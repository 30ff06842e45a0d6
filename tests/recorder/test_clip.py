"""A published clip decoded again: ink where it was drawn, snapshots where they were shown, chapters, no gaps."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from annotate.board import AnnotationAdded, AnnotationsErased
from annotate.shapes import Annotation, Box, Step
from recorder.clip import Clip, NothingRecorded, publish
from recorder.scenes import Chapter, Source
from recorder.stored import StoredSegment
from signaling import messages as m
from signaling.client import new_id
from tests.recorder.recording import archive_in, media, plain, store

START = 1_800_000_000_000
BLUE, GREEN = (20, 60, 160), (30, 140, 60)
RED = "#e02020"


def surface(name: str, width: int = 640, height: int = 360) -> m.Surface:
    return m.Surface(id=name, kind="monitor", label="", width=width, height=height)


def timeline(*later: tuple[int, m.EventBody]) -> list[m.Event]:
    """A recorded session that shares the surface `live`; `later` stands at ms after its start."""
    before: list[m.EventBody] = [
        m.SessionOpened("Example", "Printer", True),
        m.AgentAssigned("alice", "Alice"),
        m.Joined("dana", "customer", "Dana"),
        m.ConsentAsked("view"),
        m.ConsentAsked("record"),
        m.ConsentGiven("view"),
        m.ConsentGiven("record"),
        m.SharingStarted(surface("live")),
        m.RecordingStarted(),
    ]
    placed = [(START, body) for body in before] + [(START + at, body) for at, body in later]
    return [m.Event(seq + 1, at, "alice", body) for seq, (at, body) in enumerate(placed)]


def box(name: str, where: str = "live", *, fade: bool = False) -> AnnotationAdded:
    shape = Box(start=(0.25, 0.25), end=(0.75, 0.75))
    return AnnotationAdded(Annotation(id=name, surface=where, color=RED, width=0.02, fade=fade, shape=shape))


def step(name: str, number: int, text: str) -> AnnotationAdded:
    shape = Step(at=(0.1, 0.1), number=number, text=text)
    return AnnotationAdded(Annotation(id=name, surface="live", color=RED, width=0.004, fade=False, shape=shape))


def recorded(
    folder: Path, seconds: int, color: tuple[int, int, int], size: tuple[int, int] = (640, 360)
) -> StoredSegment:
    pictures = [(200 * n, plain(*size, color)) for n in range(5 * seconds)]
    return store(archive_in(folder), new_id(), pictures, 1000 * seconds)


class Made:
    """A clip and what is in it."""

    def __init__(self, folder: Path, sources: list[Source], events: list[m.Event], **other: Any) -> None:
        self.target, self.poster = folder / "clip.mp4", folder / "clip.jpg"
        self.progress: list[float] = []
        span: dict[str, Any] = {
            "in_ms": START,
            "out_ms": START + 60_000,
            "snapshots": {},
            "title": "Blank pages",
        } | other
        self.clip: Clip = publish(
            sources, events, target=self.target, poster=self.poster, progress=self.progress.append, **span
        )

        with av.open(str(self.target)) as container:
            self.frames = [
                (round((frame.time or 0) * 1000), frame.to_ndarray(format="rgb24"))
                for frame in container.decode(video=0)
            ]

    def at(self, moment: int) -> Any:
        """The picture that is seen at a moment of the clip, in ms."""
        return [picture for time, picture in self.frames if time <= moment][-1]


def is_red(pixel: Any) -> bool:
    return bool(pixel[0] > 150 and pixel[1] < 90 and pixel[2] < 90)


def near(pixel: Any, color: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixel.astype(int) - color).max() < 14)


def test_ink_is_burnt_in_where_and_while_it_was_seen(tmp_path: Path) -> None:
    source = Source(recorded(tmp_path, 6, BLUE), START, 6000)
    events = timeline((2000, box("one")), (4000, AnnotationsErased(["one"])))
    made = Made(tmp_path, [source], events)
    edge = (180, 160)  # the middle of the box's left side
    assert near(made.at(1900)[edge], BLUE)
    assert is_red(made.at(2050)[edge])
    assert is_red(made.at(3900)[edge])
    assert near(made.at(3900)[180, 320], BLUE)
    assert near(made.at(4050)[edge], BLUE)
    assert (made.clip.width, made.clip.height, made.clip.duration_ms) == (640, 360, 6000)
    assert made.progress[-1] == 1.0
    assert made.progress == sorted(made.progress)


def test_ink_appears_on_a_picture_that_stands_still(tmp_path: Path) -> None:
    still = store(archive_in(tmp_path), "still", [(0, plain(640, 360, BLUE))], 9000)
    made = Made(tmp_path, [Source(still, START, 9000)], timeline((5000, box("one"))))
    times = [time for time, _ in made.frames]
    assert 5000 in times
    assert len(times) < 15
    assert near(made.at(4990)[180, 160], BLUE)
    assert is_red(made.at(5000)[180, 160])
    assert times[-1] == 8960


def test_fading_ink_fades(tmp_path: Path) -> None:
    source = Source(recorded(tmp_path, 8, BLUE), START, 8000)
    made = Made(tmp_path, [source], timeline((500, box("one", fade=True))))
    redness = [int(made.at(moment)[180, 160][0]) for moment in (5000, 6000, 6800)]
    assert redness[0] > redness[1] > redness[2]
    assert near(made.at(6800)[180, 160], BLUE)


def test_a_cut_begins_and_ends_where_it_was_marked(tmp_path: Path) -> None:
    pictures = [(100 * n, plain(640, 360, BLUE if n < 30 else GREEN)) for n in range(60)]
    source = Source(store(archive_in(tmp_path), "cut", pictures, 6000), START, 6000)
    made = Made(tmp_path, [source], timeline(), in_ms=START + 2550, out_ms=START + 4000)
    frames = made.frames
    assert made.clip.duration_ms == 1450
    assert frames[0][0] == 0
    assert near(frames[0][1][0, 0], BLUE)
    assert near(made.at(460)[0, 0], GREEN)
    assert frames[-1][0] < 1450


def test_a_gap_between_segments_is_closed_and_smaller_pictures_are_letterboxed(tmp_path: Path) -> None:
    first = Source(recorded(tmp_path, 2, BLUE), START, 2000)
    second = Source(recorded(tmp_path, 2, GREEN, (320, 270)), START + 10_000, 2000)
    made = Made(tmp_path, [second, first], timeline((11_000, box("one"))))
    assert (made.clip.width, made.clip.height, made.clip.duration_ms) == (640, 360, 4000)
    assert near(made.at(1900)[180, 320], BLUE)
    later = made.at(2500)
    assert near(later[180, 320], GREEN)
    assert later[180, 20].max() < 20  # the bars
    inked = made.at(3500)
    assert is_red(inked[180, 160 + 80])  # a quarter into the picture of 320 that stands in the middle
    assert near(inked[180, 160 + 160], GREEN)


def test_a_snapshot_that_was_shown_is_seen_with_its_own_ink(tmp_path: Path) -> None:
    Image.fromarray(plain(1280, 720, GREEN)).save(tmp_path / "frozen.png")
    source = Source(recorded(tmp_path, 6, BLUE), START, 6000)
    events = timeline(
        (500, box("live-box")),
        (1000, m.SnapshotTaken(surface("frozen", 1280, 720), None, "")),
        (1000, m.SurfaceShown("frozen")),
        (2000, box("frozen-box", "frozen")),
        (4000, m.SurfaceShown(None)),
    )
    made = Made(tmp_path, [source], events, snapshots={"frozen": tmp_path / "frozen.png"})
    assert near(made.at(1500)[180, 160], GREEN)
    assert is_red(made.at(2500)[180, 160])
    assert near(made.at(2500)[20, 20], GREEN)
    assert is_red(made.at(4500)[180, 160])
    assert near(made.at(4500)[20, 20], BLUE)


def test_bookmarks_and_steps_become_chapters_and_slips_do_not(tmp_path: Path) -> None:
    source = Source(recorded(tmp_path, 8, BLUE), START, 8000)
    events = timeline(
        (500, m.BookmarkAdded("Before the cut", START + 500)),
        (4200, m.BookmarkAdded("Open the settings", START + 2000)),
        (3000, step("slip", 1, "Wrong")),
        (3500, AnnotationsErased(["slip"])),
        (4000, step("one", 1, "Choose the tray")),
        (6000, step("two", 2, "")),
    )
    made = Made(tmp_path, [source], events, in_ms=START + 1000, out_ms=START + 8000)
    expected = [Chapter(1000, "Open the settings"), Chapter(3000, "1. Choose the tray"), Chapter(5000, "2")]
    assert made.clip.chapters == expected
    with av.open(str(made.target)) as container:
        chapters = [
            (round(c["start"] * (c["time_base"] or 0) * 1000), c["metadata"]["title"]) for c in container.chapters()
        ]
        keyframes = [
            round((p.pts or 0) * p.time_base * 1000) for p in container.demux(video=0) if p.is_keyframe and p.size
        ]
    assert chapters == [(0, "Blank pages"), *((chapter.at_ms, chapter.title) for chapter in expected)]
    assert {chapter.at_ms for chapter in expected} <= set(keyframes)


def test_the_file_starts_fast_and_has_a_poster(tmp_path: Path) -> None:
    source = Source(recorded(tmp_path, 3, BLUE), START, 3000)
    made = Made(tmp_path, [source], timeline((500, m.BookmarkAdded("Here", START + 500)), (600, box("one"))))
    data = made.target.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")
    with av.open(str(made.target)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
    with Image.open(made.poster) as poster:
        assert (poster.format, poster.size) == ("JPEG", (640, 360))
        assert is_red(np.asarray(poster)[180, 160])


def test_a_file_cut_off_by_a_crash_can_be_published(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    file = archive.create("crashed")
    file.append(media([(100 * n, plain(640, 360, BLUE)) for n in range(40)])[:-20])
    file.close()
    with archive.open("crashed") as crashed:
        made = Made(tmp_path, [Source(crashed, START, 4000)], timeline(), in_ms=START + 1000)
    assert made.clip.duration_ms == 3000
    assert near(made.at(2000)[180, 320], BLUE)


def test_where_nothing_was_recorded_there_is_no_clip(tmp_path: Path) -> None:
    source = Source(recorded(tmp_path, 2, BLUE), START, 2000)
    with pytest.raises(NothingRecorded):
        Made(tmp_path, [source], timeline(), in_ms=START + 3000, out_ms=START + 5000)
