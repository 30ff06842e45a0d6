"""One session for all: what is committed, who hears of it, and who has left it, on one node or on two."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from server.database import Database
from server.timeline import Timeline
from signaling import messages as m
from signaling.bus import LocalBus
from signaling.decisions import CommandRefused
from signaling.live import Live
from signaling.permissions import STAFF_ONLY
from signaling.session import Assign, Open
from signaling.timeline import Unavailable
from tests.signaling.conftest import (
    ALICES,
    BOBS,
    DANAS,
    DORAS,
    SESSION,
    Node,
    Nodes,
    open_session,
    share,
)
from tests.signaling.story import ALICE, BOB, DANA, RECORDER
from tests.signaling.wire import Wire


async def test_what_one_does_all_hear_and_it_is_acknowledged(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice, Wire(node.url, DANAS) as dana:
        answer = await alice.do(m.Say("hello-1", "Good morning"))
        said = await dana.until_event(m.ChatSaid)
        assert isinstance(answer, m.Ack)
        assert (said.seq, said.actor) == (answer.seq, "alice")


async def test_staff_only_events_never_reach_the_customer(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice, Wire(node.url, DANAS) as dana:
        await alice.do(m.AddNote("note", "sounds tired"))
        await alice.do(m.Say("say", "Hello"))
        await dana.until_event(m.ChatSaid)
        assert not [e for e in dana.events() if type(e.body) in STAFF_ONLY]
    async with Wire(node.url, DANAS) as dana:
        await dana.until_event(m.ChatSaid)
        assert not [e for e in dana.events() if type(e.body) in STAFF_ONLY]


async def test_a_repeated_message_changes_nothing_and_is_acknowledged_with_the_same_seq(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice:
        first = await alice.do(m.Say("once", "Hello"))
        await alice.do(m.Say("another", "Are you there?"))
        assert await alice.do(m.Say("once", "Hello")) == first
    async with Wire(node.url, ALICES) as again:
        assert await again.do(m.Say("once", "Hello")) == first
    state = await node.endpoint.state(SESSION)
    events = await node.timeline.read(SESSION)
    assert [e.body.text for e in events if isinstance(e.body, m.ChatSaid)] == ["Hello", "Are you there?"]
    assert state.seq == events[-1].seq


async def test_a_repeated_message_that_would_be_refused_by_now_is_still_acknowledged(node: Node) -> None:
    async with Wire(node.url, ALICES), Wire(node.url, DANAS) as dana:
        await share(dana)
        stopped = await dana.do(m.StopSharing("stop"))
        assert await dana.do(m.StopSharing("stop")) == stopped
        assert isinstance(await dana.do(m.StopSharing("stop-2")), m.Refused)


async def test_who_is_gone_for_longer_than_the_grace_has_left(nodes: Nodes) -> None:
    node = await nodes.start(grace_s=0.05)
    await open_session(node)
    async with Wire(node.url, ALICES) as alice:
        async with Wire(node.url, DANAS) as dana:
            await dana.until_event(m.ConsentAsked)
        left = await alice.until_event(m.Left)
        assert left.body == m.Left("dana", "lost")


async def test_a_reconnect_within_the_grace_is_no_departure(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice:
        async with Wire(node.url, DANAS) as dana:
            await dana.until_event(m.ConsentAsked)
        await alice.until(m.Presence, lambda heard: heard.connected == ["alice"])
        async with Wire(node.url, DANAS) as dana:
            await dana.do(m.Say("back", "I am back"))
        assert not [e for e in await node.timeline.read(SESSION) if isinstance(e.body, m.Left)]


async def test_after_a_start_who_does_not_come_back_has_left(nodes: Nodes) -> None:
    first = await nodes.start()
    await open_session(first)
    async with Wire(first.url, DANAS) as dana:
        await dana.until_event(m.ConsentAsked)
        await first.endpoint.close()
        assert await dana.until_closed() == m.Closing("restarting", 1000)
    second = await nodes.start(grace_s=0.01)
    await second.endpoint.resume([SESSION])
    async with Wire(second.url, ALICES) as alice:
        assert (await alice.until_event(m.Left)).body == m.Left("dana", "lost")


async def test_the_same_session_on_two_nodes_is_one_session(nodes: Nodes) -> None:
    first, second = await nodes.start(), await nodes.start()
    await open_session(first)
    async with Wire(first.url, ALICES) as alice, Wire(second.url, DANAS) as dana:
        await dana.until_event(m.ConsentAsked)
        await alice.until_event(m.ConsentAsked)
        await share(dana)
        await alice.until_event(m.SharingStarted)
        await dana.say(m.Offer("alice", "connection", "v=0"))
        relayed = await alice.until(m.Relay)
        assert (relayed.sender, relayed.message) == ("dana", m.Offer("alice", "connection", "v=0"))
        answers = await asyncio.gather(
            *(alice.do(m.Say(f"alice-{n}", f"alice {n}")) for n in range(1)),
            *(dana.do(m.Say(f"dana-{n}", f"dana {n}")) for n in range(1)),
        )
        assert all(isinstance(answer, m.Ack) for answer in answers)
    events = await first.timeline.read(SESSION)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_dismissed_participants_are_closed_on_every_node(nodes: Nodes) -> None:
    first, second = await nodes.start(), await nodes.start()
    await open_session(first)
    async with Wire(second.url, ALICES) as alice:
        await alice.until(m.Presence)
        first.endpoint.dismiss(SESSION, ["alice"], "account_disabled")
        assert await alice.until_closed() == m.Closing("account_disabled", None)


async def test_a_locked_database_is_said_and_nothing_acknowledged_is_lost(node: Node, tmp_path: Path) -> None:
    async with Wire(node.url, ALICES) as alice, Wire(node.url, DANAS) as dana:
        await dana.until_event(m.ConsentAsked)
        before = await alice.do(m.Say("before", "before"))
        assert isinstance(before, m.Ack)
        other = sqlite3.connect(tmp_path / "sightline.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refused = await alice.do(m.Say("during", "during"))
        assert isinstance(refused, m.Refused)
        assert refused.code == "unavailable"
        assert "again" in refused.text
        assert "sqlite" not in refused.text.lower()
        await dana.say(m.Ping(3))
        await dana.until(m.Pong)
        other.execute("ROLLBACK")
        other.close()
        after = await alice.do(m.Say("during", "during"))
        assert isinstance(after, m.Ack)
        assert after.seq == before.seq + 1
    texts = [e.body.text for e in await node.timeline.read(SESSION) if isinstance(e.body, m.ChatSaid)]
    assert texts == ["before", "during"]


async def test_commands_of_the_server_are_refused_with_a_code(node: Node) -> None:
    await node.endpoint.command(SESSION, m.End("end", None))
    with pytest.raises(CommandRefused) as refused:
        await node.endpoint.command(SESSION, Assign("bob", "Bob"))
    assert refused.value.code == "ended"


async def test_an_idle_session_is_not_kept_in_memory(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice:
        await alice.do(m.Leave("bye"))
    for number in range(20):
        await node.endpoint.command(f"other-{number}", Open("ACME", "x", False))
    assert not node.endpoint._decisions._held.keys() - {SESSION}


async def test_observers_hear_every_event_once_and_in_order(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice, Wire(node.url, BOBS) as bob:
        await alice.until(m.Presence, lambda heard: "bob" in heard.connected)
        await asyncio.gather(alice.do(m.Say("a", "a")), bob.do(m.Say("b", "b")))
        stored = await node.timeline.read(SESSION)
        assert node.observed == stored
    assert {ALICE.id, BOB.id} <= {event.body.participant for event in stored if isinstance(event.body, m.Joined)}
    assert DANA.id != RECORDER.id


async def held(node: Node) -> Live:
    """The node's session, once somebody on it is connected."""
    async with asyncio.timeout(20):
        while (live := node.endpoint._decisions.find(SESSION)) is None or not live.connections:
            await asyncio.sleep(0.01)
    return live


