"""Every codec with a voice, from a real Chromium into a file and back: a flash that is seen when its beep is heard."""

import asyncio
import io
from base64 import b64encode
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import av
import numpy as np
import pytest
from playwright.async_api import Browser, Page

from recorder.frames import Frame
from recorder.incoming import Incoming
from recorder.multiplexer import Multiplexer
from signaling import messages as m

PAGE = Path(__file__).with_name("codecs.html")
CODECS = ("VP9", "H264", "VP8", "AV1")
FLASHES, COUNTED = 8, 5
"""Of the flashes the last are counted: the sender reports that bring picture and voice in step take a while to come."""
IN_STEP = 0.04 + 0.5 / 30
"""Seconds: what is to be reached, and half of the time between two pictures, in one of which a flash is found."""
BEFORE, AFTER = (480, 270), (320, 240)


class Recording:
    """A connection with the page, and the files that come of it."""

    def __init__(self, codec: str) -> None:
        self.codec = codec
        self.sizes: list[tuple[int, int]] = []
        self.heard = 0
        self._incoming = Incoming(m.Offer(to="tape", connection=codec, sdp=""), "dana", [])
        self._files: list[Multiplexer] = []
        self._last = 0.0

    async def begin(self, page: Page) -> None:
        offer = await page.evaluate(f"offer('{self.codec}', 600)")
        answer, *_ = await self._incoming.accept(offer, self._take, lambda _: None)
        assert isinstance(answer, m.Answer)
        await page.evaluate("([codec, sdp]) => answer(codec, sdp)", [self.codec, answer.sdp])

    def _take(self, incoming: Incoming, frame: Frame, now: float) -> None:
        if frame.size is not None:
            self.sizes.append(frame.size)
            if not self._files or not self._files[-1].suits(frame):
                self._files.append(Multiplexer(incoming.codecs))
        if self._files and self._files[-1].add(frame):
            self._last = frame.time
            self.heard += frame.codec.KIND == "audio"

    async def end(self) -> list[bytes]:
        await self._incoming.close()
        return [b"".join(file.take(self._last)) for file in self._files]


def rises(levels: Iterator[tuple[float, float]], threshold: float) -> list[float]:
    """When a level rises over the threshold, each at least 400 ms after the one before."""
    found = list[float]()
    for (_, before), (time, level) in pairwise(levels):
        if before <= threshold < level and (not found or time - found[-1] > 0.4):
            found.append(time)
    return found


def flashes(file: bytes) -> list[float]:
    with av.open(io.BytesIO(file), "r") as container:
        frames = container.decode(video=0)
        return rises(((frame.time or 0.0, frame.to_ndarray(format="gray").mean()) for frame in frames), 150)


def beeps(file: bytes) -> list[float]:
    with av.open(io.BytesIO(file), "r") as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    with av.open(io.BytesIO(file), "r") as container:
        begin = next(frame.time or 0.0 for frame in container.decode(audio=0))
    loud = np.abs(samples[: len(samples) // 240 * 240]).reshape(-1, 240).max(axis=1)
    return rises(((begin + number / 200, level) for number, level in enumerate(loud)), 0.1)


def distances(seen: list[float], heard: list[float]) -> list[float]:
    return [flash - beep for flash, beep in zip(seen, heard, strict=True)]


async def until(recordings: list[Recording], pictures: tuple[int, int]) -> None:
    async with asyncio.timeout(30):
        while not all(pictures in recording.sizes and recording.heard > 50 for recording in recordings):
            await asyncio.sleep(0.05)


@pytest.mark.asyncio(loop_scope="module")
async def test_every_codec_and_the_voice_with_it_are_recorded_in_step_and_played_again(browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(PAGE.as_uri())
    await page.click("canvas")  # so that the page may play a sound
    recordings = [Recording(codec) for codec in CODECS]
    for recording in recordings:
        await recording.begin(page)
    await until(recordings, BEFORE)
    await page.evaluate("listen()")
    for _ in range(FLASHES):
        await page.evaluate("flashed()")
    source = await page.evaluate("source")
    assert len(source["flashes"]) == len(source["beeps"]) == FLASHES
    skew = median(distances(source["flashes"], source["beeps"])[-COUNTED:])
    await page.evaluate("([width, height]) => resize(width, height)", AFTER)
    await until(recordings, AFTER)
    await page.evaluate("still()")
    for recording in recordings:
        files = await recording.end()
        seen, heard = flashes(files[0]), beeps(files[0])
        assert len(seen) == len(heard) == FLASHES, recording.codec
        apart = median(distances(seen, heard)[-COUNTED:]) - skew  # one flash or another may fall into a dropped frame
        assert abs(apart) < IN_STEP, recording.codec
        shown = [size for file in files for size in await page.evaluate("data => play(data)", b64encode(file).decode())]
        assert (shown[0], shown[-1]) == (list(BEFORE), list(AFTER)), recording.codec
        assert len(files) == (2 if recording.codec == "H264" else 1)
