"""Live snapshots of a customer in Python: what of a picture is sent, to whom, and when."""

import asyncio

import msgspec
import numpy as np
import pytest

from customer_client.sending.live_snapshots import Grid, LiveSnapshots, Look, Picture
from customer_client.simulation.desktop import HEIGHT, WIDTH
from customer_client.simulation.simulation import share
from signaling import messages as m
from signaling.client import SignalingConnection, new_id
from signaling.connection import MAX_MESSAGE
from signaling.session import Assign, Open, Participant
from tests.customer_client.simulation.test_simulation import Redeemed, until
from tests.customer_client.tile_canvas import TileCanvas
from tests.signaling.memory_server import memory_server

ALICE = Participant("alice", "agent", "Alice")
DANA = Participant("dana", "customer", "Dana")


class Link:
    """A link on which nothing is lost; a frame counts as shown when the test says so."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[m.Tiles] = asyncio.Queue()

    async def drained(self) -> None:
        return

    def pass_on(self, message: m.Relayed) -> None:
        assert isinstance(message, m.Tiles)
        self.sent.put_nowait(message)

    async def frame(self) -> list[m.Tiles]:
        """The messages of the next frame."""
        messages: list[m.Tiles] = []
        while not messages or not messages[-1].last:
            messages.append(await asyncio.wait_for(self.sent.get(), 20))
        return messages


class Screen:
    """What is shared: a picture that the test draws on."""

    def __init__(self, width: int = 640, height: int = 300) -> None:
        self.picture: Picture = np.full((height, width, 4), 255, np.uint8)
        self.number = 0
        self.surface: str | None = "screen"

    async def look(self) -> Look | None:
        return Look(self.surface, self.number, self.picture) if self.surface else None

    def draw(self, left: int, top: int) -> None:
        """A letter's worth of ink."""
        self.picture = self.picture.copy()
        self.picture[top : top + 10, left : left + 10, :3] = 0
        self.number += 1


def places(messages: list[m.Tiles]) -> list[tuple[int, int, int, int]]:
    return [(tile.left, tile.top, tile.width, tile.height) for each in messages for tile in each.tiles]


def test_a_grid_knows_what_changed_after_which_picture_and_puts_neighbours_together() -> None:
    picture = np.zeros((300, 640, 4), np.uint8)
    grid = Grid(640, 300, 7)
    grid.take(picture)
    assert (grid.version, len(grid.since(7)), grid.since(8)) == (8, 15, [])
    assert list(grid.parts(grid.since(0)))[:3] == [(0, 0, 512, 128), (512, 0, 128, 128), (0, 128, 512, 128)]
    assert list(grid.parts([9, 10, 14])) == [(512, 128, 128, 128), (0, 256, 128, 44), (512, 256, 128, 44)]
    grid.take(picture.copy())
    assert grid.version == 8
    other = picture.copy()
    other[299, 639, 0] = other[0, 130, 2] = 1
    grid.take(other)
    assert (grid.version, grid.since(8), grid.since(9)) == (9, [1, 14], [])


async def test_the_whole_picture_comes_first_and_then_only_what_changed_when_the_last_frame_was_shown() -> None:
    link, screen = Link(), Screen()
    snapshots = LiveSnapshots(link, screen.look)
    assert snapshots.viewers == frozenset()
    snapshots.ask("alice", None)
    first = await link.frame()
    assert (first[0].to, first[0].surface, first[0].after, first[0].width, first[0].height) == (
        "alice", "screen", None, 640, 300,
    )  # fmt: skip
    assert sum(width * height for _, _, width, height in places(first)) == 640 * 300
    screen.draw(0, 0)
    screen.draw(600, 280)
    assert link.sent.empty()
    snapshots.ask("alice", first[0].frame)
    second = await link.frame()
    assert (second[0].after, places(second)) == (first[0].frame, [(0, 0, 128, 128), (512, 256, 128, 44)])
    snapshots.ask("alice", second[0].frame)
    assert snapshots.viewers == {"alice"}
    assert places(await link.frame()) == places(first)  # as sharp as can be, since nothing changes
    snapshots.close()


async def test_nothing_is_sent_while_nothing_may_be_shown_and_what_was_lost_with_it_is_sent_again() -> None:
    link, screen = Link(), Screen()
    snapshots = LiveSnapshots(link, screen.look)
    snapshots.ask("alice", None)
    first = await link.frame()
    screen.surface = None
    snapshots.interrupt()
    snapshots.ask("alice", None)
    screen.draw(0, 0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(link.sent.get(), 0.5)
    screen.surface = "another"
    again = await link.frame()
    assert (again[0].surface, again[0].after, places(again)) == ("another", None, places(first))
    snapshots.forget("alice")
    screen.draw(200, 200)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(link.sent.get(), 0.5)
    snapshots.close()


async def test_every_message_can_be_sent_however_the_screen_looks_and_however_large_it_is() -> None:
    link, screen = Link(), Screen(2560, 1600)
    screen.picture = np.random.default_rng(1).integers(0, 255, screen.picture.shape, np.uint8)
    snapshots = LiveSnapshots(link, screen.look)
    snapshots.ask("alice", None)
    frame = await link.frame()
    snapshots.close()
    assert [each.part for each in frame] == list(range(len(frame)))
    assert all(len(msgspec.json.encode(each)) <= MAX_MESSAGE for each in frame)
    assert frame[0].width * frame[0].height <= 2_400_000


async def test_an_agent_whom_no_media_reach_sees_the_simulated_customer_all_the_same() -> None:
    async with memory_server(ALICE, DANA) as server:
        await server.endpoint.command("session", Open("Example", "Printer", False))
        await server.endpoint.command("session", Assign("alice", "Alice"))
        customer = asyncio.create_task(share(server.url, Redeemed()))
        async with SignalingConnection(server.url, "alice") as alice:
            await until(lambda: alice.state.phase == "sharing")
            canvas = TileCanvas(alice)
            listening = asyncio.create_task(canvas.listen())
            await canvas.comes(3)
            await alice.send(m.End(id=new_id(), outcome="solved"))
            await asyncio.wait_for(customer, 20)
            listening.cancel()
    assert canvas.picture is not None
    assert canvas.picture.shape == (HEIGHT, WIDTH, 3)
    assert tuple(canvas.picture[4, 4] // 8) == tuple(np.array([38, 84, 124]) // 8)
    assert sum(tile.width * tile.height for tile in canvas.frames[0]) == WIDTH * HEIGHT
    assert all(sum(tile.width * tile.height for tile in frame) < WIDTH * HEIGHT / 2 for frame in canvas.frames[1:])
