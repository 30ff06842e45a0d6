"""Everybody can use the customer's pages: with a keyboard alone, at 320 pixels, by ear, in light and in dark."""

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Page, expect

from signaling import messages as m
from signaling.client import new_id
from tests.end_to_end.customer.conftest import OpenPage
from tests.end_to_end.customer.support_agent import SupportAgent, support_agent
from tests.end_to_end.customer.test_customer_sharing import share
from tests.server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")
AXE = (Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


async def expect_accessible(page: Page) -> None:
    """Fails on anything that axe finds serious."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE + "; undefined")
    found: list[dict[str, Any]] = await page.evaluate(
        'async () => (await axe.run({ resultTypes: ["violations"] })).violations'
    )
    serious = [
        f"{violation['id']}: {node['html']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert serious == []


async def expect_accessible_in_light_and_dark(page: Page) -> None:
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        # Colors cross over for a moment, and axe would measure what lies between the two.
        await page.evaluate("Promise.allSettled(document.getAnimations().map((animation) => animation.finished))")
        await expect_accessible(page)


async def expect_no_sideways_scrolling(page: Page) -> None:
    width, shown = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= shown
    cut = """[...document.querySelectorAll("button, a, input, select, textarea, h1, p")].filter((each) => {
      const box = each.getBoundingClientRect();
      const seen = box.width > 1 && !each.closest(".skip, .unseen, .visually-hidden");
      return seen && (box.left < -0.5 || box.right > innerWidth + 0.5);
    }).map((each) => each.outerHTML)"""
    assert await page.evaluate(cut) == []


async def press_until(page: Page, name: str) -> None:
    """Tabs to the control of this name, as somebody without a mouse does."""
    target = page.get_by_role("button", name=name)
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await target.evaluate("(element) => element === document.activeElement"):
            outline = await target.evaluate("(element) => getComputedStyle(element).outlineStyle")
            assert outline != "none", f"the focus on {name} cannot be seen"
            return
    raise AssertionError(f"{name} cannot be reached with Tab")


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("ru-RU", "dark"), ("el-GR", "light")])
async def test_the_ways_in_hold_what_axe_asks_and_fit_on_a_narrow_screen(
    server: ServerProcess, open_page: OpenPage, locale: str, scheme: str
) -> None:
    look = {"viewport": {"width": 320, "height": 640}, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = await open_page(locale=locale, **look)
    async with support_agent(server, ask_recording=True) as alice:
        for address in ("/join", "/join#not-a-token", "/get-help"):
            await page.goto("about:blank")
            await page.goto(server.url + address)
            await expect(page.locator("form")).to_be_visible()
            await expect_no_sideways_scrolling(page)
            await expect_accessible(page)
        await page.goto(alice.link)
        await expect(page.get_by_role("switch").first).to_be_visible()
        await expect_no_sideways_scrolling(page)
        await expect_accessible(page)
        await page.locator(".actions button:not(.primary)").first.click()
        await expect(page.locator(".drop")).to_be_visible()
        await expect_no_sideways_scrolling(page)
        await expect_accessible(page)
        await alice.say("Hello")
        await page.locator(".chat-button").click()
        await expect_no_sideways_scrolling(page)
        await expect_accessible(page)
        await page.keyboard.press("Escape")
        await page.locator(".stop").click()
        await expect(page.locator(".faces")).to_be_visible()
        await expect_no_sideways_scrolling(page)
        await expect_accessible(page)


async def test_the_shared_screen_holds_what_axe_asks(server: ServerProcess, open_page: OpenPage) -> None:
    page = await open_page(shares=True)
    async with support_agent(server) as alice:
        await share(page, alice)
        await alice.frame()
        await alice.connection.send(m.AskConsent(new_id(), "voice"))
        question = page.get_by_role("alertdialog", name="Alice asks to talk with you.")
        await expect(question).to_be_visible()
        await expect_accessible_in_light_and_dark(page)
        await question.get_by_role("button", name="No, thanks").click()
        await alice.until(lambda a: a.state.consents.get("voice") == "refused")
        await page.get_by_role("button", name="Picture").click()
        await expect_accessible_in_light_and_dark(page)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await page.get_by_role("button", name="Cover a part").click()
        await page.get_by_role("button", name="Add a cover").click()
        await expect(page.get_by_text("1 part is covered")).to_be_visible()
        await expect_accessible_in_light_and_dark(page)
        await page.get_by_role("button", name="Done").click()
        await page.get_by_role("button", name="Pause").click()
        await expect_accessible_in_light_and_dark(page)


async def test_all_of_it_goes_with_a_keyboard_alone_and_by_ear(server: ServerProcess, open_page: OpenPage) -> None:
    page = await open_page(shares=True)
    voice = page.locator("body > [aria-live=polite]")
    async with support_agent(server) as alice:
        await page.goto(alice.link)
        await expect(page.get_by_role("button", name="Choose what to share")).to_be_visible()
        await press_until(page, "Choose what to share")
        await page.keyboard.press("Enter")
        await alice.until(lambda a: a.state.phase == "sharing")
        await press_until(page, "Pause")
        await page.keyboard.press("Space")
        await alice.until(lambda a: a.state.phase == "paused")
        await page.keyboard.press("Space")
        await alice.until(lambda a: a.state.phase == "sharing")
        await press_until(page, "Cover a part")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Cover 1", exact=True)).to_be_focused()
        await page.keyboard.press("Shift+ArrowRight")
        await expect(voice).to_contain_text("26 % wide, 25 % high")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Cover a part")).to_be_focused()
        await alice.draw_box()
        await expect(voice).to_have_text("Alice has drawn something")
        await alice.say("Press print")
        await expect(voice).to_have_text("Alice: Press print")
        await press_until(page, "Chat")
        await page.keyboard.press("Enter")
        await page.keyboard.type("Hello")
        await page.keyboard.press("Enter")
        await alice.until(said("Hello"))
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("heading", name="Thank you")).to_be_focused()
        await expect(voice).to_have_text("Sharing has stopped. Nothing is visible any more.")
        await press_until(page, "Very good")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Thank you, that helps.").first).to_be_visible()


def said(text: str) -> Any:
    """Whether the chat holds this line."""

    def condition(agent: SupportAgent) -> bool:
        return any(getattr(event.body, "text", None) == text for event in agent.events)

    return condition
