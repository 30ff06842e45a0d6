"""Dana presses a button twice."""

import pytest
from playwright.async_api import expect

from tests.end_to_end.customer.conftest import OpenPage
from tests.server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_who_asks_with_two_clicks_stands_in_the_line_once(server: ServerProcess, open_page: OpenPage) -> None:
    page = await open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    await page.goto(f"{server.url}/get-help")
    await page.get_by_label("Your name").fill("Dana")
    await page.get_by_label("What is wrong?").fill("Nothing works")
    await page.get_by_role("button", name="Ask for help").dblclick()
    await expect(page.get_by_role("heading", name="Someone will be with you soon")).to_be_visible()
    assert len(asked) == 1
