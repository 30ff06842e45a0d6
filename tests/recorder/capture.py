"""Captures what Chromium really sends in each codec: `python -m tests.recorder.capture` writes tests/recorder/captured.

A small canvas and a tone, a flash with a beep, and a change of size in the middle. Packets are stored decrypted.
"""

import asyncio
import json
import time
from functools import partial
from pathlib import Path

from aiortc import RTCPeerConnection, RTCSessionDescription
from playwright.async_api import async_playwright

from signaling.aiortc_internals import RawTransport, codecs_by_preference, negotiated, peer_connection, stand_aside
from tests.chromium import CHROMIUM, FLAGS
from tests.recorder.rtpdump import Record, write

FOLDER = Path(__file__).with_name("captured")
CODECS = ("VP9", "H264", "VP8", "AV1")
PAGE = Path(__file__).with_name("codecs.html")
KILOBITS = 120


class Capture:
    """The packets of one peer connection, and what was agreed about them."""

    def __init__(self) -> None:
        self.peer: RTCPeerConnection = peer_connection([])
        self.records: list[Record] = []
        self.terms: dict[str, object] = {}
        self._began: float | None = None

    async def answer(self, sdp: str) -> str:
        """The answer to an offer of one video and one audio."""
        transceivers = [self.peer.addTransceiver(kind, direction="recvonly") for kind in ("video", "audio")]
        for transceiver in transceivers:
            transceiver.setCodecPreferences(codecs_by_preference(transceiver.kind))
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self.peer.setLocalDescription()
        for transceiver in transceivers:
            stand_aside(transceiver)
            terms = negotiated(transceiver)
            self.terms[transceiver.kind] = [terms.codecs, terms.retransmissions, terms.abs_send_time]
        RawTransport(transceivers[0], partial(self._keep, True), lambda data: self._keep(False, [data]))
        return self.peer.localDescription.sdp

    def _keep(self, is_rtp: bool, packets: list[bytes]) -> None:
        now = time.monotonic()
        self._began = self._began or now
        self.records += [Record(round((now - self._began) * 1000), is_rtp, data) for data in packets]


async def capture() -> None:
    """Writes the files anew."""
    FOLDER.mkdir(exist_ok=True)
    captures = {codec: Capture() for codec in CODECS}
    async with async_playwright() as playwright:
        flags = [*FLAGS, "--autoplay-policy=no-user-gesture-required"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = await browser.new_page()
        await page.goto(PAGE.as_uri())
        await page.evaluate("resize(320, 180)")
        for codec, kept in captures.items():
            offer = await page.evaluate(f"offer('{codec}', {KILOBITS})")
            await page.evaluate("([codec, sdp]) => answer(codec, sdp)", [codec, await kept.answer(offer)])
        await asyncio.sleep(1.5)
        await page.evaluate("flash()")
        await asyncio.sleep(0.7)
        await page.evaluate("resize(240, 180)")
        await asyncio.sleep(1)
        await page.evaluate("window.close()")
        await browser.close()
    for codec, kept in captures.items():
        write(FOLDER / f"{codec.lower()}.rtpdump", kept.records)
        await kept.peer.close()
    agreed = {codec: kept.terms for codec, kept in captures.items()}
    (FOLDER / "terms.json").write_text(json.dumps(agreed, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(capture())
