"""The participant in Python against the real WebSocket edge."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from signaling import messages as m
from signaling.client import ClosedError, RefusedError, SignalingConnection, new_id
from signaling.session import Assign, Open, Participant
from tests.signaling.memory_server import MemoryServer, memory_server

ALICE = Participant("alice", "agent", "Alice")
DANA = Participant("dana", "customer", "Dana")


@pytest.fixture
async def server() -> AsyncIterator[MemoryServer]:
    async with memory_server(ALICE, DANA) as running:
        await running.endpoint.command("session", Open("Example", "Printer", False))
        await running.endpoint.command("session", Assign("alice", "Alice"))
        yield running


async def heard(link: SignalingConnection, kind: type[m.EventBody]) -> m.Event:
    """The next event of a kind."""
    async with asyncio.timeout(20):
        async for item in link:
            if isinstance(item, m.Event) and isinstance(item.body, kind):
                return item
    raise AssertionError("the link was closed")


async def test_it_is_welcomed_and_folds_what_happened_before_it_came(server: MemoryServer) -> None:
    async with SignalingConnection(server.url, "dana") as dana:
        welcome = await dana.ready()
        state = await dana.caught_up()
    assert (welcome.participant, welcome.role, dana.participant) == ("dana", "customer", "dana")
    assert (state.subject, state.agent_name, state.phase) == ("Printer", "Alice", "consent_asked")


async def test_a_durable_message_is_acknowledged_with_its_place_and_heard_by_others(server: MemoryServer) -> None:
    async with SignalingConnection(server.url, "alice") as alice, SignalingConnection(server.url, "dana") as dana:
        await dana.caught_up()
        await alice.caught_up()
        seq = await alice.send(m.Say(id=new_id(), text="Good morning"))
        event = await heard(dana, m.ChatSaid)
    assert (event.seq, event.actor, event.body) == (seq, "alice", m.ChatSaid("Good morning"))


async def test_a_refusal_is_an_error_with_its_code(server: MemoryServer) -> None:
    async with SignalingConnection(server.url, "dana") as dana:
        await dana.ready()
        with pytest.raises(RefusedError) as refusal:
            await dana.send(m.AddNote(id=new_id(), text="Not mine to write"))
    assert refusal.value.code == "forbidden"


async def test_an_ephemeral_message_reaches_the_other_and_is_not_stored(server: MemoryServer) -> None:
    async with SignalingConnection(server.url, "dana") as dana, SignalingConnection(server.url, "alice") as alice:
        await alice.caught_up()
        await dana.caught_up()
        surface = m.Surface(id="screen", kind="monitor", label="", width=800, height=600)
        await dana.send(m.GiveConsent(id=new_id(), scope="view", granted=True))
        await dana.send(m.StartSharing(id=new_id(), surface=surface))
        stored = len(server.timeline.events["session"])
        pointer = m.Pointer(surface="screen", x=0.5, y=0.25, visible=True)
        dana.pass_on(pointer)
        async with asyncio.timeout(20):
            relayed = await anext(item async for item in alice if isinstance(item, m.Relay))
    assert (relayed.sender, relayed.message) == ("dana", pointer)
    assert len(server.timeline.events["session"]) == stored


async def test_after_a_restart_of_the_server_it_comes_back_with_what_it_missed(server: MemoryServer) -> None:
    async with SignalingConnection(server.url, "dana") as dana:
        await dana.caught_up()
        await server.stop()
        sending = asyncio.create_task(dana.send(m.Say(id="said-once", text="Are you there?")))
        await asyncio.sleep(0)
        await server.start()
        await server.endpoint.command("session", Assign("bob", "Bob"))
        event = await heard(dana, m.AgentAssigned)
        while event.body != m.AgentAssigned("bob", "Bob"):
            event = await heard(dana, m.AgentAssigned)
        await asyncio.wait_for(sending, 20)
        assert dana.state.agent_name == "Bob"
    said = [event for event in server.timeline.events["session"] if isinstance(event.body, m.ChatSaid)]
    assert len(said) == 1


async def test_a_message_sent_again_is_not_done_twice(server: MemoryServer) -> None:
    async with SignalingConnection(server.url, "dana") as dana:
        await dana.ready()
        first = await dana.send(m.Say(id="the-same", text="Once"))
        again = await dana.send(m.Say(id="the-same", text="Once"))
    assert first == again


async def test_an_unusable_token_closes_it_for_good(server: MemoryServer) -> None:
    async with SignalingConnection(server.url, "mallory") as nobody:
        with pytest.raises(ClosedError):
            await nobody.ready()
        assert [item async for item in nobody] == []
        with pytest.raises(ClosedError):
            await nobody.send(m.Say(id=new_id(), text="Hello?"))
    assert nobody.closed == "token_unusable"


async def test_what_the_customer_may_not_see_leaves_no_hole_in_its_state(server: MemoryServer) -> None:
    async with SignalingConnection(server.url, "alice") as alice, SignalingConnection(server.url, "dana") as dana:
        await dana.caught_up()
        await alice.ready()
        await alice.send(m.AddNote(id=new_id(), text="Seems impatient"))
        seq = await alice.send(m.Say(id=new_id(), text="One moment"))
        assert (await heard(dana, m.ChatSaid)).seq == seq
        assert dana.state.seq == seq


async def test_closing_it_ends_what_waits(server: MemoryServer) -> None:
    link = SignalingConnection(server.url, "dana")
    async with link:
        await link.ready()
        await server.stop()
        waiting = asyncio.create_task(link.send(m.Say(id=new_id(), text="Too late")))
        await asyncio.sleep(0)
    with pytest.raises(ClosedError):
        await waiting
