"""The other way to be seen: pictures that are chosen, pasted, dropped or taken, where a screen can't be shared."""

import base64
import io
import secrets
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from signaling import messages as m
from tests.end_to_end.customer.conftest import OpenPage
from tests.end_to_end.customer.support_agent import SupportAgent, support_agent
from tests.end_to_end.customer.test_customer_sharing import RED, expect_ink, told
from tests.server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

GREEN = (20, 140, 60)
NO_CAPTURE = "delete MediaDevices.prototype.getDisplayMedia"
"""What a browser of a telephone lacks."""


@pytest.fixture
def screenshot(tmp_path: Path) -> Path:
    """A green picture, as of a window."""
    Image.new("RGB", (800, 500), GREEN).save(tmp_path / "screenshot.png")
    return tmp_path / "screenshot.png"


async def send_pictures(page: Page, alice: SupportAgent) -> None:
    await page.goto(alice.link)
    await page.get_by_role("button", name="Send a picture instead").click()
    await expect(page.get_by_role("heading", name="Send a picture")).to_be_visible()
    await alice.until(lambda a: a.state.phase == "sharing")


async def expect_arrived(page: Page, alice: SupportAgent) -> None:
    """Alice has the picture, both look at it, and what she draws on it comes to Dana."""
    await alice.until(lambda a: a.state.shown)
    assert alice.state.shown is not None
    picture = Image.open(io.BytesIO(await alice.picture(alice.state.shown))).convert("RGB")
    assert picture.getpixel((10, 10)) == GREEN
    await expect(page.get_by_role("img", name="The picture that you and Alice look at")).to_be_visible()
    await alice.draw_box()
    await expect_ink(page, (0.25, 0.5), RED)


async def test_a_chosen_picture_is_seen_and_drawn_on_and_outlives_a_reload(
    server: ServerProcess, open_page: OpenPage, screenshot: Path
) -> None:
    page = await open_page()
    async with support_agent(server) as alice:
        await send_pictures(page, alice)
        async with page.expect_file_chooser() as choosing:
            await page.get_by_role("button", name="Choose a file").click()
        await (await choosing.value).set_files(screenshot)
        await expect_arrived(page, alice)
        surface = alice.state.surface
        assert surface is not None
        assert surface.kind == "picture"
        assert alice.peers == [], "media was offered although nothing is captured"
        await page.reload()
        await expect(page.get_by_role("img", name="The picture that you and Alice look at")).to_be_visible()
        await expect_ink(page, (0.25, 0.5), RED)
        assert told(alice, m.SharingStopped) == [], "nothing was captured that a reload could end"


async def test_a_pasted_picture_is_seen(server: ServerProcess, open_page: OpenPage, screenshot: Path) -> None:
    page = await open_page(permissions=["clipboard-read", "clipboard-write"])
    async with support_agent(server) as alice:
        await send_pictures(page, alice)
        await page.evaluate(
            """async (data) => {
              const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
              const picture = new Blob([bytes], { type: "image/png" });
              await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
            }""",
            base64.b64encode(screenshot.read_bytes()).decode(),
        )
        await page.keyboard.press("Control+V")
        await expect_arrived(page, alice)


async def test_a_dropped_picture_is_seen(server: ServerProcess, open_page: OpenPage, screenshot: Path) -> None:
    page = await open_page()
    async with support_agent(server) as alice:
        await send_pictures(page, alice)
        transfer = await page.evaluate_handle(
            """(data) => {
              const transfer = new DataTransfer();
              const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
              transfer.items.add(new File([bytes], "screenshot.png", { type: "image/png" }));
              return transfer;
            }""",
            base64.b64encode(screenshot.read_bytes()).decode(),
        )
        await page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
        await expect_arrived(page, alice)


async def test_a_still_picture_of_the_screen_is_taken_and_nothing_more(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page(shares=True)
    async with support_agent(server) as alice:
        await send_pictures(page, alice)
        await page.get_by_role("button", name="Take one now").click()
        await alice.until(lambda a: a.state.shown)
        assert alice.state.shown is not None
        taken = alice.state.snapshots[alice.state.shown]
        assert (taken.width, taken.height) == (1280, 720)
        assert alice.peers == []


async def test_rubbish_and_other_kinds_of_files_are_refused_in_words_and_what_is_too_large_is_made_smaller(
    server: ServerProcess, open_page: OpenPage, tmp_path: Path, screenshot: Path
) -> None:
    rubbish = tmp_path / "holiday.png"
    rubbish.write_bytes(secrets.token_bytes(10_000_000))
    letter = tmp_path / "<b>letter.txt"
    letter.write_text("Dear Sir")
    cut = tmp_path / "cut.png"
    cut.write_bytes(screenshot.read_bytes()[:100])
    Image.new("RGB", (7800, 5200), GREEN).save(tmp_path / "poster.png", compress_level=1)
    page = await open_page()
    async with support_agent(server) as alice:
        await send_pictures(page, alice)
        for file in (rubbish, letter, cut):
            await page.get_by_label("Choose a file").set_input_files(file)
            alert = page.get_by_role("alert").filter(has_text=f"“{file.name}” is not a picture that can be shown.")
            await expect(alert).to_be_visible()
        assert told(alice, m.SnapshotTaken) == []
        await page.get_by_label("Choose a file").set_input_files(screenshot)
        await expect_arrived(page, alice)

        await page.get_by_label("Choose a file").set_input_files(tmp_path / "poster.png")
        await alice.until(lambda a: len(told(a, m.SnapshotTaken)) == 2)
        taken = told(alice, m.SnapshotTaken)[1].surface
        assert 0.9 * 40_000_000 < taken.width * taken.height <= 40_000_000
        assert taken.width / taken.height == pytest.approx(1.5, abs=0.01)


async def test_where_no_screen_can_be_shared_the_pictures_are_offered(
    server: ServerProcess, open_page: OpenPage, screenshot: Path
) -> None:
    page = await open_page()
    await page.add_init_script(NO_CAPTURE)
    async with support_agent(server) as alice:
        await page.goto(alice.link)
        await expect(page.get_by_text("This browser cannot show a screen live.")).to_be_visible()
        await expect(page.get_by_role("button", name="Choose what to share")).to_be_hidden()
        await page.get_by_role("button", name="Send a picture instead").click()
        await page.get_by_label("Choose a file").set_input_files(screenshot)
        await expect_arrived(page, alice)


async def test_a_closed_picker_leaves_no_consent_and_another_way(server: ServerProcess, open_page: OpenPage) -> None:
    page = await open_page()
    async with support_agent(server) as alice:
        await page.goto(alice.link)
        await page.get_by_role("button", name="Choose what to share").click()
        await expect(page.get_by_role("alert").filter(has_text="Nothing was chosen")).to_be_visible()
        await alice.until(lambda a: told(a, m.ConsentWithdrawn))
        assert "view" not in alice.state.consents
        await page.get_by_role("button", name="Send a picture instead").click()
        await alice.until(lambda a: a.state.phase == "sharing")


async def test_a_live_screen_and_a_picture_go_together(
    server: ServerProcess, open_page: OpenPage, screenshot: Path
) -> None:
    page = await open_page(shares=True)
    async with support_agent(server) as alice:
        await page.goto(alice.link)
        await page.get_by_role("button", name="Choose what to share").click()
        await alice.frame()
        await page.get_by_role("button", name="Picture").click()
        await page.get_by_label("Choose a file").set_input_files(screenshot)
        await expect_arrived(page, alice)
        await alice.frame()
