"""How Dana comes in: by a link, by a spoken code, in two tabs, in her language; and how she says no."""

import shutil
import sqlite3

import pytest
from playwright.async_api import Page, expect

from customer_client.invitation import read_file_name
from signaling import messages as m
from tests.end_to_end.customer.conftest import OpenPage
from tests.end_to_end.customer.support_agent import support_agent
from tests.server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")
CHOOSE = "Choose what to share"


async def type_code(page: Page, code: str) -> None:
    await page.get_by_label("Code").fill(code)
    await page.get_by_role("button", name="Continue").click()


async def test_a_link_says_who_asks_and_what_for_and_a_no_is_taken_as_one(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page()
    async with support_agent(server) as alice:
        await page.goto(alice.link)
        title = page.get_by_role("heading", level=1)
        await expect(title).to_have_text("Alice from Sightline would like to see your screen")
        await expect(page.get_by_text("About: The invoice does not print")).to_be_visible()
        await expect(page.get_by_text("Did you ask Sightline for help?")).to_be_visible()
        await expect(page.get_by_role("button", name=CHOOSE)).to_be_enabled()
        assert page.url == f"{server.url}/join", "what is confidential leaves the address bar"
        await expect(page.get_by_role("switch", name="Let Alice see my screen")).to_be_visible()
        await expect(page.get_by_role("switch", name="Also record it")).to_be_hidden()

        await page.get_by_role("switch", name="Let Alice see my screen").uncheck()
        await page.get_by_role("button", name=CHOOSE).click(force=True)
        await expect(page.get_by_text("Turn on “Let Alice see my screen” first.")).to_be_visible()
        assert alice.state.consents["view"] == "asked"

        await page.reload()
        await expect(page.get_by_role("button", name=CHOOSE)).to_be_visible()
        joined = [e.body for e in alice.events if isinstance(e.body, m.Joined) and e.body.role == "customer"]
        assert len({body.participant for body in joined}) == 1

        await page.get_by_role("button", name="No, thanks").click()
        await expect(page.get_by_role("heading", name="That is fine")).to_be_focused()
        await alice.until(lambda a: a.state.consents.get("view") == "refused")
        await page.get_by_role("button", name="Go back").click()
        await expect(page.get_by_role("button", name=CHOOSE)).to_be_visible()
        await page.get_by_role("button", name="No, thanks").click()
        await page.get_by_role("button", name="Leave").click()
        await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        await alice.until(lambda a: a.state.customer is None)


async def test_the_link_in_another_tab_and_the_program_for_this_computer_take_over_from_the_page(
    server: ServerProcess, open_page: OpenPage
) -> None:
    first, other = await open_page(), await open_page()
    clients = server.data / "clients"
    clients.mkdir()
    (clients / "sightline-linux-x86_64.zip").write_bytes(b"the client")
    async with support_agent(server) as alice:
        await first.goto(alice.link)
        await expect(first.get_by_role("button", name=CHOOSE)).to_be_visible()
        second = await first.context.new_page()
        await second.goto(alice.link)
        await expect(second.get_by_role("button", name=CHOOSE)).to_be_visible()
        await expect(first.get_by_role("heading", name="This continues in another tab")).to_be_visible()
        await first.get_by_role("button", name="Continue here instead").click()
        await expect(first.get_by_role("button", name=CHOOSE)).to_be_visible()
        await expect(second.get_by_role("heading", name="This continues in another tab")).to_be_visible()

        async with first.expect_download() as downloading:
            await first.get_by_role("button", name="Get the program for Linux (1 MB)").click()
        invited = read_file_name((await downloading.value).suggested_filename)
        assert invited is not None
        assert invited.server == server.url
        await expect(first.get_by_role("status").filter(has_text=f"Your code {invited.code} is good")).to_be_visible()
        await other.goto(invited.page)
        await expect(other.get_by_role("button", name=CHOOSE)).to_be_visible()
        await expect(first.get_by_role("heading", name="This continues in another tab")).to_be_visible()
    shutil.rmtree(clients)


async def test_a_spoken_code_may_be_typed_as_it_was_heard_and_recording_is_a_switch_that_is_off(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page()
    async with support_agent(server, ask_recording=True) as alice:
        await page.goto(f"{server.url}/join")
        await type_code(page, "4F7K")
        await expect(page.get_by_role("alert").filter(has_text="You have entered 4.")).to_be_visible()
        await expect(page.get_by_label("Code")).to_be_focused()
        heard = alice.code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
        await type_code(page, heard)
        await expect(page.get_by_role("button", name=CHOOSE)).to_be_visible()
        await expect(page.get_by_role("switch", name="Also record it")).not_to_be_checked()


async def test_a_code_and_a_link_that_cannot_be_used_say_what_to_do(server: ServerProcess, open_page: OpenPage) -> None:
    page = await open_page()
    for why in ("wrong", "used", "expired", "revoked"):
        async with support_agent(server) as alice:
            code = alice.code
            match why:
                case "wrong":
                    code = "ZZZZ-ZZZZ"
                case "used":
                    async with server.anonymous() as stranger:
                        body = {"token": None, "code": code, "language": "en"}
                        assert (await stranger.post("/api/invitations/redeem", json=body)).status == 200
                case "expired":
                    with sqlite3.connect(server.data / "sightline.db", timeout=10) as database:
                        database.execute("UPDATE invitations SET code_expires_at = 1")
                case _:
                    assert (await alice.http.delete(f"/api/sessions/{alice.session}/invitations")).status < 300
            await page.goto(f"{server.url}/join")
            await type_code(page, code)
            await expect(
                page.get_by_text("This code cannot be used. Check each letter, or ask for a new code")
            ).to_be_visible()
    await page.goto("about:blank")
    await page.goto(f"{server.url}/join#not-a-token")
    await expect(page.get_by_role("alert").filter(has_text="This invitation cannot be used.")).to_be_visible()
    await expect(page.get_by_label("Code")).to_be_visible()


async def test_the_language_is_the_browsers_and_can_be_switched(server: ServerProcess, open_page: OpenPage) -> None:
    page = await open_page(locale="ru-RU")
    async with support_agent(server) as alice:
        await page.goto(alice.link)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Alice (Sightline) просит показать экран")
        await page.get_by_label("Язык").select_option("el")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Alice (Sightline) ζητά να δει την οθόνη σας")
        assert await page.locator("html").get_attribute("lang") == "el"
        await page.reload()
        await expect(page.get_by_role("button", name="Διαλέξτε τι θα δείξετε")).to_be_visible()
