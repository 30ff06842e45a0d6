"""A real recording to play: Dana shares a screen that counts, Alice draws on it, a recorder process writes it down.

Each picture holds the server's time in tenths of a second as black and white blocks along its lower edge, so that any
picture that is seen later says when it was taken. In the middle of the recording the shared window changes its size.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np

from annotate.shapes import Annotation, Box, Ellipse, Shape, Step, Stroke
from customer_client.simulation.desktop import Picture
from customer_client.simulation.simulation import Screen, SimulatedCustomer
from signaling import messages as m
from signaling.client import SignalingConnection, new_id
from tests.server_process import ServerProcess

BITS = 16
FIRST_SIZE = (1280, 720)
SECOND_SIZE = (960, 720)
PINK = "#e11d8f"
BLUE = "#1d4ed8"
BOX = Box((0.25, 0.2), (0.75, 0.6))
STROKE = Stroke([(0.2, 0.5), (0.8, 0.5)])
DEADLINE_S = 90.0


def counting_picture(tenths: int, size: tuple[int, int]) -> Picture:
    """A light screen with `tenths` as blocks along its lower edge, the lowest bit on the left."""
    width, height = size
    picture = np.full((height, width, 3), 225, np.uint8)
    cv2.putText(picture, str(tenths), (width // 3, height * 3 // 4), cv2.FONT_HERSHEY_SIMPLEX, 2, (70, 80, 95), 4)
    for bit in range(BITS):
        left, right = width * bit // BITS, width * (bit + 1) // BITS
        picture[height * 9 // 10 :, left:right] = 255 if tenths >> bit & 1 else 0
    return picture


def counted(blocks: list[int]) -> int:
    """What brightnesses (0..255) of the blocks, from left to right, count."""
    return sum(1 << bit for bit, brightness in enumerate(blocks) if brightness > 127)


class CountingScreen(Screen):
    """A screen whose window may change its size."""

    size = FIRST_SIZE

    def _draw(self) -> tuple[Picture, Picture]:
        picture = counting_picture(int(time.time() * 10) % (1 << BITS), self.size)
        return picture, np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)

    async def pass_by(self, frames: int) -> None:
        """Waits until so many pictures were drawn."""
        number, _ = await self.next(0)
        await self.next(number + frames)


class CountingCustomer(SimulatedCustomer):
    """Dana, whose window counts."""

    async def begin(self) -> CountingScreen:
        """Puts the counting screen in the place of the desktop; to be awaited before `run`."""
        await self._screen.close()
        self._screen = screen = CountingScreen()
        return screen

    async def resize(self, size: tuple[int, int]) -> None:
        """Gives the shared window another size."""
        assert isinstance(self._screen, CountingScreen)
        surface = self.link.state.surface
        assert surface is not None
        self._screen.size = size
        width, height = size
        changed = m.Surface(surface.id, surface.kind, surface.label, width, height)
        await self.link.send(m.ChangeSurface(id=new_id(), surface=changed))


class Recorded(NamedTuple):
    """A finished recording, and the player's data of it as JSON."""

    server: ServerProcess
    session: str
    page: dict[str, Any]

    def at(self, type: str, number: int = 0) -> int:
        """When the event of this type happened, ms since 1970; `number` counts from 0. Of a bookmark, what it marks."""
        found = [e["body"].get("at", e["at"]) for e in self.page["events"] if e["body"]["type"] == type]
        return int(found[number])

    @property
    def start(self) -> int:
        """The first frame's time, ms since 1970."""
        return int(self.page["segments"][0]["started_at"])


class Participation(NamedTuple):
    token: str
    session: str


async def heard(link: SignalingConnection, wanted: Callable[[m.EventBody], bool]) -> m.EventBody:
    """The next event that is wanted."""
    async for one in link:
        if isinstance(one, m.Event) and wanted(one.body):
            return one.body
    raise AssertionError("the session ended before it happened")


