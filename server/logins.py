"""Logins: signed-in browsers of the staff, known by an opaque token of which only a hash is stored."""

from typing import Literal, get_args

import msgspec
from aiohttp import web
from sqlalchemy import delete, select

from server.database import Database, logins, now_ms, users
from server.keys import new_token, token_hash

StaffRole = Literal["agent", "trainer", "qa", "admin"]
STAFF: frozenset[StaffRole] = frozenset(get_args(StaffRole))


class User(msgspec.Struct, frozen=True):
    """A member of staff who is signed in."""

    id: str
    email: str
    name: str
    role: StaffRole


def cookie_name(secure: bool) -> str:
    """`__Host-` binds the cookie to this very origin, but browsers take it over TLS only."""
    return "__Host-sightline" if secure else "sightline"


async def authenticate(database: Database, token: str | None) -> User | None:
    """The user behind a login's token, unless it is unknown, expired, or the user is disabled."""
    if not token:
        return None
    query = (
        select(users.c.id, users.c.email, users.c.name, users.c.role)
        .join(logins, logins.c.user_id == users.c.id)
        .where(logins.c.token_hash == token_hash(token), logins.c.expires_at > now_ms(), users.c.disabled.is_(False))
    )
    async with database.read() as connection:
        row = (await connection.execute(query)).one_or_none()
    return User(*row) if row else None


async def begin(database: Database, user_id: str, lifetime_h: int) -> str:
    """A new login of the user; expired ones of anybody are cleared away. Returns its token."""
    token, now = new_token(), now_ms()
    async with database.write() as connection:
        await connection.execute(delete(logins).where(logins.c.expires_at <= now))
        await connection.execute(
            logins.insert().values(
                token_hash=token_hash(token), user_id=user_id, created_at=now, expires_at=now + lifetime_h * 3_600_000
            )
        )
    return token


async def end(database: Database, token: str) -> None:
    """Make a token worthless."""
    async with database.write() as connection:
        await connection.execute(delete(logins).where(logins.c.token_hash == token_hash(token)))


def set_cookie(response: web.StreamResponse, token: str, secure: bool, lifetime_h: int) -> None:
    """Hand the token to the browser, out of reach of scripts and of other sites."""
    response.set_cookie(
        cookie_name(secure), token, max_age=lifetime_h * 3600, path="/", secure=secure, httponly=True, samesite="Lax"
    )
