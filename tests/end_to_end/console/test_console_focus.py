"""Whom Alice's keys are meant for."""

from playwright.sync_api import expect

from tests.end_to_end.console.people import LIVE, Desk, around


def test_after_a_click_on_the_picture_the_keys_take_tools_and_are_not_written_into_the_chat(desk: Desk) -> None:
    alice, _ = desk.live()
    alice.get_by_role("button", name="Chat").click()
    field = alice.get_by_role("textbox", name="Write to the customer")
    field.fill("Look at ")
    left, top, *_ = around(alice, LIVE, 0.5, 0.5, 1, 1)
    alice.mouse.click(left, top)
    alice.keyboard.press("b")
    expect(alice.get_by_role("button", name="Box")).to_have_attribute("aria-pressed", "true")
    expect(field).to_have_value("Look at ")
