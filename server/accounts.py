"""Accounts of the staff: who there is, signing in and out, and the first administrator."""

import hmac
from typing import Annotated

import msgspec
from aiohttp import web
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from server import audit, logins, participants, passwords
from server.app import App
from server.database import logins as login_rows, new_id, now_ms, users
from server.limits import address_of
from server.logins import StaffRole, User
from server.problems import Conflict, Forbidden, Invalid, Missing, Unauthenticated
from server.routes import AFTERWARDS, CAPABILITIES, Caller, route
from server.sessions import send_away

# --- Records ---

Email = Annotated[str, msgspec.Meta(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
PersonName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Password = Annotated[str, msgspec.Meta(max_length=200)]
MIN_PASSWORD = 10
FAILURES = "10/10minute"
"""Wrong passwords that one account takes, and one address for all accounts."""


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Password


class Me(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is signed in, and what they may do."""

    id: str
    email: str
    name: str
    role: StaffRole
    organization: str
    capabilities: list[str]


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first administrator; `token` stands on the server's console."""

    token: Annotated[str, msgspec.Meta(max_length=200)]
    email: Email
    name: PersonName
    password: Password


class SetupState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    needed: bool


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Email
    name: PersonName
    role: StaffRole
    password: Password


class UserChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New values; null leaves a value as it is."""

    name: PersonName | None
    role: StaffRole | None
    password: Password | None
    disabled: bool | None


class UserSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the list of staff; `created_at` is ms since 1970."""

    id: str
    email: str
    name: str
    role: StaffRole
    disabled: bool
    created_at: int


# --- Operations ---

_SUMMARY = (users.c.id, users.c.email, users.c.name, users.c.role, users.c.disabled, users.c.created_at)


def check_password(password: str) -> None:
    """Raise `Invalid` for a password that is too short."""
    if len(password) < MIN_PASSWORD:
        raise Invalid("weak_password", f"Choose a password of at least {MIN_PASSWORD} characters.")


async def add_user(connection: AsyncConnection, new: NewUser, password_hash: str) -> UserSummary:
    """A new member of staff; raises `Conflict` when the e-mail address is taken."""
    added = UserSummary(new_id(), new.email.strip().lower(), new.name, new.role, False, now_ms())
    try:
        await connection.execute(
            users.insert().values(msgspec.structs.asdict(added) | {"password_hash": password_hash})
        )
    except IntegrityError:
        raise Conflict("email_taken", "Somebody with this e-mail address exists already.") from None
    return added


async def has_admin(connection: AsyncConnection) -> bool:
    """Whether an administrator who can sign in exists."""
    query = select(func.count()).where(users.c.role == "admin", users.c.disabled.is_(False))
    return bool((await connection.execute(query)).scalar_one())


async def change_user(app: App, user_id: str, change: UserChange, by: str, address: str) -> UserSummary:
    """Change an account; one that is disabled, or gets another password, is signed out everywhere at once.

    So it is with the sessions that it takes part in, also when its new role may have none.
    """
    values: dict[str, object] = {
        name: value for name in ("name", "role", "disabled") if (value := getattr(change, name)) is not None
    }
    if change.password is not None:
        check_password(change.password)
        values["password_hash"] = await passwords.hashed(change.password)
    signed_out = change.disabled or change.password is not None
    sent_away = signed_out or (change.role is not None and change.role not in CAPABILITIES["session.start"])
    places: list[tuple[str, str]] = []
    async with app.database.write() as connection:
        if values:
            await connection.execute(update(users).where(users.c.id == user_id).values(values))
        row = (await connection.execute(select(*_SUMMARY).where(users.c.id == user_id))).one_or_none()
        if row is None:
            raise Missing("user_missing", "This person does not exist.")
        if not await has_admin(connection):
            raise Conflict("last_admin", "Somebody has to stay administrator. Make another one first.")
        if signed_out:
            await connection.execute(delete(login_rows).where(login_rows.c.user_id == user_id))
        if sent_away:
            places = await participants.revoke(connection, user_id)
        await audit.record(connection, by, "user.changed", user_id, address)
    if signed_out:
        app.feed.close(user_id)
    await send_away(app, places, "account_disabled" if change.disabled else "signed_out")
    return UserSummary(*row)


def me_of(app: App, user: User) -> Me:
    """What a signed-in page needs to know."""
    capabilities = sorted(name for name, roles in CAPABILITIES.items() if user.role in roles)
    return Me(user.id, user.email, user.name, user.role, app.settings.organization, capabilities)


async def _sign_in(app: App, request: web.Request, user: User) -> Me:
    token = await logins.begin(app.database, user.id, app.settings.login_lifetime_h)
    secure, lifetime = app.settings.secure, app.settings.login_lifetime_h
    request[AFTERWARDS] = lambda response: logins.set_cookie(response, token, secure, lifetime)
    return me_of(app, user)


def _address(app: App, request: web.Request) -> str:
    return address_of(request, app.settings.trusted_proxies)


# --- Routes ---


@route("POST", "/api/login", "public", limit="60/minute")
async def login(request: web.Request, app: App, body: Credentials) -> Me:
    """Sign in; a wrong password and an unknown or disabled account answer alike."""
    email, address = body.email.strip().lower(), _address(app, request)
    query = select(users).where(users.c.email == email, users.c.disabled.is_(False))
    async with app.limiter.in_turn("login", email):  # many at once would all be looked at before one is counted
        await app.limiter.check(FAILURES, "login", email)
        await app.limiter.check(FAILURES, "login", address)
        async with app.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if not await passwords.matches(row.password_hash if row else None, body.password) or row is None:
            await app.limiter.hit(FAILURES, "login", email)
            await app.limiter.hit(FAILURES, "login", address)
            raise Unauthenticated("wrong_credentials", "The e-mail address or the password is wrong. Try again.")
    async with app.database.write() as connection:
        await audit.record(connection, row.id, "login", row.id, address)
    return await _sign_in(app, request, User(row.id, row.email, row.name, row.role))


@route("POST", "/api/logout", "public")
async def logout(request: web.Request, app: App) -> None:
    """Sign out here."""
    name = logins.cookie_name(app.settings.secure)
    if token := request.cookies.get(name):
        await logins.end(app.database, token)
    request[AFTERWARDS] = lambda response: response.del_cookie(
        name, path="/", secure=app.settings.secure, httponly=True, samesite="Lax"
    )


@route("GET", "/api/me", "staff")
async def me(request: web.Request, app: App, user: User) -> Me:
    """Who is signed in."""
    return me_of(app, user)


@route("GET", "/api/setup", "public")
async def setup_state(request: web.Request, app: App) -> SetupState:
    """Whether the first administrator is still to be made."""
    async with app.database.read() as connection:
        return SetupState(needed=not await has_admin(connection))


@route("POST", "/api/setup", "public", limit="10/minute")
async def set_up(request: web.Request, app: App, body: Setup) -> Me:
    """Make the first administrator, with the token that the server printed when it started."""
    if not hmac.compare_digest(body.token.strip().encode(), app.setup_token.encode()):
        raise Forbidden("wrong_setup_token", "This is not the token that the server printed when it started.")
    check_password(body.password)
    new = NewUser(body.email, body.name, "admin", body.password)
    password_hash = await passwords.hashed(body.password)
    async with app.database.write() as connection:
        if await has_admin(connection):
            raise Conflict("set_up_already", "There is an administrator already. Sign in instead.")
        added = await add_user(connection, new, password_hash)
        await audit.record(connection, added.id, "user.created", added.id, _address(app, request))
    return await _sign_in(app, request, User(added.id, added.email, added.name, added.role))


@route("GET", "/api/users", "user.admin")
async def list_users(request: web.Request, app: App) -> list[UserSummary]:
    """All staff, by name."""
    async with app.database.read() as connection:
        rows = await connection.execute(select(*_SUMMARY).order_by(func.lower(users.c.name)))
        return [UserSummary(*row) for row in rows]


@route("POST", "/api/users", ("user.admin", "process"))
async def create_user(request: web.Request, app: App, body: NewUser, user: Caller) -> UserSummary:
    """Add a member of staff; `sightline user add` comes here too."""
    check_password(body.password)
    password_hash = await passwords.hashed(body.password)
    async with app.database.write() as connection:
        added = await add_user(connection, body, password_hash)
        await audit.record(connection, user.id if user else None, "user.created", added.id, _address(app, request))
    return added


@route("PATCH", "/api/users/{user}", "user.admin")
async def update_user(request: web.Request, app: App, body: UserChange, user: User) -> UserSummary:
    """Change, disable or enable a member of staff."""
    return await change_user(app, request.match_info["user"], body, user.id, _address(app, request))


@route("GET", "/api/feed", "staff")
async def feed(request: web.Request, app: App, user: User) -> web.StreamResponse:
    """Server-Sent Events that say what changed."""
    token = request.cookies.get(logins.cookie_name(app.settings.secure))

    async def signed_in() -> bool:
        try:
            return await logins.authenticate(app.database, token) is not None
        except (SQLAlchemyError, OSError):
            return True  # nobody can be asked at the moment

    return await app.feed.stream(request, user.id, signed_in)
