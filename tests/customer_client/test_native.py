"""The native customer against the real application: a real desktop, an agent who sees it, and a scripted person."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from annotate.shapes import Annotation, Box
from customer_client.capture.masks import Mask, Masks
from customer_client.faces.face import (
    Agree,
    Close,
    Connect,
    Destination,
    Farewell,
    Intents,
    OpenBrowser,
    Pause,
    Question,
    Resume,
    Say,
    Screens,
    SendPicture,
    ShareAgain,
    Standing,
    Stop,
    Switch,
    Trouble,
)
from customer_client.invitation import read_invitation
from customer_client.program import Program
from customer_client.words import Words
from signaling import messages as m
from signaling.client import new_id
from tests.customer_client.scripted_face import ScriptedFace
from tests.customer_client.seeing_agent import SeeingAgent
from tests.real_desktop import RealDesktop, real_desktop
from tests.server.desk import Desk, open_desk

RED, BLUE, GREEN, PAINT = "#c81e1e", "#1e32c8", "#1f8a3a", "#1b202a"
LEFT_HALF = Masks((Mask(0, 0, 0.5, 1),))


def seen(screen: RealDesktop, x: float, y: float, color: str) -> bool:
    """Whether this color is on the customer's real screen at this place."""
    pixel = screen.look(int(x * 640), int(y * 480), 1, 1)[0, 0].astype(int)
    return bool(np.abs(pixel - np.array([*bytes.fromhex(color[1:])], int)).max() < 24)


class Wire:
    """The way to the server, which can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._own = 0
        self._server: asyncio.Server | None = None
        self._ends: list[asyncio.StreamWriter] = []

    async def join(self) -> str:
        """The address at which the server is reached; the same one each time."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._own)
        self._own = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{self._own}"

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends += [writer, to_writer]

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))


