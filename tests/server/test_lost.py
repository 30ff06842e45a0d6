"""An address where nothing is: a page for people, an error for programs."""

from tests.server.desk import Desk


async def test_a_browser_at_a_wrong_address_gets_a_page_with_the_ways_on(desk: Desk) -> None:
    answer = await desk.stranger.get("/jion", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    page = answer.raw.decode()
    assert "There is nothing at this address" in page
    assert '"/get-help"' in page


async def test_a_program_at_a_wrong_address_gets_an_error_with_a_code(desk: Desk) -> None:
    answer = await desk.stranger.get("/api/nothing")
    assert (answer.status, answer.code) == (404, "not_found")
