"""The client as a customer downloads it: unpacked, started by its name alone, on a machine without Python."""

import asyncio
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PyInstaller.archive.readers import CArchiveReader  # type: ignore[import-untyped]
from Xlib import X
from Xlib.protocol.event import ClientMessage
from Xlib.xobject.drawable import Window

from customer_client.invitation import file_name
from tests.customer_client.seeing_agent import SeeingAgent
from tests.real_desktop import RealDesktop, real_desktop
from tests.server.desk import open_desk

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).parents[3]
RED = "#c81e1e"
MAX_MIB = 90
SERVERS_OWN = {"server", "recorder", "sqlalchemy", "alembic", "aiosqlite", "argon2", "jinja2", "typer", "pydantic"}


@pytest.fixture(scope="module")
def archive() -> Path:
    """The client for this system, built if it was not since anything in it changed."""
    if sys.platform == "linux" and not (shutil.which("objdump") and shutil.which("strip")):
        pytest.skip("binutils is not installed")
    if sys.platform == "linux" and not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        pytest.skip("this Python has no shared library, which PyInstaller needs")
    finished = subprocess.run(
        [sys.executable, ROOT / "deploy/build_client.py"], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return ROOT / finished.stdout.rpartition("\n")[0].rpartition("\n")[2].partition(":")[0]


@pytest.fixture
def unpack(archive: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Unpacks it into a folder that is called as the downloaded file; its program."""

    def into(name: str) -> Path:
        folder = tmp_path / "Downloads" / name
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                mode = entry.external_attr >> 16
                path = folder / entry.filename
                path.parent.mkdir(parents=True, exist_ok=True)
                if stat.S_ISLNK(mode):
                    path.symlink_to(packed.read(entry).decode())
                else:
                    path.write_bytes(packed.read(entry))
                    path.chmod(mode & 0o777)
        return folder / "Sightline"

    return into


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """A machine without anything: whatever the client left behind would be here."""
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    return {
        "PATH": "/nowhere",
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "temporary"),
        "LANG": "C.UTF-8",
    }


class Talk:
    """A person at the client's terminal, who reads what is offered and takes the number before it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._said = ""

    async def reads(self, text: str) -> None:
        """Waits until this is said, past what was read before."""
        await self._find(re.escape(text))

    async def takes(self, label: str) -> None:
        """Chooses what is offered under this label, or a part of it."""
        number = await self._find(rf"^ +(\d+)  .*{re.escape(label)}")
        assert self.process.stdin is not None
        self.process.stdin.write(f"{number}\n".encode())
        await self.process.stdin.drain()

    async def _find(self, pattern: str) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while (found := re.search(pattern, self._said, re.MULTILINE)) is None:
                data = await self.process.stdout.read(65536)
                assert data, f"{pattern} was never said, but {self._said}"
                self._said += data.decode()
        self._said = self._said[found.end() :]
        return found[found.lastindex or 0]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


def closable(desktop: RealDesktop) -> list[Window]:
    """All windows that a window manager could ask to close, mapped or not yet."""
    delete = desktop.display.intern_atom("WM_DELETE_WINDOW")
    tops: list[Window] = desktop.root.query_tree().children
    each = [window for top in tops for window in (top, *top.query_tree().children)]
    return [window for window in each if delete in window.get_wm_protocols() and _is_seen(window)]


def _is_seen(window: Window) -> bool:
    return bool(window.get_attributes().map_state == X.IsViewable)


def test_it_is_small_and_holds_nothing_of_the_server(archive: Path, unpack: Callable[[str], Path]) -> None:
    assert archive.stat().st_size <= MAX_MIB * 2**20
    program = unpack("client")
    modules = CArchiveReader(str(program)).open_embedded_archive("PYZ.pyz").toc
    held = {name.partition(".")[0] for name in modules} | {
        path.name for path in (program.parent / "_internal").iterdir()
    }
    assert not held & SERVERS_OWN
    assert {"customer_client", "signaling", "annotate"} <= held


async def test_its_name_brings_it_into_the_session_and_it_leaves_nothing_behind(
    unpack: Callable[[str], Path], surroundings: dict[str, str], tmp_path: Path
) -> None:
    with real_desktop(640, 480) as desktop:
        desktop.open_window(320, 0, 320, 480, RED)
        async with open_desk(tmp_path / "data") as desk:
            session, invitation = await desk.session()
            place = (await desk.alice.post(f"/api/sessions/{session}/participants", None)).body
            program = unpack(f"{file_name(desk.base, invitation['code'])} (1)")
            alice = SeeingAgent(desk.base, place["token"])
            looking = asyncio.create_task(alice.run())
            process = await asyncio.create_subprocess_exec(
                program, "--terminal", stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path / "home",
                env=surroundings | {"DISPLAY": desktop.name},
            )  # fmt: skip
            talk = Talk(process)
            try:
                await talk.reads(desk.base)
                await talk.takes("Connect")
                await talk.reads("Alice from ACME Support would like to see your screen")
                await talk.takes("Choose what to share")
                await talk.takes("(640 x 480)")
                await talk.takes("Share this")
                await until(lambda: alice.sees(0.75, 0.5, RED))
                await talk.takes("Stop sharing")
                await until(lambda: alice.link.state.phase == "joined")
                await talk.takes("Close")
                assert await asyncio.wait_for(process.wait(), 20) == 0
            finally:
                if process.returncode is None:
                    process.kill()
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
    assert not [*(tmp_path / "home").iterdir(), *(tmp_path / "temporary").iterdir()]


def test_it_opens_a_window_and_closes_with_it(
    unpack: Callable[[str], Path], surroundings: dict[str, str], tmp_path: Path
) -> None:
    with real_desktop(900, 900) as desktop:
        program = unpack("Sightline_http~127.0.0.1~1_4F7K-2M9Q")
        process = subprocess.Popen([program], env=surroundings | {"DISPLAY": desktop.name}, cwd=tmp_path / "home")
        try:
            asyncio.run(until(lambda: closable(desktop)))
            delete, kind = map(desktop.display.intern_atom, ("WM_DELETE_WINDOW", "WM_PROTOCOLS"))
            for window in closable(desktop):
                window.send_event(ClientMessage(window=window, client_type=kind, data=(32, [delete, 0, 0, 0, 0])))
            desktop.display.sync()
            assert process.wait(20) == 0
        finally:
            process.kill()
