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
    kept = live.expect_arrival("alice")
    live.carry("dana", ["alice", "nobody"], offer)
    assert heard(kept) == [m.Relay("dana", offer)]
    live.forget_arrival("alice", kept)
    live.carry("dana", ["alice"], offer)
    assert len(kept) == 1


async def test_what_is_kept_is_its_own_connections_alone(live: Live) -> None:
    first = live.expect_arrival("alice")
    second = live.expect_arrival("alice")
    live.forget_arrival("alice", first)
    live.carry("dana", ["alice"], m.Offer(to="alice", connection="c", sdp="v=0"))
    assert (len(first), len(second)) == (0, 1)
    assert live.awaits("alice")
    live.forget_arrival("alice", second)
    assert not live.awaits("alice")


async def test_only_so_much_is_kept(live: Live) -> None:
    kept = live.expect_arrival("alice")
    for _ in range(MAX_KEPT + 10):
        live.carry("dana", ["alice"], m.Pointer("screen", 0.5, 0.5, True))
    assert len(kept) == MAX_KEPT
