"""The table of routes: a handler exists only through a decorator that names its capability.

A handler is `async (request, app, ...) -> answer`. What else it is given follows from its annotations: a `User` is the
signed-in member of staff, an `Admitted` the participant, and a Struct called `body` the decoded request. A Struct (or
a list of them) is answered as JSON, None as 204, and a `web.StreamResponse` as it is.
"""

import asyncio
import hmac
import inspect
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, get_type_hints

import msgspec
import structlog
from aiohttp import web
from sqlalchemy.exc import OperationalError

from server import logins, participants, problems
from server.app import App
from server.keys import token_hash
from server.limits import address_of
from server.logins import STAFF, StaffRole, User
from server.participants import Admitted
from signaling.decisions import CommandRefused
from signaling.messages import Event
from signaling.timeline import Unavailable

MAX_BODY = 64 * 1024
BODY_S = 30.0
AFTERWARDS: web.RequestKey[Callable[[web.StreamResponse], None]] = web.RequestKey("afterwards")
"""What a handler wants done to the response made of its answer, such as setting a cookie."""

_DESK: frozenset[StaffRole] = frozenset({"agent", "admin"})
_LIBRARY: frozenset[StaffRole] = frozenset({"trainer", "admin"})
_REVIEW: frozenset[StaffRole] = frozenset({"qa", "admin"})
_ADMIN: frozenset[StaffRole] = frozenset({"admin"})

CAPABILITIES: dict[str, frozenset[StaffRole]] = {
    "staff": STAFF,
    "ticket.read": STAFF,
    "ticket.write": _DESK,
    "session.read": STAFF,
    "session.start": _DESK,
    "waiting.read": _DESK,
    "waiting.accept": _DESK,
    "recording.read": STAFF,
    "recording.hold": _REVIEW,
    "recording.delete": _ADMIN,
    "job.read": STAFF,
    "article.read": STAFF,
    "article.write": _LIBRARY,
    "clip.create": _LIBRARY,
    "user.admin": _ADMIN,
    "retention.admin": _ADMIN,
    "audit.read": _REVIEW,
}
"""Capability → the roles of staff that have it."""
OTHERS = frozenset({"public", "participant", "process"})
"""Capabilities that are no matter of a role: anyone; who shows a participant's token; a worker or a recorder."""

Caller = User | Admitted | None
Owner = Callable[[App, web.Request, Caller], Awaitable[bool]]
Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Route:
    """A row of the table. `capabilities` are alternatives; `owner` says whether the thing is the caller's."""

    method: str
    path: str
    capabilities: tuple[str, ...]
    owner: Owner | None
    limit: str | None
    handler: Handler
    body: Any
    response: Any
    given: dict[str, type]


ROUTES: list[Route] = []
BACKGROUND: list[Callable[[App], Awaitable[None]]] = []
OBSERVERS: list[Callable[[App, str, list[Event]], Awaitable[None]]] = []


def route(
    method: str,
    path: str,
    capability: str | tuple[str, ...],
    owner: Owner | None = None,
    limit: str | None = None,
) -> Callable[[Handler], Handler]:
    """Put a handler into the table; `limit` is by address, such as `10/minute`."""
    capabilities = (capability,) if isinstance(capability, str) else capability
    if unknown := set(capabilities) - CAPABILITIES.keys() - OTHERS:
        raise ValueError(f"{method} {path}: no such capability: {unknown}")

    def register(handler: Handler) -> Handler:
        hints = get_type_hints(handler)
        response = hints.pop("return", None)
        given = {
            name: hints[name]
            for name in inspect.signature(handler).parameters
            if name in hints and name not in {"request", "app", "body"}
        }
        ROUTES.append(Route(method, path, capabilities, owner, limit, handler, hints.get("body"), response, given))
        return handler

    return register


def background(task: Callable[[App], Awaitable[None]]) -> Callable[[App], Awaitable[None]]:
    """Have `task(app)` run as long as the server does."""
    BACKGROUND.append(task)
    return task


def observer(
    task: Callable[[App, str, list[Event]], Awaitable[None]],
) -> Callable[[App, str, list[Event]], Awaitable[None]]:
    """Have `task(app, session, events)` called after events were committed, in their order."""
    OBSERVERS.append(task)
    return task


# --- Who asks ---


def bearer(request: web.Request) -> str | None:
    """The token of the Authorization header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def identify(app: App, route: Route, request: web.Request) -> Caller:
    """The caller, when one of the route's capabilities is theirs; raises otherwise."""
    token = bearer(request)
    if "public" in route.capabilities:
        return None
    if (
        "process" in route.capabilities
        and token
        and hmac.compare_digest(token_hash(token), token_hash(app.process_secret))
    ):
        return None
    if "participant" in route.capabilities and (found := await participants.authenticate(app.database, token)):
        return found
    allowed = frozenset[StaffRole]().union(*(CAPABILITIES.get(name, frozenset()) for name in route.capabilities))
    cookie = request.cookies.get(logins.cookie_name(app.settings.secure))
    if allowed and (user := await logins.authenticate(app.database, cookie)):
        if user.role in allowed:
            return user
        raise problems.Forbidden("forbidden", f"Your role ({user.role}) may not do this. Ask an administrator.")
    if allowed:
        raise problems.Unauthenticated("signed_out", "You are not signed in. Sign in and try again.")
    raise problems.Unauthenticated("token_unusable", "This token is not good here. Open the link again.")


