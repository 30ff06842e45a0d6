"""What the native client costs, what is seen of the screen that it shares, and how late.

A desktop is drawn on a virtual screen of 1920 by 1080, and shared by the client's own capture, encoder and sending, and
by mss and aiortc as they come, one after the other. In each scene the CPU time of the sharing process is counted, and
what arrives is kept; afterwards it is decoded, and the text in it compared with the desktop, which is drawn again in
the states that the received pictures say they show. For the latency a headless Chromium looks at a clock on that
screen: through ours, through the default, and through a Chromium that shares the same screen.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import av
import cv2
import mss
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray
from playwright.async_api import Browser, Page, async_playwright

from recorder.frames import Frame
from recorder.incoming import Incoming
from signaling import messages as m
from tests.benchmarks.bare import bare_server
from tests.benchmarks.browsers import FLAGS, WHOLE_SCREEN, Missing, program, virtual_screen
from tests.benchmarks.desktop_scenes import BITS, SCENES, SIZE, STRIP, TEXT
from tests.benchmarks.figures import median, tell
from tests.benchmarks.process_time import reading
from tests.benchmarks.recording import Process, python
from tests.customer_client.screens import likeness

SHARERS = ("ours", "default")
WARM_UP_S = 4.0
PATIENCE = 30.0
COMPARED = 12
"""Moments of a scene at which the text is compared."""
CODEC = "video/VP9"
"""What the customer's page sends a screen with first."""
TO_REACH = {"glass_ratio": 0.7, "cpu_changing": 45, "still_cpu_percent": 8, "text_ssim": 0.99, "kbps": 1500}

VIEWER = """<!doctype html><title>viewer</title><video autoplay muted playsinline></video>"""
LOOK = f"""async (offer) => {{
  const video = document.querySelector("video");
  if (offer) {{
    const pc = (window.pc = new RTCPeerConnection());
    pc.ontrack = ({{ track }}) => {{ video.srcObject = new MediaStream([track]); }};
    await pc.setRemoteDescription({{ type: "offer", sdp: offer }});
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 10));
  }}
  window.ages = [];
  const canvas = new OffscreenCanvas({BITS} * 4, 4);
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  const seen = (_, {{ presentationTime }}) => {{
    const height = (video.videoHeight * {STRIP}) / {SIZE[1]};
    context.drawImage(video, 0, 0, video.videoWidth, height, 0, 0, {BITS} * 4, 4);
    const {{ data }} = context.getImageData(0, 2, {BITS} * 4, 1);
    const told = Array.from({{ length: {BITS} }}, (_, bit) => (data[(bit * 4 + 2) * 4 + 1] > 127 ? 1 << bit : 0))
      .reduce((sum, value) => sum + value, 0);
    const at = performance.timeOrigin + presentationTime;
    window.ages.push((((at - told) % {1 << BITS}) + {1 << BITS}) % {1 << BITS});
    video.requestVideoFrameCallback(seen);
  }};
  video.requestVideoFrameCallback(seen);
  return offer ? window.pc.localDescription.sdp : "";
}}"""
"""Answers an offer, or none, and notes how old each picture is when it is presented."""


class Received(NamedTuple):
    at: float
    frame: Frame


class Seen(NamedTuple):
    """What a scene cost and how it was seen."""

    cpu: float
    fps: float
    kbps: float
    text_ssim: float


