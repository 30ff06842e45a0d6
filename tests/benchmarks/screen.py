"""A screen of 1920 by 1080 that Chromium really sends to our recorder, as packets; and how fast its bitrate rises."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from playwright.async_api import Page, async_playwright

from recorder import vp8
from recorder.incoming import Incoming
from signaling import messages as m
from signaling.rtp import Packet as RtpPacket
from tests.benchmarks.browsers import FLAGS, program
from tests.recorder.replay import Capture, Packet

SIZE = (1920, 1080)
CAP = 4_000_000
"""Bits per second that the customer's page allows itself."""
PATIENCE = 30.0


class Arrived(NamedTuple):
    at: float
    packet: RtpPacket


class Receiver:
    """Answers the page's offers with the recorder's own reception, and keeps what came."""

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self._incoming: Incoming | None = None

    async def answer(self, request: web.Request) -> web.Response:
        sdp = await request.text()
        incoming = self._incoming = Incoming(m.Offer("recorder", "screen", sdp), "customer", [])
        answer, _ = await incoming.accept(sdp, lambda *_: None, lambda _: None)
        assert isinstance(answer, m.Answer) and incoming.reception is not None
        self.arrived = []
        incoming.reception.on_packet = lambda packet, now: self.arrived.append(Arrived(now, packet))
        return web.Response(text=answer.sdp)

    async def close(self) -> None:
        if self._incoming is not None:
            await self._incoming.close()


@asynccontextmanager
async def shared_screen() -> AsyncIterator[tuple[Page, Receiver]]:
    """A page that sends itself when it is told to, and who receives it."""

    async def page_of(_: web.Request) -> web.FileResponse:
        return web.FileResponse(Path(__file__).with_name("screen.html"))

    receiver = Receiver()
    app = web.Application()
    app.add_routes([web.get("/", page_of), web.post("/offer", receiver.answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    chromium = program("chromium", "chromium-browser", "google-chrome")
    try:
        async with async_playwright() as playwright:
            flags = [*FLAGS, "--auto-accept-this-tab-capture"]
            browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
            page = await browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
            await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
            yield page, receiver
            await browser.close()
    finally:
        await receiver.close()
        await runner.cleanup()


async def capture(seconds: float) -> Capture:
    """So many seconds of the stream, from its first keyframe on."""
    async with shared_screen() as (page, receiver):
        await page.evaluate("([hectic, cap]) => send(hectic, cap)", [False, CAP])
        async with asyncio.timeout(seconds + PATIENCE):
            while not receiver.arrived or receiver.arrived[-1].at - receiver.arrived[0].at < seconds + 1:
                await asyncio.sleep(0.1)
        return captured(receiver.arrived, seconds)


def captured(arrived: list[Arrived], seconds: float) -> Capture:
    """What came, in the order in which it was sent, cut at a frame."""
    ordered: dict[int, Arrived] = {}
    first = arrived[0].packet
    for came in arrived:
        ordered.setdefault((came.packet.sequence - first.sequence) & 0xFFFF, came)
    last = next(place for place in range(len(ordered)) if place + 1 not in ordered)
    packets: list[Packet] = []
    for place in range(last + 1):
        came = ordered[place]
        timestamp = (came.packet.timestamp - first.timestamp) & 0xFFFFFFFF
        at = max(came.at - arrived[0].at, packets[-1].at if packets else 0.0)
        packets.append(Packet(at, timestamp, came.packet.marker, came.packet.payload))
        if came.packet.marker and at > seconds:
            break
    while not packets[-1].marker:
        packets.pop()
    parts = [vp8.strip(packet.payload)[0] for packet in packets if packet.timestamp == 0]
    size = vp8.keyframe_size(vp8.join(parts))
    if size is None:
        raise ValueError("the stream did not begin with a keyframe")
    return Capture("VP8", *size, packets)


async def ramp() -> float:
    """Seconds from the first packet to the second in which nine tenths of the cap came."""
    async with shared_screen() as (page, receiver):
        await page.evaluate("([hectic, cap]) => send(hectic, cap)", [True, CAP])
        async with asyncio.timeout(PATIENCE):
            while True:
                await asyncio.sleep(0.5)
                if (reached := reaches(receiver.arrived, 0.9 * CAP)) is not None:
                    return round(reached, 1)


def reaches(arrived: list[Arrived], bits_per_second: float) -> float | None:
    """When so much came within a second for the first time, in seconds after the first packet."""
    window, held = deque[Arrived](), 0
    for came in arrived:
        window.append(came)
        held += len(came.packet.payload)
        while came.at - window[0].at > 1:
            held -= len(window.popleft().packet.payload)
        if 8 * held >= bits_per_second:
            return came.at - arrived[0].at
    return None
