"""Alice's work around the live view: signing in, tickets, inviting, the waiting list; by mouse and by keyboard."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.console.accessibility import expect_accessible
from tests.end_to_end.console.people import Desk, sees
from tests.server_process import CAST


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_a_wrong_password_says_what_to_do_and_the_right_one_lets_in(desk: Desk) -> None:
    page = desk.staff(None)
    page.goto("/console/tickets")
    sign_in(page, CAST["alice"].email, "not hers")
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("is wrong")
    expect_accessible(page)
    sign_in(page, CAST["alice"].email, CAST["alice"].password)
    expect(page.get_by_role("heading", name="All tickets")).to_be_visible()
    page.get_by_text("Alice", exact=True).first.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_login_that_is_no_longer_good_leads_back_to_signing_in(desk: Desk) -> None:
    page = desk.staff()
    page.goto("/console/tickets")
    expect(page.get_by_role("heading", name="All tickets")).to_be_visible()
    page.context.clear_cookies()
    # Whichever request comes first meets the end of the login; it may be one of the page's own.
    page.evaluate("""document.querySelector("a[href='/console/tickets/mine']")?.click()""")
    expect(page.get_by_text("You were signed out.")).to_be_visible()


def test_a_ticket_is_made_found_and_changed(desk: Desk) -> None:
    page = desk.staff()
    page.goto("/console/tickets")
    expect(page.get_by_role("heading", name="All tickets")).to_be_visible()
    page.keyboard.press("c")
    page.get_by_label("Title").fill("Scanner makes <i>stripes</i>")
    page.get_by_label("Problem").fill("Since the update.")
    page.get_by_label("Customer's name").fill("Dana Petrova")
    page.get_by_label("Customer's e-mail").fill("dana@example.org")
    page.get_by_label("Priority").select_option("high")
    page.get_by_role("button", name="Make the ticket").click()
    expect(page.get_by_role("heading", name="Scanner makes <i>stripes</i>")).to_be_visible()
    expect(page.get_by_role("link", name="dana@example.org")).to_be_visible()
    page.get_by_label("Status").select_option("pending")
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_label("Write a note for the team").fill("Asked for a test page")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("listitem").filter(has_text="Asked for a test page")).to_be_visible()
    expect_accessible(page)

    page.get_by_role("link", name="All tickets").first.click()
    page.keyboard.press("/")
    page.keyboard.type("stripes")
    row = page.get_by_role("row").filter(has_text="Scanner makes")
    expect(row).to_contain_text("Pending")
    expect(row).to_contain_text("High")
    expect_accessible(page)
    page.get_by_role("link", name="Solved").click()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()


def test_empty_lists_teach(own_desk: Desk) -> None:
    page = own_desk.staff()
    page.goto("/console")
    expect(page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("get-help$"))).to_be_visible()
    expect_accessible(page)
    page.goto("/console/tickets")
    expect(page.get_by_role("heading", name="No tickets yet")).to_be_visible()
    page.goto("/console/tickets/mine")
    expect(page.get_by_role("heading", name="No tickets are yours")).to_be_visible()
    page.goto("/console/nowhere")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    page.goto("/console/tickets/nothing")
    expect(page.get_by_role("main").get_by_role("alert").get_by_role("paragraph")).to_contain_text("no such ticket")


def test_a_session_is_started_from_a_ticket_and_the_invitation_can_be_renewed_and_revoked(desk: Desk) -> None:
    page = desk.staff()
    ticket = desk.ask(
        page, "/api/tickets",
        {"title": "No sound", "problem": "", "priority": "low", "customer_name": "Dana", "customer_email": ""},
    )  # fmt: skip
    page.goto(f"/console/tickets/{ticket['id']}")
    page.get_by_role("button", name="Start a session").click()
    expect(page.get_by_role("switch", name="Ask to record the session")).to_be_checked()
    expect_accessible(page)
    page.get_by_role("button", name="Make the invitation").click()
    link = page.get_by_label("Invitation link", exact=True)
    first = link.input_value()
    assert "/join#" in first
    expect(page.get_by_text(re.compile("^[0-9A-Z]{4}-[0-9A-Z]{4}$"))).to_be_visible()
    code = page.get_by_role("img", name="The invitation link as a QR code")
    assert code.evaluate("(picture) => picture.naturalWidth") > 0
    expect_accessible(page)
    page.get_by_role("button", name="Make another").click()
    expect(link).not_to_have_value(first)
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The invitation can no longer be used.")).to_be_visible()
    page.get_by_role("button", name="Make an invitation").click()
    page.get_by_role("button", name="Open the live view").click()
    expect(page.get_by_role("heading", name="Waiting for Dana to open the invitation")).to_be_visible()
    expect_accessible(page)
    dana = desk.customer()
    dana.goto(first)
    expect(dana.get_by_role("button", name="Choose what to share")).to_have_count(0)
    dana.goto("about:blank")
    dana.goto(link.input_value())
    expect(page.get_by_role("heading", name="Waiting for Dana to agree")).to_be_visible()
    dana.get_by_role("button", name="No, thanks").click()
    expect(page.get_by_role("heading", name="Dana does not want to show the screen")).to_be_visible()


def test_who_asks_for_help_waits_on_the_list_and_is_accepted(own_desk: Desk) -> None:
    alice, dana = own_desk.staff(), own_desk.customer()
    alice.goto("/console")
    expect(alice.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    dana.goto("/get-help")
    dana.get_by_role("textbox").nth(0).fill("Dana")
    dana.get_by_role("textbox").nth(1).fill("The printer prints <b>blank</b> pages")
    dana.locator("form button[type=submit]").click()
    row = alice.get_by_role("listitem").filter(has_text="The printer prints <b>blank</b> pages")
    expect(row).to_contain_text(re.compile(r"\d:\d\d"))
    expect(alice.get_by_role("link", name=re.compile("^Waiting"))).to_contain_text("1")
    expect_accessible(alice)
    row.get_by_role("button", name="Accept").click()
    own_desk.choose(dana)
    sees(alice)
    alice.get_by_role("link", name=re.compile("^#1 ")).click()
    expect(alice.get_by_role("heading", level=1)).to_contain_text("blank")
    alice.get_by_role("link", name="Open the session").click()
    sees(alice)


def test_a_session_is_its_owners_alone(desk: Desk) -> None:
    session, _ = desk.invite(desk.staff("alice"))
    bob = desk.staff("bob")
    bob.goto(f"/console/sessions/{session}")
    expect(bob.get_by_role("heading", name="This session belongs to somebody else")).to_be_visible()
    expect(bob.get_by_text("Only Alice can see")).to_be_visible()


def test_the_keyboard_goes_everywhere(desk: Desk) -> None:
    page = desk.staff()
    page.goto("/console")
    expect(page.get_by_role("heading", name="Waiting", exact=True)).to_be_visible()
    for letter, heading in (("t", "All tickets"), ("m", "My tickets"), ("w", "Waiting")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("All tickets")
    expect_accessible(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_accessible(page)
    page.keyboard.type("my tick")
    expect(page.get_by_role("dialog").get_by_role("option", selected=True)).to_contain_text("My tickets")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="My tickets")).to_be_visible()


def test_a_greek_keyboard_has_the_same_keys(desk: Desk) -> None:
    page = desk.staff()
    page.goto("/console/tickets")
    expect(page.get_by_role("heading", name="All tickets")).to_be_visible()
    page.evaluate("""() => {
      for (const [key, code] of [["γ", "KeyG"], ["μ", "KeyM"]]) {
        window.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }));
      }
    }""")
    expect(page.get_by_role("heading", name="My tickets")).to_be_visible()


@pytest.mark.parametrize(("tag", "heading"), [("ru", "Все заявки"), ("el", "Όλα τα αιτήματα")])
def test_the_language_and_the_light_are_chosen_and_kept(desk: Desk, tag: str, heading: str) -> None:
    page = desk.staff()
    page.goto("/console/tickets")
    page.locator("details.me summary").click()
    page.get_by_label("Appearance").select_option("dark")
    page.get_by_label("Language").select_option(tag)
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    assert page.locator("html").get_attribute("lang") == tag
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_it_works_320_pixels_wide(desk: Desk) -> None:
    page = desk.staff("alice", {"width": 320, "height": 640})
    desk.invite(page, "A ticket with a rather long title that does not fit into one line of a narrow window")
    for place in ("/console", "/console/tickets", "/console/tickets/mine"):
        page.goto(place)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 320, place


def test_what_a_role_may_not_do_is_not_offered(desk: Desk) -> None:
    page = desk.staff("quinn")
    page.goto("/console")
    expect(page.get_by_role("heading", name="All tickets")).to_be_visible()
    expect(page.get_by_role("button", name="New ticket")).to_have_count(0)
    expect(page.get_by_role("link", name="Waiting")).to_have_count(0)


def test_the_first_administrator_sets_the_server_up(bare_desk: Desk) -> None:
    page = bare_desk.staff(None)
    page.goto("/console")
    expect(page.get_by_role("heading", name="Set up Sightline")).to_be_visible()
    expect_accessible(page)
    page.get_by_label("Set-up token").fill("not the printed one")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("not the token that the server printed")
    printed = re.search(r"^Setup token: (\S+)$", bare_desk.server.log.read_text(), re.MULTILINE)
    assert printed is not None
    page.get_by_label("Set-up token").fill(printed[1])
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    page.get_by_role("link", name="Users").click()
    expect(page.get_by_role("listitem").filter(has_text="ada@example.org")).to_contain_text("you")

    stranger = bare_desk.staff(None)
    stranger.goto("/console")
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(stranger, "ada@example.org", "a long enough password")
    expect(stranger.get_by_role("heading", name="Nobody is waiting")).to_be_visible()


def test_the_help_centre_speaks_the_language_that_was_chosen_elsewhere(desk: Desk) -> None:
    page = desk.staff(None)
    page.goto("/get-help")
    page.get_by_label("Language").select_option("ru")
    page.goto("/help")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    page.get_by_role("link", name="Ελληνικά").click()
    page.goto("/get-help")
    expect(page.locator("html")).to_have_attribute("lang", "el")