async def arriving(live: Live, participant: str) -> None:
    """Waits until the participant has shown its token and is about to join."""
    async with asyncio.timeout(20):
        while not live.awaits(participant):
            await asyncio.sleep(0.01)


async def test_who_comes_back_as_the_grace_ends_has_not_left(node: Node) -> None:
    async with Wire(node.url, ALICES):
        async with Wire(node.url, DANAS) as dana:
            await dana.until_event(m.ConsentAsked)
        live = await held(node)
        async with live.lock:
            back = Wire(node.url, DANAS)
            await back.connect()
            await back.say(m.Hello(m.PROTOCOL_VERSION, DANAS, 0))
            await arriving(live, "dana")
            departing = asyncio.create_task(node.endpoint._depart(SESSION, "dana"))
        await departing
        assert isinstance(await back.do(m.Say("back", "I am back")), m.Ack)
        await back.close()
    assert not [e for e in await node.timeline.read(SESSION) if isinstance(e.body, m.Left)]


async def test_an_account_that_is_disabled_while_its_socket_comes_in_does_not_stay(node: Node) -> None:
    async with Wire(node.url, DANAS):
        live = await held(node)
        async with live.lock:
            alice = Wire(node.url, ALICES)
            await alice.connect()
            await alice.say(m.Hello(m.PROTOCOL_VERSION, ALICES, 0))
            await arriving(live, "alice")
            node.disabled.add("alice")
            node.endpoint.dismiss(SESSION, ["alice"], "account_disabled")
        assert await alice.until_closed() == m.Closing("token_unusable", None)
        await alice.close()


