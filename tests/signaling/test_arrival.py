"""Between a participant's joining, of which all hear at once, and its connection's first message."""

import msgspec
import pytest

from signaling import messages as m
from signaling.ice import IceSettings
from signaling.live import MAX_KEPT, Live


@pytest.fixture
async def live() -> Live:
    return Live("a session", IceSettings())


def heard(kept: list[bytes]) -> list[m.ServerMessage]:
    return [msgspec.json.decode(message, type=m.ServerMessage) for message in kept]


async def test_an_offer_to_who_has_just_joined_waits_for_its_connection(live: Live) -> None:
    offer = m.Offer(to="alice", connection="c", sdp="v=0")
    live.expect_arrival("alice")
    live.carry("dana", ["alice", "nobody"], offer)
    assert heard(live.arrived("alice")) == [m.Relay("dana", offer)]
    assert live.arrived("alice") == []


async def test_nothing_is_kept_for_who_does_not_arrive(live: Live) -> None:
    live.carry("dana", ["alice"], m.Offer(to="alice", connection="c", sdp="v=0"))
    assert live.arrived("alice") == []


async def test_only_so_much_is_kept(live: Live) -> None:
    live.expect_arrival("alice")
    for _ in range(MAX_KEPT + 10):
        live.carry("dana", ["alice"], m.Pointer("screen", 0.5, 0.5, True))
    assert len(live.arrived("alice")) == MAX_KEPT
