"""Dana shares her screen: who sees it, what is drawn on it, and every way in which it ends."""

import asyncio
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Page, expect

from signaling import messages as m
from signaling.client import RefusedError, new_id
from tests.conftest import MakeServer
from tests.end_to_end.customer.conftest import SCREEN, OpenPage
from tests.end_to_end.customer.line import line_to
from tests.end_to_end.customer.support_agent import WAIT_S, SupportAgent, support_agent
from tests.server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

INK_AT = """async ([x, y]) => {
  const ink = document.querySelector("[data-ink]");
  const picture = [...document.querySelectorAll(".mirror > :is(video, img)")].find((each) => !each.hidden);
  const [width, height] = picture.videoWidth
    ? [picture.videoWidth, picture.videoHeight] : [picture.naturalWidth, picture.naturalHeight];
  if (!width) return null;
  const frame = ink.getBoundingClientRect();
  const scale = Math.min(frame.width / width, frame.height / height);
  const left = (frame.width - width * scale) / 2, top = (frame.height - height * scale) / 2;
  const ratio = ink.width / frame.width;
  const at = [(left + x * width * scale) * ratio, (top + y * height * scale) * ratio];
  return [...ink.getContext("2d").getImageData(Math.round(at[0]), Math.round(at[1]), 1, 1).data];
}"""
"""The ink's pixel at a point of the surface, found with arithmetic of its own; null until there is a picture."""
RED = [0xE5, 0x32, 0x2D, 255]
NOTHING = [0, 0, 0, 0]
BLACK = 40


async def share(page: Page, alice: SupportAgent, record: bool = False) -> None:
    await page.goto(alice.link)
    if record:
        await page.get_by_role("switch", name="Also record it").check()
    await page.get_by_role("button", name="Choose what to share").click()
    await expect(page.get_by_text("Alice can see what you share")).to_be_visible()
    await alice.until(lambda a: a.state.phase == "sharing")


async def expect_ink(page: Page, at: tuple[float, float], color: list[int]) -> None:
    await page.wait_for_function(
        f"async ([at, color]) => String(await ({INK_AT})(at)) === String(color)", arg=[at, color]
    )


def told(alice: SupportAgent, *kinds: type[Any]) -> list[Any]:
    return [event.body for event in alice.events if isinstance(event.body, kinds)]