class Viewer:
    """Receives as the recorder does, and decodes nothing before it is asked."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._incoming: Incoming | None = None

    async def answer(self, offer: str) -> str:
        incoming = self._incoming = Incoming(m.Offer("viewer", "screen", offer), "customer", [])
        answer, _ = await incoming.accept(offer, self._deliver, lambda _: None)
        assert isinstance(answer, m.Answer)
        return answer.sdp

    def _deliver(self, _: Incoming, frame: Frame, now: float) -> None:
        self.received.append(Received(time.monotonic(), frame))

    async def close(self) -> None:
        if self._incoming is not None:
            await self._incoming.close()


def annex_b(frame: Frame) -> bytes:
    """The frame as a decoder takes it: H.264 is stored with lengths and decoded with start codes."""
    if frame.codec.CODEC != "H264":
        return frame.data
    units, position = list[bytes](), 0
    while position < len(frame.data):
        size = int.from_bytes(frame.data[position : position + 4], "big")
        units += b"\0\0\0\1", frame.data[position + 4 : position + 4 + size]
        position += 4 + size
    return b"".join(units)


def number_of(luma: NDArray[np.uint8]) -> int:
    """The number on the strip."""
    row = luma[STRIP // 2]
    block = luma.shape[1] // BITS
    return sum(1 << bit for bit in range(BITS) if row[block * bit + block // 2] > 127)


def text_of(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    left, top, right, bottom = TEXT
    return luma[top:bottom, left:right]


def shown(received: list[Received], moments: list[float]) -> list[tuple[int, NDArray[np.uint8]]]:
    """The state and the text that were to be seen at these moments."""
    name = {"H264": "h264", "VP8": "libvpx"}[received[0].frame.codec.CODEC]
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    found, luma = [], None
    waiting = list(moments)
    for at, frame in received:
        while waiting and waiting[0] < at and luma is not None:
            waiting.pop(0)
            found.append((number_of(luma), text_of(luma).copy()))
        for picture in decoder.decode(av.Packet(annex_b(frame))):
            luma = np.asarray(picture.to_ndarray()[: picture.height], np.uint8)
    if luma is not None:
        found += [(number_of(luma), text_of(luma).copy())] * len(waiting)
    return found


async def text_ssim(desk: Process, display: str, scene: str, pictures: list[tuple[int, NDArray[np.uint8]]]) -> float:
    """The median likeness of the text to what the desktop showed."""
    values = []
    with mss.MSS(display=display) as screen:
        for state, text in pictures:
            await desk.ask({"hold": [scene, state]})
            picture = np.array(screen.grab(screen.monitors[1]))
            luma = cv2.cvtColor(picture, cv2.COLOR_BGRA2YUV_I420)[: SIZE[1]]
            values.append(likeness(text, text_of(np.asarray(luma, np.uint8))))
    return round(float(np.median(values)), 4)


@asynccontextmanager
async def desk_on(display: str) -> AsyncIterator[Process]:
    """The drawn desktop."""
    async with python("-m", "tests.benchmarks.desktop_scenes", display) as process:
        desk = Process(process)
        await desk.ask({"hold": ["still", 0]})
        yield desk


@asynccontextmanager
async def sharing(kind: str, display: str, answer: Callable[[str], Awaitable[str]]) -> AsyncIterator[Process]:
    """A process that shares the screen with who answers its offer."""
    async with python("-m", "tests.benchmarks.sharers", kind, display) as process:
        sharer = Process(process)
        offered = await sharer.ask({"offer": True})
        await sharer.ask({"answer": await answer(offered["offer"])})
        yield sharer


async def seen(kind: str, scene: str, desk: Process, display: str, seconds: float, warm_up: float) -> Seen:
    """A scene shared in one way."""
    viewer = Viewer()
    await desk.ask({"play": scene})
    async with sharing(kind, display, viewer.answer) as sharer:
        async with asyncio.timeout(PATIENCE):
            while not viewer.received:
                await asyncio.sleep(0.05)
        await asyncio.sleep(warm_up)
        before, since = reading([sharer.pid]), time.monotonic()
        await asyncio.sleep(seconds)
        after, until = reading([sharer.pid]), time.monotonic()
    await viewer.close()
    counted = [each for each in viewer.received if since <= each.at < until]
    moments = [since + (place + 0.5) * (until - since) / COMPARED for place in range(COMPARED)]
    pictures = await asyncio.to_thread(shown, viewer.received, moments)
    return Seen(
        round(100 * before.cores_until(after), 1),
        round(len(counted) / (until - since), 1),
        round(8 * sum(len(each.frame.data) for each in counted) / (until - since) / 1000),
        await text_ssim(desk, display, scene, pictures),
    )


async def ages(page: Page, seconds: float) -> float:
    """The median age, in ms, of the pictures that the page presents."""
    await page.wait_for_function("window.ages?.length > 10", timeout=1000 * PATIENCE)
    await asyncio.sleep(WARM_UP_S)
    await page.evaluate("window.ages.length = 0")
    await asyncio.sleep(seconds)
    return median(await page.evaluate("window.ages"))


async def glass(kind: str, browser: Browser, display: str, seconds: float) -> float:
    """From the clock on the screen to a viewer's browser."""
    page = await browser.new_page()
    await page.set_content(VIEWER)
    async with sharing(kind, display, lambda offer: page.evaluate(LOOK, offer)):
        age = await ages(page, seconds)
    await page.close()
    return age


async def glass_of_chromium(customer: Browser, agent: Browser, seconds: float) -> float:
    """The same, when a Chromium shares the screen: with the codec, the hint and the bitrate of the customer's page."""
    async with bare_server(CODEC) as address:
        viewer, sender = await agent.new_page(), await customer.new_page()
        await viewer.goto(f"{address}/viewer")
        await sender.goto(f"{address}/sender")
        await viewer.evaluate(LOOK, "")
        await sender.get_by_role("button", name="share").click()
        return await ages(viewer, seconds)


async def latencies(desk: Process, display: str, seconds: float) -> dict[str, float]:
    """Every way from glass to glass."""
    chromium = program("chromium", "chromium-browser", "google-chrome")
    found = {}
    async with async_playwright() as playwright:
        agent = await playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        await desk.ask({"clock": "scrolling"})
        for kind in SHARERS:
            found[f"glass_ms_{kind}"] = await glass(kind, agent, display, seconds)
        customer = await playwright.chromium.launch(
            executable_path=chromium,
            headless=False,
            args=[*FLAGS, WHOLE_SCREEN, f"--window-position=1250,{SIZE[1] - 330}", "--window-size=500,300"],
            env={**os.environ, "DISPLAY": display},
        )
        found["glass_ms_chromium"] = await glass_of_chromium(customer, agent, seconds)
        await customer.close()
        await agent.close()
    return found


async def measure(
    seconds: float, scenes: tuple[str, ...] = SCENES, *, glass_too: bool = True, warm_up: float = WARM_UP_S
) -> dict[str, object]:
    """Every figure."""
    told: dict[str, dict[str, float]] = {}
    with virtual_screen(SIZE) as display:
        async with desk_on(display) as desk:
            for scene in scenes:
                told[scene] = {}
                for kind in SHARERS:
                    figures = await seen(kind, scene, desk, display, seconds, warm_up)
                    told[scene] |= {f"{name}_{kind}": value for name, value in figures._asdict().items()}
            late = await latencies(desk, display, seconds) if glass_too else {}
    if late:
        late["glass_ratio"] = round(late["glass_ms_ours"] / late["glass_ms_chromium"], 2)
    still = {"still_cpu_percent": told["still"]["cpu_ours"]} if "still" in told else {}
    return {"scenes": told, **still, **late, "to_reach": TO_REACH, "seconds": seconds}


def main() -> int:
    """Print the figures; 1 when a program that they need is not installed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.native", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=SCENES)
    parser.add_argument("--no-glass", action="store_true")
    given = parser.parse_args()
    try:
        tell(asyncio.run(measure(given.seconds, tuple(given.scenes), glass_too=not given.no_glass)))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
