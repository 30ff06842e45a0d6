"""The WebSocket edge: what it takes, what it refuses, and whom that disturbs."""

import asyncio
import base64
import hmac
import json
from typing import Any, get_args

import aiohttp
import msgspec
import pytest

from annotate.shapes import Annotation, Stroke
from signaling import messages as m
from signaling.connection import BURST, MAX_MESSAGE, MAX_QUEUED_BYTES
from signaling.session import PERMISSIONS, Join, SystemCommand
from tests.signaling.conftest import (
    ALICES,
    BOBS,
    DANAS,
    RECORDERS,
    SESSION,
    Node,
    Nodes,
    share,
)
from tests.signaling.story import ALICE, SCREEN
from tests.signaling.wire import Wire


async def test_a_participant_is_welcomed_and_told_what_it_missed(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice:
        welcome = await alice.until(m.Welcome)
        assert (welcome.session, welcome.participant, welcome.role) == (SESSION, "alice", "agent")
        events = (await alice.until(m.Events)).events
        assert [type(e.body) for e in events] == [m.SessionOpened, m.AgentAssigned, m.Joined]
        assert events[-1].seq == welcome.seq
        assert (await alice.until(m.Presence)).connected == ["alice"]


async def test_a_reconnecting_participant_is_sent_only_what_it_missed(node: Node) -> None:
    async with Wire(node.url, DANAS) as dana, Wire(node.url, ALICES) as alice:
        await dana.until_event(m.ConsentAsked)
        await dana.close()
        said = await alice.do(m.Say("while-away", "Are you there?"))
        async with Wire(node.url, DANAS, dana.last_seq) as again:
            missed = await again.until(m.Events)
            assert isinstance(said, m.Ack)
            assert missed.events[0].seq == dana.last_seq + 1
            assert missed.events[-1].seq == said.seq


async def test_a_newer_connection_replaces_the_older(node: Node) -> None:
    async with Wire(node.url, DANAS) as first:
        await first.until(m.Presence)
        async with Wire(node.url, DANAS) as second:
            await second.until(m.Presence)
            assert await first.until_closed() == m.Closing("replaced", None)
            assert isinstance(await second.do(m.Say("still", "here")), m.Ack)


async def test_a_connection_without_a_good_token_is_turned_away(node: Node) -> None:
    async with Wire(node.url, "made up") as stranger:
        assert await stranger.until_closed() == m.Closing("token_unusable", None)


async def test_the_first_message_must_be_hello(node: Node) -> None:
    wire = Wire(node.url, "")
    await wire.connect()
    await wire.say(m.Ping(1))
    assert (await wire.until(m.Refused)).code == "hello_missing"
    await wire.until_closed()
    await wire.close()


async def test_who_says_nothing_is_turned_away(nodes: Nodes) -> None:
    node = await nodes.start(hello_s=0.05)
    wire = Wire(node.url, "")
    await wire.connect()
    assert (await wire.until_closed()).code == "hello_missing"
    await wire.close()


async def test_another_version_is_told_to_load_the_page_again(node: Node) -> None:
    wire = Wire(node.url, "")
    await wire.connect()
    await wire.say(m.Hello(99, ALICES, 0))
    assert (await wire.until(m.Refused)).code == "version"
    await wire.close()


@pytest.mark.parametrize(
    "message",
    [
        "",
        "nothing",
        "[]",
        "null",
        "{}",
        '{"type":"unheard_of"}',
        '{"type":"say","id":"x"}',
        '{"type":"say","id":"x","text":5}',
        '{"type":"say","id":"no spaces allowed","text":"hi"}',
        '{"type":"say","id":"x","text":"hi","role":"agent"}',
        '{"type":"pointer","surface":"screen","x":1.5,"y":0,"visible":true}',
        '{"type":"session_ended","outcome":null}',
        '{"type":"say","id":"x","text":"' + "a" * 3000 + '"}',
        "[" * 5000,
        '{"type":"ping","number":1e999}',
    ],
)
async def test_a_message_that_makes_no_sense_is_refused_in_words(node: Node, message: str) -> None:
    async with Wire(node.url, ALICES) as alice:
        await alice.say_raw(message)
        refused = await alice.until(m.Refused)
        assert refused.code == "invalid_message"
        assert len(refused.text) > 20
        assert "Traceback" not in refused.text
        assert isinstance(await alice.do(m.Say("after", "still here")), m.Ack)


async def test_the_refusal_of_a_durable_message_names_it(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice:
        await alice.say_raw('{"type":"say","id":"mine","text":5}')
        assert (await alice.until(m.Refused)).id == "mine"


async def test_a_binary_message_is_refused(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice:
        await alice.socket.send_bytes(b"\x00\x01")
        assert (await alice.until(m.Refused)).code == "invalid_message"


async def test_a_message_of_a_megabyte_is_refused_and_the_connection_lives_on(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice:
        await alice.say_raw(json.dumps({"type": "say", "id": "big", "text": "a" * 1_000_000}))
        refused = await alice.until(m.Refused)
        assert refused.code == "too_large"
        assert str(MAX_MESSAGE // 1024) in refused.text
        assert isinstance(await alice.do(m.Say("small", "Hello")), m.Ack)


async def test_a_message_beyond_all_measure_closes_the_connection_alone(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice, Wire(node.url, DANAS) as dana:
        await alice.until(m.Presence)
        await dana.say_raw("a" * 3_000_000)
        while await dana.hear() is not None:
            pass
        assert dana.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        assert isinstance(await alice.do(m.Say("unmoved", "Hello?")), m.Ack)


async def test_messages_out_of_order_are_refused(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice, Wire(node.url, DANAS) as dana:
        await alice.until(m.Presence)
        early: list[tuple[m.DurableMessage, str]] = [
            (m.StartSharing("s1", SCREEN), "no_consent"),
            (m.ResumeSharing("s2"), "wrong_phase"),
            (m.StopSharing("s3"), "wrong_phase"),
            (m.ShowSurface("s4", None), "wrong_phase"),
        ]
        for number, (message, code) in enumerate(early):
            answer = await dana.do(message)
            assert isinstance(answer, m.Refused), number
            assert answer.code == code
            assert answer.text
        await dana.say(m.Offer("alice", "connection", "v=0"))
        assert (await dana.until(m.Refused)).code == "wrong_phase"
        await dana.say(m.Hello(m.PROTOCOL_VERSION, DANAS, 0))
        assert (await dana.until(m.Refused)).code == "unexpected"


def _sample(kind: Any) -> Any:
    """A valid message of this type."""
    annotation = {
        "id": "a",
        "surface": "screen",
        "color": "#ff0000",
        "width": 0.01,
        "fade": False,
        "shape": {"kind": "box", "start": [0, 0], "end": [1, 1]},
    }
    values: dict[str, Any] = {
        "id": f"id-{kind.__name__}", "scope": "record", "granted": True, "surface": "screen", "annotation": annotation,
        "annotations": ["a"], "text": "text", "title": "title", "path": "direct", "segment": "segment", "codec": "vp8",
        "started_at": 1, "bytes": 1, "duration_ms": 1, "digest": "0" * 64, "participant": "dana",
        "reason": "disk_full", "outcome": None,
        "to": "dana", "connection": "c", "sdp": "v=0", "candidate": "", "sdp_mid": None, "sdp_m_line_index": None,
        "x": 0.5, "y": 0.5, "visible": True, "version": 1, "at": 1, "token": "t", "last_seq": 0, "number": 1,
        "controllable": True, "inputs": [{"kind": "move_pointer", "x": 0.5, "y": 0.5}],
        "shown": None, "frame": 1, "after": None, "part": 0, "last": True, "width": 8, "height": 8, "tiles": [],
    }  # fmt: skip
    if kind in (m.StartSharing, m.ChangeSurface):
        values["surface"] = msgspec.to_builtins(SCREEN)
    fields = {name: values[name] for name in kind.__struct_fields__}
    return msgspec.convert(fields | {"type": kind.__struct_config__.tag}, kind)


CLIENT_MESSAGES = [kind for kind in get_args(m.ClientMessage) if kind not in (m.Hello, m.Ping)]


def test_every_message_type_stands_in_the_table_of_permissions() -> None:
    listed = set(PERMISSIONS) - set(get_args(SystemCommand))
    assert listed == set(CLIENT_MESSAGES)
    assert set(get_args(m.DurableMessage)) | set(get_args(m.Relayed)) == set(CLIENT_MESSAGES)


@pytest.mark.parametrize("kind", CLIENT_MESSAGES, ids=lambda kind: kind.__name__)
async def test_a_message_of_the_wrong_role_is_forbidden(node: Node, kind: type[m.Message]) -> None:
    tokens = {"agent": ALICES, "customer": DANAS, "recorder": RECORDERS}
    async with Wire(node.url, ALICES), Wire(node.url, DANAS) as dana:
        await dana.until_event(m.ConsentAsked)
        await share(dana)
    allowed = [role for role in tokens if role in PERMISSIONS[kind]]
    for role in [*(tokens.keys() - set(allowed)), *allowed[:1]]:  # one that is allowed may end the session
        async with Wire(node.url, tokens[role]) as wire:
            await wire.until(m.Welcome)
            await wire.say(_sample(kind))
            await wire.say(m.Ping(7))
            await wire.until(m.Pong)
            refused = [heard for heard in wire.heard if isinstance(heard, m.Refused)]
            forbidden = [one for one in refused if one.code == "forbidden" and f"role {role}" in one.text]
            assert bool(forbidden) == (role not in PERMISSIONS[kind]), (role, refused)


async def test_a_flood_is_closed_and_others_go_on(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice, Wire(node.url, DANAS) as dana:
        await alice.until(m.Presence)
        await dana.until(m.Presence)
        for number in range(3 * BURST):
            await dana.say(m.Ping(number))
        closing = await dana.until_closed()
        assert closing == m.Closing("flooding", None)
        assert isinstance(await alice.do(m.Say("unmoved", "Hello?")), m.Ack)


async def test_a_peer_that_does_not_read_is_cut_off_and_stalls_nobody(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice, Wire(node.url, BOBS) as bob, Wire(node.url, DANAS) as dana:
        await dana.until_event(m.ConsentAsked)
        await share(dana)
        transport = bob.socket._response.connection.transport  # type: ignore[union-attr]
        transport.pause_reading()  # type: ignore[union-attr]
        await alice.until(m.Presence, lambda heard: "bob" in heard.connected)
        shape = {"kind": "stroke", "points": [[0.12345678, 0.12345678]] * 2000}
        line = {"id": "line", "surface": "screen", "color": "#ff0000", "width": 0.01, "fade": True, "shape": shape}
        heavy = json.dumps({"type": "drawing", "annotation": line})

        async def draw(wire: Wire) -> None:
            while True:
                await wire.say_raw(heavy)
                await asyncio.sleep(0.025)  # below the rate that is allowed

        drawing = [asyncio.create_task(draw(wire)) for wire in (alice, dana)]
        await dana.until(m.Presence, lambda heard: "bob" not in heard.connected)
        for task in drawing:
            task.cancel()
        assert isinstance(await alice.do(m.Say("unmoved", "Bob?")), m.Ack)
        transport.resume_reading()  # type: ignore[union-attr]
        while await bob.hear() is not None:  # what was on its way when he was cut off
            pass


async def test_turn_credentials_are_handed_out_only_while_there_is_sharing(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice, Wire(node.url, DANAS) as dana:
        welcome = await alice.until(m.Welcome)
        assert welcome.turn
        assert [server.credential for server in welcome.ice_servers] == [None]
        await dana.until_event(m.ConsentAsked)
        await share(dana)
        servers = (await alice.until(m.IceServers)).ice_servers
        turn = servers[-1]
        assert turn.username and turn.username.endswith(":alice")
        digest = hmac.digest(b"turn secret", turn.username.encode(), "sha1")
        assert turn.credential == base64.b64encode(digest).decode()
        started = next(i for i, heard in enumerate(dana.heard) if isinstance(heard, m.Ack) and heard.id == "start")
        assert any(isinstance(heard, m.IceServers) for heard in dana.heard[: started + 1])


async def test_a_session_that_has_ended_is_told_and_closed(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice:
        await alice.do(m.End("end", "solved"))
    async with Wire(node.url, DANAS) as dana:
        await dana.until_event(m.SessionEnded)
        assert await dana.until_closed() == m.Closing("ended", None)


async def test_a_recorder_may_still_report_after_the_end(node: Node) -> None:
    async with Wire(node.url, ALICES) as alice:
        await alice.do(m.End("end", None))
    async with Wire(node.url, RECORDERS) as recorder:
        answer = await recorder.do(m.ReportSegmentFinished("late", "unknown", 1, 1, "0" * 64))
        assert isinstance(answer, m.Refused)
        assert answer.code == "unknown_segment"


async def test_a_long_timeline_is_sent_whole_and_in_order(node: Node) -> None:
    texts = [f"line {number}" for number in range(700)]
    await node.endpoint.command(SESSION, Join(ALICE))
    seq = (await node.endpoint.state(SESSION)).seq
    events = [m.Event(seq + 1 + number, 1, "alice", m.ChatSaid(text)) for number, text in enumerate(texts)]
    await node.timeline.append(SESSION, seq, events, None)
    async with Wire(node.url, DANAS) as dana:
        await dana.until(m.Presence)
        seqs = [event.seq for event in dana.events()]
        assert seqs == sorted(set(seqs))
        assert [e.body.text for e in dana.events() if isinstance(e.body, m.ChatSaid)] == texts


async def test_more_ink_than_a_queue_holds_is_sent_whole(node: Node) -> None:
    await node.endpoint.command(SESSION, Join(ALICE))
    seq = (await node.endpoint.state(SESSION)).seq
    points = [(0.123456789, 0.987654321)] * 2000
    drawn = [
        m.AnnotationAdded(Annotation(f"line-{n}", "screen", "#ff0000", 0.01, False, Stroke(points))) for n in range(110)
    ]
    assert len(msgspec.json.encode(drawn)) > MAX_QUEUED_BYTES
    events = [m.Event(seq + 1 + n, 1, "alice", body) for n, body in enumerate(drawn)]
    await node.timeline.append(SESSION, seq, events, None)
    async with Wire(node.url, DANAS) as dana:
        await dana.until(m.Presence)
        assert [e.body for e in dana.events() if isinstance(e.body, m.AnnotationAdded)] == drawn


async def test_who_hangs_up_before_a_word_was_said_is_no_error(
    node: Node, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        wire = Wire(node.url, "")
        await wire.connect()
        await wire.close()
    async with Wire(node.url, ALICES) as alice:
        await alice.until(m.Presence)
    assert not caplog.records
    assert "error" not in capsys.readouterr().out
