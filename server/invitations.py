"""Invitations: a link, its QR code and a spoken code for one customer to come into a session once."""

from typing import Annotated, Literal

import msgspec
import segno
from aiohttp import web
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server import audit
from server.app import App
from server.database import invitations, new_id, now_ms, sessions
from server.limits import address_of
from server.participants import admit
from server.participation import Language, Participation
from server.problems import Gone, TooMany
from server.routes import route
from signaling.invitations import code_hash, link_hash, new_code, new_link_token, read_code

# --- Records ---


class Invitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A one-click link, the same as a QR code (a `data:` URL of an SVG), and a code to be spoken; one use for both.

    It is shown this once: only keyed hashes are stored. Times are ms since 1970.
    """

    link: str
    code: str
    expires_at: int
    code_expires_at: int
    qr_svg: str


class InvitationState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The session's newest invitation, without its secrets."""

    state: Literal["open", "redeemed", "expired", "revoked"]
    created_at: int
    expires_at: int


class Redemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer brings: the link's token or the spoken code (the other null), and the page's language."""

    token: Annotated[str, msgspec.Meta(max_length=200)] | None
    code: Annotated[str, msgspec.Meta(max_length=40)] | None
    language: Language


# --- Operations ---

ADDRESS_RATE = "20/minute"
WRONG_CODES_RATE = "120/minute"
"""Over all addresses: at this pace a code of 40 bits is met once in seventeen thousand years."""
SESSION_RATE = "20/minute"


def origin(app: App, request: web.Request) -> str:
    """The address by which people reach the server."""
    scheme = "https" if app.settings.secure else "http"
    return app.settings.public_url or f"{scheme}://{request.host}"


def qr_code(link: str) -> str:
    """The link as a `data:` URL of an SVG, black on white with its quiet zone."""
    return str(segno.make(link, error="m", micro=False).svg_data_uri(scale=4, dark="#000", light="#fff"))


async def over(connection: AsyncConnection, session: str) -> bool:
    """Whether the session has ended, or is not there any more."""
    alive = select(sessions.c.id).where(sessions.c.id == session, sessions.c.ended_at.is_(None))
    return (await connection.execute(alive)).one_or_none() is None


async def issue(
    app: App, connection: AsyncConnection, session: str, user_id: str | None, request: web.Request
) -> Invitation:
    """A new invitation into the session inside a transaction of the caller; older ones are revoked.

    `user_id` is None when the customer asked for it, to come in once more by another program.
    """
    await revoke(connection, session)
    code, token, now = new_code(), new_link_token(), now_ms()
    expires_at = now + app.settings.link_lifetime_h * 3_600_000
    code_expires_at = min(expires_at, now + app.settings.invitation_lifetime_min * 60_000)
    await connection.execute(
        invitations.insert().values(
            id=new_id(), session_id=session, token_hash=link_hash(app.key, token), code_hash=code_hash(app.key, code),
            created_by=user_id, created_at=now, expires_at=expires_at, code_expires_at=code_expires_at,
            redeemed_at=None, revoked_at=None,
        )
    )  # fmt: skip
    await audit.record(
        connection, user_id, "invitation.created", session, address_of(request, app.settings.trusted_proxies)
    )
    link = f"{origin(app, request)}/join#{token}"
    return Invitation(link, code, expires_at, code_expires_at, qr_code(link))


async def revoke(connection: AsyncConnection, session: str) -> None:
    """Make the session's invitations worthless, those that nobody used yet."""
    unused = (invitations.c.session_id == session) & invitations.c.redeemed_at.is_(None)
    await connection.execute(
        invitations.update().where(unused, invitations.c.revoked_at.is_(None)).values(revoked_at=now_ms())
    )


async def newest(connection: AsyncConnection, session: str) -> InvitationState | None:
    """What became of the session's newest invitation."""
    of_session = select(invitations).where(invitations.c.session_id == session)
    ordered = of_session.order_by(invitations.c.created_at.desc(), invitations.c.id)
    row = (await connection.execute(ordered.limit(1))).one_or_none()
    if row is None:
        return None
    state: Literal["open", "redeemed", "expired", "revoked"] = "open"
    if row.redeemed_at is not None:
        state = "redeemed"
    elif row.revoked_at is not None:
        state = "revoked"
    elif row.expires_at <= now_ms():
        state = "expired"
    return InvitationState(state, row.created_at, row.expires_at)


def _unusable() -> Gone:
    """One answer for wrong, expired, used and revoked, so that it tells a guesser nothing."""
    return Gone(
        "invitation_unusable",
        "This link or code cannot be used: it may be mistyped, used already, or too old. Ask for a new one.",
    )


async def redeem(app: App, body: Redemption, address: str) -> Participation:
    """Exchange a link's token or a spoken code for a place as the customer, once; raises `Gone` or `TooMany`."""
    code = read_code(body.code) if body.code and not body.token else None
    now = now_ms()
    if body.token:
        matching = and_(invitations.c.token_hash == link_hash(app.key, body.token), invitations.c.expires_at > now)
        known = invitations.c.token_hash == link_hash(app.key, body.token)
    elif code:
        await app.limiter.check(WRONG_CODES_RATE, "wrong codes")
        matching = and_(invitations.c.code_hash == code_hash(app.key, code), invitations.c.code_expires_at > now)
        known = invitations.c.code_hash == code_hash(app.key, code)
    else:
        raise _unusable()
    async with app.database.read() as connection:
        of_session = select(invitations.c.session_id).where(known).limit(1)
        session = (await connection.execute(of_session)).scalar_one_or_none()
    if session is None:
        if code:
            await app.limiter.hit(WRONG_CODES_RATE, "wrong codes")
        raise _unusable()
    try:
        await app.limiter.hit(SESSION_RATE, "redeem session", session)
    except TooMany:
        raise _unusable() from None
    alive = select(sessions.c.id).where(sessions.c.id == invitations.c.session_id, sessions.c.ended_at.is_(None))
    unused = and_(invitations.c.redeemed_at.is_(None), invitations.c.revoked_at.is_(None), alive.exists())
    async with app.database.write() as connection:
        redeemed = await connection.execute(
            invitations.update().where(matching, unused).values(redeemed_at=now).returning(invitations.c.session_id)
        )
        if redeemed.scalars().first() is None:
            raise _unusable()
        of_customer = sessions.update().where(sessions.c.id == session).values(language=body.language)
        name = (await connection.execute(of_customer.returning(sessions.c.customer_name))).scalar_one()
        admitted, token = await admit(connection, session, "customer", name)
        await audit.record(connection, None, "invitation.redeemed", session, address)
    app.feed.hint(f"session:{session}")
    return Participation(token, session, admitted.id)


# --- Routes ---


@route("POST", "/api/invitations/redeem", "public", limit=ADDRESS_RATE)
async def post_redemption(request: web.Request, app: App, body: Redemption) -> Participation:
    """The customer comes in."""
    return await redeem(app, body, address_of(request, app.settings.trusted_proxies))
