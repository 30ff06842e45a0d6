"""The `sightline` command."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.server_process import ServerProcess, running


@pytest.fixture(scope="module")
def server(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests that need none of their own."""
    with running(seeded, tmp_path_factory.mktemp("cli")) as process:
        yield process


def sightline(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command and wait for it."""
    command = [sys.executable, "-m", "server.cli", *arguments]
    variables = {"PATH": "/usr/bin:/bin"} | environment
    return subprocess.run(command, capture_output=True, text=True, env=variables, timeout=60, check=False)


def test_a_person_is_added_before_the_server_ever_ran(tmp_path: Path) -> None:
    arguments = ("user", "add", "eve@example.org", "--name", "Eve", "--data", str(tmp_path / "data"))
    added = sightline(*arguments)
    assert added.returncode == 0, added.stderr
    assert "The password is " in added.stdout
    again = sightline(*arguments)
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert "Traceback" not in again.stderr


async def test_a_person_is_added_while_the_server_runs(server: ServerProcess) -> None:
    data = ("--data", str(server.data))
    added = sightline("user", "add", "eve@example.org", "--name", "Eve", *data, PASSWORD="correct horse")
    assert added.returncode == 0, added.stderr
    assert "correct horse" not in added.stdout
    body = {"email": "eve@example.org", "password": "correct horse"}
    async with server.anonymous() as eve, eve.post("/api/login", json=body) as answer:
        assert answer.status == 200
    weak = sightline("user", "add", "x@example.org", "--name", "X", *data, PASSWORD="short")
    assert weak.returncode == 1
    assert "at least" in weak.stderr


def test_two_servers_do_not_share_a_data_folder(server: ServerProcess) -> None:
    second = sightline("serve", "--port", "0", "--data", str(server.data))
    assert second.returncode == 1
    assert "Another server" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_that_is_taken_is_said_in_words(server: ServerProcess, tmp_path: Path) -> None:
    second = sightline("serve", "--port", str(server.port), "--data", str(tmp_path / "another"))
    assert second.returncode == 1
    assert "Choose another --port" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_note_for_other_commands_is_for_the_owner_alone_and_goes_with_the_server(make_server: MakeServer) -> None:
    server = make_server()
    note = server.data / "server.json"
    assert note.stat().st_mode & 0o077 == 0
    assert json.loads(note.read_text())["pid"] == server.pid
    server.terminate()
    assert not note.exists()


def test_settings_are_shown_with_secrets_masked() -> None:
    shown = sightline("config", "show", SIGHTLINE_SECRET="hush hush", SIGHTLINE_ORGANIZATION="ACME")
    assert shown.returncode == 0
    assert "ACME" in shown.stdout
    assert "hush" not in shown.stdout


def test_an_unknown_setting_stops_the_start() -> None:
    refused = sightline("serve", SIGHTLINE_PROT="80")
    assert refused.returncode == 1
    assert "SIGHTLINE_PROT" in refused.stderr


@pytest.mark.parametrize("taken", [False, True])
def test_the_doctor_names_what_is_wrong(server: ServerProcess, tmp_path: Path, taken: bool) -> None:
    port = str(server.port) if taken else "0"
    examined = sightline("doctor", "--data", str(tmp_path / "data"), "--port", port)
    assert "data folder" in examined.stdout
    assert ("PROBLEM  port" in examined.stdout) == taken
