"""The window of the native client: shows one view at a time, and puts what the person wants."""

import ctypes
import queue
import sys
import time
import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from customer_client.capture.masks import Masks
from customer_client.capture.surfaces import CaptureUnavailable, Cover as Unseen, Source
from customer_client.faces.face import (
    Agree,
    Close,
    Cover,
    Decline,
    Destination,
    Farewell,
    Intents,
    Pause,
    Question,
    Report,
    Resume,
    Screens,
    SendPicture,
    Standing,
    Stop,
    Switch,
    Trouble,
    View,
    Waiting,
)
from customer_client.window import bar, theme
from customer_client.window.choice import ChoicePage
from customer_client.window.cover import CoverPage
from customer_client.window.frame import Frame
from customer_client.window.pages import DestinationPage, FarewellPage, TroublePage, WaitingPage
from customer_client.window.panels import ChatPage, DetailsPage
from customer_client.window.question import Agreed, QuestionPage
from customer_client.window.widgets import Page, Stage
from customer_client.words import Words

LISTEN_EVERY_MS = 40
ESCAPE_WITHIN_S = 2.0
SIZE = (780, 800)
SMALL = (440, 560)
"""The chat leaves as much as possible of what is shared in sight."""
BESIDE = 96
"""What a system's own bars take of the height of a screen."""
MOST_SCALE = 4.0


