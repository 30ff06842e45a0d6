"""The client that a customer downloads: its bytes stay as they were built, and its name brings it into the session."""

from pathlib import Path

import pytest

from customer_client.invitation import read_file_name
from signaling.messages import End
from tests.server.desk import Desk, redemption


@pytest.fixture
def built(desk: Desk) -> Path:
    """A folder with one client, and with what is none."""
    folder = desk.app.settings.clients_folder
    folder.mkdir()
    (folder / "sightline-linux-x86_64.zip").write_bytes(b"the client")
    (folder / "sightline-linux-x86_64.stamp").write_text("x")
    (folder / "sightline-amiga-68000.zip").write_bytes(b"x")
    return folder


async def test_without_built_clients_nothing_is_offered(desk: Desk) -> None:
    assert (await desk.stranger.get("/api/clients")).body == {"clients": []}
    dana, _ = await desk.sharing()
    wish = {"system": "linux-x86_64"}
    assert (await desk.holder(dana).post("/api/participation/client", wish)).code == "client_missing"


async def test_the_name_of_the_download_brings_the_customer_into_the_same_session(desk: Desk, built: Path) -> None:
    listed = (await desk.stranger.get("/api/clients")).body
    assert listed == {"clients": [{"system": "linux-x86_64", "bytes": 10}]}
    dana, _ = await desk.sharing()
    offer = (await desk.holder(dana).post("/api/participation/client", {"system": "linux-x86_64"})).body

    downloaded = await desk.stranger.get(offer["address"])
    assert downloaded.raw == b"the client"
    kind, _, name = downloaded.headers["Content-Disposition"].partition("; filename=")
    assert kind == "attachment"
    invited = read_file_name(name.strip('"'))
    assert invited is not None
    assert (invited.server, invited.code) == (desk.base, offer["code"])

    again = (await desk.stranger.post("/api/invitations/redeem", redemption(code=invited.code))).body
    assert again["session"] == dana["session"]
    assert again["participant"] != dana["participant"]
    assert (await desk.stranger.post("/api/invitations/redeem", redemption(code=invited.code))).status == 410


async def test_only_the_customer_is_offered_it_and_only_while_the_session_lasts(desk: Desk, built: Path) -> None:
    dana, alice = await desk.sharing()
    wish = {"system": "linux-x86_64"}
    assert (await desk.holder(alice).post("/api/participation/client", wish)).status == 403
    await desk.say(alice, End("end", "solved"))
    assert (await desk.holder(dana).post("/api/participation/client", wish)).status == 410


@pytest.mark.parametrize(
    "address",
    [
        "/download/amiga-68000/Sightline_help.example.org_4F7K-2M9Q.zip",
        "/download/windows-x86_64/Sightline_help.example.org_4F7K-2M9Q.zip",
        "/download/linux-x86_64/client.zip",
        "/download/linux-x86_64/Sightline_help.example.org_4F7K-2M9Q.zip%22;x=%22.zip",
        "/download/linux-x86_64/..%2Fx_Sightline_help.example.org_4F7K-2M9Q.zip",
    ],
)
async def test_nothing_else_can_be_downloaded(desk: Desk, built: Path, address: str) -> None:
    assert (await desk.stranger.get(address)).status == 404
