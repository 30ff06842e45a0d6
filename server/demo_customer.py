"""The demo's customer as a process: asks for help, shares a moving desktop when accepted, and comes again afterwards.

`python -m server.demo_customer SERVER FILE` keeps its place in the session in FILE, so that a restart goes on with it.
"""

import asyncio
import os
import sys
import threading
from pathlib import Path

import aiohttp
import msgspec
import structlog

from customer_client.simulation.simulation import share
from server.participation import Participation
from server.waiting import HelpRequest

COMES_AGAIN_S = 6.0
ASKS_AGAIN_S = 2.0
REQUEST = HelpRequest("Dana Whitfield", "The printer in the front office prints every second page blank.", "en")

log = structlog.get_logger()


def kept(file: Path) -> Participation | None:
    """The place that was taken before, if any."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Participation)
    except (OSError, msgspec.MsgspecError):
        return None


def keep(file: Path, place: Participation) -> None:
    """Remember the place, for the owner of the folder alone."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(msgspec.json.encode(place))


async def ask(http: aiohttp.ClientSession, server_url: str) -> Participation | None:
    """A new place on the waiting list; None when it can't be had now."""
    body, headers = msgspec.json.encode(REQUEST), {"Content-Type": "application/json"}
    try:
        async with http.post(f"{server_url}/api/help", data=body, headers=headers) as response:
            if response.status != 200:
                log.warning("help_refused", status=response.status)
                return None
            return msgspec.json.decode(await response.read(), type=Participation)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


async def run(server_url: str, file: Path) -> None:
    """Come, take part until the session ends, and come again."""
    async with aiohttp.ClientSession() as http:
        while True:
            place = kept(file) or await ask(http, server_url)
            if place is None:
                await asyncio.sleep(ASKS_AGAIN_S)
                continue
            keep(file, place)
            await share(server_url, place)
            await asyncio.to_thread(file.unlink, missing_ok=True)
            await asyncio.sleep(COMES_AGAIN_S)


def _end_with_parent() -> None:
    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True, name="until stdin ends").start()


if __name__ == "__main__":
    _end_with_parent()
    asyncio.run(run(sys.argv[1].rstrip("/"), Path(sys.argv[2])))