class Window:
    """A `Face` of tkinter; made, run and closed in the main thread."""

    guarded = True

    def __init__(
        self, intents: Intents, screens: Screens, halt: Callable[[], None], *, words: Words | None = None
    ) -> None:
        if sys.platform == "win32":
            ctypes.windll.shcore.SetProcessDpiAwareness(2)
        self.intents = intents
        self._halt = halt
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.root = tk.Tk(className="Sightline")
        self.root.withdraw()
        scale = scale_of(self.root, screens)
        look = theme.Theme(self.root, theme.DARK if theme.dark_wished() else theme.LIGHT, scale)
        self.stage = Stage(look, words or Words(), screens, intents.put, self._posted.put, self._redraw)
        self.page: Page | None = None
        self.bar: bar.Bar | None = None
        self.view: View | None = None
        self._server = ""
        self._draw: Callable[[], Page] | None = None
        """Draws the page that is shown once more."""
        self._shared_since = 0.0
        self._recorded = False
        self._viewers: dict[str, None] = {}
        self._paused: bool | None = None
        """What the person asked for last, until it is so."""
        self._stopped = False
        self._escaped_at = -ESCAPE_WITHIN_S
        self._frame = Frame(self.root)
        self._closed = False
        self._prepare()

    # --- A face ---

    def show(self, view: View) -> None:
        """Shows this now, instead of what was shown."""
        self._posted.put(lambda: self._show(view))

    def tell(self, key: str, **values: str) -> None:
        """A passing sentence: a key under `told.`."""
        self._posted.put(lambda: self._tell(self.stage.words(f"told.{key}", **values)))

    def covers(self) -> Unseen:
        """The window, for it shows more than what is shared; not the bar, which says nothing new."""
        return self._frame.cover

    def run(self) -> None:
        """Returns when the window was closed."""
        self._listen()
        self.root.mainloop()

    def close(self) -> None:
        """Ends `run`."""
        self._posted.put(self._end)

    # --- The thread of the window ---

    def _prepare(self) -> None:
        words, px, root = self.stage.words, self.stage.theme.px, self.root
        root.title(words("window.title"))
        root.iconphoto(True, str(self.stage.theme.icon("switch", self.stage.theme.palette.accent, 64)))
        self._place(SIZE)
        root.minsize(px(400), px(360))
        root.protocol("WM_DELETE_WINDOW", self._dismissed)
        root.bind_all("<Escape>", lambda _: self._escaped())

    def _place(self, size: tuple[int, int]) -> None:
        """In the middle of the screen; the small one in its lower right corner; both below the bar."""
        root, px = self.root, self.stage.theme.px
        screen = root.winfo_screenwidth(), root.winfo_screenheight() - px(BESIDE)
        top = self.bar.winfo_y() + self.bar.winfo_reqheight() + px(8) if self.bar is not None else 0
        if top > screen[1] // 2:
            top = 0
        width, height = min(px(size[0]), screen[0]), min(px(size[1]), screen[1] - top)
        left = screen[0] - width - px(24) if size == SMALL else (screen[0] - width) // 2
        down = screen[1] - height if size == SMALL else max(top, (screen[1] - height) // 2)
        root.geometry(f"{width}x{height}+{left}+{down}")
        root.update_idletasks()

    def _listen(self) -> None:
        while True:
            try:
                run = self._posted.get_nowait()
            except queue.Empty:
                break
            run()
            if self._closed:
                return
        self._frame.follow()
        self.root.after(LISTEN_EVERY_MS, self._listen)

    def _end(self) -> None:
        self._closed = True
        self._leave_page()
        self.root.destroy()

    def _dismissed(self) -> None:
        """The window's own cross: while sharing it only hides what the bar opened."""
        if self.bar is not None:
            self._hide()
            return
        self.intents.put(Decline() if isinstance(self.view, Question) else Close())

    def _turn(self, draw: Callable[[], Page]) -> None:
        """Leaves the page that was, and shows the one that `draw` makes."""
        self._leave_page()
        self._draw = draw
        self.page = draw()
        self.page.pack(fill="both", expand=True)
        if self.root.state() == "withdrawn":
            self.root.deiconify()
            self.root.lift()
        if self.bar is not None:
            self.bar.lift()
        self.page.begin()

    def _leave_page(self) -> None:
        if self.page is not None:
            self.page.close()
            self.page = None

    def _redraw(self) -> None:
        self.root.title(self.stage.words("window.title"))
        if self._draw is not None:
            self._turn(self._draw)
        if self.bar is not None and isinstance(self.view, Standing):
            place = self.bar.geometry().split("+", 1)[1]
            self._drop_bar()
            self._raise_bar(self.view)
            self.bar.geometry(f"+{place}")

    def _show(self, view: View) -> None:
        if isinstance(view, Standing):
            if not self._stopped:
                self._stand(view)
            return
        self._stopped = False
        self._paused = None
        if view == self.view and self.page is not None:
            return
        self.view = view
        if self.bar is not None:
            self._drop_bar()
            self._place(SIZE)
        self.root.attributes("-topmost", False)
        match view:
            case Destination():
                self._server = view.server
                self._turn(lambda: DestinationPage(self.root, self.stage, view))
            case Waiting():
                self._turn(lambda: WaitingPage(self.root, self.stage, view, self._server))
            case Question():
                self._ask(view)
            case Farewell():
                self._turn(lambda: FarewellPage(self.root, self.stage, view))
            case Trouble():
                self._turn(lambda: TroublePage(self.root, self.stage, view))

    def _tell(self, text: str) -> None:
        if self.bar is not None:
            self.bar.tell(text)

    # --- Agreeing ---

    def _ask(self, question: Question) -> None:
        words = self.stage.words
        agent = question.agent or words("name.staff")

        def share(agreed: Agreed, source: Source, masks: Masks) -> None:
            self.intents.put(Agree(agreed, source, masks))

        def picture(agreed: Agreed, source: Source, masks: Masks) -> None:
            self.intents.put(Agree(agreed, None, masks))
            self.intents.put(SendPicture(source, masks))

        def choose(agreed: Agreed) -> None:
            title = words("choose.title", agent=agent), words("choose.text")
            self._choose(title, "choose.share", lambda source, masks: share(agreed, source, masks), first)

        def choose_picture(agreed: Agreed) -> None:
            title = words("choose.picture.title"), words("choose.picture.text", agent=agent)
            self._choose(title, "choose.send", lambda source, masks: picture(agreed, source, masks), first)

        def first() -> None:
            self._turn(lambda: QuestionPage(self.root, self.stage, question, choose, choose_picture))

        first()

    def _choose(
        self,
        title: tuple[str, str],
        yes: str,
        act: Callable[[Source, Masks], None],
        back: Callable[[], None],
        now: str | None = None,
    ) -> None:
        """The choice of a source, and on the way, for who wishes, what is covered on it."""
        words = self.stage.words

        def cover(source: Source) -> None:
            chosen: list[Masks] = [Masks()]
            done = words(yes), lambda: act(source, chosen[0])

            def changed(masks: Masks) -> None:
                chosen[0] = masks

            self._turn(lambda: CoverPage(self.root, self.stage, source, chosen[0], changed, done, choose))

        def choose() -> None:
            main = words(yes), lambda source: act(source, Masks())
            self._turn(lambda: ChoicePage(self.root, self.stage, title, main, cover, back, now))

        choose()

    # --- Sharing ---

    def _stand(self, standing: Standing) -> None:
        if self._paused is not None:
            if standing.paused == self._paused:
                self._paused = None
            else:
                standing = replace(standing, paused=self._paused)
        self._viewers |= dict.fromkeys(standing.watching)
        self._recorded |= standing.recording == "on"
        if self.bar is None:
            self._shared_since = time.monotonic()
            self._viewers, self._recorded = dict.fromkeys(standing.watching), standing.recording == "on"
            self._hide()
            self.view = standing
            self._raise_bar(standing)
        else:
            self._refresh(standing)

    def _refresh(self, standing: Standing) -> None:
        before, self.view = self.view, standing
        assert self.bar is not None
        self.bar.refresh(standing)
        if standing.control:
            self._hide()  # whoever holds the mouse must not agree to more in the person's name
        elif isinstance(self.page, ChatPage):
            self.page.refresh(standing)
            self.bar.read()
        elif isinstance(self.page, DetailsPage):
            self.page.refresh(standing)
        elif isinstance(self.page, CoverPage) and isinstance(before, Standing) and before.source != standing.source:
            self._hide()

    def _raise_bar(self, standing: Standing) -> None:
        self.bar = bar.Bar(self.stage, standing, bar.Deeds(self._pause, self._stop, self._open))
        self.bar.place_upon(standing.source.area if standing.source and standing.source.kind == "monitor" else None)

    def _drop_bar(self) -> None:
        if self.bar is not None:
            self.bar.destroy()
            self.bar = None

    def _hide(self) -> None:
        self._leave_page()
        self._draw = None
        self.root.withdraw()

    def _open(self, name: str) -> None:
        standing, words = self.view, self.stage.words
        if not isinstance(standing, Standing) or standing.control:
            return
        self.root.attributes("-topmost", True)
        self._place(SMALL if name == "chat" else SIZE)
        source = standing.source
        agent = standing.agent or words("name.staff")

        def switch(chosen: Source, masks: Masks) -> None:
            self.intents.put(Switch(chosen, masks))
            self._hide()

        def send(chosen: Source, masks: Masks) -> None:
            self.intents.put(SendPicture(chosen, masks))
            self._hide()

        if name == "chat":
            self._turn(lambda: ChatPage(self.root, self.stage, self._standing, self._hide))
        elif name == "details":
            self._turn(lambda: DetailsPage(self.root, self.stage, self._standing, self._report, self._hide))
        elif name == "cover" and source is not None:
            done = words("cover.done"), self._hide
            self._turn(lambda: CoverPage(self.root, self.stage, source, self._standing.masks, self._cover, done, None))
        elif name == "switch":
            title = words("choose.title", agent=agent), words("choose.text")
            self._choose(title, "choose.switch", switch, self._hide, source.key if source else None)
        elif name == "picture":
            title = words("choose.picture.title"), words("choose.picture.text", agent=agent)
            self._choose(title, "choose.send", send, self._hide)

    def _cover(self, masks: Masks) -> None:
        self.intents.put(Cover(masks))

    @property
    def _standing(self) -> Standing:
        assert isinstance(self.view, Standing)
        return self.view

    def _pause(self) -> None:
        standing = self._standing
        self._paused = not standing.paused
        if self._paused:
            self._halt()
        self.intents.put(Pause() if self._paused else Resume())
        self._refresh(replace(standing, paused=self._paused))

    def _stop(self) -> None:
        """Closes the tap and says so at once: neither waits for a network, nor for who runs the session."""
        standing = self._standing
        self._halt()
        self.intents.put(Stop())
        seconds = time.monotonic() - self._shared_since
        was = Farewell(standing.organization, standing.agent, seconds, tuple(self._viewers), self._recorded)
        self._show(replace(was, unsent=not standing.online))
        self._stopped = True

    def _report(self) -> None:
        self._stop()
        self.intents.put(Report())

    def _escaped(self) -> None:
        if self.bar is None:
            return
        now = time.monotonic()
        if now - self._escaped_at < ESCAPE_WITHIN_S:
            self._stop()
            return
        self._escaped_at = now
        self.bar.tell(self.stage.words("bar.escape"))


def scale_of(root: tk.Tk, screens: Screens) -> float:
    """How much larger than at 96 dpi all is drawn here, in quarters: as Tk found out, or as the desktop wishes."""
    wished = 1.0
    with suppress(CaptureUnavailable):
        wished = max((source.scale for source in screens.sources()), default=1.0)
    if wished > 1 and root.tk.call("tk", "windowingsystem") == "x11":
        # Xft takes the desktop's dots an inch, and Tk hands it points by its own: pixels come out only if they agree.
        root.tk.call("tk", "scaling", wished * 96 / 72)
    return min(MOST_SCALE, max(1.0, round(max(root.winfo_fpixels("1i") / 96, wished) * 4) / 4))