async def test_a_customer_whose_place_another_took_hears_no_more_of_the_session(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice, Wire(node.url, DANAS) as dana:
        await dana.until_event(m.ConsentAsked)
        async with Wire(node.url, DORAS) as dora:
            await dora.until_event(m.ConsentAsked)
            assert await dana.until_closed() == m.Closing("replaced", None)
            assert isinstance(await alice.do(m.Say("secret", "for Dora alone")), m.Ack)
            await dora.until_event(m.ChatSaid)
        assert not [e for e in dana.events() if isinstance(e.body, m.ChatSaid)]


async def test_who_moves_to_another_node_is_not_waited_for_on_the_first(nodes: Nodes) -> None:
    first, second = await nodes.start(grace_s=30), await nodes.start()
    await open_session(first)
    async with Wire(first.url, ALICES), Wire(first.url, DANAS) as dana:
        await dana.until_event(m.ConsentAsked)
        live = await held(first)
        async with Wire(second.url, DANAS) as moved:
            assert await dana.until_closed() == m.Closing("replaced", None)
            await dana.close()
            assert isinstance(await moved.do(m.Say("moved", "Still here")), m.Ack)
            assert not live.awaits("dana")
            assert not live._departures


class Forgetful(Timeline):
    """A timeline that can be written, and sometimes not be read."""

    reads = True

    async def read(self, session: str, after: int = 0) -> list[m.Event]:
        if not self.reads:
            raise Unavailable("the disk does not answer")
        return await super().read(session, after)


async def test_who_joins_and_cannot_be_told_what_was_missed_comes_again_or_has_left(database: Database) -> None:
    timeline = Forgetful(database)
    timeline.start()
    node = Node(timeline, LocalBus(), grace_s=0.05)
    await node.start()
    await open_session(node)
    async with Wire(node.url, ALICES) as alice:
        await alice.until(m.Presence)
        timeline.reads = False
        async with Wire(node.url, DANAS) as dana:
            assert await dana.until_closed() == m.Closing("unavailable", 1000)
        assert (await alice.until_event(m.Left)).body == m.Left("dana", "lost")
        timeline.reads = True
        async with Wire(node.url, DANAS) as again:
            await again.until(m.Presence)
            assert isinstance(await again.do(m.Say("again", "Now I am here")), m.Ack)
    await node.stop()
    await timeline.close()