def mark(surface: str, shape: Shape, color: str) -> m.Annotate:
    """A shape that stays."""
    annotation = Annotation(id=new_id(), surface=surface, color=color, width=0.008, fade=False, shape=shape)
    return m.Annotate(id=new_id(), annotation=annotation)


async def record(server: ServerProcess) -> Recorded:
    """Plays the session on a server with its recorder, and waits until its files are ready to be played."""
    async with await server.login("alice") as alice, server.anonymous() as stranger:
        ticket = {"title": "The printer is not found", "problem": "", "priority": "normal"}
        ticket |= {"customer_name": "Dana", "customer_email": ""}
        opened = await post(alice, "/api/tickets", ticket)
        started = await post(alice, f"/api/tickets/{opened['id']}/sessions", {"ask_recording": True})
        redemption = {"token": None, "code": started["invitation"]["code"], "language": "en"}
        joined = await post(stranger, "/api/invitations/redeem", redemption)
        dana = CountingCustomer(server.url, Participation(joined["token"], joined["session"]))
        screen = await dana.begin()
        sharing = asyncio.create_task(dana.run())
        invited = await post(alice, f"/api/sessions/{started['session']}/participants", None)
        try:
            async with SignalingConnection(server.url, invited["token"]) as link:
                await asyncio.wait_for(session(link, dana, screen), DEADLINE_S)
            await asyncio.wait_for(sharing, DEADLINE_S)
        finally:
            sharing.cancel()
        address = f"/api/recordings/{started['session']}"
        deadline = time.monotonic() + DEADLINE_S
        while True:
            async with alice.get(address) as answer:
                page = await answer.json()
            if page["segments"] and all(s["finished"] and s["indexed"] for s in page["segments"]):
                return Recorded(server, started["session"], page)
            assert time.monotonic() < deadline, f"the recording was never finished: {page['segments']}"
            await asyncio.sleep(0.2)


async def post(http: Any, path: str, body: object) -> Any:
    """The JSON that a POST is answered with."""
    async with http.post(path, **({} if body is None else {"json": body})) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def session(link: SignalingConnection, dana: CountingCustomer, screen: CountingScreen) -> None:
    """What Alice and Dana do, from the first recorded frame on; about nine seconds of it."""
    surface: str | None = None

    def is_recorded(body: m.EventBody) -> bool:
        nonlocal surface
        if isinstance(body, m.SharingStarted):
            surface = body.surface.id
        return isinstance(body, m.SegmentStarted)

    await heard(link, is_recorded)
    assert surface is not None
    await screen.pass_by(10)
    await link.send(m.Say(id=new_id(), text="Hello Dana, <b>look</b> at the box"))
    await link.send(m.AddBookmark(id=new_id(), title="Where the settings are", at=link.server_time()))
    await screen.pass_by(8)
    await link.send(mark(surface, BOX, PINK))
    await screen.pass_by(8)
    await link.send(mark(surface, Step((0.5, 0.4), 1, "Click here"), PINK))
    await screen.pass_by(8)
    link.pass_on(m.RequestSnapshot())
    taken = await heard(link, lambda body: isinstance(body, m.SnapshotTaken))
    assert isinstance(taken, m.SnapshotTaken)
    await link.send(m.ShowSurface(id=new_id(), surface=taken.surface.id))
    await link.send(mark(taken.surface.id, Ellipse((0.3, 0.3), (0.7, 0.7)), BLUE))
    await screen.pass_by(12)
    await link.send(m.ShowSurface(id=new_id(), surface=None))
    await screen.pass_by(15)  # a step that is erased within three seconds is a slip, and no chapter
    await link.send(m.Erase(id=new_id(), annotations=[i for i, p in link.state.board.placed.items()]))
    await screen.pass_by(5)
    await dana.resize(SECOND_SIZE)
    await screen.pass_by(8)
    await link.send(mark(surface, STROKE, BLUE))
    await link.send(m.AddBookmark(id=new_id(), title="Later in the smaller window", at=link.server_time()))
    await screen.pass_by(12)
    await link.send(m.End(id=new_id(), outcome="solved"))
    await heard(link, lambda body: isinstance(body, m.SegmentFinished))
