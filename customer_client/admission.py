"""What the native client asks its server over HTTP: a place in the session, how long the line is, and a last word."""

import ssl
from typing import NamedTuple

import aiohttp
import msgspec

from customer_client.invitation import Invitation

PATIENCE = aiohttp.ClientTimeout(total=20)


class Failed(Exception):
    """The server said no, or could not be asked; `code` is a key under `trouble.`, `again` whether that may pass."""

    def __init__(self, code: str, again: bool, number: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.again = again
        self.number = number


class Place(msgspec.Struct, frozen=True):
    """A place in a session as its customer."""

    token: str
    session: str
    participant: str


class Line(NamedTuple):
    """Where the customer stands among those who wait; `position` counts from 1 and is None when nobody waits."""

    organization: str
    position: int | None


async def redeem(invitation: Invitation, language: str) -> Place:
    """Uses the invitation, which works once; raises `Failed`."""
    body = {"token": invitation.token or None, "code": invitation.code or None, "language": language}
    try:
        async with (
            aiohttp.ClientSession(timeout=PATIENCE) as http,
            http.post(f"{invitation.server}/api/invitations/redeem", json=body) as response,
        ):
            answer = await response.read()
            if response.status == 200:
                return msgspec.json.decode(answer, type=Place)
            if response.status == 429:
                raise Failed("busy", again=True)
            if response.status < 500:
                raise Failed("unusable", again=False)
            raise Failed("failed", again=True, number=_number(answer))
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise Failed("insecure", again=False) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Failed("offline", again=True) from error
    except msgspec.DecodeError as error:  # whoever answers there, it is not a server of ours
        raise Failed("failed", again=True) from error


async def line(server: str, token: str) -> Line | None:
    """The organization, and the place in the line; None when that could not be asked now."""
    try:
        async with (
            aiohttp.ClientSession(timeout=PATIENCE) as http,
            http.get(f"{server}/api/participation", headers={"Authorization": f"Bearer {token}"}) as response,
        ):
            if response.status != 200:
                return None
            answer = await response.json()
            return Line(str(answer["organization"]), answer["waiting"] and int(answer["waiting"]["position"]))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError):
        return None


async def rate(server: str, token: str, score: int) -> bool:
    """Gives the customer's word after the session, 1 to 5; whether it was taken."""
    try:
        async with (
            aiohttp.ClientSession(timeout=PATIENCE, headers={"Authorization": f"Bearer {token}"}) as http,
            http.post(f"{server}/api/participation/feedback", json={"score": score}) as response,
        ):
            return response.status < 300
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def _number(answer: bytes) -> str:
    """What a failing server calls this failure in its log."""
    try:
        return str(msgspec.json.decode(answer)["error"]["id"] or "")
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""
