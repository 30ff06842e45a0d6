"""Alice at the console and Dana at the customer's page, in two real browsers, with a real server between them."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.end_to_end.console import counter
from tests.server_process import ServerProcess

LIVE = "video.picture"
STILL = "img.picture"
AGENTS_WINDOW: ViewportSize = {"width": 1280, "height": 800}
CUSTOMERS_WINDOW: ViewportSize = {"width": 1000, "height": 800}


class Desk:
    """A server, and the people of one test."""

    def __init__(self, server: ServerProcess, agents: Browser, customers: Browser) -> None:
        self.server = server
        self.failures: list[str] = []
        self._agents = agents
        self._customers = customers
        self._contexts: list[BrowserContext] = []

    def staff(self, name: str | None = "alice", window: ViewportSize = AGENTS_WINDOW) -> Page:
        """A page of the console's browser, signed in as one of the cast, or as nobody."""
        context = self._context(self._agents, window)
        if name is not None:
            context.add_cookies([self.server.browser_cookie(name)])  # type: ignore[list-item]
        return self.page(context)

    def page(self, context: BrowserContext) -> Page:
        """A page on which no script may fail."""
        page = context.new_page()
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        return page

    def customer(self) -> Page:
        """Dana's browser; beside her page it has another, which she can share."""
        context = self._context(self._customers, CUSTOMERS_WINDOW)
        shared = context.new_page()
        shared.set_viewport_size({"width": counter.SIZE[0], "height": counter.SIZE[1]})
        shared.set_content(counter.PAGE)
        return self.page(context)

    def close(self) -> None:
        """Close all that was opened."""
        for context in self._contexts:
            context.close()
        assert self.failures == []

    def _context(self, browser: Browser, window: ViewportSize) -> BrowserContext:
        context = browser.new_context(base_url=self.server.url, viewport=window, locale="en-GB")
        context.set_default_timeout(counter.WAIT_S * 1000)
        self._contexts.append(context)
        return context

    # --- What every session begins with ---

    def invite(
        self,
        alice: Page,
        title: str = "The printer prints blank pages",
        ask_recording: bool = False,
        strict_recording: bool = False,
    ) -> tuple[str, str]:
        """A session of a new ticket, and the link for the customer."""
        ticket = self.ask(
            alice, "/api/tickets",
            {"title": title, "problem": "", "priority": "normal", "customer_name": "Dana", "customer_email": ""},
        )  # fmt: skip
        policy = {"ask_recording": ask_recording, "strict_recording": strict_recording}
        started = self.ask(alice, f"/api/tickets/{ticket['id']}/sessions", policy)
        self.server.confidential.add(started["invitation"]["link"].partition("#")[2])
        return started["session"], started["invitation"]["link"]

    def ask(self, page: Page, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Posts as who is signed in on `page`."""
        answer = page.context.request.post(path, data=body)
        assert answer.ok, answer.text()
        result: dict[str, Any] = answer.json()
        return result

    def share(self, dana: Page, link: str) -> None:
        """Dana opens the link, agrees to be seen, and shares the counter."""
        dana.goto(link)
        self.choose(dana)
        dana.bring_to_front()  # what is behind another page is hardly ever drawn

    def choose(self, dana: Page) -> None:
        """Dana shares the counter, whose page comes to the front by that."""
        dana.get_by_role("button", name="Choose what to share").click()
        expect(dana.get_by_role("button", name="Stop sharing")).to_be_visible()

    def live(self) -> tuple[Page, Page]:
        """Alice in the live view, and Dana, whose picture she sees."""
        alice, dana = self.staff("alice"), self.customer()
        self.meet(alice, dana)
        return alice, dana

    def meet(self, alice: Page, dana: Page) -> None:
        """Alice invites Dana and goes to the live view, where Dana's picture comes."""
        session, link = self.invite(alice)
        alice.goto(f"/console/sessions/{session}")
        expect(alice.get_by_role("heading", name="Waiting for Dana")).to_be_visible()
        self.share(dana, link)
        sees(alice)


def sees(alice: Page, above: int = -1) -> int:
    """Waits until Alice's video shows a count above this one; the count."""

    def look() -> int | None:
        count = counter.count_in(alice, LIVE)
        return count if count is not None and count > above else None

    return counter.eventually(alice, look, f"a picture that counts beyond {above}")


def draw_box(alice: Page, box: counter.Extent) -> None:
    """Alice drags the box tool from corner to corner, in CSS pixels of her window."""
    alice.keyboard.press("b")
    alice.mouse.move(box[0], box[1])
    alice.mouse.down()
    alice.mouse.move((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, steps=5)
    alice.mouse.move(box[2], box[3], steps=5)
    alice.mouse.up()


def around(page: Page, selector: str, left: float, top: float, right: float, bottom: float) -> counter.Extent:
    """Fractions of an element as CSS pixels of the window."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return (
        box["x"] + left * box["width"],
        box["y"] + top * box["height"],
        box["x"] + right * box["width"],
        box["y"] + bottom * box["height"],
    )


def ink_on(page: Page, selector: str = LIVE) -> counter.Extent:
    """Where the ink lies on what Alice sees, in fractions of the picture, which may change its size."""
    stage = page.locator("section.stage-frame")

    def look() -> counter.Extent | None:
        found = counter.extent(counter.ink(counter.looks(stage)))
        frame, picture = stage.bounding_box(), page.locator(selector).bounding_box()
        if not found or frame is None or picture is None:
            return None
        left, top = picture["x"] - frame["x"], picture["y"] - frame["y"]
        width, height = picture["width"], picture["height"]
        return (
            (found[0] - left) / width,
            (found[1] - top) / height,
            (found[2] - left) / width,
            (found[3] - top) / height,
        )

    return counter.eventually(page, look, "ink")


def inked(dana: Page) -> bool:
    """Whether there is ink on Dana's mirror."""
    return bool(counter.ink(counter.looks(dana.locator(".mirror").first)).any())
