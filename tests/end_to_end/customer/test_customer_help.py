"""Dana comes unasked: she says what is wrong, waits, and an agent comes to her."""

import json

import pytest
from playwright.async_api import Page, expect

from tests.end_to_end.customer.conftest import OpenPage
from tests.server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def ask_for_help(page: Page, server: ServerProcess, name: str, problem: str) -> None:
    await page.goto(f"{server.url}/get-help")
    await page.get_by_label("Your name").fill(name)
    await page.get_by_label("What is wrong?").fill(problem)
    await page.get_by_role("button", name="Ask for help").click()


async def session_of(page: Page) -> str:
    place = await page.evaluate("sessionStorage.getItem('sightline.participation')")
    return str(json.loads(place)["session"])


async def test_who_says_nothing_is_told_what_is_missing(server: ServerProcess, open_page: OpenPage) -> None:
    page = await open_page()
    await page.goto(f"{server.url}/get-help")
    await page.get_by_role("button", name="Ask for help").click()
    await expect(page.get_by_label("Your name")).to_be_focused()
    await expect(page.get_by_text("Enter your name, so that we know how to address you.")).to_be_visible()
    await expect(page.get_by_text("Write a few words about what is wrong.")).to_be_visible()


async def test_waiting_shows_the_place_in_the_line_and_goes_on_when_an_agent_comes(
    server: ServerProcess, open_page: OpenPage
) -> None:
    first, second = await open_page(), await open_page()
    await ask_for_help(first, server, "Dana", "The invoice does not print")
    await expect(first.get_by_role("heading", name="Someone will be with you soon")).to_be_focused()
    await expect(first.get_by_text("Waited so far")).to_be_visible()
    await ask_for_help(second, server, "Eve", "My password is not taken")
    await expect(second.get_by_role("main").get_by_text("You are number")).to_be_visible()
    async with await server.login("alice") as alice:
        for page in (first, second):
            async with alice.post(f"/api/waiting/{await session_of(page)}/accept") as answer:
                assert answer.status < 300, await answer.text()
            title = page.get_by_role("heading", level=1)
            await expect(title).to_have_text("Alice from Sightline would like to see your screen")
            await expect(page.get_by_role("button", name="Choose what to share")).to_be_visible()


async def test_a_reload_keeps_the_place_in_the_line_and_who_stops_waiting_is_off_the_list(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page()
    await ask_for_help(page, server, "<img src=x onerror=alert(1)>", "<b>bold</b>")
    await expect(page.get_by_role("heading", name="Someone will be with you soon")).to_be_visible()
    assert await page.locator("main img, main b").count() == 0, "a name made of markup is only text"
    session = await session_of(page)
    await page.reload()
    await expect(page.get_by_role("heading", name="Someone will be with you soon")).to_be_visible()
    assert await session_of(page) == session
    await page.get_by_role("button", name="Stop waiting").click()
    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    async with await server.login("alice") as alice:
        await expect_off_the_list(page, alice, session)


async def expect_off_the_list(page: Page, alice: object, session: str) -> None:
    get = alice.get  # type: ignore[attr-defined]
    for _ in range(50):
        async with get("/api/waiting") as answer:
            waiting = (await answer.json())["waiting"]
        if session not in [each["session"] for each in waiting]:
            return
        await page.evaluate("new Promise((frame) => requestAnimationFrame(frame))")
    raise AssertionError("still on the list")