async def test_the_agent_sees_the_whole_screen_and_her_ink_lies_where_it_was_drawn(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page(shares=True)
    async with support_agent(server, ask_recording=True) as alice:
        await share(page, alice)
        frame = await alice.frame()
        surface = alice.state.surface
        assert surface is not None
        assert (surface.kind, surface.width, surface.height) == ("monitor", *SCREEN)
        assert (frame.width, frame.height) == SCREEN
        assert len(set(frame.to_ndarray(format="gray").flatten().tolist())) > 16, "the picture is of one color"
        assert told(alice, m.ConsentGiven, m.ConsentRefused) == [m.ConsentGiven("view"), m.ConsentRefused("record")]
        await expect(page.get_by_text("Recording", exact=True)).to_be_hidden()
        await expect(page.get_by_text("Security phrase:")).to_contain_text(alice.phrase())

        await alice.draw_box()
        await expect_ink(page, (0.25, 0.5), RED)
        await expect_ink(page, (0.5, 0.25), RED)
        await expect_ink(page, (0.5, 0.5), NOTHING)
        await alice.until(lambda a: told(a, m.AnnotationAdded))
        added = told(alice, m.AnnotationAdded)[0].annotation
        await alice.connection.send(m.Erase(new_id(), [added.id]))
        await expect_ink(page, (0.25, 0.5), NOTHING)

        async with page.context.expect_page() as opening:
            await page.get_by_role("button", name="Float").click()
        floating = await opening.value
        await alice.draw_box()
        await expect_ink(floating, (0.25, 0.5), RED)
        await floating.get_by_role("button", name="Stop sharing").click()
        await alice.until(lambda a: told(a, m.SharingStopped))


async def test_a_snapshot_is_in_full_resolution_what_is_frozen_is_seen_by_dana_and_a_pause_by_all(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page(shares=True)
    async with support_agent(server) as alice:
        await share(page, alice)
        await alice.ask_snapshot()
        await alice.until(lambda a: told(a, m.SnapshotTaken))
        taken = told(alice, m.SnapshotTaken)[0]
        assert taken.requested_by == alice.connection.participant
        picture = Image.open(io.BytesIO(await alice.picture(taken.surface.id)))
        assert (picture.format, picture.size) == ("PNG", SCREEN)
        assert len(set(picture.convert("L").get_flattened_data())) > 16

        await alice.connection.send(m.ShowSurface(new_id(), taken.surface.id))
        await expect(page.get_by_role("img", name="The picture that you and Alice look at")).to_be_visible()
        await alice.draw_box()
        await expect_ink(page, (0.25, 0.5), RED)
        await alice.connection.send(m.ShowSurface(new_id(), None))
        await expect(page.locator(".mirror video")).to_be_visible()
        await expect_ink(page, (0.25, 0.5), NOTHING)

        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_text("Paused. Nobody sees your screen now.").first).to_be_visible()
        await alice.until(lambda a: a.state.phase == "paused")
        await alice.ask_snapshot()
        await page.get_by_role("button", name="Go on").click()
        await alice.until(lambda a: a.state.phase == "sharing")
        await alice.frame()
        assert told(alice, m.SnapshotTaken) == [taken], "a paused screen was photographed"


async def test_chat_goes_both_ways_escape_twice_stops_and_to_share_again_is_to_consent_again(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page(shares=True)
    async with support_agent(server) as alice:
        await share(page, alice)
        await alice.say("Open the <b>File</b> menu")
        await page.get_by_role("button", name="Chat 1 1 new message").click()
        await expect(page.get_by_role("complementary", name="Chat")).to_contain_text("Open the <b>File</b> menu")
        await page.get_by_label("Your message").fill("Done")
        await page.keyboard.press("Enter")
        await alice.until(lambda a: [said.text for said in told(a, m.ChatSaid)][1:] == ["Done"])
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Chat", exact=True)).to_be_focused()
        assert alice.state.phase == "sharing", "Escape in the chat only closes the chat"

        await page.keyboard.press("Escape")
        await expect(page.locator(".toast")).to_have_text("Press Escape once more to stop sharing.")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        await alice.until(lambda a: a.state.phase == "joined")
        assert alice.state.consents == {}

        await page.get_by_role("button", name="Share again").click()
        await page.get_by_role("button", name="Choose what to share").click()
        await alice.until(lambda a: len(told(a, m.SharingStarted)) == 2)
        assert len(told(alice, m.ConsentGiven)) == 2


async def test_what_the_page_has_no_part_for_is_refused_and_recording_begins_and_ends_as_dana_wants(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page(shares=True)
    async with support_agent(server) as alice:
        await share(page, alice)
        with pytest.raises(RefusedError, match="switched off"):
            await alice.connection.send(m.AskConsent(new_id(), "control"))
        await alice.connection.send(m.AskConsent(new_id(), "record"))
        question = page.get_by_role("alertdialog", name="Alice asks to record this")
        await question.get_by_role("button", name="No recording").click()
        await alice.until(lambda a: m.ConsentRefused("record") in told(a, m.ConsentRefused))
        assert alice.state.recording == "refused"

        await alice.connection.send(m.AskConsent(new_id(), "record"))
        await page.get_by_role("button", name="Allow recording").click()
        await alice.until(lambda a: a.state.recording == "on")
        await expect(page.locator(".recording")).to_have_text("Recording")
        await page.get_by_role("button", name="Stop recording").click()
        await alice.until(lambda a: a.state.recording == "off")
        await expect(page.locator(".recording")).to_be_hidden()
        assert alice.state.phase == "sharing"

        await alice.connection.send(m.End(new_id(), "solved"))
        await expect(page.get_by_text("The session is over and nothing is visible any more.")).to_be_visible()
        await expect(page.get_by_role("button", name="Share again")).to_be_hidden()


async def test_neither_a_reload_nor_a_second_tab_takes_the_screen_along(
    server: ServerProcess, open_page: OpenPage
) -> None:
    first = await open_page(shares=True)
    async with support_agent(server) as alice:
        await share(first, alice)
        await first.reload()
        await alice.until(lambda a: told(a, m.SharingStopped))
        await expect(first.get_by_text("This page was loaded again")).to_be_visible()
        await first.get_by_role("button", name="Choose what to share").click()
        await alice.until(lambda a: len(told(a, m.SharingStarted)) == 2)
        await alice.frame()
        assert len(told(alice, m.ConsentGiven)) == 2

        second = await first.context.new_page()
        await second.goto(alice.link)
        await expect(first.get_by_role("heading", name="This continues in another tab")).to_be_visible()
        await expect(second.get_by_role("button", name="Choose what to share")).to_be_visible()
        await alice.until(lambda a: len(told(a, m.SharingStopped)) == 2)


async def test_the_picture_outlives_the_server_and_stop_needs_no_network(
    make_server: MakeServer, open_page: OpenPage
) -> None:
    server = make_server()
    page = await open_page(shares=True)
    async with support_agent(server) as alice:
        await share(page, alice)
        await alice.frame()
        server.kill()
        await expect(
            page.get_by_role("alert").filter(has_text="Alice may still see your screen directly")
        ).to_be_visible()
        await alice.frame()
        server.start()
        await expect(page.get_by_role("alert").filter(has_text="interrupted")).to_be_hidden()
        await alice.until(lambda a: a.connection.connected and len(a.connected) == 2)
        await alice.frame()
        assert len(alice.peers) == 1, "a connection that stood was replaced"
        assert told(alice, m.SharingStopped) == []

        server.kill()
        await expect(page.get_by_role("alert").filter(has_text="interrupted")).to_be_visible()
        await page.get_by_role("button", name="Stop sharing").click()
        await expect(page.get_by_text("Nothing is sent from this computer any more.")).to_be_visible()
        server.start()
        await alice.until(lambda a: told(a, m.SharingStopped))


async def test_a_cut_line_does_not_cut_the_picture_and_a_viewer_whose_connection_broke_gets_another(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page(shares=True)
    async with support_agent(server) as alice, line_to(server.url) as line:
        alice.link = line.through(alice.link)
        await share(page, alice)
        await alice.frame()
        line.cut()
        await expect(
            page.get_by_role("alert").filter(has_text="Alice may still see your screen directly")
        ).to_be_visible()
        await alice.say("Are you there?")
        await alice.frame()
        line.mend()
        await expect(page.get_by_role("alert").filter(has_text="interrupted")).to_be_hidden()
        await expect(page.get_by_role("button", name="Chat 1 1 new message")).to_be_visible()
        assert len(alice.peers) == 1, "a connection that stood was replaced"

        await alice.peers[0].close()
        await alice.reoffer_until_answered()
        await alice.frame()


async def test_who_is_away_for_too_long_is_asked_again(make_server: MakeServer, open_page: OpenPage) -> None:
    server = make_server(grace_s=0.5)
    page = await open_page(shares=True)
    async with support_agent(server) as alice, line_to(server.url) as line:
        alice.link = line.through(alice.link)
        await share(page, alice)
        line.cut()
        await alice.until(lambda a: told(a, m.SharingStopped))
        line.mend()
        await expect(page.get_by_text("The connection was gone too long")).to_be_visible()
        assert alice.state.consents.get("view") != "given"


async def test_a_part_is_covered_where_the_browser_lets_no_frame_be_touched(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page(shares=True)
    await page.add_init_script("delete window.MediaStreamTrackProcessor")
    async with support_agent(server) as alice:
        await share(page, alice)
        x, y = SCREEN[0] // 2 + 300, SCREEN[1] // 2
        assert (await alice.frame()).to_ndarray(format="gray")[y, x] > BLACK
        await page.get_by_role("button", name="Cover a part").click()
        await page.get_by_role("button", name="Add a cover").click()
        for _ in range(12):
            await page.keyboard.press("Shift+ArrowRight")
        await page.get_by_role("button", name="Done").click()
        async with asyncio.timeout(WAIT_S):
            while (await alice.frame()).to_ndarray(format="gray")[y, x] > BLACK:
                pass
        await alice.ask_snapshot()
        await alice.until(lambda a: told(a, m.SnapshotTaken))
        taken = told(alice, m.SnapshotTaken)[0].surface.id
        picture = Image.open(io.BytesIO(await alice.picture(taken))).convert("L")
        assert picture.getpixel((x, y)) == 0
        assert np.asarray(picture).max() > BLACK, "more was covered than was asked for"


async def test_afterwards_it_is_told_who_saw_what_and_the_receipt_can_be_kept(
    server: ServerProcess, open_page: OpenPage, tmp_path: Path
) -> None:
    page = await open_page(shares=True)
    async with support_agent(server) as alice:
        await share(page, alice)
        await alice.frame()
        await page.get_by_role("button", name="Stop sharing").click()
        await alice.until(lambda a: a.state.phase == "joined")
        facts = page.locator(".facts")
        await expect(facts).to_contain_text("Seen byAlice")
        await expect(facts).to_contain_text("Recordedno")
        await page.get_by_role("button", name="Very good").click()
        await expect(page.get_by_text("Thank you, that helps.").first).to_be_visible()
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Save the receipt").click()
        await (await downloading.value).save_as(tmp_path / "receipt.html")
        receipt = (tmp_path / "receipt.html").read_text(encoding="utf-8")
        for line in ("Alice", "The invoice does not print", "Sharing began: Whole screen", "Sharing stopped"):
            assert line in receipt
        await page.reload()
        await expect(page.get_by_text("Thank you, that helps.").first).to_be_visible()
