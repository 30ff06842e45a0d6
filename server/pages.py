"""The built pages and their files, and what a monitor asks."""

from pathlib import Path

import msgspec
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import agent_client
import customer_client
from server.app import App
from server.problems import Missing, Unavailable
from server.routes import json, route

CUSTOMER = Path(customer_client.__file__).parent / "static"
AGENT = Path(agent_client.__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
ASK_EVERY_TIME = "no-cache"


class Organization(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ok`, or what does not work."""

    state: str


def built_page(path: Path) -> web.StreamResponse:
    """A page of a client; raises `Unavailable` when it was not built."""
    if not path.is_file():
        raise Unavailable("pages_missing", "The pages are not built. Run `make pages` and try again.")
    return web.FileResponse(path, headers={"Cache-Control": ASK_EVERY_TIME})


def built_file(folder: Path, name: str) -> web.StreamResponse:
    """A file below `folder`; what Vite named after its content may be kept for good."""
    try:
        path = (folder / name).resolve()
        found = path.is_relative_to(folder.resolve()) and path.is_file()
    except (ValueError, OSError):  # a name that no file can have: too long, or with a zero byte
        found = False
    if not found:
        raise Missing("not_found", "There is nothing at this address.")
    cached = FOREVER if name.startswith("assets/") else ASK_EVERY_TIME
    return web.FileResponse(path, headers={"Cache-Control": cached})


@route("GET", "/", "public")
async def home(request: web.Request, app: App) -> web.StreamResponse:
    """The help centre is what strangers look for."""
    return web.Response(status=302, headers={"Location": "/help"})


@route("GET", "/join", "public")
async def join_page(request: web.Request, app: App) -> web.StreamResponse:
    """The customer's page; the invitation stands in the fragment, which never reaches the server."""
    return built_page(CUSTOMER / "join.html")


@route("GET", "/get-help", "public")
async def get_help_page(request: web.Request, app: App) -> web.StreamResponse:
    """The page for who comes unasked."""
    return built_page(CUSTOMER / "get-help.html")


@route("GET", "/console", "public")
async def console(request: web.Request, app: App) -> web.StreamResponse:
    """The staff's pages; what they show, they ask for with the login."""
    return built_page(AGENT / "console.html")


@route("GET", "/console/{rest:.*}", "public")
async def console_page(request: web.Request, app: App) -> web.StreamResponse:
    """Any address inside the staff's pages, which find their way themselves."""
    return built_page(AGENT / "console.html")


@route("GET", "/static/customer/{name:.+}", "public")
async def customer_file(request: web.Request, app: App) -> web.StreamResponse:
    """A file of the customer's pages."""
    return built_file(CUSTOMER, request.match_info["name"])


@route("GET", "/static/agent/{name:.+}", "public")
async def agent_file(request: web.Request, app: App) -> web.StreamResponse:
    """A file of the staff's pages."""
    return built_file(AGENT, request.match_info["name"])


@route("GET", "/api/organization", "public")
async def organization(request: web.Request, app: App) -> Organization:
    """Whose server this is."""
    return Organization(app.settings.organization)


@route("GET", "/healthz", "public")
async def healthz(request: web.Request, app: App) -> Health:
    """Whether the process answers."""
    return Health("ok")


@route("GET", "/readyz", "public")
async def readyz(request: web.Request, app: App) -> web.StreamResponse:
    """Whether what the server depends on works."""
    try:
        async with app.database.read() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        return json(Health("the database cannot be read"), 503)
    if not app.timeline.writing:
        return json(Health("the timeline is not being written"), 503)
    return json(Health("ok"))
