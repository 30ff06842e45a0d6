"""A customer who shares what was captured once: the simulated one, without a desktop to draw and to encode."""

from collections.abc import Callable
from typing import NamedTuple

from customer_client.participant import Outgoing
from customer_client.simulation.simulation import SimulatedCustomer
from signaling import messages as m
from signaling.client import new_id
from tests.recorder.replay import Capture, Replay


class Redeemed(NamedTuple):
    """A token that is known beforehand, for a server that redeems nothing."""

    token: str
    session: str


class ReplayedPeer(Outgoing):
    """A replay as a customer handles the connection to a viewer."""

    def __init__(self, replay: Replay, replays: list[Replay]) -> None:
        super().__init__(replay.peer)
        self._replay = replay
        self._replays = replays

    async def offer(self) -> str:
        sdp = await self._replay.offer()
        self._replays.append(self._replay)
        return sdp

    async def accept(self, sdp: str) -> None:
        async with self._in_turn:
            await self._replay.accept(sdp)
            self.answered = True

    async def close(self) -> None:
        if self._replay in self._replays:
            self._replays.remove(self._replay)
        await self._replay.close()


class ReplayedCustomer(SimulatedCustomer):
    """One session's customer; `replays` are those to be played now, and may be shared with other customers."""

    def __init__(self, server_url: str, token: str, session: str, capture: Capture, replays: list[Replay]) -> None:
        super().__init__(server_url, Redeemed(token, session))
        self.on_frame: Callable[[int], None] = lambda timestamp: None
        """Is given the timestamp within the capture of each frame that was sent."""
        self._capture = capture
        self._replays = replays

    async def say(self, text: str) -> None:
        """Says something in the chat; returns when the server has it for good."""
        await self.link.send(m.Say(id=new_id(), text=text))

    async def renew(self) -> None:
        """Offers new connections to all who see the screen."""
        self.hang_up()
        self.settle()

    def open_outgoing(self, viewer: str, servers: list[m.IceServer]) -> Outgoing:
        replay = Replay(self._capture)
        replay.on_frame = self.on_frame
        return ReplayedPeer(replay, self._replays)