class Scene(NamedTuple):
    screen: RealDesktop
    desk: Desk
    face: ScriptedFace
    alice: SeeingAgent
    browsed: list[str]
    wire: Wire
    running: asyncio.Future[None]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def scene(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """Alice has invited dana, who has started the client on a desktop with a red window in its right half."""
    with real_desktop(640, 480) as screen:
        screen.open_window(320, 0, 320, 480, RED).set_wm_name("Mail")
        screen.display.sync()
        monkeypatch.setenv("DISPLAY", screen.name)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        async with open_desk(folder) as desk:
            session, invitation = await desk.session()
            place = (await desk.alice.post(f"/api/sessions/{session}/participants", None)).body
            alice = SeeingAgent(desk.base, place["token"])
            faces: list[ScriptedFace] = []
            browsed: list[str] = []

            def make(intents: Intents, screens: Screens, halt: Callable[[], None], words: Words) -> ScriptedFace:
                faces.append(ScriptedFace(intents, screens, halt))
                return faces[0]

            wire = Wire(desk.site.port or 0)
            link = f"{await wire.join()}/join#{invitation['link'].partition('#')[2]}"
            program = Program(read_invitation(link), make, Words("en"), browsed.append)
            running = asyncio.ensure_future(asyncio.to_thread(program.run))
            looking = asyncio.create_task(alice.run())
            try:
                yield Scene(screen, desk, faces[0], alice, browsed, wire, running)
            finally:
                faces[0].want(Close())
                await running
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
                await wire.cut()


async def test_a_wary_person_shares_pauses_switches_and_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(tmp_path, monkeypatch) as (screen, _, face, alice, _, _, _):
        assert (await asyncio.to_thread(face.sees, Destination)).server.startswith("http://127.0.0.1:")
        face.want(Connect())
        question = await asyncio.to_thread(face.sees, Question)
        assert (question.organization, question.agent) == ("ACME Support", "Alice")
        assert question.apart == {"record"}
        monitor, *windows = await asyncio.to_thread(face.screens.sources)

        face.want(Agree(frozenset(), monitor, LEFT_HALF))
        await until(lambda: alice.sees(0.75, 0.5, RED))
        assert alice.sees(0.25, 0.5, PAINT)
        standing = await asyncio.to_thread(face.sees, Standing, lambda now: now.path == "direct")
        assert (standing.watching, standing.recording) == (("Alice",), "off")

        face.want(Pause())
        await until(lambda: alice.link.state.phase == "paused")
        screen.open_window(320, 0, 320, 480, BLUE)
        frames = len(alice.frames)
        face.want(Say("One moment"))
        await asyncio.to_thread(face.sees, Standing, lambda now: [each.text for each in now.lines] == ["One moment"])
        assert len(alice.frames) == frames

        face.want(Resume())
        await until(lambda: alice.sees(0.75, 0.5, BLUE))

        surface = alice.link.state.surface
        assert surface is not None
        box = Box((0.6, 0.1), (0.9, 0.4))
        annotation = Annotation(new_id(), surface.id, GREEN, 0.02, False, box)
        await alice.link.send(m.Annotate(id=new_id(), annotation=annotation))
        await asyncio.to_thread(face.hears, "drawn")
        await until(lambda: seen(screen, 0.6, 0.25, GREEN))
        screen.open_window(320, 300, 320, 180, RED)
        await until(lambda: alice.sees(0.75, 0.8, RED))
        assert alice.sees(0.6, 0.25, BLUE)

        face.want(Switch(windows[0], Masks()))
        await until(lambda: alice.link.state.surface and alice.link.state.surface.kind == "window")
        await until(lambda: alice.picture is not None and alice.picture.shape[1] == 320)
        alice.link.pass_on(m.RequestSnapshot())
        await until(lambda: alice.link.state.snapshots)

        face.want(Stop())
        farewell = await asyncio.to_thread(face.sees, Farewell, lambda now: not now.unsent)
        assert (farewell.viewers, farewell.pictures, farewell.recorded, farewell.here) == (("Alice",), 1, False, True)
        await until(lambda: alice.link.state.phase == "joined")
        assert alice.link.state.consents == {}

        face.want(ShareAgain())
        await asyncio.to_thread(face.sees, Question)


async def test_pictures_alone_are_a_session_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(tmp_path, monkeypatch) as (_, _, face, alice, _, _, running):
        face.want(Connect())
        await asyncio.to_thread(face.sees, Question)
        monitor = (await asyncio.to_thread(face.screens.sources))[0]
        face.want(Agree(frozenset({"record"}), None, Masks()))
        await asyncio.to_thread(face.sees, Standing, lambda now: now.source is None)
        await until(lambda: alice.link.state.seen)
        face.want(SendPicture(monitor, LEFT_HALF))
        await asyncio.to_thread(face.hears, "picture.sent")
        await until(lambda: alice.link.state.shown)
        shown = alice.link.state.surfaces[alice.link.state.shown or ""]
        assert (shown.kind, shown.width, shown.height) == ("monitor", 640, 480)
        assert alice.frames == []
        face.want(Close())
        await running
        await until(lambda: alice.link.state.customer is None)


async def test_a_stop_needs_no_network_and_is_told_once_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path, monkeypatch) as (screen, _, face, alice, _, wire, _):
        face.want(Connect())
        await asyncio.to_thread(face.sees, Question)
        monitor = (await asyncio.to_thread(face.screens.sources))[0]
        face.want(Agree(frozenset(), monitor, Masks()))
        await until(lambda: alice.sees(0.75, 0.5, RED))

        await wire.cut()
        await asyncio.to_thread(face.sees, Standing, lambda now: not now.online)
        face.want(Stop())
        screen.open_window(320, 0, 320, 480, BLUE)
        await asyncio.to_thread(face.sees, Farewell, lambda now: now.unsent)
        assert not alice.sees(0.75, 0.5, BLUE)
        assert alice.link.state.phase == "sharing"

        await wire.join()
        await until(lambda: alice.link.state.phase == "joined")
        assert alice.sees(0.75, 0.5, RED)
        await asyncio.to_thread(face.sees, Farewell, lambda now: not now.unsent)


async def test_at_wayland_it_goes_on_in_the_browser_with_the_same_invitation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path, monkeypatch) as (_, desk, face, _, browsed, _, running):
        monkeypatch.delenv("DISPLAY")
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        face.want(Connect())
        assert (await asyncio.to_thread(face.sees, Trouble)).code == "wayland"
        face.want(OpenBrowser())
        await running
        [address] = browsed
        token = address.partition("#")[2]
        redeemed = await desk.stranger.post("/api/invitations/redeem", {"token": token, "code": None, "language": "en"})
        assert redeemed.status == 200
