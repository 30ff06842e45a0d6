"""Invitations over HTTP: one use, whatever was wrong answers alike, and guessing is slow."""

import asyncio
import base64
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from server.database import invitations, now_ms, sessions
from signaling.messages import End
from tests.server.desk import Answer, Desk, participation, redemption


def token_of(invitation: dict[str, Any]) -> str:
    return str(invitation["link"]).partition("#")[2]


async def redeem(desk: Desk, invitation: dict[str, Any], by: str) -> Answer:
    body = redemption(token=token_of(invitation)) if by == "token" else redemption(code=invitation["code"])
    return await desk.stranger.post("/api/invitations/redeem", body)


async def shift(desk: Desk, by_ms: int, *columns: str) -> None:
    """Let time pass for every invitation."""
    async with desk.app.database.write() as connection:
        values = {column: invitations.c[column] - by_ms for column in columns}
        await connection.execute(invitations.update().values(values))


async def test_the_link_holds_its_token_in_the_fragment_and_nothing_of_it_is_stored(desk: Desk) -> None:
    _, invitation = await desk.session()
    assert invitation["link"].startswith(f"{desk.base}/join#")
    assert len(token_of(invitation)) >= 22  # 128 bits
    async with desk.app.database.read() as connection:
        row = (await connection.execute(invitations.select())).one()
    assert token_of(invitation) not in repr(row)
    assert invitation["code"] not in repr(row)


async def test_the_qr_code_is_an_svg_in_a_data_url(desk: Desk) -> None:
    _, invitation = await desk.session()
    kind, _, data = invitation["qr_svg"].partition(",")
    svg = base64.b64decode(data) if kind.endswith("base64") else unquote_to_bytes(data)
    assert kind.startswith("data:image/svg+xml")
    assert b"<svg" in svg
    assert b"script" not in svg


@pytest.mark.parametrize("by", ["token", "code"])
async def test_a_customer_comes_in_by_link_or_code_and_the_other_is_used_up_with_it(desk: Desk, by: str) -> None:
    session, invitation = await desk.session()
    place = participation(await redeem(desk, invitation, by))
    assert place.session == session
    for other in ("token", "code"):
        assert (await redeem(desk, invitation, other)).status == 410


async def test_a_code_may_be_typed_in_any_case_with_spaces_and_misread_letters(desk: Desk) -> None:
    _, invitation = await desk.session()
    typed = " " + invitation["code"].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    answer = await desk.stranger.post("/api/invitations/redeem", redemption(code=typed))
    assert answer.status == 200


@pytest.mark.parametrize("by", ["token", "code"])
async def test_wrong_expired_used_revoked_and_ended_answer_alike_byte_for_byte(desk: Desk, by: str) -> None:
    answers: dict[str, Answer] = {}
    _, invitation = await desk.session()
    await redeem(desk, invitation, by)
    answers["used"] = await redeem(desk, invitation, by)
    session, revoked = await desk.session()
    assert (await desk.alice.ask("DELETE", f"/api/sessions/{session}/invitations")).status == 204
    answers["revoked"] = await redeem(desk, revoked, by)
    session, replaced = await desk.session()
    assert (await desk.alice.post(f"/api/sessions/{session}/invitations")).status == 200
    answers["replaced"] = await redeem(desk, replaced, by)
    session, ended = await desk.session()
    await desk.app.endpoint.command(session, End("e1", None))
    answers["ended"] = await redeem(desk, ended, by)
    _, expired = await desk.session()
    await shift(desk, 25 * 3_600_000, "expires_at", "code_expires_at")
    answers["expired"] = await redeem(desk, expired, by)
    wrong = redemption(token="x" * 32) if by == "token" else redemption(code="0000-0000")
    answers["wrong"] = await desk.stranger.post("/api/invitations/redeem", wrong)
    nonsense = redemption(token="<b>") if by == "token" else redemption(code="!?")
    answers["nonsense"] = await desk.stranger.post("/api/invitations/redeem", nonsense)
    answers["nothing"] = await desk.stranger.post("/api/invitations/redeem", redemption())
    seen = {(a.status, a.raw, tuple((k, v) for k, v in a.headers.items() if k != "Date")) for a in answers.values()}
    assert len(seen) == 1
    assert answers["wrong"].status == 410
    assert answers["wrong"].code == "invitation_unusable"


async def test_the_code_is_good_for_ten_minutes_and_the_link_for_longer(desk: Desk) -> None:
    _, invitation = await desk.session()
    assert invitation["code_expires_at"] - now_ms() <= 10 * 60_000
    await shift(desk, 11 * 60_000, "expires_at", "code_expires_at")
    assert (await redeem(desk, invitation, "code")).status == 410
    assert (await redeem(desk, invitation, "token")).status == 200


async def test_of_twenty_who_redeem_the_same_invitation_at_once_one_comes_in(desk: Desk) -> None:
    _, invitation = await desk.session()
    ways = ["token", "code"] * 10
    answers = await asyncio.gather(*(redeem(desk, invitation, by) for by in ways))
    assert sorted(answer.status for answer in answers) == [200] + [410] * 19


async def test_one_address_may_try_twenty_times_a_minute(desk: Desk) -> None:
    tries = [await desk.stranger.post("/api/invitations/redeem", redemption(code="0000-0000")) for _ in range(21)]
    assert [answer.status for answer in tries] == [410] * 20 + [429]
    assert tries[-1].code == "too_many"
    assert int(tries[-1].headers["Retry-After"]) >= 1


async def test_wrong_codes_are_counted_over_all_addresses(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.invitations.WRONG_CODES_RATE", "3/minute")
    for _ in range(3):
        assert (await desk.stranger.post("/api/invitations/redeem", redemption(code="0000-0000"))).status == 410
    _, invitation = await desk.session()
    assert (await redeem(desk, invitation, "code")).status == 429
    assert (await redeem(desk, invitation, "token")).status == 200  # a link is beyond guessing


async def test_a_session_that_is_tried_too_often_answers_no_differently(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.invitations.SESSION_RATE", "1/minute")
    _, invitation = await desk.session()
    await redeem(desk, invitation, "token")
    again = await redeem(desk, invitation, "token")
    assert (again.status, again.code) == (410, "invitation_unusable")


async def test_only_the_sessions_agent_or_an_admin_invites_anew_or_revokes(desk: Desk) -> None:
    session, _ = await desk.session()
    path = f"/api/sessions/{session}/invitations"
    for person, status in ((desk.bob, 403), (desk.tess, 403), (desk.stranger, 401), (desk.ada, 200)):
        assert (await person.post(path)).status == status
    assert (await desk.bob.ask("DELETE", path)).status == 403
    assert (await desk.alice.get(f"/api/sessions/{session}")).body["invitation"]["state"] == "open"
    assert (await desk.alice.ask("DELETE", path)).status == 204
    assert (await desk.alice.get(f"/api/sessions/{session}")).body["invitation"]["state"] == "revoked"


async def test_the_customers_language_is_kept_and_nonsense_is_refused(desk: Desk) -> None:
    _, invitation = await desk.session()
    wrong = await desk.stranger.post(
        "/api/invitations/redeem", {"token": token_of(invitation), "code": None, "language": "<script>"}
    )
    assert (wrong.status, wrong.code) == (400, "invalid_body")
    body = {"token": token_of(invitation), "code": None, "language": "el"}
    place = participation(await desk.stranger.post("/api/invitations/redeem", body))
    async with desk.app.database.read() as connection:
        row = (await connection.execute(sessions.select().where(sessions.c.id == place.session))).one()
    assert row.language == "el"