def not_yours() -> problems.Forbidden:
    """It is another's."""
    return problems.Forbidden("not_yours", "This belongs to somebody else.")


def same_origin(request: web.Request, app: App) -> bool:
    """Whether a browser says that the request comes from one of our own pages; what is no browser says nothing."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("Origin")
    scheme = "https" if app.settings.secure else "http"
    return origin is None or origin in {f"{scheme}://{request.host}", app.settings.public_url}


async def read_body(request: web.Request, kind: Any) -> Any:
    """The JSON body as a Struct; raises `Invalid`, `TooLarge` or `Unsupported`."""
    if request.content_type != "application/json":
        raise problems.Unsupported("not_json", "Send the request as application/json.")
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
        return msgspec.json.decode(body, type=kind)
    except TimeoutError:
        raise problems.Invalid("body_missing", "The request did not arrive whole. Send it again.") from None
    except web.HTTPRequestEntityTooLarge:
        raise problems.TooLarge("body_too_large", f"A request holds {MAX_BODY // 1024} KiB at most.") from None
    except msgspec.MsgspecError as error:
        raise problems.Invalid("invalid_body", f"The request is not understood: {error}.") from None


def bind(app: App, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route as an aiohttp handler: it checks, decodes, runs and encodes."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if route.method not in {"GET", "HEAD"} and not same_origin(request, app):
            raise problems.Forbidden("foreign_origin", "This request came from another site and was not carried out.")
        if route.limit:
            address = address_of(request, app.settings.trusted_proxies)
            await app.limiter.hit(route.limit, route.path, address)
        caller = await identify(app, route, request)
        if route.owner and not await route.owner(app, request, caller):
            raise not_yours()
        arguments: dict[str, Any] = dict.fromkeys(route.given, caller)
        if route.body is not None:
            arguments["body"] = await read_body(request, route.body)
        answer = await route.handler(request, app, **arguments)
        if isinstance(answer, web.StreamResponse):
            return answer
        response = web.Response(status=204) if answer is None else json(answer)
        if afterwards := request.get(AFTERWARDS):
            afterwards(response)
        return response

    return handle


def json(answer: Any, status: int = 200) -> web.Response:
    """A Struct, or a list of them, as a JSON response that is not kept anywhere."""
    return web.Response(
        body=msgspec.json.encode(answer),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


# --- Errors ---

STATUS: dict[type[problems.Problem], HTTPStatus] = {
    problems.Invalid: HTTPStatus.BAD_REQUEST,
    problems.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    problems.Forbidden: HTTPStatus.FORBIDDEN,
    problems.Missing: HTTPStatus.NOT_FOUND,
    problems.Conflict: HTTPStatus.CONFLICT,
    problems.Gone: HTTPStatus.GONE,
    problems.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    problems.Unsupported: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    problems.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    problems.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


class ErrorBody(msgspec.Struct, frozen=True):
    """`id` stands in the log beside what went wrong inside; null when the text says it all."""

    code: str
    text: str
    id: str | None


class ErrorAnswer(msgspec.Struct, frozen=True):
    error: ErrorBody


log = structlog.get_logger()


def problem_response(problem: problems.Problem, error_id: str | None = None) -> web.Response:
    """A problem as HTTP."""
    response = json(ErrorAnswer(ErrorBody(problem.code, problem.text, error_id)), STATUS[type(problem)])
    if problem.retry_s is not None:
        response.headers["Retry-After"] = str(problem.retry_s)
    return response


def _http_problem(error: web.HTTPException) -> problems.Problem:
    match error.status:
        case 404:
            return problems.Missing("not_found", "There is nothing at this address.")
        case 405:
            return problems.Missing("method_not_found", "There is nothing at this address for this method.")
        case 413:
            return problems.TooLarge("body_too_large", "That is more than is taken here.")
        case _:
            return problems.Invalid("invalid_request", "The request is not understood.")


@web.middleware
async def errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The one place where an exception becomes an answer; what is unknown shows an id and nothing of its inside."""
    try:
        return await handler(request)
    except problems.Problem as problem:
        return problem_response(problem)
    except web.HTTPException as error:
        return error if error.status < 400 else problem_response(_http_problem(error))
    except CommandRefused as refused:
        return problem_response(problems.Conflict(refused.code, refused.text))
    except ConnectionError:  # nobody reads the answer
        return problem_response(problems.Invalid("connection_lost", "The request did not arrive whole."))
    except (OperationalError, OSError, Unavailable) as error:
        error_id = secrets.token_hex(4)
        cause = getattr(error, "orig", None) or error
        log.error("storage_failed", id=error_id, cause=f"{type(cause).__name__}: {cause}", route=_place(request))
        unavailable = problems.Unavailable(
            "unavailable", "The server cannot store or read this at the moment. Nothing was changed. Try again soon.", 5
        )
        return problem_response(unavailable, error_id)
    except Exception:
        error_id = secrets.token_hex(4)
        log.exception("request_failed", id=error_id, route=_place(request))
        text = f"Something went wrong on our side. Try again; if it stays so, tell us this number: {error_id}."
        return json(ErrorAnswer(ErrorBody("internal", text, error_id)), status=500)


def _place(request: web.Request) -> str:
    """The route's pattern and not the path, which may hold what does not belong in a log."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource else '(unknown)'}"
