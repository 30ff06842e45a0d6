"""A customer who shares what was captured once: the simulated one, without a desktop to draw and to encode."""

from collections.abc import Callable
from typing import NamedTuple

from aiortc import RTCIceCandidate, RTCSessionDescription

from customer_client.simulation import SimulatedCustomer
from signaling import messages as m
from signaling.client import new_id
from tests.recorder.replay import Capture, Replay


class Redeemed(NamedTuple):
    """A token that is known beforehand, for a server that redeems nothing."""

    token: str
    session: str


class ReplayedPeer:
    """A replay as the simulated customer handles a peer connection and what belongs to it."""

    def __init__(self, replay: Replay, gone: Callable[[Replay], None]) -> None:
        self.connection = new_id()
        self.offered_at = 0.0
        self.peer = self
        self._replay = replay
        self._gone = gone

    async def setRemoteDescription(self, description: RTCSessionDescription) -> None:
        await self._replay.accept(description.sdp)

    async def addIceCandidate(self, candidate: RTCIceCandidate | None) -> None:
        await self._replay.peer.addIceCandidate(candidate)

    async def close(self) -> None:
        self._gone(self._replay)
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
        await self._link.send(m.Say(id=new_id(), text=text))

    async def renew(self) -> None:
        """Offers new connections to all who see the screen."""
        await self._hang_up()
        await self._follow()

    async def _offer(self, viewer: str) -> None:
        await self._link.offer_terms()
        replay = Replay(self._capture)
        replay.on_frame = self.on_frame
        outgoing = ReplayedPeer(replay, self._forget)
        self._viewers[viewer] = outgoing  # type: ignore[assignment] # of the same shape
        sdp = await replay.offer()
        self._replays.append(replay)
        self._link.pass_on(m.Offer(to=viewer, connection=outgoing.connection, sdp=sdp))
        end = m.Candidate(to=viewer, connection=outgoing.connection, candidate="", sdp_mid=None, sdp_m_line_index=0)
        self._link.pass_on(end)

    def _forget(self, replay: Replay) -> None:
        if replay in self._replays:
            self._replays.remove(replay)
