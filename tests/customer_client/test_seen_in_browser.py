"""The simulated customer's desktop as a real browser shows it."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from customer_client.simulation.desktop import HEIGHT, WIDTH
from customer_client.simulation.simulation import share
from signaling.session import Assign, Open, Participant
from tests.chromium import FLAGS, HEADLESS
from tests.customer_client.simulation.test_simulation import Redeemed
from tests.signaling.memory_server import memory_server

CAST = [Participant("alice", "agent", "Alice"), Participant("dana", "customer", "Dana")]
INSTALLED = HEADLESS is not None


@pytest.mark.skipif(not INSTALLED, reason="Chromium is not installed: apt-get install chromium")
async def test_an_agent_sees_the_desktop_and_sees_it_again_after_asking_for_a_new_offer() -> None:
    async def viewer(_: web.Request) -> web.FileResponse:
        return web.FileResponse(Path(__file__).with_name("viewer.html"))

    async with memory_server(*CAST, routes=[web.get("/", viewer)]) as server, async_playwright() as playwright:
        await server.endpoint.command("session", Open("Example", "Printer", False))
        await server.endpoint.command("session", Assign("alice", "Alice"))
        customer = asyncio.create_task(share(server.url, Redeemed()))
        browser = await playwright.chromium.launch(executable_path=HEADLESS, args=FLAGS)
        page = await browser.new_page()
        await page.goto(server.url)
        await page.evaluate("join('alice')")
        await page.wait_for_function("video.videoWidth > 0 && grab().frames > 10")
        seen = await page.evaluate("grab()")
        assert seen["size"] == [WIDTH, HEIGHT]
        assert min(seen["paper"]) > 235  # the letter's paper is white
        assert max(seen["bar"]) < 80  # the bar at the bottom is dark
        await page.evaluate("video.srcObject = null; reoffer('dana')")
        await page.wait_for_function("offers === 2 && video.videoWidth > 0 && grab().frames > 5")
        await browser.close()
        customer.cancel()
        await asyncio.gather(customer, return_exceptions=True)
