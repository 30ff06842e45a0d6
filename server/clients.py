"""Clients: the built programs that the invitation's page offers, each for one system, and the way from there to one."""

import re
from pathlib import Path
from typing import Annotated

import msgspec
from aiohttp import web

from customer_client.invitation import file_name, read_file_name
from server import invitations
from server.app import App
from server.participants import Admitted
from server.problems import Forbidden, Gone, Missing
from server.routes import route

# --- Records ---

System = Annotated[str, msgspec.Meta(pattern="^(linux|macos|windows)-(x86_64|arm64)$")]
_FILE = re.compile(r"sightline-((?:linux|macos|windows)-(?:x86_64|arm64))\.zip")


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client that can be downloaded; `system` is such as linux-x86_64."""

    system: str
    bytes: int


class ClientList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every client that this server has."""

    clients: list[Client]


class ClientWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    system: System


class ClientOffer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the client is to be had, under a name that brings it into this session, until the code runs out."""

    address: str
    code: str
    code_expires_at: int


# --- Operations ---


def clients(folder: Path) -> list[Client]:
    """Those that are in the folder."""
    files = sorted(folder.glob("sightline-*.zip")) if folder.is_dir() else []
    found = ((_FILE.fullmatch(path.name), path) for path in files)
    return [Client(match[1], path.stat().st_size) for match, path in found if match]


async def offer(app: App, who: Admitted, system: str, request: web.Request) -> ClientOffer:
    """A new code for the customer's own place, and the client that carries it; raises a `Problem`."""
    if who.role != "customer":
        raise Forbidden("forbidden", "Only the customer can go on in the client.")
    if system not in {client.system for client in clients(app.settings.clients_folder)}:
        raise _missing()
    async with app.database.write() as connection:
        if await invitations.over(connection, who.session):
            raise Gone("ended", "The session has ended.")
        invitation = await invitations.issue(app, connection, who.session, None, request)
    name = file_name(invitations.origin(app, request), invitation.code)
    return ClientOffer(f"/download/{system}/{name}.zip", invitation.code, invitation.code_expires_at)


def _missing() -> Missing:
    return Missing("client_missing", "There is no client for this system here. Use the page in your browser.")


# --- Routes ---


@route("GET", "/api/clients", "public")
async def get_clients(request: web.Request, app: App) -> ClientList:
    """What the page can offer."""
    return ClientList(clients(app.settings.clients_folder))


@route("POST", "/api/participation/client", "participant", limit="20/minute")
async def post_client(request: web.Request, app: App, who: Admitted, body: ClientWish) -> ClientOffer:
    """The customer wants to go on in the client: whoever brings the new code takes the place of this page."""
    return await offer(app, who, body.system, request)


@route("GET", "/download/{system}/{name}", "public", limit="60/minute")
async def download(request: web.Request, app: App) -> web.StreamResponse:
    """The client as it was built and signed, whatever it is called; its name tells it where it is invited to."""
    system, name = request.match_info["system"], request.match_info["name"]
    if system not in {client.system for client in clients(app.settings.clients_folder)} or not _carries(name):
        raise _missing()
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return web.FileResponse(app.settings.clients_folder / f"sightline-{system}.zip", headers=headers)


def _carries(name: str) -> bool:
    """Whether a name is exactly what `offer` makes, so that nothing else gets into a header."""
    found = read_file_name(name)
    return found is not None and name == f"{file_name(found.server, found.code)}.zip"
